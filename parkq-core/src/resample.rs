//! From a frame's pixels to a network's input: one triangle filter for every crop and level.
//!
//! The filter widens when it shrinks (separable, as in P. Heckbert, "Fundamentals of Texture
//! Mapping and Image Warping", 1989, section 3.5.1); pixels outside the frame repeat its edge.
//! Only the pixels that are needed are read and converted, and each row only once.

use zeroize::Zeroizing;

use crate::frame::Frame;

/// Where the outputs of one axis lie in the source, and what they take from it.
pub(crate) struct Axis {
    /// The first source pixel that is read, and one past the last.
    range: std::ops::Range<usize>,
    /// For each output, its first source pixel (relative to `range.start`) and where its weights
    /// begin; one more ends the last.
    taps: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

impl Axis {
    /// `outputs` pixels over the source interval `start..start + side` of an axis of `length`.
    pub(crate) fn new(start: f64, side: f64, outputs: usize, length: u32) -> Self {
        let last = f64::from(length - 1);
        let scale = side / outputs as f64;
        let support = scale.max(1.0);
        let mut taps = Vec::with_capacity(outputs + 1);
        let mut weights: Vec<f32> = Vec::new();
        for i in 0..outputs {
            let centre = start + (i as f64 + 0.5) * scale;
            // The pixels whose middle is nearer than the support.
            let from = (centre - support - 0.5).floor() + 1.0;
            let to = (centre + support - 0.5).ceil() - 1.0;
            let first = from.clamp(0.0, last) as usize;
            let begin = weights.len();
            weights.resize(begin + to.clamp(0.0, last) as usize - first + 1, 0.0);
            let mut sum = 0.0;
            let mut source = from;
            while source <= to {
                let weight = (1.0 - (source + 0.5 - centre).abs() / support).max(0.0) as f32;
                weights[begin + source.clamp(0.0, last) as usize - first] += weight;
                sum += weight;
                source += 1.0;
            }
            weights[begin..].iter_mut().for_each(|w| *w /= sum);
            taps.push((first, begin));
        }
        let low = taps.first().map_or(0, |(first, _)| *first);
        taps.iter_mut().for_each(|(first, _)| *first -= low);
        taps.push((0, weights.len()));
        let mut axis = Self { range: low..low + 1, taps, weights };
        axis.range.end =
            axis.outputs().map(|(first, weights)| low + first + weights.len()).max().unwrap_or(low);
        axis
    }

    /// Of each output, the first source pixel and the weights from there on.
    fn outputs(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.taps.windows(2).map(|pair| (pair[0].0, &self.weights[pair[0].1..pair[1].1]))
    }

    fn output(&self, i: usize) -> (usize, &[f32]) {
        (self.taps[i].0, &self.weights[self.taps[i].1..self.taps[i + 1].1])
    }

    fn len(&self) -> usize {
        self.taps.len() - 1
    }
}

/// Where the pixels go: distances in `values` between the same place of two channels, two rows,
/// two pixels.
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) channel: usize,
    pub(crate) row: usize,
    pub(crate) pixel: usize,
}

/// What becomes of red, green and blue (0..=255): the channel that each goes to, and the factor
/// and summand on the way.
#[derive(Clone, Copy)]
pub(crate) struct Colours {
    pub(crate) channels: [usize; 3],
    pub(crate) factors: [f32; 3],
    pub(crate) summands: [f32; 3],
}

impl Colours {
    /// Red, green, blue, 0..=255.
    pub(crate) const RGB: Self =
        Self { channels: [0, 1, 2], factors: [1.0; 3], summands: [0.0; 3] };
}

/// Writes the pixels of two axes to the target, whose first value is the first pixel's.
pub(crate) fn resample(
    frame: &Frame<'_>,
    across: &Axis,
    down: &Axis,
    colours: Colours,
    target: Target<'_>,
) {
    let Target { values, channel, row, pixel } = target;
    let (width, height) = (across.len(), down.len());
    // Wiped when they are dropped.
    let mut pixels = Zeroizing::new(vec![[0u8; 3]; across.range.len()]);
    let mut shrunk = Zeroizing::new(vec![0.0f32; 3 * width]);
    for c in 0..3 {
        for y in 0..height {
            let line = &mut values[c * channel + y * row..];
            if pixel == 1 {
                line[..width].fill(0.0);
            } else {
                line.iter_mut().step_by(pixel).take(width).for_each(|v| *v = 0.0);
            }
        }
    }
    // Outputs before this one take nothing from this row on.
    let mut open = 0;
    for (y, source) in down.range.clone().enumerate() {
        frame.read_row(source, across.range.start, &mut pixels);
        let (red, rest) = shrunk.split_at_mut(width);
        let (green, blue) = rest.split_at_mut(width);
        let planes = red.iter_mut().zip(green).zip(blue);
        for (((red, green), blue), (first, weights)) in planes.zip(across.outputs()) {
            let mut sum = [0.0f32; 3];
            for (weight, pixel) in weights.iter().zip(&pixels[first..]) {
                for c in 0..3 {
                    sum[c] += weight * f32::from(pixel[c]);
                }
            }
            let of = |c: usize| sum[c] * colours.factors[c] + colours.summands[c];
            (*red, *green, *blue) = (of(0), of(1), of(2));
        }
        let past = |i: usize| down.output(i).0 + down.output(i).1.len() <= y;
        while open < height && past(open) {
            open += 1;
        }
        for i in open..height {
            let (first, weights) = down.output(i);
            if first > y {
                break;
            }
            let Some(&weight) = weights.get(y - first) else { continue };
            for c in 0..3 {
                let to = &mut values[colours.channels[c] * channel + i * row..];
                let from = &shrunk[c * width..][..width];
                if pixel == 1 {
                    to[..width].iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
                } else {
                    let to = to.iter_mut().step_by(pixel);
                    to.zip(from).for_each(|(to, from)| *to += weight * from);
                }
            }
        }
    }
}

