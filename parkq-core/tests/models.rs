//! Models of one's own: every convention against a naive reading of it, specs that do not fit,
//! models that mean harm. `data/models.py` makes the models.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods)]

use std::path::Path;

use parkq_core::{
    Anonymizer, Detection, Detector, DetectorOptions, Error, Frame, FrameMut, Label, ModelSpec,
    PixelFormat, Policy, Scores, Tiling,
};
use serde_json::{Value, json};

const SIDE: usize = 64;
const LEAST: f32 = 0.6;
/// The class of each model that stands for nothing is the first.
const PLACES: usize = 64 + 16 + 4;

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::fs::read(folder.join(format!("{name}.onnx"))).unwrap()
}

/// Every box that scores enough, whatever overlaps it.
fn options() -> DetectorOptions {
    let all = DetectorOptions::default().max_overlap(1.0).max_detections(100_000);
    all.min_score(Scores::all(LEAST)).tiling(Tiling::Whole)
}

fn spec(classes: usize, labels: Value, output: Value) -> Value {
    json!({
        "input": {"size": {"fixed": [SIDE, SIDE]}, "std": [255, 255, 255]},
        "classes": classes, "labels": labels, "output": output,
    })
}

/// Of `bright.onnx`, to which a bright square is a face.
fn bright() -> Value {
    let mut spec = spec(1, json!({"0": "face"}), json!({"convention": "cells", "stride": 8}));
    spec["input"] = json!({"size": {"fixed": [64, 64]}, "pad": 0});
    spec["logits"] = json!(true);
    spec
}

fn detector(name: &str, spec: &Value) -> Result<Detector, Error> {
    Detector::from_onnx(name, &bytes(name), ModelSpec::from_json(&spec.to_string())?, options())
}

/// Pixels without a pattern, of which few are bright.
fn picture(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..3 * SIDE * SIDE).map(|_| next()).collect()
}

/// What the network is shown: 0..=1, channel by channel.
fn values(pixels: &[u8], (channel, row, pixel): (usize, usize, usize), bgr: bool) -> Vec<f32> {
    let mut out = vec![0.0; pixels.len()];
    for (i, value) in pixels.iter().enumerate() {
        let (c, x, y) = (i % 3, i / 3 % SIDE, i / 3 / SIDE);
        let c = if bgr { 2 - c } else { c };
        out[c * channel + y * row + x * pixel] = f32::from(*value) / 255.0;
    }
    out
}

fn planar(pixels: &[u8]) -> Vec<f32> {
    values(pixels, (SIDE * SIDE, SIDE, 1), false)
}

/// Left, top, right, bottom, clipped to the picture; label; score. Best first.
type Said = Vec<([f32; 4], Label, f32)>;

fn clip(said: Said) -> Said {
    let side = SIDE as f32;
    let clipped =
        |(e, label, score): ([f32; 4], Label, f32)| (e.map(|v| v.clamp(0.0, side)), label, score);
    let seen = |(e, ..): &([f32; 4], Label, f32)| e[2] > e[0] && e[3] > e[1];
    let mut said: Said = said.into_iter().map(clipped).filter(seen).collect();
    said.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0[1].total_cmp(&b.0[1])));
    said
}

fn same(name: &str, found: &[Detection], said: Said) {
    let said = clip(said);
    assert!(!said.is_empty(), "{name} says nothing");
    assert_eq!(found.len(), said.len(), "{name}");
    // Equal scores have no order of their own here: each must be among what was said.
    for found in found {
        let r = found.rect;
        let near = |(e, label, score): &([f32; 4], Label, f32)| {
            let edges = [r.x, r.y, r.x + r.width, r.y + r.height];
            let close = e.iter().zip(edges).all(|(a, b)| (a - b).abs() < 0.02);
            close && *label == found.label && (score - found.score).abs() < 1e-3
        };
        assert!(said.iter().any(near), "{name}: {found:?}");
    }
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
}

fn check(name: &str, spec: &Value, read: impl Fn(&[f32]) -> Said) {
    let detector = detector(name, spec).unwrap();
    for seed in 1..4 {
        let pixels = picture(seed);
        let frame = Frame::packed(PixelFormat::Rgb8, 64, 64, &pixels).unwrap();
        let found = detector.detect(frame).unwrap();
        same(name, &found, read(&planar(&pixels)));
    }
}

fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

fn centred(x: f32, y: f32, w: f32, h: f32) -> [f32; 4] {
    [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]
}

