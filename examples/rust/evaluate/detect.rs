//! How well things are found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lexopt::prelude::*;
use parkq_core::{Detection, Detector, DetectorOptions, Label, ModelSpec, Scores, Tiling};
use serde::Serialize;

use crate::boxes::{self, ByHeight, Edges};
use crate::labels::{self, Labels, Shrink, Slot, Times, Truth, frame};
use crate::{Failure, USAGE};

/// From this score on, or from the threshold if that is lower, detections are known; the threshold
/// decides which of them count.
const LEAST: f32 = 0.03;
#[derive(Serialize)]
struct Report {
    pictures: usize,
    #[serde(flatten)]
    labels: BTreeMap<Label, ByHeight<Measured>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slots_occupied_hit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slots_free_hit: Option<f64>,
    ms_per_picture: f64,
}

#[derive(Serialize)]
struct Measured {
    instances: usize,
    recall50: Option<f64>,
    ap50: Option<f64>,
    covered: Option<f64>,
    missed: Option<f64>,
    false_per_picture: Option<f64>,
}

/// A labelled instance.
struct Instance {
    height: f64,
    /// Matched by a detection that counts.
    found: bool,
    held: f64,
}

/// A detection that is right or wrong.
struct Judged {
    score: f32,
    counts: bool,
    /// Its own height, or its instance's.
    height: f64,
    right: bool,
}

#[derive(Default)]
struct Tally {
    instances: Vec<Instance>,
    judged: Vec<Judged>,
    /// Pictures in which all instances are marked.
    exhaustive: usize,
}

