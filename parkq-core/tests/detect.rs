//! The bundled detector on the bundled scene, and what must hold of every picture.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods)]

use parkq_core::{
    Detection, Detector, DetectorOptions, Error, Frame, Label, Lot, PixelFormat, Plane, RawFrame,
    Rect, Scores, Tiling,
};

const SCENE: &[u8] = include_bytes!("../../examples/data/scene.jpg");
const LOT: &str = include_str!("../../examples/data/scene.lot.json");
const TRUTH: &str = include_str!("../../examples/data/scene.truth.json");
/// Written by `PARKQ_BLESS=1 cargo test -p parkq-core --test detect`.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/scene.detections.json");

fn detector() -> Detector {
    Detector::bundled().unwrap()
}

/// The middle of the scene, RGB.
fn middle() -> (Vec<u8>, u32, u32) {
    let scene = image::load_from_memory(SCENE).unwrap().into_rgb8();
    let (w, h) = ((scene.width() / 2) & !1, (scene.height() / 2) & !1);
    let part = image::imageops::crop_imm(&scene, w / 2, h / 2, w, h).to_image();
    (part.into_raw(), w, h)
}

fn iou(a: &Rect, b: &Rect) -> f32 {
    let side = |a: f32, aw: f32, b: f32, bw: f32| ((a + aw).min(b + bw) - a.max(b)).max(0.0);
    let both = side(a.x, a.width, b.x, b.width) * side(a.y, a.height, b.y, b.height);
    both / (a.width * a.height + b.width * b.height - both)
}

