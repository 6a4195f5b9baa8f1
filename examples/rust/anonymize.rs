//! Nobody and no plate can be recognised any more. Without arguments, in the bundled scene; or in
//! pictures of yours, or all pictures of a folder:
//!
//! ```text
//! cargo run --release -p parkq-core --example anonymize [-- PICTURE|FOLDER ..] [--out FOLDER]
//! ```
//!
//! Writes each picture as a JPEG without metadata into the folder (`target/anonymized`), beside
//! a report of what was destroyed, `report.json`.
#![allow(clippy::print_stdout, clippy::disallowed_types, clippy::disallowed_methods)] // a program, not the library

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use lexopt::prelude::*;
use parkq_core::{Anonymizer, Lot, ModelInfo, Policy, RawFrame, Redactions};
use serde::Serialize;

const USAGE: &str = "usage: anonymize [PICTURE|FOLDER ..] [--out FOLDER]";

/// One picture of the report.
#[derive(Serialize)]
struct Entry {
    picture: String,
    written: Option<PathBuf>,
    models: Vec<ModelInfo>,
    policy: Policy,
    error: Option<String>,
    milliseconds: f64,
    redactions: Redactions,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut paths, mut out) = (Vec::new(), PathBuf::from("target/anonymized"));
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("out") => out = args.value()?.into(),
            Long("help") | Short('h') => {
                println!("{USAGE}");
                return Ok(());
            }
            Value(path) => add(&mut paths, Path::new(&path))?,
            other => return Err(other.unexpected().into()),
        }
    }
    std::fs::create_dir_all(&out)?;
    let mut anonymizer = Anonymizer::bundled()?;
    let mut report = Vec::new();
    if paths.is_empty() {
        anonymizer = anonymizer.on(Lot::from_json(include_str!("../data/scene.lot.json"))?);
        let scene = include_bytes!("../data/scene.jpg");
        report.push(entry("the bundled scene", &out.join("scene.jpg"), &anonymizer, || {
            Ok(RawFrame::decode(scene)?)
        }));
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}, {eta} left")?;
    let bar = ProgressBar::new(paths.len() as u64).with_style(style);
    for (i, path) in bar.wrap_iter(paths.iter()).enumerate() {
        // Two folders may hold pictures of one name.
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let to = out.join(format!("{i:05}-{stem}.jpg"));
        report.push(entry(&path.display().to_string(), &to, &anonymizer, || {
            Ok(RawFrame::decode(&std::fs::read(path)?)?)
        }));
    }
    bar.finish_and_clear();
    for entry in &report {
        match &entry.error {
            Some(error) => println!("{}: {error}", entry.picture),
            None => println!(
                "{}: {} regions destroyed in {:.0} ms",
                entry.picture,
                entry.redactions.len(),
                entry.milliseconds
            ),
        }
    }
    std::fs::write(out.join("report.json"), serde_json::to_string_pretty(&report)?)?;
    println!("pictures and report.json are in {}", out.display());
    if report.iter().any(|entry| entry.error.is_some()) {
        return Err("not every picture could be anonymized".into());
    }
    Ok(())
}

/// Anonymizes a picture and writes it; a picture that fails is written nowhere.
fn entry(
    picture: &str,
    to: &Path,
    anonymizer: &Anonymizer,
    read: impl FnOnce() -> Result<RawFrame, Box<dyn Error>>,
) -> Entry {
    let start = Instant::now();
    let result = read().and_then(|frame| {
        let frame = anonymizer.anonymize(frame)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        std::fs::write(to, frame.to_jpeg(90)?)?;
        Ok((frame.redactions().clone(), milliseconds))
    });
    let (written, error, (redactions, milliseconds)) = match result {
        Ok(done) => (Some(to.to_owned()), None, done),
        Err(error) => (None, Some(error.to_string()), Default::default()),
    };
    let models = anonymizer.models().into_iter().cloned().collect();
    let (picture, policy) = (picture.to_owned(), anonymizer.policy().clone());
    Entry { picture, written, models, policy, error, milliseconds, redactions }
}

/// A picture, or the pictures of a folder in the order of their names.
fn add(paths: &mut Vec<PathBuf>, path: &Path) -> Result<(), Box<dyn Error>> {
    let named = |e| format!("{}: {e}", path.display());
    if !path.is_dir() {
        paths.push(path.to_owned());
        return Ok(());
    }
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        ["jpg", "jpeg", "png", "webp"].iter().any(|known| extension == *known)
    };
    let mut found = Vec::new();
    for item in std::fs::read_dir(path).map_err(named)? {
        found.push(item.map_err(named)?.path());
    }
    found.retain(is_picture);
    found.sort();
    paths.extend(found);
    Ok(())
}