/// The second of two classes is a person, the first is ignored.
fn second() -> Value {
    json!({"1": "person"})
}

/// x, y and stride of each place of three levels.
fn places() -> Vec<(f32, f32, f32)> {
    let level = |stride: usize| {
        let n = SIDE / stride;
        (0..n * n).map(move |i| ((i % n) as f32, (i / n) as f32, stride as f32))
    };
    [8, 16, 32].into_iter().flat_map(level).collect()
}

#[test]
fn cells() {
    let mut spec = spec(2, second(), json!({"convention": "cells", "stride": 8}));
    spec["logits"] = json!(true);
    check("cells", &spec, |v| {
        let v: Vec<f32> = v.iter().map(|v| v * 8.0).collect();
        let at = |channel: usize, i: usize| v[channel * 64 + i];
        let mut said = Said::new();
        for i in 0..64 {
            let score = sigmoid(at(1, i));
            let d: Vec<f32> =
                (0..4).map(|k| 8.0 * at(2 + 4 + k, i).clamp(-4.0, 5.0).exp()).collect();
            let (x, y) = ((i % 8) as f32 * 8.0 + 4.0, (i / 8) as f32 * 8.0 + 4.0);
            if score >= LEAST {
                said.push(([x - d[0], y - d[1], x + d[2], y + d[3]], Label::Person, score));
            }
        }
        said
    });
}

#[test]
fn yolox() {
    let spec = spec(2, second(), json!({"convention": "yolox", "strides": [8, 16, 32]}));
    check("yolox", &spec, |v| {
        let row = |(row, (x, y, s)): (&[f32], (f32, f32, f32))| {
            let (w, h) = (row[2].exp() * s, row[3].exp() * s);
            let edges = centred((x + row[0]) * s, (y + row[1]) * s, w, h);
            (edges, Label::Person, row[4] * row[6])
        };
        let said = v[..7 * PLACES].chunks(7).zip(places()).map(row);
        said.filter(|(_, _, score)| *score >= LEAST).collect()
    });
}

#[test]
fn yolov5() {
    let spec = spec(2, second(), json!({"convention": "yolov5"}));
    check("yolov5", &spec, |v| {
        let row = |r: &[f32]| {
            let edges = centred(64.0 * r[0], 64.0 * r[1], 32.0 * r[2], 32.0 * r[3]);
            (edges, Label::Person, r[4] * r[6])
        };
        v[..7 * PLACES].chunks(7).map(row).filter(|(_, _, score)| *score >= LEAST).collect()
    });
}

#[test]
fn yolov8() {
    let spec = spec(2, second(), json!({"convention": "yolov8"}));
    check("yolov8", &spec, |v| {
        let at = |k: usize, i: usize| v[k * PLACES + i];
        let place = |i: usize| {
            let (x, y) = (64.0 * at(0, i), 64.0 * at(1, i));
            (centred(x, y, 32.0 * at(2, i), 32.0 * at(3, i)), Label::Person, at(5, i))
        };
        (0..PLACES).map(place).filter(|(_, _, score)| *score >= LEAST).collect()
    });
}

#[test]
fn nanodet() {
    let output = json!({"convention": "nanodet", "strides": [8, 16, 32], "bins": 8, "centre": 0.5});
    check("nanodet", &spec(2, second(), output), |v| {
        let row = |(row, (x, y, s)): (&[f32], (f32, f32, f32))| {
            let distance = |k: usize| {
                let weights: Vec<f32> = (0..8).map(|b| (6.0 * row[2 + 8 * k + b]).exp()).collect();
                let sum: f32 = weights.iter().sum();
                s * weights.iter().enumerate().map(|(b, w)| b as f32 * w).sum::<f32>() / sum
            };
            let (x, y) = ((x + 0.5) * s, (y + 0.5) * s);
            let edges = [x - distance(0), y - distance(1), x + distance(2), y + distance(3)];
            (edges, Label::Person, row[1])
        };
        let said = v[..34 * PLACES].chunks(34).zip(places()).map(row);
        said.filter(|(_, _, score)| *score >= LEAST).collect()
    });
}