pub(crate) fn run(mut args: lexopt::Parser) -> Result<(), Failure> {
    let (mut folder, mut split, mut json, mut shrink) = (None, None, None, None::<Shrink>);
    let (mut model, mut spec, mut min_height, mut lot) = (None, None, 0.0, false);
    let mut options = DetectorOptions::default();
    while let Some(arg) = args.next()? {
        match arg {
            Long("split") => split = Some(args.value()?.string()?),
            Long("json") => json = Some(PathBuf::from(args.value()?)),
            Long("shrink") => shrink = Some(args.value()?.string()?.parse()?),
            Long("min-height") => min_height = args.value()?.parse()?,
            Long("model") => model = Some(PathBuf::from(args.value()?)),
            Long("spec") => spec = Some(PathBuf::from(args.value()?)),
            Long("lot") => lot = true,
            Long("max-overlap") => options.max_overlap = args.value()?.parse()?,
            Long("tiling") => {
                options.tiling = match args.value()?.string()?.as_str() {
                    "whole" => Tiling::Whole,
                    "auto" => Tiling::Auto,
                    "full" => Tiling::Full,
                    other => return Err(format!("no tiling {other:?}\n{USAGE}").into()),
                }
            }
            Long("score") => {
                labels::set_score(&mut options.min_score, &args.value()?.string()?)?;
            }
            Value(word) if folder.is_none() => folder = Some(PathBuf::from(word)),
            other => return Err(other.unexpected().into()),
        }
    }
    let labels = Labels::read(&folder.ok_or(USAGE)?)?;
    let counting = options.min_score;
    let known = |score: f32| score.min(LEAST);
    let Scores { vehicle, person, plate, face, .. } = counting;
    let scores = Scores::all(LEAST).vehicle(known(vehicle)).person(known(person));
    options = options.min_score(scores.plate(known(plate)).face(known(face)));
    let detector = match (model, spec) {
        (None, None) => Detector::with_options(options)?,
        (Some(model), Some(spec)) => {
            let spec = ModelSpec::from_json(&std::fs::read_to_string(spec)?)?;
            let name = model.display().to_string();
            Detector::from_onnx(&name, &std::fs::read(&model)?, spec, options)?
        }
        _ => return Err("a model needs its spec, and a spec its model".into()),
    };

    let mut tallies: BTreeMap<Label, Tally> = Label::ALL.map(|l| (l, Tally::default())).into();
    let (mut pictures, mut hits, mut times) = (0, [(0, 0); 2], Times::default());
    for image in labels.images(split.as_deref()) {
        let Some((pixels, truths)) = labels.shown(image, shrink, min_height)? else { continue };
        let size = pixels.dimensions();
        let frame = frame(pixels)?;
        let slots = labels.slots(image);
        let known = lot.then(|| labels::lot_of(&slots, image)).transpose()?;
        let found = times.take(size, || match &known {
            Some(lot) => detector.detect_on(&frame, lot),
            None => detector.detect(&frame),
        })?;
        pictures += 1;
        for (label, tally) in &mut tallies {
            let exhaustive = labels.exhaustive(image, *label);
            tally.add(*label, &truths, &found, counting.of(*label), exhaustive);
        }
        let scale = [f64::from(size.0) / image.width, f64::from(size.1) / image.height];
        for slot in slots {
            let (hit, all) = &mut hits[usize::from(slot.occupied)];
            *hit += usize::from(is_hit(slot, scale, &found, counting.vehicle));
            *all += 1;
        }
    }
    if pictures == 0 {
        return Err("no such pictures".into());
    }
    let share = |(hit, all): (usize, usize)| (all > 0).then(|| hit as f64 / all as f64);
    let report = Report {
        pictures,
        labels: tallies.into_iter().map(|(label, tally)| (label, tally.measure())).collect(),
        slots_occupied_hit: share(hits[1]),
        slots_free_hit: share(hits[0]),
        ms_per_picture: times.mean(),
    };
    print(&report);
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

/// Whether the point at three quarters of the height on a vehicle's centre line lies in the slot.
fn is_hit(slot: &Slot, scale: [f64; 2], found: &[Detection], least: f32) -> bool {
    let quad = slot.polygon.map(|[x, y]| [x * scale[0], y * scale[1]]);
    let vehicles = found.iter().filter(|f| f.label == Label::Vehicle && f.score >= least);
    vehicles.map(|f| boxes::edges(f.rect)).any(|e| {
        let (x, y) = ((e[0] + e[2]) / 2.0, e[1] + 0.75 * (e[3] - e[1]));
        // Even-odd rule.
        (0..4).fold(false, |inside, i| {
            let (a, b) = (quad[i], quad[(i + 1) % 4]);
            let crosses =
                (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0];
            inside != crosses
        })
    })
}

impl Tally {
    /// Judges one picture's detections of a label.
    fn add(
        &mut self,
        label: Label,
        truths: &[Truth],
        found: &[Detection],
        least: f32,
        exhaustive: bool,
    ) {
        let of = |ignore: bool| {
            let of = move |t: &&Truth| t.label == label && t.ignore == ignore;
            truths.iter().filter(of).map(|t| t.edges).collect::<Vec<Edges>>()
        };
        let (right, ignored) = (of(false), of(true));
        let mut taken = vec![None; right.len()];
        // Best first, each takes the free instance that it fits best.
        for found in found.iter().filter(|found| found.label == label) {
            let (edges, counts) = (boxes::edges(found.rect), found.score >= least);
            let fits = |i: &usize| boxes::iou(&edges, &right[*i]);
            let free = (0..right.len()).filter(|i| taken[*i].is_none() && fits(i) >= 0.5);
            let height = |e: &Edges| e[3] - e[1];
            let (score, best) = (found.score, free.max_by(|a, b| fits(a).total_cmp(&fits(b))));
            if let Some(i) = best {
                taken[i] = Some(counts);
                self.judged.push(Judged { score, counts, height: height(&right[i]), right: true });
            } else if exhaustive && boxes::share(&edges, &ignored) < 0.5 {
                self.judged.push(Judged { score, counts, height: height(&edges), right: false });
            }
        }
        let counting = |f: &&Detection| f.label == label && f.score >= least;
        let grown = |f: &Detection| boxes::grown(&boxes::edges(f.rect), boxes::GROWTH);
        let regions: Vec<Edges> = found.iter().filter(counting).map(grown).collect();
        for (edges, taken) in right.iter().zip(taken) {
            self.instances.push(Instance {
                height: edges[3] - edges[1],
                found: taken == Some(true),
                held: boxes::held(edges, &regions),
            });
        }
        self.exhaustive += usize::from(exhaustive);
    }

    fn measure(mut self) -> ByHeight<Measured> {
        self.judged.sort_by(|a, b| b.score.total_cmp(&a.score));
        ByHeight::new(|low, high| self.within(low, high))
    }

    fn within(&self, low: f64, high: f64) -> Measured {
        let within = |height: f64| low <= height && height < high;
        let instances: Vec<_> = self.instances.iter().filter(|i| within(i.height)).collect();
        let judged: Vec<_> = self.judged.iter().filter(|j| within(j.height)).collect();
        let share = |of: &dyn Fn(&Instance) -> bool| {
            mean(instances.iter().map(|instance| f64::from(of(instance))))
        };
        let wrong = judged.iter().filter(|j| j.counts && !j.right).count();
        let some = self.exhaustive > 0;
        Measured {
            instances: instances.len(),
            recall50: share(&|i| i.found),
            ap50: (some && !instances.is_empty()).then(|| precision(&judged, instances.len())),
            covered: share(&|i| i.held >= boxes::COVERED),
            missed: share(&|i| i.held < boxes::MISSED),
            false_per_picture: some.then(|| wrong as f64 / self.exhaustive as f64),
        }
    }
}

/// Average precision: the area under the precision, made monotone, over the recall.
fn precision(judged: &[&Judged], instances: usize) -> f64 {
    let (mut right, mut points) = (0, Vec::new());
    for (i, judged) in judged.iter().enumerate() {
        if judged.right {
            right += 1;
            points.push(f64::from(right) / (i + 1) as f64);
        }
    }
    let (mut best, mut sum) = (0.0f64, 0.0);
    for precision in points.into_iter().rev() {
        best = best.max(precision);
        sum += best;
    }
    sum / instances as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}

fn print(report: &Report) {
    println!("label    height  instances  recall50  ap50   covered  missed  false a picture");
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    for (label, of) in &report.labels {
        for (name, m) in of.rows() {
            if m.instances == 0 && m.false_per_picture.is_none_or(|f| f == 0.0) {
                continue;
            }
            println!(
                "{:8} {name:7} {:9}  {:8}  {:5}  {:7}  {:6}  {}",
                label.to_string(),
                m.instances,
                number(m.recall50),
                number(m.ap50),
                number(m.covered),
                number(m.missed),
                number(m.false_per_picture),
            );
        }
    }
    if let (Some(occupied), Some(free)) = (report.slots_occupied_hit, report.slots_free_hit) {
        println!("slots_occupied_hit {occupied:.4}\nslots_free_hit     {free:.4}");
    }
    println!("pictures           {}", report.pictures);
    println!("ms_per_picture     {:.1}", report.ms_per_picture);
}
