//! From a network's output to boxes in its input, by each convention of a [`ModelSpec`].

use super::spec::{BoxFormat, Convention, ModelSpec};
use super::{Label, Scores};
use crate::engine::Output;
use crate::error::{Error, Result};

/// Bounds of the raw edge distances of `cells`.
const RAW: (f32, f32) = (-4.0, 5.0);

/// A box in the input's pixels: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) label: Label,
    pub(super) score: f32,
    pub(super) edges: [f32; 4],
}

/// Says what the graph gives and what the spec needs, if these differ.
pub(super) fn check(
    spec: &ModelSpec,
    size: [usize; 2],
    names: &[String],
    shapes: &[&[usize]],
) -> Result<()> {
    let [width, height] = size;
    let c = spec.classes;
    let grid = |stride: usize| [height.div_ceil(stride), width.div_ceil(stride)];
    let places = |strides: &[usize]| -> usize {
        strides.iter().map(|stride| grid(*stride).iter().product::<usize>()).sum()
    };
    // Of each output its name, if that is given, and its shape; `None` is any.
    let fixed = |shape: &[usize]| shape.iter().map(|n| Some(*n)).collect::<Vec<_>>();
    let needed: Vec<(Option<&str>, Vec<Option<usize>>)> = match &spec.output {
        Convention::Cells { stride } => {
            let [rows, columns] = grid(*stride);
            vec![(None, fixed(&[1, 5 * c, rows, columns]))]
        }
        Convention::Yolox { strides } => vec![(None, fixed(&[1, places(strides), 5 + c]))],
        Convention::Yolov5 {} => vec![(None, vec![Some(1), None, Some(5 + c)])],
        Convention::Yolov8 {} => vec![(None, vec![Some(1), Some(4 + c), None])],
        Convention::Nanodet { strides, bins, .. } => {
            vec![(None, fixed(&[1, places(strides), c + 4 * bins]))]
        }
        Convention::Centernet { stride, outputs: [heat, sizes, offsets], .. } => {
            let [rows, columns] = grid(*stride);
            let two = fixed(&[1, 2, rows, columns]);
            vec![
                (Some(heat.as_str()), fixed(&[1, c, rows, columns])),
                (Some(sizes.as_str()), two.clone()),
                (Some(offsets.as_str()), two),
            ]
        }
        Convention::Ssd { outputs: [boxes, scores], .. } => vec![
            (Some(boxes.as_str()), vec![Some(1), None, Some(4)]),
            (Some(scores.as_str()), vec![Some(1), None, Some(c)]),
        ],
    };
    let fits = |(name, shape): &(Option<&str>, Vec<Option<usize>>)| {
        find(names, *name).and_then(|i| shapes.get(i)).is_some_and(|found| {
            found.len() == shape.len()
                && found.iter().zip(shape).all(|(a, b)| b.is_none_or(|b| b == *a))
        })
    };
    let mut ok = needed.iter().all(fits);
    if let Convention::Ssd { outputs: [boxes, scores], .. } = &spec.output {
        let count = |name: &str| find(names, Some(name)).map(|i| shapes[i][1]);
        ok = ok && count(boxes) == count(scores);
    }
    if ok {
        return Ok(());
    }
    let list = |parts: Vec<String>| parts.join(", ");
    let has = names.iter().zip(shapes).map(|(name, shape)| format!("{name:?} {shape:?}"));
    let wants = needed.iter().map(|(name, shape)| {
        let shape = crate::engine::sides(shape);
        name.map_or(shape.clone(), |name| format!("{name:?} {shape}"))
    });
    Err(Error::Model(format!(
        "for a picture of {width}x{height} its outputs are {}; the spec's {} needs {}",
        list(has.collect()),
        spec.output.name(),
        list(wants.collect()),
    )))
}

/// Where the output of that name is; the first without a name.
fn find(names: &[String], name: Option<&str>) -> Option<usize> {
    name.map_or(Some(0), |name| names.iter().position(|n| n == name))
}

/// What a class means, and from which raw value on it is reported.
struct Class {
    index: usize,
    label: Label,
    least: f32,
}

struct Reader<'a> {
    classes: Vec<Class>,
    logits: bool,
    found: &'a mut Vec<Candidate>,
}