#[test]
fn centernet() {
    for (yx, logarithmic, centre) in [(true, true, 0.5), (false, false, 0.0)] {
        let output = json!({
            "convention": "centernet", "stride": 4, "outputs": ["heat", "size", "offset"],
            "yx": yx, "logarithmic": logarithmic, "centre": centre,
        });
        check("centernet", &spec(1, json!({"0": "face"}), output), |v| {
            let at = |channel: usize, i: usize| v[channel * 256 + i];
            let (x, y) = if yx { (1, 0) } else { (0, 1) };
            let place = |i: usize| {
                let side = |k: usize| {
                    let raw = 3.0 * at(1 + k, i);
                    4.0 * if logarithmic { raw.exp() } else { raw }
                };
                let cx = ((i % 16) as f32 + at(3 + x, i) + centre) * 4.0;
                let cy = ((i / 16) as f32 + at(3 + y, i) + centre) * 4.0;
                (centred(cx, cy, side(x), side(y)), Label::Face, at(0, i))
            };
            (0..256).map(place).filter(|(_, _, score)| *score >= LEAST).collect()
        });
    }
}

#[test]
fn ssd() {
    let labels = json!({"1": "vehicle", "2": "plate"});
    for format in ["xyxy", "yxyx", "cxcywh"] {
        let output = json!({
            "convention": "ssd", "outputs": ["boxes", "scores"], "boxes": format, "relative": true,
        });
        check("ssd", &spec(3, labels.clone(), output), |v| {
            let mut said = Said::new();
            for i in 0..50 {
                let b: Vec<f32> = v[4 * i..4 * i + 4].iter().map(|v| v * 64.0).collect();
                let edges = match format {
                    "xyxy" => [b[0], b[1], b[2], b[3]],
                    "yxyx" => [b[1], b[0], b[3], b[2]],
                    _ => centred(b[0], b[1], b[2], b[3]),
                };
                for (class, label) in [(1, Label::Vehicle), (2, Label::Plate)] {
                    let score = v[200 + 3 * i + class];
                    if score >= LEAST {
                        said.push((edges, label, score));
                    }
                }
            }
            said
        });
    }
}

/// Height before width before channels, blue before red: the values arrive where they should.
#[test]
fn layout_and_colour() {
    let mut spec = spec(2, second(), json!({"convention": "yolov5"}));
    spec["input"]["layout"] = json!("nhwc");
    spec["input"]["colour"] = json!("bgr");
    let detector = detector("nhwc", &spec).unwrap();
    let pixels = picture(9);
    let frame = Frame::packed(PixelFormat::Rgb8, 64, 64, &pixels).unwrap();
    let v = values(&pixels, (1, 3 * SIDE, 3), true);
    let row = |r: &[f32]| {
        let edges = centred(64.0 * r[0], 64.0 * r[1], 32.0 * r[2], 32.0 * r[3]);
        (edges, Label::Person, r[4] * r[6])
    };
    let said = v[..7 * PLACES].chunks(7).map(row).filter(|(_, _, score)| *score >= LEAST);
    same("nhwc", &detector.detect(frame).unwrap(), said.collect());
}

/// A box keeps its place when the picture is fitted in, whichever way.
#[test]
fn fitting_is_undone() {
    // One bright square of 16 px in a picture of 128x64; the cell round its middle says so.
    let mut pixels = vec![0u8; 128 * 64];
    for (x, y) in (32..48).flat_map(|x| (16..32).map(move |y| (x, y))) {
        pixels[y * 128 + x] = 255;
    }
    let frame = Frame::packed(PixelFormat::Gray8, 128, 64, &pixels).unwrap();
    for (resize, sides) in
        [("corner", [32.0, 32.0]), ("centre", [32.0, 32.0]), ("stretch", [32.0, 16.0])]
    {
        let mut spec = bright();
        spec["input"]["resize"] = json!(resize);
        let found = detector("bright", &spec).unwrap().detect(frame).unwrap();
        let best = found.first().unwrap_or_else(|| panic!("{resize} finds nothing")).rect;
        assert!((best.width - sides[0]).abs() < 0.01 && (best.height - sides[1]).abs() < 0.01);
        let (x, y) = (best.x + best.width / 2.0, best.y + best.height / 2.0);
        assert!((x - 40.0).abs() <= 8.0 && (y - 24.0).abs() <= 8.0, "{resize}: {best:?}");
    }
}

