//! What a call through the C interface adds to the core's: a lot with one closed space, so that
//! nothing is left but the call, in frames of several sizes. The bar: 20 us, whatever the size.
#![allow(missing_docs, clippy::unwrap_used)]

use std::mem::MaybeUninit;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use parkq::*;
use parkq_core::{Estimator, Frame, Lot, PixelFormat};

const LOT: &str = r#"{"version": 1, "spaces": [{"id": "A1", "closed": true,
    "quad": [[0.1, 0.5], [0.2, 0.5], [0.2, 0.8], [0.1, 0.8]]}]}"#;

fn made<T>(make: impl FnOnce(Option<&mut MaybeUninit<T>>) -> parkq_status) -> T {
    let mut out = MaybeUninit::uninit();
    assert_eq!(make(Some(&mut out)), parkq_status::Ok);
    // SAFETY: outputs are written if a call succeeds.
    unsafe { out.assume_init() }
}

fn calls(c: &mut Criterion) {
    let core = Estimator::bundled(Lot::from_json(LOT).unwrap()).unwrap();
    // SAFETY: a text of that length.
    let lot = made(|out| unsafe { parkq_lot_from_json(LOT.as_ptr().cast(), LOT.len(), out) });
    let estimator = made(|out| parkq_estimator_new(lot.as_deref(), None, out));
    let mut occupancy = made(|out| parkq_occupancy_new(out));
    let mut group = c.benchmark_group("call");
    for (width, height) in [(64, 48), (1280, 720), (3840, 2160)] {
        let mut nv12 = vec![128u8; width * height * 3 / 2];
        let size = format!("{width}x{height}");
        let (width, height) = (width as u32, height as u32);
        group.bench_function(BenchmarkId::new("core", &size), |b| {
            b.iter(|| {
                let frame = Frame::packed(PixelFormat::Nv12, width, height, &nv12).unwrap();
                core.occupancy(frame).unwrap()
            });
        });
        group.bench_function(BenchmarkId::new("C", &size), |b| {
            b.iter(|| {
                let (bytes, length) = (nv12.as_mut_ptr(), nv12.len());
                let format = parkq_pixel_format::Nv12 as u32;
                // SAFETY: a buffer of that length.
                let frame = made(|out| unsafe {
                    parkq_frame_packed(format, width, height, bytes, length, out)
                });
                // SAFETY: the frame lies in that buffer.
                let status = unsafe {
                    let (estimator, occupancy) = (estimator.as_deref(), occupancy.as_deref_mut());
                    parkq_estimator_occupancy(estimator, Some(&frame), occupancy)
                };
                assert_eq!(status, parkq_status::Ok);
            });
        });
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
