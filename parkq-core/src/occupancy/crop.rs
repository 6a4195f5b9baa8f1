//! From a frame and a quad to the space classifier's input.
//!
//! The square round a space, 1.5 times the longer side of its quad's bounding box, is resampled
//! to 80 x 80. Three channels hold the colours, normalised together by their own mean and
//! deviation; the fourth holds the quad. Only the square's pixels are read and converted.

use crate::frame::Frame;
use crate::geometry::Quad;
use crate::resample::{Axis, Colours, Target, mean_and_deviation, resample};

/// Side of the classifier's input, pixels.
pub(super) const SIZE: usize = 80;
const PLANE: usize = SIZE * SIZE;
/// Side of the square, as a multiple of the longer side of the quad's bounding box.
const MARGIN: f64 = 1.5;
/// Added to the deviation, so that bare ground is not stretched into noise (of 255).
const FLOOR: f32 = 10.0;

/// Side of the blocks by whose means it is seen whether there is anything but noise.
const BLOCK: usize = 8;

/// Writes the classifier's input, `4 x 80 x 80`, for a quad in the frame's pixels. Returns how much
/// there is to see: the deviation of the means of 8 x 8 blocks, of 255, root mean square over the
/// colours; where the square is enlarged, less in proportion, as white noise has more then.
pub(super) fn write(frame: &Frame<'_>, quad: &Quad, out: &mut [f32]) -> f64 {
    let [x0, y0, side] = quad.square(MARGIN);
    let (colours, mask) = out.split_at_mut(3 * PLANE);
    let across = Axis::new(x0, side, SIZE, frame.width());
    let down = Axis::new(y0, side, SIZE, frame.height());
    let target = Target { values: colours, channel: PLANE, row: SIZE, pixel: 1 };
    resample(frame, &across, &down, Colours::RGB, target);
    let detail = detail(colours) * (side / SIZE as f64).min(1.0);
    normalise(colours);
    let scale = side / SIZE as f64;
    for (i, value) in mask.iter_mut().enumerate() {
        let at = |i: usize, start: f64| start + (i as f64 + 0.5) * scale;
        *value = f32::from(quad.contains(at(i % SIZE, x0), at(i / SIZE, y0)));
    }
    detail
}

fn detail(colours: &[f32]) -> f64 {
    const BLOCKS: usize = SIZE / BLOCK;
    let variance = |plane: &[f32]| {
        let mut means = [0.0; BLOCKS * BLOCKS];
        for (i, values) in plane.as_chunks::<BLOCK>().0.iter().enumerate() {
            let block = i / BLOCKS / BLOCK * BLOCKS + i % BLOCKS;
            means[block] += values.iter().sum::<f32>() as f64 / (BLOCK * BLOCK) as f64;
        }
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        means.iter().map(|&m| (m - mean).powi(2)).sum::<f64>() / means.len() as f64
    };
    (colours.chunks_exact(PLANE).map(variance).sum::<f64>() / 3.0).sqrt()
}

fn normalise(values: &mut [f32]) {
    let (mean, deviation) = mean_and_deviation(values);
    let factor = 1.0 / (deviation + FLOOR);
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
