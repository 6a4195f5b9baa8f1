//! How good is it? Measures parkq on a folder of labelled pictures.
//!
//! ```text
//! cargo run --release -q -p parkq-core --example evaluate -- TASK DIR [--split S] [--json FILE] ..
//! ```
//!
//! `DIR` holds `labels.json`; `labels.rs` says what of it is read.
#![allow(clippy::print_stdout, clippy::disallowed_types, clippy::disallowed_methods)] // a program, not the library

mod anonymize;
mod boxes;
mod detect;
mod labels;
mod occupancy;

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: evaluate TASK DIR [--split S] [--json FILE] ..
  occupancy DIR [--corrupt NAME] [--pipeline]
    corruptions: noise, motion-blur, jpeg20, half-brightness, low-contrast, width640, nv12, gray
    --pipeline: anonymized first, and vehicles found by the detector are weighed
  detect DIR [--shrink LABEL=PX] [--min-height PX] [--score LABEL=S].. [--tiling whole|auto|full]
             [--max-overlap IOU] [--lot] [--model FILE.onnx --spec FILE.json]
  anonymize DIR [--shrink LABEL=PX] [--min-height PX] [--then occupancy] [--score LABEL=S]..
             [--pixels-per-metre N] [--fallback zone|vehicle|off] [--plate-margin SHARE]
             [--sure-plate S] [--fill black|gray|surroundings]";

fn main() -> Result<(), Failure> {
    let mut args = lexopt::Parser::from_env();
    match args.next()? {
        Some(lexopt::Arg::Value(task)) if task == "occupancy" => occupancy::run(args),
        Some(lexopt::Arg::Value(task)) if task == "detect" => detect::run(args),
        Some(lexopt::Arg::Value(task)) if task == "anonymize" => anonymize::run(args),
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}
