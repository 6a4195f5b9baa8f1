//! What is in the picture? Without arguments, in the bundled scene; or in a picture of yours:
//!
//! ```text
//! cargo run --release -p parkq-core --example detect [-- PICTURE [LOT.json]] [--svg PLAN.svg]
//! ```
#![allow(clippy::print_stdout, clippy::disallowed_types, clippy::disallowed_methods)] // a program, not the library

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use lexopt::prelude::*;
use parkq_core::{Detection, Detector, Label, Lot, RawFrame};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut paths, mut svg) = (Vec::new(), PathBuf::from("target/detections.svg"));
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("svg") => svg = args.value()?.into(),
            Long("help") | Short('h') => {
                println!("usage: detect [PICTURE [LOT.json]] [--svg PLAN.svg]");
                return Ok(());
            }
            Value(path) => paths.push(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let read = |path: &PathBuf| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let (picture, lot) = match paths.as_slice() {
        [] => (
            include_bytes!("../data/scene.jpg").to_vec(),
            Some(Lot::from_json(include_str!("../data/scene.lot.json"))?),
        ),
        [picture] => (read(picture)?, None),
        [picture, lot] => (read(picture)?, Some(Lot::from_json(&String::from_utf8(read(lot)?)?)?)),
        _ => return Err("a picture and a lot file at most".into()),
    };

    let frame = RawFrame::decode(&picture)?;
    let detector = Detector::bundled()?;
    let look = || match &lot {
        Some(lot) => detector.detect_on(&frame, lot),
        None => detector.detect(&frame),
    };
    // The network is prepared for a size of picture when it first meets it.
    look()?;
    let start = Instant::now();
    let found = look()?;
    let time = start.elapsed();

    println!("label    score  left   top    width  height");
    for Detection { label, score, rect } in &found {
        println!(
            "{:8} {score:.3}  {:5.0}  {:5.0}  {:5.0}  {:6.0}",
            label.to_string(),
            rect.x,
            rect.y,
            rect.width,
            rect.height
        );
    }
    for label in Label::ALL {
        println!("{label}: {}", found.iter().filter(|f| f.label == label).count());
    }
    println!("{:.1} ms", time.as_secs_f64() * 1e3);
    if let Some(folder) = svg.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&svg, plan(&found, frame.width(), frame.height()))?;
    println!("the boxes, without a pixel of the picture: {}", svg.display());
    Ok(())
}

/// The boxes as an SVG of the picture's size.
fn plan(found: &[Detection], width: u32, height: u32) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#f4f4f2\"/>\n"
    );
    for Detection { label, score, rect } in found {
        let colour = match label {
            Label::Vehicle => "#2f6db3",
            Label::Person => "#c2552d",
            Label::Plate => "#8a6d00",
            _ => "#7b3f98",
        };
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" \
             fill-opacity=\"0.15\" stroke=\"{colour}\"><title>{label} {score:.2}</title></rect>",
            rect.x, rect.y, rect.width, rect.height
        );
    }
    svg + "</svg>\n"
}
