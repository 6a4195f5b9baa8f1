//! Encoded pictures, through the crate `image`, into buffers of ours that are wiped.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, Limits};
use zeroize::Zeroizing;

use crate::error::{DecodeError, Error, FrameError, Result};
use crate::frame::{DecodeLimits, Frame};

type Pixels = Zeroizing<Vec<u8>>;

/// Width, height and RGB8 pixels of a JPEG, PNG or WebP, turned as its EXIF data say.
pub(crate) fn decode(bytes: &[u8], limits: DecodeLimits) -> Result<(u32, u32, Pixels)> {
    let reader = Cursor::new(bytes);
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => {
            // The decoder fills the rest of a truncated picture with gray and says nothing.
            if !jpeg_is_complete(bytes) {
                return Err(DecodeError::Truncated { actual: bytes.len() }.into());
            }
            decode_from(JpegDecoder::new(reader).map_err(malformed)?, limits)
        }
        Ok(ImageFormat::Png) => {
            let mut inner = Limits::no_limits();
            inner.max_alloc = Some(limits.max_pixels.saturating_mul(8));
            decode_from(PngDecoder::with_limits(reader, inner).map_err(malformed)?, limits)
        }
        Ok(ImageFormat::WebP) => decode_from(WebPDecoder::new(reader).map_err(malformed)?, limits),
        _ => Err(DecodeError::UnknownFormat.into()),
    }
}

/// A JPEG of an anonymized frame, without metadata.
pub(crate) fn to_jpeg(frame: &Frame<'_>, quality: u8) -> Result<Vec<u8>> {
    let mut encoded = Vec::new();
    encode(frame, JpegEncoder::new_with_quality(&mut encoded, quality))?;
    Ok(encoded)
}

/// A PNG of an anonymized frame, without metadata.
pub(crate) fn to_png(frame: &Frame<'_>) -> Result<Vec<u8>> {
    let mut encoded = Vec::new();
    encode(frame, PngEncoder::new(&mut encoded))?;
    Ok(encoded)
}

