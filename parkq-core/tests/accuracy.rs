//! Floors of accuracy on real pictures that no net was trained on, where they are present.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout
)]

use std::path::{Path, PathBuf};

use parkq_core::{Detection, Detector, Estimator, Imported, Label, Lot, RawFrame};

/// Accuracy at 0.5 over the validation split of ACPDS; without the second look it is 0.9722.
const FLOOR: f64 = 0.9735;

/// Of the occupied spaces there, the share that a vehicle's box stands on, at least; of the free
/// ones, at most.
const HITS: (f64, f64) = (0.84, 0.06);
/// Of the persons and faces of `highway_od`'s validation split, the share that a box of the same
/// label meets (intersection over union of 0.5 or more).
const FOUND: [(Label, f64); 2] = [(Label::Person, 0.75), (Label::Face, 0.92)];

#[test]
fn accuracy_on_lots_never_trained_on() {
    let Some((folder, labels)) = labels("acpds") else { return };
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

/// A set's folder and labels, if it is there.
fn labels(set: &str) -> Option<(PathBuf, serde_json::Value)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let data = std::env::var("PARKQ_DATA")
        .map_or_else(|_| PathBuf::from(root).join("../shared/data"), PathBuf::from);
    let folder = data.join(set);
    let Ok(labels) = std::fs::read_to_string(folder.join("labels.json")) else {
        println!("skipped: no {}", folder.display());
        return None;
    };
    Some((folder, serde_json::from_str(&labels).unwrap()))
}

/// What the detector finds in each picture of a set's validation split.
fn found(folder: &Path, labels: &serde_json::Value) -> Vec<(serde_json::Value, Vec<Detection>)> {
    let detector = Detector::bundled().unwrap();
    let images = labels["images"].as_array().unwrap().iter().filter(|i| i["split"] == "val");
    images
        .map(|image| {
            let bytes = std::fs::read(folder.join(image["file_name"].as_str().unwrap())).unwrap();
            let raw = RawFrame::decode(&bytes).unwrap();
            (image["id"].clone(), detector.detect(&raw).unwrap())
        })
        .collect()
}

/// A space is hit where the point at three quarters of the height on a vehicle's centre line is.
#[test]
fn vehicles_on_lots_never_trained_on() {
    let Some((folder, labels)) = labels("acpds") else { return };
    let (mut hits, mut all) = ([0.0; 2], [0.0; 2]);
    for (id, found) in found(&folder, &labels) {
        let vehicles = found.iter().filter(|f| f.label == Label::Vehicle);
        let at = |f: &Detection| (f.rect.x + f.rect.width / 2.0, f.rect.y + 0.75 * f.rect.height);
        let points: Vec<_> = vehicles.map(at).collect();
        for slot in labels["slots"].as_array().unwrap().iter().filter(|s| s["image_id"] == id) {
            let quad: Vec<[f32; 2]> = serde_json::from_value(slot["polygon"].clone()).unwrap();
            let inside = |&(x, y): &(f32, f32)| {
                let crosses = |i: usize| {
                    let (a, b) = (quad[i], quad[(i + 1) % 4]);
                    (a[1] > y) != (b[1] > y)
                        && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]
                };
                (0..4).filter(|i| crosses(*i)).count() % 2 == 1
            };
            let occupied = usize::from(slot["occupied"].as_bool().unwrap());
            hits[occupied] += f64::from(points.iter().any(inside));
            all[occupied] += 1.0;
        }
    }
    let (free, occupied) = (hits[0] / all[0], hits[1] / all[1]);
    println!("occupied hit {occupied:.4}, free hit {free:.4}");
    assert!(occupied >= HITS.0 && free <= HITS.1, "{occupied} {free}");
}

#[test]
fn persons_and_faces() {
    let Some((folder, labels)) = labels("highway_od") else { return };
    let found = found(&folder, &labels);
    for (label, floor) in FOUND {
        let (mut met, mut all) = (0.0, 0.0);
        for (id, found) in &found {
            let of = |a: &&serde_json::Value| {
                a["image_id"] == *id
                    && a["category"] == label.to_string()
                    && a["ignore"] != serde_json::json!(true)
            };
            for truth in labels["annotations"].as_array().unwrap().iter().filter(of) {
                let [x, y, w, h]: [f32; 4] = serde_json::from_value(truth["bbox"].clone()).unwrap();
                let meets = |f: &&Detection| {
                    let r = f.rect;
                    let across = ((r.x + r.width).min(x + w) - r.x.max(x)).max(0.0);
                    let down = ((r.y + r.height).min(y + h) - r.y.max(y)).max(0.0);
                    2.0 * across * down >= w * h + r.width * r.height - across * down
                };
                let found = found.iter().filter(|f| f.label == label);
                met += f64::from(found.filter(meets).count() > 0);
                all += 1.0;
            }
        }
        println!("{label}: {:.4} of {all} found", met / all);
        assert!(met / all >= floor, "{label}: {}", met / all);
    }
}
