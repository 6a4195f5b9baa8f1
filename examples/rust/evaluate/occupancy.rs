//! How well spaces are read.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use lexopt::prelude::*;
use parkq_core::{
    Anonymizer, Estimator, EstimatorOptions, Input, Occupancy, Pipeline, PipelineOptions,
    PixelFormat, RawFrame, State,
};
use serde::Serialize;

use crate::labels::{self, Image, Labels, Slot, frame};
use crate::{Failure, USAGE};

type Pixels = image::RgbImage;

/// One space: its probability, what was answered, what is true.
pub(crate) struct Answer {
    probability: f64,
    state: State,
    occupied: bool,
}

#[derive(Serialize)]
pub(crate) struct Report {
    pictures: usize,
    spaces: usize,
    accuracy: f64,
    occupied_recall: f64,
    free_recall: f64,
    unknown_share: f64,
    answered_accuracy: f64,
    count_mae: f64,
    count_exact: f64,
    interval_coverage: f64,
    interval_width: f64,
    ece: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms_per_space: Option<f64>,
}

pub(crate) fn run(mut args: lexopt::Parser) -> Result<(), Failure> {
    let (mut folder, mut split, mut corrupt, mut json) = (None, None, None, None);
    let mut pipeline = false;
    while let Some(arg) = args.next()? {
        match arg {
            Long("split") => split = Some(args.value()?.string()?),
            Long("corrupt") => corrupt = Some(args.value()?.string()?),
            Long("json") => json = Some(PathBuf::from(args.value()?)),
            Long("pipeline") => pipeline = true,
            Value(word) if folder.is_none() => folder = Some(PathBuf::from(word)),
            other => return Err(other.unexpected().into()),
        }
    }
    let labels = Labels::read(&folder.ok_or(USAGE)?)?;
    let report = measure(&labels, split.as_deref(), corrupt.as_deref(), pipeline)?;
    report.print();
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

impl Report {
    pub(crate) fn print(&self) {
        let value = serde_json::to_value(self).unwrap_or_default();
        for (name, value) in value.as_object().into_iter().flatten() {
            match value.as_u64() {
                Some(count) => println!("{name:18} {count}"),
                None => println!("{name:18} {:.4}", value.as_f64().unwrap_or(f64::NAN)),
            }
        }
    }
}

fn measure(
    labels: &Labels,
    split: Option<&str>,
    corrupt: Option<&str>,
    pipeline: bool,
) -> Result<Report, Failure> {
    let (mut pictures, mut seconds) = (Vec::new(), 0.0);
    let anonymizer = if pipeline { Some(Anonymizer::bundled()?) } else { None };
    for image in labels.images(split) {
        let slots = labels.slots(image);
        if slots.is_empty() {
            continue;
        }
        let frame = corrupted(labels.pixels(image)?, corrupt, image.id)?;
        // A pipeline's detector has looked already.
        let options = EstimatorOptions::default().second_look(!pipeline);
        let estimator = Estimator::with_options(labels::lot_of(&slots, image)?, options)?;
        let (start, occupancy) = match &anonymizer {
            None => (Instant::now(), estimator.occupancy(&frame)?),
            Some(anonymizer) => {
                let options = PipelineOptions::default();
                let pipeline = Pipeline::new(estimator, anonymizer.clone(), options)?;
                (Instant::now(), pipeline.process(frame)?.occupancy)
            }
        };
        seconds += start.elapsed().as_secs_f64();
        pictures.push(judge(&occupancy, &slots));
    }
    if pictures.is_empty() {
        return Err("no such picture with slots".into());
    }
    let mut report = report(&pictures);
    report.ms_per_space = Some(1e3 * seconds / report.spaces as f64);
    Ok(report)
}

/// Reads a picture's slots.
pub(crate) fn read<'a>(
    picture: impl Into<Input<'a>>,
    image: &Image,
    slots: &[&Slot],
) -> Result<Picture, Failure> {
    let found = Estimator::bundled(labels::lot_of(slots, image)?)?.occupancy(picture)?;
    Ok(judge(&found, slots))
}

fn judge(found: &Occupancy, slots: &[&Slot]) -> Picture {
    let readings: HashMap<_, _> = found.readings().iter().map(|r| (r.id.as_str(), r)).collect();
    let answer = |(i, slot): (usize, &&Slot)| {
        // A slot that is no quad counts as not answered.
        let reading = readings.get(i.to_string().as_str());
        Answer {
            probability: reading.and_then(|r| r.probability).unwrap_or(0.5),
            state: reading.map_or(State::Unknown, |r| r.state),
            occupied: slot.occupied,
        }
    };
    (slots.iter().enumerate().map(answer).collect(), found.occupied_interval())
}

pub(crate) type Picture = (Vec<Answer>, std::ops::RangeInclusive<usize>);