/// The encoders are given pixels and nothing else, so that nothing of a source file can be in
/// what they write.
fn encode(frame: &Frame<'_>, encoder: impl ImageEncoder) -> Result<()> {
    let (width, height) = (frame.width(), frame.height());
    encoder
        .write_image(&frame.to_rgb(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::Encode(error.to_string()))
}

fn malformed(error: image::ImageError) -> DecodeError {
    DecodeError::Malformed(error.to_string())
}

fn decode_from(mut decoder: impl ImageDecoder, limits: DecodeLimits) -> Result<(u32, u32, Pixels)> {
    let (width, height) = decoder.dimensions();
    // A pixel has up to 8 bytes, and a buffer no more than fit into the address space.
    let needed = limits.max_pixels.min(isize::MAX as u64 / 8);
    let actual = u64::from(width) * u64::from(height);
    if actual > needed {
        return Err(DecodeError::TooLarge { width, height, actual, needed }.into());
    }
    let max = Frame::MAX_SIDE;
    if width.max(height) > max {
        return Err(FrameError::TooLarge { width, height, max }.into());
    }
    let mut inner = Limits::no_limits();
    inner.max_alloc = Some(needed.saturating_mul(8));
    decoder.set_limits(inner).map_err(malformed)?;
    let orientation = decoder.orientation().map_err(malformed)?;
    let color = decoder.color_type();
    let mut decoded = Zeroizing::new(vec![0; decoder.total_bytes() as usize]);
    decoder.read_image(&mut decoded).map_err(malformed)?;
    let rgb = to_rgb8(decoded, color)?;
    Ok(turn(width, height, rgb, orientation))
}

fn to_rgb8(decoded: Pixels, color: ColorType) -> Result<Pixels> {
    let (channels, bytes) = match color {
        ColorType::Rgb8 => return Ok(decoded),
        ColorType::L8 => (1, 1),
        ColorType::La8 => (2, 1),
        ColorType::Rgba8 => (4, 1),
        ColorType::L16 => (1, 2),
        ColorType::La16 => (2, 2),
        ColorType::Rgb16 => (3, 2),
        ColorType::Rgba16 => (4, 2),
        other => {
            return Err(DecodeError::Malformed(format!("pixels are {other:?}")).into());
        }
    };
    // The decoders give 16-bit samples in the machine's byte order.
    let upper = if bytes == 2 && cfg!(target_endian = "little") { 1 } else { 0 };
    let mut rgb = Zeroizing::new(Vec::with_capacity(decoded.len() / (channels * bytes) * 3));
    for pixel in decoded.chunks_exact(channels * bytes) {
        let sample = |c: usize| pixel[c * bytes + upper];
        if channels < 3 {
            rgb.extend_from_slice(&[sample(0); 3]);
        } else {
            rgb.extend_from_slice(&[sample(0), sample(1), sample(2)]);
        }
    }
    Ok(rgb)
}

/// Applies an EXIF orientation (CIPA DC-008 4.6.5.1, tag 0x0112) in a buffer of ours.
fn turn(width: u32, height: u32, pixels: Pixels, orientation: Orientation) -> (u32, u32, Pixels) {
    let (w, h) = (width as usize, height as usize);
    // Where the pixel at (x, y) of the turned picture comes from.
    type Source = fn(usize, usize, usize, usize) -> (usize, usize);
    let (swapped, source): (bool, Source) = match orientation {
        Orientation::NoTransforms => return (width, height, pixels),
        Orientation::FlipHorizontal => (false, |x, y, w, _| (w - 1 - x, y)),
        Orientation::Rotate180 => (false, |x, y, w, h| (w - 1 - x, h - 1 - y)),
        Orientation::FlipVertical => (false, |x, y, _, h| (x, h - 1 - y)),
        Orientation::Rotate90FlipH => (true, |x, y, _, _| (y, x)),
        Orientation::Rotate90 => (true, |x, y, _, h| (y, h - 1 - x)),
        Orientation::Rotate270FlipH => (true, |x, y, w, h| (w - 1 - y, h - 1 - x)),
        Orientation::Rotate270 => (true, |x, y, w, _| (w - 1 - y, x)),
    };
    let (out_w, out_h) = if swapped { (h, w) } else { (w, h) };
    let mut turned = Zeroizing::new(Vec::with_capacity(pixels.len()));
    for y in 0..out_h {
        for x in 0..out_w {
            let (from_x, from_y) = source(x, y, w, h);
            let at = 3 * (from_y * w + from_x);
            turned.extend_from_slice(&pixels[at..at + 3]);
        }
    }
    (out_w as u32, out_h as u32, turned)
}

/// Whether a JPEG has an end-of-image marker after the first scan's data (ITU-T T.81 B.1.1):
/// segments are skipped by their length, so that a thumbnail's marker does not count.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == 0xFF {
            at += 1; // fill byte
        } else if matches!(marker, 0x01 | 0xD0..=0xD8) {
            at += 2; // markers without a segment
        } else {
            at += 2 + usize::from(u16::from_be_bytes([high, low]));
            if marker == START_OF_SCAN {
                return bytes
                    .get(at..)
                    .is_some_and(|scan| scan.windows(2).any(|m| m == [0xFF, 0xD9]));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 3x2 picture whose pixels are numbered, turned by every orientation, against the
    /// `image` crate's own transforms.
    #[test]
    fn orientations_agree_with_the_image_crate() {
        let pixels: Vec<u8> = (0..18).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut expected = image::DynamicImage::ImageRgb8(
                image::RgbImage::from_raw(3, 2, pixels.clone()).unwrap(),
            );
            expected.apply_orientation(orientation);
            let (w, h, turned) = turn(3, 2, Zeroizing::new(pixels.clone()), orientation);
            assert_eq!((w, h), (expected.width(), expected.height()), "{exif}");
            assert_eq!(&turned[..], expected.as_bytes(), "{exif}");
        }
    }
}
