//! From a frame and a quad to the space classifier's input.
//!
//! The square round a space, 1.5 times the longer side of its quad's bounding box, is resampled
//! to 80 x 80 with a triangle filter that widens when it shrinks (separable, as in P. Heckbert,
//! "Fundamentals of Texture Mapping and Image Warping", 1989, section 3.5.1); pixels outside the
//! frame repeat its edge. Three channels hold the colours, normalised together by their own mean
//! and deviation; the fourth holds the quad. Only the square's pixels are read and converted.

use zeroize::Zeroize;

use crate::frame::Frame;
use crate::geometry::Quad;

/// Side of the classifier's input, pixels.
pub(super) const SIZE: usize = 80;
const PLANE: usize = SIZE * SIZE;
/// Side of the square, as a multiple of the longer side of the quad's bounding box.
const MARGIN: f64 = 1.5;
/// Added to the deviation, so that bare ground is not stretched into noise (of 255).
const FLOOR: f32 = 10.0;

/// What one source pixel of an axis adds to the outputs: runs of weights from `first` on.
struct Axis {
    /// The first source pixel that is read, and one past the last.
    range: std::ops::Range<usize>,
    /// For each output pixel, its first source pixel (relative to `range.start`) and weights.
    taps: Vec<(usize, Vec<f32>)>,
}

impl Axis {
    /// Weights of `SIZE` outputs over the source interval `start..start + side` of an axis of
    /// `length` pixels.
    fn new(start: f64, side: f64, length: u32) -> Self {
        let last = f64::from(length - 1);
        let scale = side / SIZE as f64;
        let support = scale.max(1.0);
        let mut taps: Vec<(usize, Vec<f32>)> = Vec::with_capacity(SIZE);
        for i in 0..SIZE {
            let centre = start + (i as f64 + 0.5) * scale;
            let (from, to) = ((centre - support).floor(), (centre + support).ceil());
            let first = from.clamp(0.0, last) as usize;
            let mut weights = vec![0.0f32; to.clamp(0.0, last) as usize - first + 1];
            let mut sum = 0.0;
            let mut source = from;
            while source <= to {
                let weight = (1.0 - (source + 0.5 - centre).abs() / support).max(0.0) as f32;
                weights[source.clamp(0.0, last) as usize - first] += weight;
                sum += weight;
                source += 1.0;
            }
            weights.iter_mut().for_each(|w| *w /= sum);
            taps.push((first, weights));
        }
        let low = taps.iter().map(|(first, _)| *first).min().unwrap_or(0);
        let high = taps.iter().map(|(first, w)| first + w.len()).max().unwrap_or(1);
        taps.iter_mut().for_each(|(first, _)| *first -= low);
        Self { range: low..high, taps }
    }
}

/// Writes the classifier's input, `4 x 80 x 80`, for a quad in the frame's pixels.
pub(super) fn write(frame: &Frame<'_>, quad: &Quad, out: &mut [f32]) {
    let [left, top, right, bottom] = quad.bounds();
    let side = MARGIN * (right - left).max(bottom - top);
    let (x0, y0) = ((left + right - side) / 2.0, (top + bottom - side) / 2.0);
    let (colours, mask) = out.split_at_mut(3 * PLANE);
    resample(frame, x0, y0, side, colours);
    normalise(colours);
    let scale = side / SIZE as f64;
    for (i, value) in mask.iter_mut().enumerate() {
        let at = |i: usize, start: f64| start + (i as f64 + 0.5) * scale;
        *value = f32::from(quad.contains(at(i % SIZE, x0), at(i / SIZE, y0)));
    }
}