pub(crate) fn report(pictures: &[Picture]) -> Report {
    let all: Vec<&Answer> = pictures.iter().flat_map(|(answers, _)| answers).collect();
    let right = |a: &Answer| (a.probability >= 0.5) == a.occupied;
    let recall =
        |of: bool| mean(all.iter().filter(|a| a.occupied == of).map(|a| f64::from(right(a))));
    let answered = |a: &Answer| matches!(a.state, State::Free | State::Occupied);
    let truth = |answers: &[Answer]| answers.iter().filter(|a| a.occupied).count();
    let error = |answers: &[Answer]| {
        let counted = answers.iter().filter(|a| a.probability >= 0.5).count();
        counted.abs_diff(truth(answers)) as f64
    };
    // 15 bins of equal width on P(occupied).
    let ece: f64 = (0..15)
        .map(|bin| {
            let of = |a: &&&Answer| ((a.probability * 15.0) as usize).min(14) == bin;
            let within: Vec<_> = all.iter().filter(of).collect();
            let gap: f64 = within.iter().map(|a| a.probability - f64::from(a.occupied)).sum();
            gap.abs() / all.len() as f64
        })
        .sum();
    Report {
        pictures: pictures.len(),
        spaces: all.len(),
        accuracy: mean(all.iter().map(|a| f64::from(right(a)))),
        occupied_recall: recall(true),
        free_recall: recall(false),
        unknown_share: mean(all.iter().map(|a| f64::from(!answered(a)))),
        answered_accuracy: mean(
            all.iter()
                .filter(|a| answered(a))
                .map(|a| f64::from((a.state == State::Occupied) == a.occupied)),
        ),
        count_mae: mean(pictures.iter().map(|(answers, _)| error(answers))),
        count_exact: mean(pictures.iter().map(|(answers, _)| f64::from(error(answers) == 0.0))),
        interval_coverage: mean(
            pictures
                .iter()
                .map(|(answers, interval)| f64::from(interval.contains(&truth(answers)))),
        ),
        interval_width: mean(pictures.iter().map(|(_, i)| (i.end() - i.start()) as f64)),
        ece,
        ms_per_space: None,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    if n == 0 { 0.0 } else { sum / n as f64 }
}

/// The picture as a frame, after the named damage; `seed` makes the noise repeatable.
fn corrupted(mut pixels: Pixels, name: Option<&str>, seed: u64) -> Result<RawFrame, Failure> {
    match name {
        None | Some("nv12" | "gray") => {}
        Some("noise") => {
            let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
            let mut uniform = || {
                // xorshift64*: S. Vigna, ACM TOMS 42(4), 2016.
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f64 / f64::from(1 << 24)
            };
            for value in pixels.iter_mut() {
                // The sum of four uniforms, scaled to a deviation of 15, is near enough to normal.
                let sum: f64 = (0..4).map(|_| uniform()).sum();
                *value =
                    (f64::from(*value) + (sum - 2.0) * 3f64.sqrt() * 15.0).clamp(0.0, 255.0) as u8;
            }
        }
        Some("motion-blur") => {
            let source = pixels.clone();
            let last = i64::from(source.width()) - 1;
            for (x, y, pixel) in pixels.enumerate_pixels_mut() {
                for c in 0..3 {
                    let near = (-4..=4).map(|d| (i64::from(x) + d).clamp(0, last) as u32);
                    let sum: u32 = near.map(|x| u32::from(source.get_pixel(x, y).0[c])).sum();
                    pixel.0[c] = (sum / 9) as u8;
                }
            }
        }
        Some("jpeg20") => {
            let mut bytes = Vec::new();
            image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 20)
                .encode_image(&pixels)?;
            pixels = image::load_from_memory(&bytes)?.into_rgb8();
        }
        Some("half-brightness") => pixels.iter_mut().for_each(|v| *v /= 2),
        Some("low-contrast") => pixels.iter_mut().for_each(|v| *v = 90 + *v / 4),
        Some("width640") => {
            let height = (pixels.height() * 640).div_ceil(pixels.width());
            let filter = image::imageops::FilterType::Triangle;
            pixels = image::imageops::resize(&pixels, 640, height, filter);
        }
        Some(other) => return Err(format!("no corruption {other:?}\n{USAGE}").into()),
    }
    let (width, height) = pixels.dimensions();
    let luma = |p: &image::Rgb<u8>| {
        let [r, g, b] = p.0.map(f64::from);
        (0.299 * r + 0.587 * g + 0.114 * b).round()
    };
    Ok(match name {
        Some("gray") => {
            let gray = pixels.pixels().map(|p| luma(p) as u8).collect();
            RawFrame::from_pixels(PixelFormat::Gray8, width, height, gray)?
        }
        Some("nv12") => {
            let (width, height) = (width & !1, height & !1);
            let mut nv12 = Vec::new();
            for y in 0..height {
                let row = (0..width).map(|x| luma(pixels.get_pixel(x, y)));
                nv12.extend(row.map(|y| (16.0 + y * 219.0 / 255.0).round() as u8));
            }
            for (y, x) in (0..height / 2).flat_map(|y| (0..width / 2).map(move |x| (y, x))) {
                let block = [(0, 0), (1, 0), (0, 1), (1, 1)]
                    .map(|(dx, dy)| pixels.get_pixel(2 * x + dx, 2 * y + dy));
                let of = |c: usize, weight: f64| {
                    let difference = |p: &&image::Rgb<u8>| (f64::from(p.0[c]) - luma(p)) / weight;
                    let mean = block.iter().map(difference).sum::<f64>() / 4.0;
                    (128.0 + mean * 224.0 / 255.0).round() as u8
                };
                nv12.extend([of(2, 1.772), of(0, 1.402)]);
            }
            RawFrame::from_pixels(PixelFormat::Nv12, width, height, nv12)?
        }
        _ => frame(pixels)?,
    })
}
