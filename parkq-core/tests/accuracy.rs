//! Floors of accuracy on real pictures that no net was trained on, where they are present.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout
)]

use std::path::PathBuf;

use parkq_core::{Estimator, Imported, Lot, RawFrame};

/// Accuracy at 0.5 over the validation split of ACPDS.
const FLOOR: f64 = 0.965;

#[test]
fn accuracy_on_lots_never_trained_on() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let data = std::env::var("PARKQ_DATA")
        .map_or_else(|_| PathBuf::from(root).join("../shared/data"), PathBuf::from);
    let folder = data.join("acpds");
    let Ok(labels) = std::fs::read_to_string(folder.join("labels.json")) else {
        println!("skipped: no {}", folder.display());
        return;
    };
    let labels: serde_json::Value = serde_json::from_str(&labels).unwrap();
    let (mut right, mut all) = (0, 0);
    for image in labels["images"].as_array().unwrap().iter().filter(|i| i["split"] == "val") {
        let side = |name: &str| image[name].as_u64().unwrap() as u32;
        let slots =
            labels["slots"].as_array().unwrap().iter().filter(|s| s["image_id"] == image["id"]);
        let (mut regions, mut occupied) = (Vec::new(), Vec::new());
        for slot in slots {
            regions.push(serde_json::json!({ "points": slot["polygon"] }));
            occupied.push(slot["occupied"].as_bool().unwrap());
        }
        let json = serde_json::to_string(&regions).unwrap();
        let lot: Lot = Imported::ultralytics(&json, side("width"), side("height")).unwrap().lot;
        let bytes = std::fs::read(folder.join(image["file_name"].as_str().unwrap())).unwrap();
        let raw = RawFrame::decode(&bytes).unwrap();
        let found = Estimator::bundled(lot).unwrap().occupancy(&raw).unwrap();
        for (reading, occupied) in found.readings().iter().zip(occupied) {
            right += usize::from((reading.probability.unwrap() >= 0.5) == occupied);
            all += 1;
        }
    }
    let accuracy = right as f64 / all as f64;
    println!("accuracy {accuracy:.4} over {all} spaces");
    assert!(accuracy >= FLOOR, "{accuracy}");
}