/// The square as three planes of 0..=255. Each source row is read once.
fn resample(frame: &Frame<'_>, x0: f64, y0: f64, side: f64, out: &mut [f32]) {
    let across = Axis::new(x0, side, frame.width());
    let down = Axis::new(y0, side, frame.height());
    let mut pixels = vec![[0u8; 3]; across.range.len()];
    let mut shrunk = [0.0f32; 3 * SIZE];
    out.fill(0.0);
    for y in down.range.clone() {
        frame.read_row(y, across.range.start, &mut pixels);
        for (x, (first, weights)) in across.taps.iter().enumerate() {
            let mut sum = [0.0f32; 3];
            for (weight, pixel) in weights.iter().zip(&pixels[*first..]) {
                for c in 0..3 {
                    sum[c] += weight * f32::from(pixel[c]);
                }
            }
            for c in 0..3 {
                shrunk[c * SIZE + x] = sum[c];
            }
        }
        let row = y - down.range.start;
        for (oy, (first, weights)) in down.taps.iter().enumerate() {
            let Some(&weight) = row.checked_sub(*first).and_then(|i| weights.get(i)) else {
                continue;
            };
            for c in 0..3 {
                let to = &mut out[c * PLANE + oy * SIZE..][..SIZE];
                for (to, from) in to.iter_mut().zip(&shrunk[c * SIZE..]) {
                    *to += weight * from;
                }
            }
        }
    }
    pixels.zeroize();
    shrunk.zeroize();
}

fn normalise(values: &mut [f32]) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let (mean, factor) = (mean as f32, 1.0 / (variance.sqrt() as f32 + FLOOR));
    values.iter_mut().for_each(|v| *v = (*v - mean) * factor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    fn gradient(width: usize, height: usize) -> Vec<u8> {
        let pixel =
            |i: usize| [(i * 7 % 251) as u8, (i / width * 3 % 256) as u8, (i % width) as u8];
        (0..width * height).flat_map(pixel).collect()
    }

    /// The separable code against the definition, pixel by pixel, inside and over every edge.
    #[test]
    fn resampling_equals_its_definition() {
        let (w, h) = (90usize, 70usize);
        let pixels = gradient(w, h);
        let frame = Frame::packed(PixelFormat::Rgb8, w as u32, h as u32, &pixels).unwrap();
        for (x0, y0, side) in [(10.3, 5.6, 40.0), (-20.0, -30.5, 160.0), (70.2, 50.9, 33.3)] {
            let mut fast = vec![0.0; 3 * PLANE];
            resample(&frame, x0, y0, side, &mut fast);
            let scale = side / SIZE as f64;
            let support = scale.max(1.0);
            for (ox, oy) in [(0, 0), (63, 0), (17, 40), (63, 63)] {
                let (cx, cy) = (x0 + (ox as f64 + 0.5) * scale, y0 + (oy as f64 + 0.5) * scale);
                let (mut sum, mut total) = (0.0, 0.0);
                for sy in (cy - support).floor() as i64..=(cy + support).ceil() as i64 {
                    for sx in (cx - support).floor() as i64..=(cx + support).ceil() as i64 {
                        let one =
                            |s: i64, c: f64| (1.0 - (s as f64 + 0.5 - c).abs() / support).max(0.0);
                        let weight = one(sx, cx) * one(sy, cy);
                        let x = sx.clamp(0, w as i64 - 1) as usize;
                        let y = sy.clamp(0, h as i64 - 1) as usize;
                        sum += weight * f64::from(pixels[3 * (y * w + x)]);
                        total += weight;
                    }
                }
                let slow = (sum / total) as f32;
                assert!((fast[oy * SIZE + ox] - slow).abs() < 0.01, "{ox} {oy} at {x0}");
            }
        }
    }

    /// The mask is the quad: its share of the input is the quad's share of the square.
    #[test]
    fn the_fourth_channel_is_the_quad() {
        let pixels = gradient(100, 100);
        let frame = Frame::packed(PixelFormat::Rgb8, 100, 100, &pixels).unwrap();
        let quad = Quad::from([[20.0, 30.0], [60.0, 30.0], [60.0, 70.0], [20.0, 70.0]]);
        let mut out = vec![0.0; 4 * PLANE];
        write(&frame, &quad, &mut out);
        let share = out[3 * PLANE..].iter().sum::<f32>() / PLANE as f32;
        assert!((share - 1.0 / 2.25).abs() < 0.02, "{share}");
    }
}
