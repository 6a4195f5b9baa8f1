//! Any bytes as a model, any text as its spec.
#![no_main]

use parkq_core::{Detector, DetectorOptions, Frame, ModelSpec, PixelFormat, Tiling};

const SPEC: &str = r#"{"input": {"size": {"fixed": [64, 64]}}, "classes": 2, "labels": {"1": "person"},
    "output": {"convention": "yolov8"}}"#;

libfuzzer_sys::fuzz_target!(|input: (Option<&str>, &[u8])| {
    let (spec, onnx) = input;
    let Ok(spec) = ModelSpec::from_json(spec.unwrap_or(SPEC)) else { return };
    assert_eq!(ModelSpec::from_json(&spec.to_json()).unwrap(), spec);
    let options = DetectorOptions::default().tiling(Tiling::Whole);
    if let Ok(detector) = Detector::from_onnx("fuzzed", onnx, spec, options) {
        let pixels = [90; 64 * 64];
        let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels).unwrap();
        let _ = detector.detect(frame);
    }
});
