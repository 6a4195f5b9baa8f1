//! Frames: every format says the same, every bad buffer is refused with its numbers.
#![allow(clippy::unwrap_used)]

use parkq_core::{
    DecodeError, DecodeLimits, Error, Estimator, EstimatorOptions, Frame, FrameError, FrameMut,
    Lot, Matrix, PixelFormat, Plane, PlaneMut, Quad, Range, RawFrame, Space,
};
use proptest::prelude::*;

fn estimator() -> Estimator {
    let quad = Quad::from([[0.2, 0.3], [0.7, 0.25], [0.8, 0.7], [0.25, 0.8]]);
    let options = EstimatorOptions::default().min_side(0.0);
    Estimator::with_options(Lot::new([Space::new("A", quad)]).unwrap(), options).unwrap()
}

fn probability(frame: Frame<'_>) -> f64 {
    read(frame).unwrap()
}

/// None where there is nothing to see.
fn read(frame: Frame<'_>) -> Option<f64> {
    estimator().occupancy(frame).unwrap().readings()[0].probability
}

/// The gray picture `luma` in a format, each row of each plane followed by `pad` bytes of junk.
fn planes(format: PixelFormat, w: usize, luma: &[u8], pad: usize) -> Vec<(Vec<u8>, usize)> {
    let rows = |row: &dyn Fn(&[u8]) -> Vec<u8>| {
        let (mut bytes, mut stride) = (Vec::new(), 0);
        for line in luma.chunks(w) {
            let mut line = row(line);
            line.resize(line.len() + pad, 0xA5);
            stride = line.len();
            bytes.extend(line);
        }
        (bytes, stride)
    };
    let chroma = |width: usize| (vec![128; (width + pad) * (luma.len() / w / 2)], width + pad);
    let each =
        |pixel: fn(u8) -> Vec<u8>| rows(&|line| line.iter().flat_map(|&y| pixel(y)).collect());
    match format {
        PixelFormat::Rgb8 | PixelFormat::Bgr8 => vec![each(|y| vec![y; 3])],
        PixelFormat::Rgba8 | PixelFormat::Bgra8 => vec![each(|y| vec![y, y, y, 7])],
        PixelFormat::Yuyv => vec![each(|y| vec![y, 128])],
        PixelFormat::I420 => vec![each(|y| vec![y]), chroma(w / 2), chroma(w / 2)],
        PixelFormat::Nv12 | PixelFormat::Nv21 => vec![each(|y| vec![y]), chroma(w)],
        _ => vec![each(|y| vec![y])],
    }
}

fn frame(format: PixelFormat, w: usize, h: usize, planes: &[(Vec<u8>, usize)]) -> Frame<'_> {
    let planes: Vec<_> = planes.iter().map(|(b, s)| Plane { bytes: b, stride: *s }).collect();
    Frame::new(format, w as u32, h as u32, &planes).unwrap().with_color(Matrix::Bt601, Range::Full)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A gray picture is the same picture in every format and with every stride.
    #[test]
    fn every_format_and_stride_reads_the_same(
        w in 2usize..40, h in 2usize..40, pad in 0usize..9, seed in any::<u64>(),
    ) {
        let (w, h) = (2 * w, 2 * h);
        let pixel = |i: usize| (seed.wrapping_mul(i as u64 | 1) >> 56) as u8;
        let luma: Vec<u8> = (0..w * h).map(pixel).collect();
        let plain = planes(PixelFormat::Gray8, w, &luma, 0);
        let expected = probability(frame(PixelFormat::Gray8, w, h, &plain));
        for format in PixelFormat::ALL {
            let planes = planes(format, w, &luma, pad);
            let actual = probability(frame(format, w, h, &planes));
            prop_assert!((actual - expected).abs() < 1e-6, "{format}: {actual} {expected}");
        }
    }

    /// Whatever the sizes, strides and lengths: an error or a frame that can be read, no panic.
    #[test]
    fn no_buffer_is_read_past_its_end(
        format in prop::sample::select(PixelFormat::ALL.to_vec()),
        w in 0u32..20, h in 0u32..20, lengths in prop::array::uniform3(0usize..900),
        strides in prop::array::uniform3(0usize..90), count in 0usize..4,
    ) {
        let bytes: Vec<u8> = (0..900).map(|i| (i * 7 % 251) as u8).collect();
        let planes: Vec<_> =
            (0..count.min(3)).map(|i| Plane { bytes: &bytes[..lengths[i]], stride: strides[i] }).collect();
        if let Ok(frame) = Frame::new(format, w, h, &planes) {
            prop_assert!(read(frame).is_none_or(f64::is_finite));
        }
        if let Ok(frame) = Frame::packed(format, w, h, &bytes[..lengths[0]]) {
            prop_assert!(read(frame).is_none_or(f64::is_finite));
        }
    }
}

