//! Any regions, in any format and setting: nothing panics, and two pictures that differ only in
//! the regions become the same.
#![no_main]

use parkq_core::{Fill, FrameMut, PixelFormat, Rect, Redaction};

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
    let format = PixelFormat::ALL[format as usize % PixelFormat::ALL.len()];
    let (width, height) = (2 * (1 + u32::from(w) % 32), 2 * (1 + u32::from(h) % 32));
    let rects: Vec<_> =
        rects.into_iter().map(|[x, y, width, height]| Rect { x, y, width, height }).collect();
    let redaction = match mosaic {
        Some((cells, levels)) => Redaction::Mosaic { cells, levels },
        None if surroundings => Redaction::Fill(Fill::Surroundings),
        None => Redaction::Fill(Fill::Colour(colour)),
    };
    let plane = |plane| format.plane_size(plane, width as usize, height as usize);
    let size: usize = (0..3).map(plane).map(|(row, rows)| row * rows).sum();
    let picture: Vec<u8> = (0..size).map(|i| (i * 37 % 251) as u8).collect();
    let destroyed = |mut bytes: Vec<u8>, redaction: Redaction| {
        let mut frame = FrameMut::packed(format, width, height, &mut bytes).unwrap();
        redaction.apply(&mut frame, &rects).map(|_| bytes)
    };
    let Ok(one) = destroyed(picture.clone(), redaction) else { return };
    if mosaic.is_some() {
        return;
    }
    // Another picture within the regions, the same outside them: which bytes those are, two colours
    // tell that have nothing in common, neither as RGB nor as Y'CbCr. Alpha is as its pixel is.
    let [orange, blue] = [[255, 128, 0], [0, 0, 255]]
        .map(|colour| destroyed(picture.clone(), Redaction::Fill(Fill::Colour(colour))).unwrap());
    let alpha = matches!(format, PixelFormat::Rgba8 | PixelFormat::Bgra8);
    let inside = |i: usize| {
        orange[i - usize::from(alpha && i % 4 == 3)] != blue[i - usize::from(alpha && i % 4 == 3)]
    };
    let other = (0..size).map(|i| if inside(i) { !picture[i] } else { picture[i] });
    assert!(one == destroyed(other.collect(), redaction).unwrap());
});
