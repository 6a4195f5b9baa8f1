//! Any regions, in any format and setting: nothing panics, and two pictures that differ only in
//! the regions become the same.
#![no_main]

use parkq_core::{Fill, FrameMut, PixelFormat, Rect, Redaction};

const FORMATS: [(PixelFormat, usize); 9] = [
    (PixelFormat::Rgb8, 6),
    (PixelFormat::Bgr8, 6),
    (PixelFormat::Rgba8, 8),
    (PixelFormat::Bgra8, 8),
    (PixelFormat::Gray8, 2),
    (PixelFormat::Nv12, 3),
    (PixelFormat::Nv21, 3),
    (PixelFormat::I420, 3),
    (PixelFormat::Yuyv, 4),
];

libfuzzer_sys::fuzz_target!(|input: (
    u8,
    u8,
    u8,
    Vec<[f32; 4]>,
    Option<([u32; 2], u8)>,
    [u8; 3],
    bool
)| {
    let (format, w, h, rects, mosaic, colour, surroundings) = input;
    let (format, half_bytes) = FORMATS[format as usize % FORMATS.len()];
    let (width, height) = (2 * (1 + u32::from(w) % 32), 2 * (1 + u32::from(h) % 32));
    let rects: Vec<_> =
        rects.into_iter().map(|[x, y, width, height]| Rect { x, y, width, height }).collect();
    let redaction = match mosaic {
        Some((cells, levels)) => Redaction::Mosaic { cells, levels },
        None if surroundings => Redaction::Fill(Fill::Surroundings),
        None => Redaction::Fill(Fill::Colour(colour)),
    };
    let size = (width * height) as usize * half_bytes / 2;
    let mut one: Vec<u8> = (0..size).map(|i| (i * 37 % 251) as u8).collect();
    let mut frame = FrameMut::packed(format, width, height, &mut one).unwrap();
    if redaction.apply(&mut frame, &rects).is_err() || mosaic.is_some() {
        return;
    }
    // What is in the regions now is a difference to what was there before.
    let mut other = one.clone();
    let mut frame = FrameMut::packed(format, width, height, &mut other).unwrap();
    redaction.apply(&mut frame, &rects).unwrap();
    assert!(one == other);
});