/// Wherever a thing lies, at the border of tiles too, it is found, and found once.
#[test]
fn tile_borders_lose_and_double_nothing() {
    let spec = ModelSpec::from_json(&bright().to_string()).unwrap();
    let options = DetectorOptions::default().tiling(Tiling::Auto).max_overlap(0.3);
    let detector = Detector::from_onnx("bright", &bytes("bright"), spec, options).unwrap();
    let (w, h) = (700usize, 300usize);
    for i in 0..12 {
        let (left, top) = (i * 61 % (w - 24), i * 29 % (h - 24));
        let mut pixels = vec![0u8; w * h];
        for (x, y) in (0..24).flat_map(|x| (0..24).map(move |y| (left + x, top + y))) {
            pixels[y * w + x] = 255;
        }
        let frame = Frame::packed(PixelFormat::Gray8, w as u32, h as u32, &pixels).unwrap();
        let found = detector.detect(frame).unwrap();
        assert!(!found.is_empty(), "lost at {left}, {top}");
        for f in &found {
            // Of the square's own 24 px, or a cell of a coarser level that holds it.
            let (x, y) = (f.rect.x + f.rect.width / 2.0, f.rect.y + f.rect.height / 2.0);
            let far = |a: f32, b: usize| (a - b as f32 - 12.0).abs() > 12.0 + f.rect.width;
            assert!(!far(x, left) && !far(y, top), "a ghost at {x}, {y} of {left}, {top}");
        }
        let iou = |a: &Detection, b: &Detection| {
            let side =
                |a: f32, aw: f32, b: f32, bw: f32| ((a + aw).min(b + bw) - a.max(b)).max(0.0);
            let (a, b) = (a.rect, b.rect);
            let both = side(a.x, a.width, b.x, b.width) * side(a.y, a.height, b.y, b.height);
            both / (a.width * a.height + b.width * b.height - both)
        };
        for (i, a) in found.iter().enumerate() {
            assert!(found[i + 1..].iter().all(|b| iou(a, b) <= 0.3), "twice at {left}, {top}");
        }
    }
}

/// A network that gives what is no number must not look like an empty picture.
#[test]
fn not_a_number_is_an_error() {
    let spec = spec(2, second(), json!({"convention": "yolov5"}));
    let detector = detector("not-a-number", &spec).unwrap();
    let pixels = picture(1);
    let frame = Frame::packed(PixelFormat::Rgb8, 64, 64, &pixels).unwrap();
    let error = detector.detect(frame).unwrap_err();
    assert_eq!(error.to_string(), "inference: a score is not a number");
}

/// A model whose output fits its spec at the size that was tried first, but not at the picture's,
/// is an error, never a panic.
#[test]
fn every_size_is_checked() {
    let output = json!({"convention": "yolox", "strides": [8, 16, 32]});
    let mut spec = spec(1, json!({"0": "face"}), output);
    spec["input"]["size"] = json!({"multiple_of": 32});
    let detector = detector("of-one-size", &spec).unwrap();
    let error = |side: u32| {
        let pixels = vec![255; (side * side) as usize];
        detector.detect(Frame::packed(PixelFormat::Gray8, side, side, &pixels).unwrap()).err()
    };
    assert!(error(42).is_none());
    assert_eq!(
        error(10).unwrap().to_string(),
        "model: for a picture of 32x32 its outputs are \"out\" [1, 96, 6]; the spec's yolox needs \
         [1, 21, 6]"
    );
}

/// An anonymizer refuses a detector that cannot find what its policy destroys, and nothing that
/// was found is left out because of the detector's own limits.
#[test]
fn nothing_is_left_to_a_detector_of_ones_own() {
    let spec = ModelSpec::from_json(&bright().to_string()).unwrap();
    let one = DetectorOptions::default().max_detections(1).max_overlap(0.0);
    let own = || Detector::from_onnx("bright", &bytes("bright"), spec.clone(), one.clone());
    let anonymizer = |policy| Anonymizer::new(own().unwrap(), policy);
    let faces = Policy::default().plates(false).persons(false);
    for (policy, words) in [
        (Policy::default(), "plates, plate, or vehicle with a fallback is needed"),
        (Policy::default().plates(false), "persons, person is needed"),
    ] {
        let error = anonymizer(policy).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Model(_)) && text.ends_with(words), "{text}");
        assert!(text.starts_with("model: it looks for face; for the policy's "), "{text}");
    }
    // Two bright squares, far from each other.
    let mut pixels = vec![0u8; 64 * 64];
    for (left, top) in [(8, 8), (40, 40)] {
        for y in top..top + 16 {
            pixels[y * 64 + left..y * 64 + left + 16].fill(255);
        }
    }
    let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels).unwrap();
    assert_eq!(own().unwrap().detect(frame).unwrap().len(), 1);
    let frame = FrameMut::packed(PixelFormat::Gray8, 64, 64, &mut pixels).unwrap();
    anonymizer(faces).unwrap().anonymize_in_place(frame).unwrap();
    assert!(pixels.iter().all(|&v| v == 0));
}

