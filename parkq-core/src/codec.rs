//! Encoded pictures, through the crate `image`, into buffers of ours that are wiped. JPEGs through
//! its decoder, `zune-jpeg`, directly: strict, and without a copy of what is encoded.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, Limits};
use zeroize::Zeroizing;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::{DecodeError, Error, FrameError, Result};
use crate::frame::Frame;
use crate::options::setters;

type Pixels = Zeroizing<Vec<u8>>;

/// How large a picture [`RawFrame::decode_with`](crate::RawFrame::decode_with) accepts.
///
/// ```
/// let limits = parkq_core::DecodeLimits::default().max_pixels(8_000_000);
/// assert_eq!(limits.max_pixels, 8_000_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// The most pixels (width x height). A picture takes 3 bytes a pixel; while it is decoded up to
    /// 11 (16 bits and alpha), and what the decoder itself needs. Default: 50,000,000.
    pub max_pixels: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_pixels: 50_000_000 }
    }
}

setters! { DecodeLimits { max_pixels: u64 = "9" } }

/// Width, height and RGB8 pixels of a JPEG, PNG or WebP, turned as its EXIF data say.
pub(crate) fn decode(bytes: &[u8], limits: DecodeLimits) -> Result<(u32, u32, Pixels)> {
    let reader = Cursor::new(bytes);
    let format = image::guess_format(bytes);
    let complete = match format {
        // The decoder, strict as it is, takes some that end between their scans.
        Ok(ImageFormat::Jpeg) => jpeg_is_complete(bytes),
        // The decoder makes room for what a chunk claims to hold before it reads it.
        Ok(ImageFormat::WebP) => webp_is_complete(bytes),
        _ => true,
    };
    if !complete {
        return Err(DecodeError::Truncated { actual: bytes.len() }.into());
    }
    match format {
        Ok(ImageFormat::Jpeg) => decode_jpeg(bytes, limits),
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

fn decode_jpeg(bytes: &[u8], limits: DecodeLimits) -> Result<(u32, u32, Pixels)> {
    let malformed = |error: DecodeErrors| DecodeError::Malformed(error.to_string());
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(malformed)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let (width, height) = (width as u32, height as u32); // of 16 bits in the file
    within(width, height, limits)?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let mut rgb = Zeroizing::new(vec![0; 3 * width as usize * height as usize]);
    decoder.decode_into(&mut rgb).map_err(malformed)?;
    Ok(turn(width, height, rgb, orientation.unwrap_or(Orientation::NoTransforms)))
}

/// How many pixels there may be, if these are not too many.
fn within(width: u32, height: u32, limits: DecodeLimits) -> Result<u64> {
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
    Ok(needed)
}

fn decode_from(mut decoder: impl ImageDecoder, limits: DecodeLimits) -> Result<(u32, u32, Pixels)> {
    let (width, height) = decoder.dimensions();
    let needed = within(width, height, limits)?;
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

/// Whether all chunks of a WebP end within it (RFC 9649, 2.3): four letters, the payload's length,
/// the payload, and a zero where that makes the length even.
fn webp_is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((head, chunks)) = rest.split_at_checked(8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if length > chunks.len() {
            return false;
        }
        rest = chunks.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    true
}

/// Whether the scans of a JPEG go on to an end-of-image marker (ITU-T T.81 B.1.1). Segments are
/// skipped by their length, so that a thumbnail's marker does not count; another picture's start
/// within a scan is none of this one's.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    const START_OF_IMAGE: u8 = 0xD8;
    const END_OF_IMAGE: u8 = 0xD9;
    const START_OF_SCAN: u8 = 0xDA;
    let (mut at, mut scanned) = (2, false);
    while let Some(&[0xFF, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xFF => at += 1,               // fill byte
            0x01 | 0xD0..=0xD7 => at += 2, // markers without a segment
            END_OF_IMAGE => return scanned,
            START_OF_IMAGE if scanned => return false,
            START_OF_IMAGE => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
                if marker == START_OF_SCAN {
                    scanned = true;
                    // Its data go on to the next marker that is neither a stuffed byte, a restart
                    // nor a fill byte.
                    let rest = bytes.get(at..).unwrap_or_default();
                    let ends = |m: &[u8]| m[0] == 0xFF && !matches!(m[1], 0 | 0xD0..=0xD7 | 0xFF);
                    let Some(length) = rest.windows(2).position(ends) else { return false };
                    at += length;
                }
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

    /// What ends within its scan is not decoded: cut off, or with another picture after it, as
    /// where a stream was torn.
    #[test]
    fn torn_jpegs_are_refused() {
        let whole = include_bytes!("../../examples/data/scene.jpg");
        assert!(jpeg_is_complete(whole));
        let half = &whole[..whole.len() / 2];
        assert!(!jpeg_is_complete(half));
        assert!(!jpeg_is_complete(&[half, &whole[..]].concat()));
        assert!(jpeg_is_complete(&[&whole[..], half].concat()));
    }
}
