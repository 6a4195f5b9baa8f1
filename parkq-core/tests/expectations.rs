//! `examples/data/expectations.json`, which the tests of C and Python read too.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

use parkq_core::{
    Error, Estimator, EstimatorOptions, Frame, Lot, Pipeline, PixelFormat, RawFrame, State,
};
use serde_json::{Value, json};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data").join(name)
}

fn expectations() -> Value {
    serde_json::from_str(&std::fs::read_to_string(data("expectations.json")).unwrap()).unwrap()
}

/// Kind and beginning of the message are as in the file.
#[track_caller]
fn check(case: &Value, error: &Error) {
    let kind = match error {
        Error::Frame(_) => "frame",
        Error::Decode(_) => "decode",
        Error::Option { .. } => "option",
        Error::Lot(_) => "lot",
        Error::Model(_) => "model",
        _ => "other",
    };
    assert_eq!(case["kind"], kind, "{case}");
    let (actual, expected) = (error.to_string(), case["message"].as_str().unwrap());
    assert!(actual.starts_with(expected), "{actual:?}, expected {expected:?}");
}

/// The bundled scene gives the same states, probabilities and counts everywhere.
#[test]
fn the_scene_reads_as_expected() {
    let mut all = expectations();
    let scene = &all["scene"];
    let file = |key: &str| std::fs::read(data(scene[key].as_str().unwrap())).unwrap();
    let lot = Lot::from_json(std::str::from_utf8(&file("lot")).unwrap()).unwrap();
    let pipeline = Pipeline::bundled(lot).unwrap();
    let outcome = pipeline.process(RawFrame::decode(&file("picture")).unwrap()).unwrap();
    let occupancy = outcome.occupancy;

    if std::env::var_os("PARKQ_BLESS").is_some() {
        let rounded = |p: f64| (p * 1e4).round() / 1e4;
        let readings: Vec<_> = occupancy
            .readings()
            .iter()
            .map(|r| json!({"id": r.id, "state": r.state, "probability": r.probability.map(rounded)}))
            .collect();
        let count = |state| occupancy.count(state);
        let interval = occupancy.occupied_interval();
        let scene = all["scene"].as_object_mut().unwrap();
        scene.insert("readings".into(), readings.into());
        scene.insert("occupied_interval".into(), json!([interval.start(), interval.end()]));
        scene.insert(
            "counts".into(),
            json!({
                "free": count(State::Free),
                "occupied": count(State::Occupied),
                "unknown": count(State::Unknown),
                "closed": count(State::Closed),
            }),
        );
        let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
        std::fs::write(data("expectations.json"), text).unwrap();
    }

    let scene = &all["scene"];
    let interval = occupancy.occupied_interval();
    assert_eq!(scene["occupied_interval"], json!([interval.start(), interval.end()]));
    for state in [State::Free, State::Occupied, State::Unknown, State::Closed] {
        assert_eq!(scene["counts"][state.to_string()], occupancy.count(state), "{state}");
    }
    let expected = scene["readings"].as_array().unwrap();
    assert_eq!(expected.len(), occupancy.readings().len());
    for (reading, expected) in occupancy.readings().iter().zip(expected) {
        assert_eq!(expected["id"], reading.id.as_str());
        assert_eq!(expected["state"], reading.state.to_string(), "{}", reading.id);
        let difference =
            (expected["probability"].as_f64().unwrap() - reading.probability.unwrap()).abs();
        assert!(difference <= scene["tolerance"].as_f64().unwrap(), "{}: {difference}", reading.id);
    }
}

/// What is refused, and in which words.
#[test]
fn errors_are_as_expected() {
    let all = expectations();
    let cases = |key: &str| all["errors"][key].as_array().unwrap().clone();
    let (lot, options) = (|| Lot::new([]).unwrap(), EstimatorOptions::default);
    for case in cases("lots") {
        check(&case, &Lot::from_json(case["json"].as_str().unwrap()).unwrap_err());
    }
    for case in cases("models") {
        let onnx = case["text"].as_str().unwrap().as_bytes();
        check(&case, &Estimator::from_onnx("mine", onnx, lot(), options()).unwrap_err());
    }
    for case in cases("pictures") {
        check(&case, &RawFrame::decode(case["text"].as_str().unwrap().as_bytes()).unwrap_err());
    }
    for case in cases("options") {
        let mut options = options();
        for (name, value) in case["options"].as_object().unwrap() {
            let value = value.as_f64().unwrap();
            options = match name.as_str() {
                "free_below" => options.free_below(value),
                "occupied_above" => options.occupied_above(value),
                "dispersion" => options.dispersion(value),
                "min_side" => options.min_side(value),
                "max_masked" => options.max_masked(value),
                _ => panic!("{name}"),
            };
        }
        check(&case, &Estimator::with_options(lot(), options).unwrap_err());
    }
    for case in cases("buffers") {
        let number = |key: &str| case[key].as_u64().unwrap() as u32;
        let format = PixelFormat::ALL
            .into_iter()
            .find(|format| format.to_string() == case["format"].as_str().unwrap())
            .unwrap();
        let bytes = vec![0; number("length") as usize];
        check(
            &case,
            &Frame::packed(format, number("width"), number("height"), &bytes).unwrap_err(),
        );
    }
}