/// Of the scene's vehicles, which are where the renderer put them, most are found, with and
/// without its lot.
#[test]
fn the_scenes_vehicles_are_found() {
    let truth: serde_json::Value = serde_json::from_str(TRUTH).unwrap();
    let boxes: Vec<Rect> = truth["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|a| a["category"] == "vehicle")
        .map(|a| {
            let of = |i: usize| a["bbox"][i].as_f64().unwrap() as f32;
            Rect { x: of(0), y: of(1), width: of(2), height: of(3) }
        })
        .collect();
    let frame = RawFrame::decode(SCENE).unwrap();
    let lot = Lot::from_json(LOT).unwrap();
    for found in [detector().detect(&frame).unwrap(), detector().detect_on(&frame, &lot).unwrap()] {
        let hit =
            |b: &&Rect| found.iter().any(|f| f.label == Label::Vehicle && iou(&f.rect, b) >= 0.5);
        let hits = boxes.iter().filter(hit).count();
        assert!(hits * 10 >= boxes.len() * 6, "{hits} of {}", boxes.len());
    }
}

/// What was found in the scene when it was last looked at by a person, and nothing else.
#[test]
fn golden() {
    let found = detector().detect(&RawFrame::decode(SCENE).unwrap()).unwrap();
    if std::env::var_os("PARKQ_BLESS").is_some() {
        std::fs::write(GOLDEN, serde_json::to_string_pretty(&found).unwrap()).unwrap();
    }
    let golden: Vec<Detection> =
        serde_json::from_str(&std::fs::read_to_string(GOLDEN).unwrap()).unwrap();
    // Rounding differs between processors, and may lift one over the threshold.
    let near = |a: &Detection, b: &Detection| {
        a.label == b.label && iou(&a.rect, &b.rect) > 0.95 && (a.score - b.score).abs() < 0.02
    };
    let sure = |d: &&Detection| d.score > Scores::default().of(d.label) + 0.02;
    let lost: Vec<_> =
        golden.iter().filter(sure).filter(|g| !found.iter().any(|f| near(f, g))).collect();
    let new: Vec<_> =
        found.iter().filter(sure).filter(|f| !golden.iter().any(|g| near(f, g))).collect();
    assert!(lost.is_empty() && new.is_empty(), "lost {lost:#?}\nnew {new:#?}");
}

/// Boxes lie in the frame, are sorted, and reach their thresholds; two of a label do not overlap
/// more than they may; a second look says the same, whatever the threads.
#[test]
fn what_holds_of_every_answer() {
    let (rgb, w, h) = middle();
    let frame = Frame::packed(PixelFormat::Rgb8, w, h, &rgb).unwrap();
    let options = DetectorOptions::default().min_score(Scores::all(0.1));
    let one = Detector::with_options(options.clone()).unwrap();
    let found = one.detect(frame).unwrap();
    assert!(found.len() > 3);
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
    for (i, a) in found.iter().enumerate() {
        let r = a.rect;
        assert!(a.score >= 0.1 && r.width > 0.0 && r.height > 0.0);
        assert!(r.x >= 0.0 && r.y >= 0.0);
        assert!(r.x + r.width <= w as f32 + 0.01 && r.y + r.height <= h as f32 + 0.01);
        for b in &found[i + 1..] {
            assert!(a.label != b.label || iou(&r, &b.rect) <= 0.5 + 1e-4);
        }
    }
    assert_eq!(one.detect(frame).unwrap(), found);
    let two = Detector::with_options(options.threads(2)).unwrap();
    assert_eq!(two.detect(frame).unwrap(), found);
    let few = Detector::with_options(
        DetectorOptions::default().min_score(Scores::all(0.1)).max_detections(2),
    );
    assert_eq!(few.unwrap().detect(frame).unwrap(), found[..2]);
    // However many are asked for, all of those are reported.
    let enough = DetectorOptions::default().min_score(Scores::all(0.1)).max_detections(found.len());
    assert_eq!(Detector::with_options(enough).unwrap().detect(frame).unwrap(), found);
}

/// The same picture in any format that holds it, with any stride, gives the same answer.
#[test]
fn every_format_says_the_same() {
    let (rgb, w, h) = middle();
    let options = DetectorOptions::default().tiling(Tiling::Whole).min_score(Scores::all(0.2));
    let detector = Detector::with_options(options).unwrap();
    let packed = |format, bytes: &[u8]| {
        detector.detect(Frame::packed(format, w, h, bytes).unwrap()).unwrap()
    };
    let expected = packed(PixelFormat::Rgb8, &rgb);
    assert!(!expected.is_empty());
    let pixels = rgb.as_chunks::<3>().0;
    let of = |f: &dyn Fn(&[u8; 3]) -> Vec<u8>| pixels.iter().flat_map(f).collect::<Vec<u8>>();
    assert_eq!(packed(PixelFormat::Bgr8, &of(&|p| vec![p[2], p[1], p[0]])), expected);
    assert_eq!(packed(PixelFormat::Rgba8, &of(&|p| vec![p[0], p[1], p[2], 7])), expected);
    assert_eq!(packed(PixelFormat::Bgra8, &of(&|p| vec![p[2], p[1], p[0], 9])), expected);
    let stride = 3 * w as usize + 13;
    let mut padded = Vec::new();
    for row in rgb.chunks(3 * w as usize) {
        padded.extend_from_slice(row);
        padded.extend_from_slice(&[200; 13]);
    }
    let plane = Plane { bytes: &padded, stride };
    let frame = Frame::new(PixelFormat::Rgb8, w, h, &[plane]).unwrap();
    assert_eq!(detector.detect(frame).unwrap(), expected);

    // Without colour: gray as RGB, as gray, and as luma with neutral chroma of the full range.
    let gray: Vec<u8> = pixels.iter().map(|p| p[1]).collect();
    let expected = packed(PixelFormat::Rgb8, &of(&|p| vec![p[1]; 3]));
    assert_eq!(packed(PixelFormat::Gray8, &gray), expected);
    let full = |format, bytes: &[u8]| {
        let frame = Frame::packed(format, w, h, bytes).unwrap();
        detector.detect(frame.with_color(Default::default(), parkq_core::Range::Full)).unwrap()
    };
    let planar = [gray.clone(), vec![128; gray.len() / 2]].concat();
    for format in [PixelFormat::Nv12, PixelFormat::Nv21, PixelFormat::I420] {
        assert_eq!(full(format, &planar), expected, "{format}");
    }
    let yuyv: Vec<u8> = gray.iter().flat_map(|y| [*y, 128]).collect();
    assert_eq!(full(PixelFormat::Yuyv, &yuyv), expected);
}

/// A picture of one pixel, of one row, or far wider than high is looked at like any other.
#[test]
fn odd_pictures() {
    let detector = detector();
    for (w, h) in [(1, 1), (1, 700), (2000, 1), (31, 33)] {
        let pixels = vec![90; (w * h) as usize];
        let frame = Frame::packed(PixelFormat::Gray8, w, h, &pixels).unwrap();
        for found in detector.detect(frame).unwrap() {
            let r = found.rect;
            assert!(r.x + r.width <= w as f32 && r.y + r.height <= h as f32);
        }
    }
}

#[test]
fn options_are_checked() {
    for (options, name) in [
        (DetectorOptions::default().max_overlap(-0.1), "max_overlap"),
        (DetectorOptions::default().max_detections(0), "max_detections"),
        (DetectorOptions::default().min_score(Scores::default().plate(1.5)), "plate"),
        (DetectorOptions::default().min_score(Scores::all(f32::NAN)), "vehicle"),
    ] {
        match Detector::with_options(options) {
            Err(Error::Option { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
    }
    let wrong = DetectorOptions::default().min_score(Scores::default().person(1.1));
    let error = Detector::with_options(wrong).unwrap_err().to_string();
    assert_eq!(error, "option person: 1.1 is not in 0..=1");
}

/// The card names the very model that is shipped.
#[test]
fn the_card_is_the_models() {
    assert!(parkq_models::DETECTOR.card.contains(&detector().model().sha256));
    let second = detector().second_look().unwrap().sha256.clone();
    assert!(parkq_models::SECOND_LOOK.card.contains(&second));
}