impl Reader<'_> {
    /// The score of a raw value.
    fn score(&self, raw: f32) -> f32 {
        if self.logits { 1.0 / (1.0 + (-raw).exp()) } else { raw }
    }

    /// Adds a box, whose edges must be numbers.
    fn add(&mut self, label: Label, score: f32, edges: [f32; 4]) -> Result<()> {
        if !edges.iter().all(|edge| edge.is_finite()) || !score.is_finite() {
            return Err(Error::Inference(format!("a box is {edges:?}, its score {score}")));
        }
        self.found.push(Candidate { label, score: score.clamp(0.0, 1.0), edges });
        Ok(())
    }
}

/// A NaN score must be an error: otherwise a broken network looks like an empty picture.
fn checked(raw: f32) -> Result<f32> {
    if raw.is_nan() {
        return Err(Error::Inference("a score is not a number".to_owned()));
    }
    Ok(raw)
}

/// Reads what scores at least the label's threshold. The shapes may be others for each size, so
/// they are looked at each time.
pub(super) fn decode(
    spec: &ModelSpec,
    size: [usize; 2],
    names: &[String],
    outputs: &[Output<'_>],
    scores: &Scores,
    found: &mut Vec<Candidate>,
) -> Result<()> {
    let shapes: Vec<&[usize]> = outputs.iter().map(|output| output.shape).collect();
    check(spec, size, names, &shapes)?;
    let classes = spec.labels.iter().map(|(index, label)| {
        let least = scores.of(*label);
        let least = if spec.logits { (least / (1.0 - least)).ln() } else { least };
        Class { index: *index, label: *label, least }
    });
    let mut reader = Reader { classes: classes.collect(), logits: spec.logits, found };
    let of = |name: Option<&str>| {
        let missing = || Error::Inference("an output is missing".to_owned());
        find(names, name).and_then(|i| outputs.get(i)).copied().ok_or_else(missing)
    };
    match &spec.output {
        Convention::Cells { stride } => cells(&mut reader, of(None)?, spec.classes, *stride as f32),
        Convention::Yolox { strides } => {
            let places = grid(strides, size, 0.0);
            rows(&mut reader, of(None)?, 5, Some(4), |i, row| {
                let (x, y, stride) = places[i];
                let (cx, cy) = (x + row[0] * stride, y + row[1] * stride);
                centred(cx, cy, row[2].exp() * stride, row[3].exp() * stride)
            })
        }
        Convention::Yolov5 {} => rows(&mut reader, of(None)?, 5, Some(4), |_, row| {
            centred(row[0], row[1], row[2], row[3])
        }),
        Convention::Yolov8 {} => {
            let output = of(None)?;
            let n = output.shape[2];
            columns(&mut reader, &output.values[4 * n..], n, |_, i| {
                let at = |k: usize| output.values[k * n + i];
                centred(at(0), at(1), at(2), at(3))
            })
        }
        Convention::Nanodet { strides, bins, centre } => {
            let places = grid(strides, size, *centre);
            let output = of(None)?;
            let first = spec.classes;
            let distances = |i: usize, row: &[f32]| {
                let (x, y, stride) = places[i];
                let mut edges = [x, y, x, y];
                for (k, edge) in edges.iter_mut().enumerate() {
                    let distance = stride * expectation(&row[k * bins..(k + 1) * bins]);
                    *edge += if k < 2 { -distance } else { distance };
                }
                edges
            };
            rows(&mut reader, output, 0, None, |i, row| distances(i, &row[first..]))
        }
        Convention::Centernet {
            stride,
            outputs: [heat, sizes, offsets],
            yx,
            logarithmic,
            centre,
        } => {
            let heat = of(Some(heat))?;
            let (sizes, offsets) = (of(Some(sizes))?.values, of(Some(offsets))?.values);
            let (columns_, n) = (heat.shape[3], heat.shape[2] * heat.shape[3]);
            let stride = *stride as f32;
            let (x, y) = if *yx { (n, 0) } else { (0, n) };
            columns(&mut reader, heat.values, n, |_, i| {
                let side = |at: usize| {
                    stride * if *logarithmic { sizes[at + i].exp() } else { sizes[at + i] }
                };
                let cx = ((i % columns_) as f32 + offsets[x + i] + centre) * stride;
                let cy = ((i / columns_) as f32 + offsets[y + i] + centre) * stride;
                centred(cx, cy, side(x), side(y))
            })
        }
        Convention::Ssd { outputs: [boxes, scores], boxes: format, relative } => {
            let boxes = of(Some(boxes))?.values;
            let [w, h] = if *relative { size.map(|side| side as f32) } else { [1.0; 2] };
            rows(&mut reader, of(Some(scores))?, 0, None, |i, _| {
                let [a, b, c, d] = std::array::from_fn(|k| boxes[4 * i + k]);
                match format {
                    BoxFormat::Xyxy => [a * w, b * h, c * w, d * h],
                    BoxFormat::Yxyx => [b * w, a * h, d * w, c * h],
                    BoxFormat::Cxcywh => centred(a * w, b * h, c * w, d * h),
                }
            })
        }
    }
}

fn centred(x: f32, y: f32, width: f32, height: f32) -> [f32; 4] {
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
}

/// The mean of 0, 1, .. under a softmax.
fn expectation(logits: &[f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (sum, weighted) = logits.iter().enumerate().fold((0.0, 0.0), |(sum, weighted), (i, v)| {
        let weight = (v - most).exp();
        (sum + weight, weighted + weight * i as f32)
    });
    weighted / sum
}

/// Of each place of each level its x, y and stride, pixels.
fn grid(strides: &[usize], size: [usize; 2], centre: f32) -> Vec<(f32, f32, f32)> {
    let mut places = Vec::new();
    for stride in strides {
        let [columns, rows] = size.map(|side| side.div_ceil(*stride));
        let at = |i: usize| (i as f32 + centre) * *stride as f32;
        let row = |y: usize| (0..columns).map(move |x| (at(x), at(y), *stride as f32));
        places.extend((0..rows).flat_map(row));
    }
    places
}

fn cells(reader: &mut Reader<'_>, output: Output<'_>, classes: usize, stride: f32) -> Result<()> {
    let (width, n) = (output.shape[3], output.shape[2] * output.shape[3]);
    let (scores, raw) = output.values.split_at(classes * n);
    columns(reader, scores, n, |class, i| {
        let distance = |k: usize| {
            let raw = raw[(4 * class + k) * n + i];
            stride * if raw.is_nan() { raw } else { raw.clamp(RAW.0, RAW.1).exp() }
        };
        let (x, y) = (((i % width) as f32 + 0.5) * stride, ((i / width) as f32 + 0.5) * stride);
        [x - distance(0), y - distance(1), x + distance(2), y + distance(3)]
    })
}

/// Scores that lie class by class, `n` places each.
fn columns(
    reader: &mut Reader<'_>,
    scores: &[f32],
    n: usize,
    edges: impl Fn(usize, usize) -> [f32; 4],
) -> Result<()> {
    for k in 0..reader.classes.len() {
        let Class { index, label, least } = reader.classes[k];
        for (i, raw) in scores[index * n..(index + 1) * n].iter().enumerate() {
            if checked(*raw)? >= least {
                let score = reader.score(*raw);
                reader.add(label, score, edges(index, i))?;
            }
        }
    }
    Ok(())
}

/// Scores that lie place by place, from the column `first` on, times an objectness.
fn rows(
    reader: &mut Reader<'_>,
    output: Output<'_>,
    first: usize,
    objectness: Option<usize>,
    edges: impl Fn(usize, &[f32]) -> [f32; 4],
) -> Result<()> {
    let width = *output.shape.last().unwrap_or(&1);
    for (i, row) in output.values.chunks_exact(width).enumerate() {
        let object = objectness.map(|at| checked(row[at])).transpose()?;
        let object = object.map_or(1.0, |raw| reader.score(raw));
        for k in 0..reader.classes.len() {
            let Class { index, label, least } = reader.classes[k];
            let raw = checked(row[first + index])?;
            // A product with an objectness is at most each of its factors.
            if raw < least {
                continue;
            }
            let score = object * reader.score(raw);
            let least = if reader.logits { reader.score(least) } else { least };
            if score >= least {
                reader.add(label, score, edges(i, row))?;
            }
        }
    }
    Ok(())
}

impl Convention {
    fn name(&self) -> &'static str {
        match self {
            Self::Cells { .. } => "cells",
            Self::Yolox { .. } => "yolox",
            Self::Yolov5 {} => "yolov5",
            Self::Yolov8 {} => "yolov8",
            Self::Nanodet { .. } => "nanodet",
            Self::Centernet { .. } => "centernet",
            Self::Ssd { .. } => "ssd",
        }
    }
}