/// Who stands half behind another person is destroyed whole, too.
#[test]
fn a_person_behind_another() {
    // Red holds what the model says: x, y, width, height, how sure it is, two classes.
    let said = [[0.5, 0.5, 1.0, 1.0, 1.0, 0.0, 1.0], [0.625, 0.5, 1.0, 1.0, 0.9, 0.0, 1.0]];
    let mut pixels = [0, 200, 200].repeat(SIDE * SIDE);
    for (i, value) in said.concat().iter().enumerate() {
        pixels[3 * i] = (value * 255.0_f32).round() as u8;
    }
    let spec = spec(2, second(), json!({"convention": "yolov5"}));
    let detector = Detector::from_onnx(
        "yolov5",
        &bytes("yolov5"),
        ModelSpec::from_json(&spec.to_string()).unwrap(),
        DetectorOptions::default(),
    );
    let policy = Policy::default().plates(false).faces(false);
    let anonymizer = Anonymizer::new(detector.unwrap(), policy).unwrap();
    let frame = FrameMut::packed(PixelFormat::Rgb8, 64, 64, &mut pixels).unwrap();
    anonymizer.anonymize_in_place(frame).unwrap();
    let at = |x: usize| &pixels[3 * (32 * SIDE + x)..][..3];
    assert_eq!((at(20), at(54)), (&[0; 3][..], &[0; 3][..]));
    assert_eq!(at(2), [0, 200, 200]);
}

/// A spec that is not the model's gets told what the model has.
#[test]
fn mismatches_name_both_sides() {
    let error = |name: &str, spec: &Value| detector(name, spec).unwrap_err().to_string();
    assert_eq!(
        error("yolov5", &spec(80, second(), json!({"convention": "yolov5"}))),
        "model: for a picture of 64x64 its outputs are \"out\" [1, 84, 7]; the spec's yolov5 \
         needs [1, ?, 85]"
    );
    assert_eq!(
        error("yolov5", &spec(2, second(), json!({"convention": "yolov8"}))),
        "model: for a picture of 64x64 its outputs are \"out\" [1, 84, 7]; the spec's yolov8 \
         needs [1, 6, ?]"
    );
    let output = json!({
        "convention": "ssd", "outputs": ["boxes", "classes"], "boxes": "xyxy", "relative": true,
    });
    assert_eq!(
        error("ssd", &spec(3, second(), output)),
        "model: for a picture of 64x64 its outputs are \"boxes\" [1, 50, 4], \"scores\" [1, 50, \
         3]; the spec's ssd needs \"boxes\" [1, ?, 4], \"classes\" [1, ?, 3]"
    );
    let mut larger = spec(2, second(), json!({"convention": "yolov5"}));
    larger["input"]["size"] = json!({"fixed": [96, 96]});
    assert_eq!(
        error("yolov5", &larger),
        "model: its input is [1, 3, 64, 64], [1, 3, 96, 96] is needed"
    );
}

