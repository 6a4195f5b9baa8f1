//! Spaces in a 1920x1080 NV12 frame: 1 to 1,000 of them, on one thread and on all, without the
//! second looks, whose number depends on the picture.
//! `benches/rival_occupancy.py` times ONNX Runtime on the same net.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parkq_core::{Estimator, EstimatorOptions, Frame, Lot, PixelFormat, Quad, Space};

/// Keeps its pages: a large share of a network's time is malloc and free of its tensors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn lot(spaces: usize) -> Lot {
    let space = |i: usize| {
        let (x, y) = ((i % 40) as f64 / 42.0, (i / 40) as f64 / 30.0);
        let quad = [[x, y], [x + 0.03, y], [x + 0.035, y + 0.06], [x + 0.005, y + 0.06]];
        Space::new(i.to_string(), Quad::from(quad))
    };
    Lot::new((0..spaces).map(space)).unwrap()
}

fn occupancy(c: &mut Criterion) {
    let pixels: Vec<u8> = (0..1920 * 1080 * 3 / 2).map(|i| (i * 31 % 251) as u8).collect();
    let frame = Frame::packed(PixelFormat::Nv12, 1920, 1080, &pixels).unwrap();
    for (name, threads) in [("one thread", 1), ("all threads", 0)] {
        let mut group = c.benchmark_group(format!("occupancy/{name}"));
        group.sample_size(10);
        for spaces in [1, 10, 40, 200, 1000] {
            let options = EstimatorOptions::default().threads(threads).second_look(false);
            let estimator = Estimator::with_options(lot(spaces), options).unwrap();
            group.throughput(Throughput::Elements(spaces as u64));
            group.bench_function(BenchmarkId::from_parameter(spaces), |b| {
                b.iter(|| estimator.occupancy(frame).unwrap());
            });
        }
    }
}

criterion_group!(benches, occupancy);
criterion_main!(benches);