/// Known colours (BT.601 and BT.709 full-range red, and limited-range white and black) against
/// RGB, so that a swapped chroma plane or a wrong matrix is seen.
#[test]
fn colours_are_those_of_the_standards() {
    let cases = [
        (Matrix::Bt601, Range::Full, [76, 85, 255], [254, 0, 0]),
        (Matrix::Bt709, Range::Full, [54, 99, 255], [254, 0, 0]),
        (Matrix::Bt601, Range::Limited, [81, 90, 240], [254, 0, 0]),
        (Matrix::Bt709, Range::Limited, [235, 128, 128], [255, 255, 255]),
    ];
    // Half of the picture in the colour, half black, so that normalisation does not hide it.
    let (w, h) = (64u32, 64u32);
    for (matrix, range, [y, u, v], rgb) in cases {
        let black = if range == Range::Full { 0 } else { 16 };
        let left = |x: u32| x < w / 2;
        let mut luma = Vec::new();
        let (mut nv12, mut nv21, mut u_plane, mut v_plane, mut pixels, mut yuyv) =
            (vec![], vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..h {
            for x in 0..w {
                luma.push(if left(x) { y } else { black });
                pixels.extend(if left(x) { rgb } else { [0; 3] });
                let chroma = if left(x) { [u, v] } else { [128; 2] };
                yuyv.extend([if left(x) { y } else { black }, chroma[(x % 2) as usize]]);
            }
        }
        for _ in 0..h / 2 {
            for x in (0..w).step_by(2) {
                let [u, v] = if left(x) { [u, v] } else { [128; 2] };
                nv12.extend([u, v]);
                nv21.extend([v, u]);
                u_plane.push(u);
                v_plane.push(v);
            }
        }
        let expected = probability(Frame::packed(PixelFormat::Rgb8, w, h, &pixels).unwrap());
        let join = |parts: &[&[u8]]| parts.concat();
        for (format, bytes) in [
            (PixelFormat::Nv12, join(&[&luma, &nv12])),
            (PixelFormat::Nv21, join(&[&luma, &nv21])),
            (PixelFormat::I420, join(&[&luma, &u_plane, &v_plane])),
            (PixelFormat::Yuyv, yuyv),
        ] {
            let frame = Frame::packed(format, w, h, &bytes).unwrap().with_color(matrix, range);
            let actual = probability(frame);
            assert!(
                (actual - expected).abs() < 5e-3,
                "{format} {matrix:?} {range:?}: {actual} {expected}"
            );
        }
    }
}

/// Each refusal names the actual and the needed value.
#[test]
fn refusals_give_their_numbers() {
    let bytes = vec![0u8; 1000];
    let packed = |format, w, h| Frame::packed(format, w, h, &bytes).unwrap_err().to_string();
    assert_eq!(packed(PixelFormat::Rgb8, 0, 4), "frame: size is 0x4, at least 1x1 is needed");
    assert_eq!(
        packed(PixelFormat::Gray8, 60_000, 60_000),
        "frame: size is 60000x60000, at most 32768x32768 is allowed"
    );
    assert_eq!(packed(PixelFormat::Nv12, 5, 4), "frame: size is 5x4, NV12 needs multiples of 2x2");
    assert_eq!(packed(PixelFormat::Rgb8, 20, 20), "frame: plane 0 has 1000 bytes, 1200 are needed");
    assert_eq!(
        packed(PixelFormat::I420, 30, 30),
        "frame: the buffer has 1000 bytes, 1350 are needed for all planes of I420"
    );
    let plane = Plane { bytes: &bytes, stride: 9 };
    assert_eq!(
        Frame::new(PixelFormat::Gray8, 10, 2, &[plane]).unwrap_err().to_string(),
        "frame: plane 0 has a stride of 9 bytes, at least 10 are needed"
    );
    assert_eq!(
        Frame::new(PixelFormat::Nv12, 4, 4, &[plane]).unwrap_err().to_string(),
        "frame: 1 planes were given, NV12 has 2"
    );
    let mut one = [0u8; 6];
    let plane = PlaneMut { bytes: &mut one, stride: usize::MAX };
    assert!(matches!(
        FrameMut::new(PixelFormat::Gray8, 2, 3, [plane]),
        Err(Error::Frame(FrameError::BufferTooShort { .. }))
    ));
    assert!(RawFrame::from_pixels(PixelFormat::Rgb8, 2, 2, vec![0; 11]).is_err());
    // Sizes whose bytes cannot even be counted.
    let side = u32::MAX - 1;
    for format in PixelFormat::ALL {
        let error = Frame::packed(format, side, side, &bytes).unwrap_err();
        assert!(matches!(error, Error::Frame(FrameError::TooLarge { .. })), "{format}: {error}");
    }
}

/// Arrays of rows, columns and channels are frames; others are refused for what they are.
#[cfg(feature = "ndarray")]
#[test]
fn arrays_are_frames() {
    use ndarray::{Array3, ArrayView3, s};
    let array = Array3::<u8>::from_shape_fn((4, 6, 3), |(y, x, c)| (60 * y + 9 * x + c) as u8);
    let frame = Frame::try_from(array.view()).unwrap();
    assert_eq!((frame.width(), frame.height()), (6, 4));
    let error = |array: ArrayView3<'_, u8>| Frame::try_from(array).unwrap_err().to_string();
    let four = Array3::<u8>::zeros((4, 6, 4));
    assert_eq!(error(four.view()), "frame: the array's last axis is 4, 3 channels are needed");
    assert!(error(array.slice(s![.., ..;2, ..])).contains("do not lie next to each other"));
    let empty = Array3::<u8>::zeros((0, 6, 3));
    assert_eq!(error(empty.view()), "frame: size is 6x0, at least 1x1 is needed");
}

/// The picture of a decoded file is its pixels, whatever the encoding, and debug output
/// shows none of them.
#[test]
fn encoded_pictures_are_decoded() {
    let picture =
        image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * 4) as u8, (y * 5) as u8, 90]));
    let expected = probability(Frame::packed(PixelFormat::Rgb8, 64, 48, &picture).unwrap());
    for format in [image::ImageFormat::Png, image::ImageFormat::WebP, image::ImageFormat::Jpeg] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        let raw = RawFrame::decode(&bytes).unwrap();
        assert_eq!(format!("{raw:?}"), "RawFrame(64x48 RGB8)");
        let actual = estimator().occupancy(&raw).unwrap().readings()[0].probability.unwrap();
        assert!((actual - expected).abs() < 0.05, "{format:?}: {actual} {expected}");
        // Every cut through the picture's data is an error (the last bytes of a PNG are checksums).
        for keep in (0..bytes.len() - 24).step_by(7) {
            assert!(RawFrame::decode(&bytes[..keep]).is_err(), "{format:?} cut to {keep}");
        }
    }
}

