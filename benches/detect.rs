//! All labels in one frame, on one thread, with and without a lot.
//! `benches/rival_detect.py` times ONNX Runtime on CenterFace, which finds faces alone.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use image::imageops::FilterType;
use parkq_core::{Detector, DetectorOptions, Frame, Lot, PixelFormat, Quad, Space};

/// What is in it has a second look, so it must be a picture and not a pattern.
const SCENE: &[u8] = include_bytes!("../examples/data/scene.jpg");

/// Keeps its pages: a large share of a network's time is malloc and free of its tensors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Three rows of spaces, which a camera on a mast sees smaller and smaller.
fn lot() -> Lot {
    let space = |i: usize| {
        let (row, column) = (i / 10, (i % 10) as f64);
        let scale = [1.0, 0.7, 0.5][row];
        let (x, y) = (0.5 + (column - 5.0) * 0.085 * scale, [0.7, 0.5, 0.37][row]);
        let (w, h) = (0.085 * scale, 0.18 * scale * scale);
        Space::new(i.to_string(), Quad::from([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]))
    };
    Lot::new((0..30).map(space)).unwrap()
}

fn detect(c: &mut Criterion) {
    let detector = Detector::with_options(DetectorOptions::default().threads(1)).unwrap();
    let lot = lot();
    let scene = image::load_from_memory(SCENE).unwrap();
    for (width, height) in [(1280u32, 720u32), (1920, 1080)] {
        let pixels = scene.resize_exact(width, height, FilterType::Triangle).into_rgb8();
        let frame = Frame::packed(PixelFormat::Rgb8, width, height, &pixels).unwrap();
        let mut group = c.benchmark_group(format!("detect/{width}x{height}"));
        group.sample_size(10);
        group.bench_function("frame", |b| b.iter(|| detector.detect(frame).unwrap()));
        group.bench_function("lot", |b| b.iter(|| detector.detect_on(frame, &lot).unwrap()));
    }
}

criterion_group!(benches, detect);
criterion_main!(benches);
