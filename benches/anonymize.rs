//! Redaction alone at 1080p and 4K, for 1 to 200 regions, against a plain fill of the same bytes;
//! and a whole call.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parkq_core::{Anonymizer, Fill, FrameMut, PixelFormat, Rect, Redaction};

/// Keeps its pages: a large share of a network's time is malloc and free of its tensors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Regions of a plate's to a person's size, spread over the picture; the first is a plate of
/// 130 x 36 pixels with its margin.
fn regions(count: usize, width: u32, height: u32) -> Vec<Rect> {
    let rect = |i: usize| {
        let (w, h) = ((24 + (130 + i * 37) % 144) as f32, (16 + (24 + i * 53) % 176) as f32);
        let (x, y) = ((i * 7919 % 1000) as f32 / 1000.0, (i * 104_729 % 1000) as f32 / 1000.0);
        Rect { x: x * (width as f32 - w), y: y * (height as f32 - h), width: w, height: h }
    };
    (0..count).map(rect).collect()
}

/// The rows of both planes of an NV12 picture that the regions take, as byte ranges.
fn spans(regions: &[Rect], width: usize, height: usize) -> Vec<std::ops::Range<usize>> {
    let mut spans = Vec::new();
    for r in regions {
        let even = |low: f32, high: f32| {
            (low as usize / 2 * 2, (high.ceil() as usize).next_multiple_of(2))
        };
        let (left, right) = even(r.x, r.x + r.width);
        let (top, bottom) = even(r.y, r.y + r.height);
        spans.extend((top..bottom).map(|y| y * width + left..y * width + right));
        let chroma = |y: usize| (height + y) * width;
        spans.extend((top / 2..bottom / 2).map(|y| chroma(y) + left..chroma(y) + right));
    }
    spans
}

fn redaction(c: &mut Criterion) {
    for (name, width, height) in [("1080p", 1920, 1080), ("4K", 3840, 2160)] {
        let mut nv12 = vec![90; width as usize * height as usize * 3 / 2];
        let mut group = c.benchmark_group(format!("redaction/{name}"));
        for count in [1, 10, 50, 200] {
            let regions = regions(count, width, height);
            let spans = spans(&regions, width as usize, height as usize);
            let bytes: usize = spans.iter().map(|span| span.len()).sum();
            group.throughput(Throughput::Bytes(bytes as u64));
            group.bench_function(BenchmarkId::new("plain fill", count), |b| {
                b.iter(|| {
                    let nv12 = std::hint::black_box(&mut nv12);
                    spans.iter().for_each(|span| nv12[span.clone()].fill(16));
                });
            });
            for (name, redaction) in [
                ("black", Redaction::default()),
                ("surroundings", Redaction::Fill(Fill::Surroundings)),
                ("mosaic", Redaction::Mosaic { cells: [4, 1], levels: 4 }),
            ] {
                group.bench_function(BenchmarkId::new(name, count), |b| {
                    let mut frame =
                        FrameMut::packed(PixelFormat::Nv12, width, height, &mut nv12).unwrap();
                    b.iter(|| redaction.apply(&mut frame, &regions).unwrap().len());
                });
            }
        }
    }
}

fn whole_call(c: &mut Criterion) {
    let mut nv12: Vec<u8> = (0..1920 * 1080 * 3 / 2).map(|i| (i * 31 % 251) as u8).collect();
    let anonymizer = Anonymizer::bundled().unwrap();
    let mut group = c.benchmark_group("anonymize");
    group.sample_size(10);
    group.bench_function("1080p NV12, in place", |b| {
        b.iter(|| {
            let frame = FrameMut::packed(PixelFormat::Nv12, 1920, 1080, &mut nv12).unwrap();
            anonymizer.anonymize_in_place(frame).unwrap().redactions().len()
        });
    });
}

criterion_group!(benches, redaction, whole_call);
criterion_main!(benches);