/// Unknown fields and values outside their range are refused by name.
#[test]
fn specs_are_strict() {
    let good = spec(2, second(), json!({"convention": "yolov5"}));
    assert!(ModelSpec::from_json(&good.to_string()).is_ok());
    let changed = |path: &str, value: Value| {
        let mut spec = good.clone();
        *spec.pointer_mut(path).unwrap() = value;
        ModelSpec::from_json(&spec.to_string()).unwrap_err().to_string()
    };
    for (path, value, words) in [
        ("/classes", json!(0), "0 classes"),
        ("/labels", json!({}), "labels is empty"),
        ("/labels", json!({"7": "face"}), "class 7"),
        ("/labels", json!({"0": "horse"}), "unknown variant `horse`"),
        ("/input/size", json!({"fixed": [64, 9000]}), "9000"),
        ("/input/size", json!({"multiple_of": 0}), "multiple_of is 0"),
        ("/input/std", json!([1, 0, 1]), "std must be above 0"),
        ("/output", json!({"convention": "yolov5", "stride": 8}), "unknown field `stride`"),
        ("/output", json!({"convention": "yolox", "strides": []}), "0 strides"),
        ("/output", json!({"convention": "yolov9"}), "unknown variant `yolov9`"),
        ("/output", json!({"convention": "cells", "stride": 0}), "a stride of 0"),
    ] {
        let error = changed(path, value);
        assert!(error.starts_with("model: spec: ") && error.contains(words), "{error}");
    }
    let twice = good.to_string().replace(r#""labels":{"#, r#""labels":{"0":"person","0":"face","#);
    let error = ModelSpec::from_json(&twice).unwrap_err().to_string();
    assert!(error.contains("labels names class 0 twice"), "{error}");
    let mut more = good.clone();
    more["anchors"] = json!(3);
    assert!(ModelSpec::from_json(&more.to_string()).is_err());
}

/// The most memory that this process ever had, kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// What would fill the memory, read a file or never end is refused, and none of it is done.
#[test]
fn hostile_models_are_refused() {
    let spec = spec(2, second(), json!({"convention": "yolov5"}));
    for (name, words) in [
        ("huge-constant", "computes from constants alone"),
        ("huge-expand", "computes from constants alone"),
        ("huge-range", "computes from constants alone"),
        ("huge-shape-of-image", "from constants alone"),
        ("huge-kernel", "more than the file's"),
        ("huge-pool", "window"),
        ("huge-transposed", "window"),
        ("wide-transposed", "bytes of working memory"),
        ("wide-pool", "multiply-adds, at most"),
        ("huge-resize", ""),
        ("huge-pad", ""),
        ("huge-tile", ""),
        ("doubling", "from constants alone"),
        ("given-twice", "is given twice"),
        ("eye-like", "EyeLike"),
        // A text would hold what the picture shows, and nothing would wipe it.
        ("texts", "holds texts, numbers are needed"),
        // Their cost is not told.
        ("normalised", "LRN"),
        ("recurrent", "RNN"),
        ("outer", "from constants alone"),
        ("outer-of-image", "at most 268435456 bytes"),
        ("external", "lies outside of the file"),
        ("endless", "holds a graph of its own"),
        ("cycle", "which nothing before gives"),
        ("bytes", "its input is uint8, float is needed"),
        ("no-output", "nothing gives the output \"out\""),
    ] {
        let error = detector(name, &spec).err().unwrap_or_else(|| panic!("{name} was taken"));
        let text = error.to_string();
        assert!(matches!(error, Error::Model(_)) && text.contains(words), "{name}: {text}");
    }
    assert!(peak() < 2 << 20, "{} kB", peak());
    let name = "a".repeat(257);
    let long = Detector::from_onnx(
        &name,
        b"",
        ModelSpec::from_json(&spec.to_string()).unwrap(),
        options(),
    );
    assert_eq!(
        long.unwrap_err().to_string(),
        "model: its name has 257 bytes, at most 256 are allowed"
    );
}

/// Cut short or changed anywhere, a model is refused or it runs; it does not panic.
#[test]
fn damaged_models_do_not_panic() {
    let spec = spec(2, second(), json!({"convention": "yolov8"}));
    let spec = ModelSpec::from_json(&spec.to_string()).unwrap();
    let good = bytes("yolov8");
    let pixels = picture(5);
    let frame = Frame::packed(PixelFormat::Rgb8, 64, 64, &pixels).unwrap();
    let run = |onnx: &[u8]| {
        if let Ok(detector) = Detector::from_onnx("damaged", onnx, spec.clone(), options()) {
            let _ = detector.detect(frame);
        }
    };
    (0..good.len()).step_by(11).for_each(|end| run(&good[..end]));
    for i in (0..good.len()).step_by(2) {
        let mut bad = good.clone();
        bad[i] ^= 1 << (i % 8);
        run(&bad);
        bad[i] = 0xff;
        run(&bad);
    }
    assert!(peak() < 2 << 20, "{} kB", peak());
}

/// Cut short or changed anywhere, a spec is refused or it is read; it does not panic.
#[test]
fn damaged_specs_do_not_panic() {
    let output = json!({"convention": "nanodet", "strides": [8, 16], "bins": 8, "centre": 0.5});
    let good = spec(2, second(), output).to_string();
    for i in (0..good.len()).step_by(3) {
        let _ = ModelSpec::from_json(&good[..i]);
        for value in [b'0', b'9', b'-', b'"', b'}'] {
            let mut bad = good.clone().into_bytes();
            bad[i] = value;
            if let Ok(text) = String::from_utf8(bad)
                && let Ok(spec) = ModelSpec::from_json(&text)
            {
                let _ = Detector::from_onnx("damaged", &bytes("nanodet"), spec, options());
            }
        }
    }
    assert!(peak() < 2 << 20, "{} kB", peak());
}

#[test]
fn detectors_are_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Detector>();
}