/// Mean and standard deviation.
pub(crate) fn mean_and_deviation(values: &[f32]) -> (f32, f32) {
    let mean = mean(values, |v| v);
    let variance = self::mean(values, |v| (v - mean).powi(2));
    (mean as f32, variance.sqrt() as f32)
}

/// Eight sums side by side, since an addition takes longer to be done than to be begun.
fn mean(values: &[f32], of: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    for values in values.chunks(8) {
        sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += of(value.into()));
    }
    sums.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    fn picture(width: usize, height: usize) -> Vec<u8> {
        let pixel =
            |i: usize| [(i * 7 % 251) as u8, (i / width * 3 % 256) as u8, (i % width) as u8];
        (0..width * height).flat_map(pixel).collect()
    }

    /// The separable code against the definition, pixel by pixel, inside and over every edge, in
    /// both layouts.
    #[test]
    fn resampling_equals_its_definition() {
        let (w, h) = (90usize, 70usize);
        let pixels = picture(w, h);
        let frame = Frame::packed(PixelFormat::Rgb8, w as u32, h as u32, &pixels).unwrap();
        let (ow, oh) = (40usize, 30usize);
        for (x0, y0, sw, sh) in
            [(10.3, 5.6, 40.0, 40.0), (-20.0, -30.5, 160.0, 130.0), (70.2, 50.9, 33.3, 7.0)]
        {
            let across = Axis::new(x0, sw, ow, w as u32);
            let down = Axis::new(y0, sh, oh, h as u32);
            let (mut planar, mut mixed) = (vec![9.0; 3 * ow * oh], vec![9.0; 3 * ow * oh]);
            let target = Target { values: &mut planar, channel: ow * oh, row: ow, pixel: 1 };
            resample(&frame, &across, &down, Colours::RGB, target);
            let bgr = Colours { channels: [2, 1, 0], factors: [0.5; 3], summands: [3.0; 3] };
            let target = Target { values: &mut mixed, channel: 1, row: 3 * ow, pixel: 3 };
            resample(&frame, &across, &down, bgr, target);
            for (ox, oy) in [(0, 0), (39, 0), (17, 20), (39, 29)] {
                let one = |s: i64, c: f64, support: f64| {
                    (1.0 - (s as f64 + 0.5 - c).abs() / support).max(0.0)
                };
                let (cx, cy) =
                    (x0 + (ox as f64 + 0.5) * sw / 40.0, y0 + (oy as f64 + 0.5) * sh / 30.0);
                let (ax, ay) = ((sw / 40.0).max(1.0), (sh / 30.0).max(1.0));
                let (mut sum, mut total) = ([0.0; 3], 0.0);
                for sy in (cy - ay).floor() as i64..=(cy + ay).ceil() as i64 {
                    for sx in (cx - ax).floor() as i64..=(cx + ax).ceil() as i64 {
                        let weight = one(sx, cx, ax) * one(sy, cy, ay);
                        let x = sx.clamp(0, w as i64 - 1) as usize;
                        let y = sy.clamp(0, h as i64 - 1) as usize;
                        for c in 0..3 {
                            sum[c] += weight * f64::from(pixels[3 * (y * w + x) + c]);
                        }
                        total += weight;
                    }
                }
                for c in 0..3 {
                    let slow = (sum[c] / total) as f32;
                    let fast = planar[c * ow * oh + oy * ow + ox];
                    assert!((fast - slow).abs() < 0.01, "{ox} {oy} at {x0}: {fast} {slow}");
                    let other = mixed[3 * (oy * ow + ox) + 2 - c];
                    assert!((other - (0.5 * slow + 3.0)).abs() < 0.01);
                }
            }
        }
    }

    /// At scale 1 nothing is filtered: the pixels come out as they are.
    #[test]
    fn scale_one_copies() {
        let pixels = picture(33, 21);
        let frame = Frame::packed(PixelFormat::Rgb8, 33, 21, &pixels).unwrap();
        let (across, down) = (Axis::new(0.0, 33.0, 33, 33), Axis::new(0.0, 21.0, 21, 21));
        let mut out = vec![0.0; 3 * 33 * 21];
        let target = Target { values: &mut out, channel: 1, row: 99, pixel: 3 };
        resample(&frame, &across, &down, Colours::RGB, target);
        assert!(out.iter().zip(&pixels).all(|(a, b)| *a == f32::from(*b)));
        assert!(across.weights.len() == 33 && down.weights.len() == 21);
    }
}
