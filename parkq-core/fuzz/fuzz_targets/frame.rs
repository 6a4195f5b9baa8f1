//! Any claim about a buffer: sizes and strides that do not fit it are refused, all others are read.
#![no_main]

use parkq_core::{Estimator, Frame, Lot, PixelFormat, Plane, Quad, Space};
use std::sync::LazyLock;

static ESTIMATOR: LazyLock<Estimator> = LazyLock::new(|| {
    let quad = Quad::from([[0.1, 0.1], [0.9, 0.2], [0.8, 0.9], [0.2, 0.8]]);
    Estimator::bundled(Lot::new([Space::new("a", quad)]).unwrap()).unwrap()
});

libfuzzer_sys::fuzz_target!(|input: (u8, u32, u32, [usize; 3], [u16; 2], &[u8])| {
    let (format, width, height, strides, cuts, bytes) = input;
    let format = PixelFormat::ALL[format as usize % PixelFormat::ALL.len()];
    let (first, rest) = bytes.split_at((cuts[0] as usize).min(bytes.len()));
    let (second, third) = rest.split_at((cuts[1] as usize).min(rest.len()));
    let planes: Vec<_> = [first, second, third]
        .into_iter()
        .zip(strides)
        .map(|(bytes, stride)| Plane { bytes, stride })
        .collect();
    for count in 1..=3 {
        if let Ok(frame) = Frame::new(format, width, height, &planes[..count]) {
            ESTIMATOR.occupancy(frame).unwrap();
        }
    }
});