/// The size in a header is checked before memory is taken for it.
#[test]
fn a_huge_jpeg_is_refused_by_its_header() {
    let picture = image::RgbImage::new(8, 8);
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let mut bytes = bytes.into_inner();
    let header = bytes.windows(2).position(|m| m == [0xFF, 0xC0]).unwrap();
    bytes[header + 5..header + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    match RawFrame::decode(&bytes).unwrap_err() {
        Error::Decode(DecodeError::TooLarge { width: 60_000, height: 60_000, .. }) => (),
        other => panic!("{other}"),
    }
    let limits = DecodeLimits::default().max_pixels(10);
    let error = RawFrame::decode_with(&bytes, limits).unwrap_err().to_string();
    assert!(error.contains("at most 10 pixels"), "{error}");
    // 60000 x 8: few pixels, but no frame has such a side.
    bytes[header + 5..header + 7].copy_from_slice(&[0, 8]);
    let error = RawFrame::decode(&bytes).unwrap_err().to_string();
    assert_eq!(error, "frame: size is 60000x8, at most 32768x32768 is allowed");
}

/// What a chunk of a WebP claims to hold is checked before memory is taken for it; the same chunk
/// is taken if it holds that.
#[test]
fn a_huge_chunk_of_a_webp_is_refused_by_its_header() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::WebP).unwrap();
    let plain = bytes.into_inner();
    // A picture with EXIF data has a header of its own (RFC 9649, 2.7).
    let extended = [b"VP8X", &[10, 0, 0, 0, 8, 0, 0, 0][..], &[7, 0, 0, 7, 0, 0]].concat();
    let with = |claimed: u32| {
        let exif = [b"EXIF", &claimed.to_le_bytes()[..], b"none"].concat();
        let chunks = [&extended, &plain[12..], &exif].concat();
        let size = chunks.len() as u32 + 4;
        [b"RIFF", &size.to_le_bytes()[..], b"WEBP", &chunks].concat()
    };
    assert!(RawFrame::decode(&with(4)).is_ok());
    for claimed in [5, 1_500_000_000, u32::MAX] {
        let error = RawFrame::decode(&with(claimed)).unwrap_err();
        assert!(matches!(error, Error::Decode(DecodeError::Truncated { .. })), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Flipped bytes in a file: a picture or an error, never a panic.
    #[test]
    fn damaged_files_do_not_panic(
        format in prop::sample::select(vec![
            image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::WebP,
        ]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let picture = image::RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 9, 5]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let mut bytes = bytes.into_inner();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = RawFrame::decode_with(&bytes, DecodeLimits::default().max_pixels(1_000_000));
    }
}
