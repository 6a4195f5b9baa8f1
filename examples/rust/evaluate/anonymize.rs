//! How well people and plates are destroyed, and how much else goes with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lexopt::prelude::*;
use parkq_core::{Anonymizer, Fallback, Fill, Label, Policy, Redaction};
use serde::Serialize;

use crate::boxes::{self, ByHeight, Edges};
use crate::labels::{self, Labels, Shrink, Times, frame};
use crate::occupancy;
use crate::{Failure, USAGE};

#[derive(Serialize)]
struct Report {
    pictures: usize,
    #[serde(flatten)]
    labels: BTreeMap<Label, ByHeight<Measured>>,
    /// The median picture's share of pixels that were destroyed, and the 90th percentile.
    destroyed_share: f64,
    destroyed_p90: f64,
    ms_per_picture: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    occupancy: Option<occupancy::Report>,
}

#[derive(Serialize)]
struct Measured {
    instances: usize,
    covered: Option<f64>,
    missed: Option<f64>,
}

pub(crate) fn run(mut args: lexopt::Parser) -> Result<(), Failure> {
    let (mut folder, mut split, mut json, mut shrink) = (None, None, None, None::<Shrink>);
    let (mut policy, mut then, mut min_height) = (Policy::default(), false, 0.0);
    while let Some(arg) = args.next()? {
        match arg {
            Long("split") => split = Some(args.value()?.string()?),
            Long("json") => json = Some(PathBuf::from(args.value()?)),
            Long("shrink") => shrink = Some(args.value()?.string()?.parse()?),
            Long("min-height") => min_height = args.value()?.parse()?,
            Long("score") => labels::set_score(&mut policy.scores, &args.value()?.string()?)?,
            Long("pixels-per-metre") => policy.min_pixels_per_metre = args.value()?.parse()?,
            Long("plate-margin") => policy.plate_margin = args.value()?.parse()?,
            Long("sure-plate") => policy.sure_plate = args.value()?.parse()?,
            Long("fallback") => {
                policy.fallback = match args.value()?.string()?.as_str() {
                    "zone" => Fallback::PlateZone,
                    "vehicle" => Fallback::WholeVehicle,
                    "off" => Fallback::Off,
                    other => return Err(format!("no fallback {other:?}\n{USAGE}").into()),
                }
            }
            Long("fill") => {
                policy.redaction = Redaction::Fill(match args.value()?.string()?.as_str() {
                    "black" => Fill::Colour([0; 3]),
                    "gray" => Fill::Colour([128; 3]),
                    "surroundings" => Fill::Surroundings,
                    other => return Err(format!("no fill {other:?}\n{USAGE}").into()),
                })
            }
            Long("then") => match args.value()?.string()?.as_str() {
                "occupancy" => then = true,
                other => return Err(format!("nothing to do then: {other:?}\n{USAGE}").into()),
            },
            Value(word) if folder.is_none() => folder = Some(PathBuf::from(word)),
            other => return Err(other.unexpected().into()),
        }
    }
    let labels = Labels::read(&folder.ok_or(USAGE)?)?;
    let mut anonymizer = Anonymizer::with_policy(policy)?;

    // Of each label, the height of its instances and how much of them was destroyed.
    let mut held: BTreeMap<Label, Vec<(f64, f64)>> = Label::ALL.map(|l| (l, Vec::new())).into();
    let (mut destroyed, mut read, mut times) = (Vec::new(), Vec::new(), Times::default());
    for image in labels.images(split.as_deref()) {
        let Some((pixels, truths)) = labels.shown(image, shrink, min_height)? else { continue };
        let (width, height) = pixels.dimensions();
        let frame = frame(pixels)?;
        let slots = labels.slots(image);
        if then {
            // As a camera that knows its lot.
            anonymizer = anonymizer.on(labels::lot_of(&slots, image)?);
        }
        let picture = times.take((width, height), || anonymizer.anonymize(frame))?;
        let parts = picture.redactions().iter().flat_map(|region| &region.parts);
        let regions: Vec<Edges> = parts.map(|part| boxes::edges(part.rect)).collect();
        for truth in truths.iter().filter(|truth| !truth.ignore) {
            let of = held.entry(truth.label).or_default();
            of.push((truth.height(), boxes::held(&truth.edges, &regions)));
        }
        let whole = [0.0, 0.0, f64::from(width), f64::from(height)];
        destroyed.push(boxes::share(&whole, &regions));
        if then && !slots.is_empty() {
            read.push(occupancy::read(&picture, image, &slots)?);
        }
    }
    if destroyed.is_empty() {
        return Err("no such pictures".into());
    }
    destroyed.sort_by(f64::total_cmp);
    let quantile = |q: f64| destroyed[((destroyed.len() - 1) as f64 * q).round() as usize];
    let report = Report {
        pictures: destroyed.len(),
        labels: held.into_iter().map(|(label, held)| (label, of(&held))).collect(),
        destroyed_share: quantile(0.5),
        destroyed_p90: quantile(0.9),
        ms_per_picture: times.mean(),
        occupancy: (!read.is_empty()).then(|| occupancy::report(&read)),
    };
    print(&report);
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn of(held: &[(f64, f64)]) -> ByHeight<Measured> {
    ByHeight::new(|low, high| {
        let held: Vec<_> = held.iter().filter(|(h, _)| low <= *h && *h < high).collect();
        let share = |is: &dyn Fn(f64) -> bool| {
            let count = held.iter().filter(|(_, held)| is(*held)).count();
            (!held.is_empty()).then(|| count as f64 / held.len() as f64)
        };
        Measured {
            instances: held.len(),
            covered: share(&|held| held >= boxes::COVERED),
            missed: share(&|held| held < boxes::MISSED),
        }
    })
}

fn print(report: &Report) {
    println!("label    height  instances  covered  missed");
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
    for (label, of) in &report.labels {
        for (name, m) in of.rows() {
            if m.instances > 0 {
                let (covered, missed) = (number(m.covered), number(m.missed));
                println!(
                    "{:8} {name:7} {:9}  {covered:>7}  {missed:>6}",
                    label.to_string(),
                    m.instances
                );
            }
        }
    }
    println!("pictures           {}", report.pictures);
    println!("destroyed_share    {:.4}", report.destroyed_share);
    println!("destroyed_p90      {:.4}", report.destroyed_p90);
    println!("ms_per_picture     {:.1}", report.ms_per_picture);
    if let Some(occupancy) = &report.occupancy {
        println!("occupancy from the anonymized pictures:");
        occupancy.print();
    }
}
