//! Which spaces are taken? Without arguments, in the bundled scene; or in a picture of yours:
//!
//! ```text
//! cargo run --release -p parkq-core --example occupancy [-- PICTURE LOT.json] [--svg PLAN.svg]
//! ```
#![allow(clippy::print_stdout, clippy::disallowed_types, clippy::disallowed_methods)] // a program, not the library

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use lexopt::prelude::*;
use parkq_core::{Lot, Pipeline, RawFrame, State};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut paths, mut svg) = (Vec::new(), PathBuf::from("target/plan.svg"));
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("svg") => svg = args.value()?.into(),
            Long("help") | Short('h') => {
                println!("usage: occupancy [PICTURE LOT.json] [--svg PLAN.svg]");
                return Ok(());
            }
            Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let (picture, lot) = match paths.as_slice() {
        [] => (
            include_bytes!("../data/scene.jpg").to_vec(),
            include_str!("../data/scene.lot.json").to_owned(),
        ),
        [picture, lot] => {
            let named = |path: &PathBuf, e| format!("{}: {e}", path.display());
            let picture = std::fs::read(picture).map_err(|e| named(picture, e))?;
            (picture, std::fs::read_to_string(lot).map_err(|e| named(lot, e))?)
        }
        _ => return Err("a picture and a lot file are needed, or neither".into()),
    };

    let mut stages = vec![("load the model", Instant::now())];
    let pipeline = Pipeline::bundled(Lot::from_json(&lot)?)?;
    stages.push(("decode", Instant::now()));
    let frame = RawFrame::decode(&picture)?;
    let aspect = f64::from(frame.width()) / f64::from(frame.height());
    let outcome = pipeline.process_with(frame, &mut |stage| {
        stages.push((
            match stage {
                parkq_core::Stage::Mask => "burn in the masks",
                parkq_core::Stage::Anonymize => "anonymize",
                parkq_core::Stage::Occupancy => "read the spaces",
                parkq_core::Stage::Wipe => "wipe the picture",
                _ => "done",
            },
            Instant::now(),
        ));
    })?;

    let occupancy = outcome.occupancy;
    println!("space     state     P(occupied)  px/m");
    for reading in occupancy.readings() {
        let probability = reading.probability.map_or("-".to_owned(), |p| format!("{p:.3}"));
        let why = reading.unknown.map_or(String::new(), |why| format!("  ({why})"));
        let (id, state) = (&reading.id, reading.state.to_string());
        println!("{id:9} {state:9} {probability:>11} {:>5.0}{why}", reading.pixels_per_metre);
    }
    let interval = occupancy.occupied_interval();
    println!(
        "\n{} free, {} occupied (95 % interval of the occupied: {} to {}), {} unknown, {} closed",
        occupancy.free(),
        occupancy.occupied(),
        interval.start(),
        interval.end(),
        occupancy.count(State::Unknown),
        occupancy.count(State::Closed),
    );
    for pair in stages.windows(2) {
        let time = pair[1].1.duration_since(pair[0].1);
        println!("{:20} {:>8.2} ms", pair[0].0, time.as_secs_f64() * 1e3);
    }
    if let Some(folder) = svg.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&svg, occupancy.to_svg(pipeline.lot(), aspect))?;
    println!("the plan is in {}", svg.display());
    Ok(())
}
