//! The bundled scene, end to end, and the promises of the pipeline.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::sync::Arc;

use parkq_core::{
    Anonymizer, Cause, Detection, Error, Estimator, EstimatorOptions, Fallback, Fill, FrameMut,
    Label, Lot, Occupancy, Pipeline, PipelineOptions, PixelFormat, Point, Policy, Quad, RawFrame,
    Reading, Rect, Redaction, Space, Stage, State, Unknown,
};

const SCENE: &[u8] = include_bytes!("../../examples/data/scene.jpg");
const LOT: &str = include_str!("../../examples/data/scene.lot.json");
const TRUTH: &str = include_str!("../../examples/data/scene.truth.json");

fn truth() -> BTreeMap<String, bool> {
    let truth: serde_json::Value = serde_json::from_str(TRUTH).unwrap();
    serde_json::from_value(truth["occupied"].clone()).unwrap()
}

/// The ids of the spaces that are read wrongly at 0.5.
fn wrong(occupancy: &Occupancy) -> Vec<String> {
    let truth = truth();
    let is_wrong = |r: &&Reading| (r.probability.unwrap() >= 0.5) != truth[&r.id];
    occupancy.readings().iter().filter(is_wrong).map(|r| r.id.clone()).collect()
}

/// The bundled scene as it is: every space is right.
#[test]
fn the_bundled_scene_is_read() {
    let truth = truth();
    assert!(truth.len() >= 24, "{}", truth.len());
    let estimator = Estimator::bundled(Lot::from_json(LOT).unwrap()).unwrap();
    let occupancy = estimator.occupancy(&RawFrame::decode(SCENE).unwrap()).unwrap();
    assert_eq!(wrong(&occupancy), [""; 0]);
    let occupied = truth.values().filter(|o| **o).count();
    assert!(occupancy.occupied_interval().contains(&occupied));
}

/// Half of a space and half of its neighbour.
fn half_moved(space: &Space) -> [[f64; 2]; 4] {
    let [a, b, ..] = space.quad.0;
    space.quad.0.map(|p| [p.x + 0.5 * (b.x - a.x), p.y + 0.5 * (b.y - a.y)])
}

/// A space of which the network is not sure is read mirrored, too: it makes no difference then
/// which way round the picture is.
#[test]
fn unsure_spaces_are_read_twice() {
    let (picture, lot) = (image::load_from_memory(SCENE).unwrap(), Lot::from_json(LOT).unwrap());
    let between = |space: &Space, mirror: bool| {
        let seen = half_moved(space).map(|[x, y]| [if mirror { 1.0 - x } else { x }, y]);
        Space::new(space.id.clone(), Quad::from(seen))
    };
    let read = |picture: image::DynamicImage, mirror: bool| {
        let moved = lot.spaces().iter().map(|space| between(space, mirror));
        let within = |space: &Space| space.quad.0.iter().all(|p| (0.0..=1.0).contains(&p.x));
        let lot = Lot::new(moved.filter(within)).unwrap();
        let (width, height) = (picture.width(), picture.height());
        let pixels = picture.into_rgb8().into_raw();
        let raw = RawFrame::from_pixels(PixelFormat::Rgb8, width, height, pixels).unwrap();
        let once = EstimatorOptions::default().second_look(false);
        Estimator::with_options(lot, once).unwrap().occupancy(&raw).unwrap()
    };
    let (one, other) = (read(picture.clone(), false), read(picture.fliph(), true));
    let pairs = one.readings().iter().zip(other.readings());
    let pairs = pairs.map(|(a, b)| (a.probability.unwrap(), b.probability.unwrap()));
    let unsure: Vec<_> =
        pairs.filter(|(a, b)| [a, b].iter().all(|p| (0.2..0.8).contains(*p))).collect();
    assert!(unsure.len() > 2, "{unsure:?}");
    assert!(unsure.iter().all(|(a, b)| (a - b).abs() < 0.01), "{unsure:?}");
}

fn log_odds(occupancy: Occupancy) -> Vec<f64> {
    let of = |r: &Reading| r.probability.map(|p| (p / (1.0 - p)).ln()).unwrap();
    occupancy.readings().iter().map(of).collect()
}

/// Where the classifier is unsure, and only there, the detector says more: at most 1.2 against a
/// vehicle, and 1 and 0.7 times the log-odds of 0.99 for one. Who was told of the vehicles, has a
/// model of their own, or takes spaces for too small, is shown no more.
#[test]
fn the_detector_looks_at_unsure_spaces() {
    let raw = RawFrame::decode(SCENE).unwrap();
    // Spaces across the markings, too, which are neither taken nor free.
    let scene = Lot::from_json(LOT).unwrap();
    let moved = scene.spaces().iter().map(|space| {
        let quad = half_moved(space).map(|point| point.map(|v| v.clamp(0.0, 1.0)));
        Space::new(format!("{} moved", space.id), Quad::from(quad))
    });
    let lot = Lot::new(scene.spaces().iter().cloned().chain(moved)).unwrap();
    let with = Estimator::bundled(lot.clone()).unwrap();
    let once = EstimatorOptions::default().second_look(false);
    let without = Estimator::with_options(lot.clone(), once).unwrap();
    assert_eq!(with.second_look().unwrap().name, "detector");
    assert!(without.second_look().is_none());
    let told = |estimator: &Estimator| estimator.occupancy_with(&raw, &[]).unwrap();
    assert_eq!(told(&with), told(&without));
    assert!(told(&with).second_look().is_none() && !told(&with).to_json().contains("second_look"));
    let twice = with.occupancy(&raw).unwrap();
    let alone = log_odds(without.occupancy(&raw).unwrap());
    let record: serde_json::Value = serde_json::from_str(&twice.to_json()).unwrap();
    assert_eq!(record["second_look"]["sha256"], *with.second_look().unwrap().sha256);
    let mut changes = Vec::new();
    for (twice, alone) in log_odds(twice).iter().zip(&alone) {
        if alone.abs() < 2.5 {
            changes.push(twice - alone);
        } else {
            assert_eq!(twice, alone);
        }
    }
    let most = 1.0 + 0.7 * 99_f64.ln();
    assert!(changes.iter().all(|by| (-1.2 - 1e-5..=most + 1e-5).contains(by)), "{changes:?}");
    assert!(
        changes.iter().any(|by| *by > 0.5) && changes.iter().any(|by| *by < -0.5),
        "{changes:?}"
    );
    let own = parkq_models::SPACE_CLASSIFIER.onnx;
    let own = Estimator::from_onnx("mine", own, lot, EstimatorOptions::default()).unwrap();
    assert!(own.second_look().is_none() && !own.options().second_look);
    assert_eq!(log_odds(own.occupancy(&raw).unwrap()), alone);
    let small = EstimatorOptions::default().min_side(1000.0);
    let small = Estimator::with_options(own.lot().clone(), small).unwrap();
    assert_eq!(log_odds(small.occupancy(&raw).unwrap()), alone);
}

/// A vehicle whose box stands on a space adds 1 and 0.7 times the log-odds of its score to those of
/// the space, none takes 1.2 away; of two the surer counts; what is no vehicle does neither.
#[test]
fn vehicles_are_weighed() {
    let raw = RawFrame::decode(SCENE).unwrap();
    let once = EstimatorOptions::default().second_look(false);
    let estimator = Estimator::with_options(Lot::from_json(LOT).unwrap(), once).unwrap();
    let (width, height) = (f64::from(raw.width()), f64::from(raw.height()));
    let middle = estimator.lot().spaces()[0].quad.centre();
    let (x, y) = ((middle.x * width) as f32, (middle.y * height) as f32);
    let found = |label, score| Detection {
        label,
        score,
        rect: Rect { x: x - 20.0, y: y - 30.0, width: 40.0, height: 40.0 },
    };
    let alone = log_odds(estimator.occupancy(&raw).unwrap());
    let (vehicle, person) = (Label::Vehicle, Label::Person);
    for (found, first) in [
        (vec![found(vehicle, 0.5)], 1.0),
        (vec![found(vehicle, 0.5), found(vehicle, 0.9)], 1.0 + 0.7 * 9_f64.ln()),
        (vec![found(vehicle, 0.9), found(vehicle, 0.5)], 1.0 + 0.7 * 9_f64.ln()),
        (vec![found(vehicle, 1.0)], 1.0 + 0.7 * 99_f64.ln()),
        (vec![found(vehicle, 0.01)], -1.2),
        (vec![found(vehicle, 0.0)], -1.2),
        (vec![found(vehicle, f32::NAN)], -1.2),
        (vec![found(person, 0.5)], -1.2),
        (vec![], -1.2),
    ] {
        let with = log_odds(estimator.occupancy_with(&raw, &found).unwrap());
        for (i, (with, alone)) in with.iter().zip(&alone).enumerate() {
            let change = if i == 0 { first } else { -1.2 };
            assert!((with - alone - change).abs() < 1e-5, "{found:?} {i}");
        }
    }
}

/// The main job: the scene is anonymized before its spaces are read, in a frame of parkq's as
/// in a lent one, and it can still be read.
#[test]
fn the_pipeline_anonymizes_and_reads() {
    let lot = Lot::from_json(LOT).unwrap();
    let (estimator, anonymizer) =
        (Estimator::bundled(lot).unwrap(), Anonymizer::bundled().unwrap());
    let options = PipelineOptions::default().keep_picture(true);
    let pipeline = Pipeline::new(estimator, anonymizer, options).unwrap();
    let outcome = pipeline.process(RawFrame::decode(SCENE).unwrap()).unwrap();
    let wrong = wrong(&outcome.occupancy);
    assert!(wrong.len() <= 1, "{wrong:?}");
    let of = |cause| outcome.redactions.iter().filter(|r| r.cause == cause).count();
    assert_eq!(of(Cause::Mask), pipeline.lot().masks().len());
    assert!(of(Cause::Detected) > 0);
    let picture = outcome.picture.unwrap();
    assert_eq!(picture.redactions(), &outcome.redactions);
    for part in picture.redactions().iter().flat_map(|region| &region.parts) {
        let (x, y) = (part.rect.x as usize, part.rect.y as usize);
        let at = 3 * (y * picture.width() as usize + x);
        assert_eq!(picture.pixels()[at..at + 3], [0; 3], "{part:?}");
    }
    let mut lent = image::load_from_memory(SCENE).unwrap().into_rgb8().into_raw();
    let (width, height) = (picture.width(), picture.height());
    let frame = FrameMut::packed(PixelFormat::Rgb8, width, height, &mut lent).unwrap();
    let in_place = pipeline.process_in_place(frame).unwrap();
    assert_eq!((in_place.occupancy, in_place.redactions), (outcome.occupancy, outcome.redactions));
    assert_eq!(in_place.picture.as_ref(), Some(&picture));
    assert!(lent == picture.pixels());
}

/// A privacy mask is never lost on the way: not that of another lot that the anonymizer was for.
#[test]
fn no_mask_is_lost() {
    let whole = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(Point::from).to_vec();
    let masked = Lot::new([]).unwrap().with_masks([whole]).unwrap();
    let pipeline = |read: &Lot| {
        let estimator = Estimator::bundled(read.clone()).unwrap();
        let anonymizer = Anonymizer::bundled().unwrap().on(masked.clone());
        Pipeline::new(estimator, anonymizer, PipelineOptions::default())
    };
    assert!(pipeline(&masked).is_ok());
    let refused = pipeline(&Lot::new([]).unwrap()).unwrap_err().to_string();
    assert_eq!(refused, "lot: the anonymizer's mask 0 is none of the estimator's lot");
}

/// A lent buffer is black all over when anything fails or unwinds, at whatever stage.
#[test]
fn a_lent_buffer_that_fails_is_filled() {
    let pipeline = Pipeline::bundled(Lot::new([]).unwrap()).unwrap();
    for last in [Stage::Mask, Stage::Anonymize, Stage::Occupancy, Stage::Done] {
        let mut lent = vec![77; 64 * 48];
        let frame = FrameMut::packed(PixelFormat::Gray8, 64, 48, &mut lent).unwrap();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let observer = &mut |stage| assert_ne!(stage, last, "on purpose");
            pipeline.process_in_place_with(frame, observer).map(|_| ())
        }));
        assert!(unwound.is_err());
        assert!(lent.iter().all(|&v| v == 0), "{last:?}");
    }
}

/// The answer for a space does not depend on the others, on their order, or on threads.
#[test]
fn order_and_threads_do_not_matter() {
    let lot = Lot::from_json(LOT).unwrap();
    let reversed = Lot::new(lot.spaces().iter().rev().cloned()).unwrap();
    let read = |lot: Lot, threads| {
        let options = EstimatorOptions::default().threads(threads);
        let estimator = Estimator::with_options(lot, options).unwrap();
        let raw = RawFrame::decode(SCENE).unwrap();
        estimator.occupancy(&raw).unwrap().readings().to_vec()
    };
    let expected = read(lot.clone(), 1);
    assert_eq!(read(lot, 3), expected);
    let mut backward = read(reversed, 2);
    backward.reverse();
    assert_eq!(backward, expected);
}

/// What a mask covers cannot influence the outcome: two pictures that differ only under it
/// give the same readings.
#[test]
fn nothing_under_a_mask_is_read() {
    let (w, h) = (64usize, 48usize);
    let quad = |x: f64| Quad::from([[x, 0.2], [x + 0.2, 0.2], [x + 0.2, 0.9], [x, 0.9]]);
    let mask = [[0.41, 0.0], [0.93, 0.13], [0.8, 1.0], [0.55, 0.9]];
    for format in [
        PixelFormat::Rgb8,
        PixelFormat::Gray8,
        PixelFormat::Nv12,
        PixelFormat::Yuyv,
        PixelFormat::I420,
        PixelFormat::Bgra8,
    ] {
        let lot = Lot::new([Space::new("left", quad(0.2)), Space::new("right", quad(0.6))])
            .unwrap()
            .with_masks([mask.map(Point::from).to_vec()])
            .unwrap();
        let pipeline = Pipeline::bundled(lot).unwrap();
        let size = match format {
            PixelFormat::Rgb8 => 3 * w * h,
            PixelFormat::Bgra8 => 4 * w * h,
            PixelFormat::Gray8 => w * h,
            PixelFormat::Yuyv => 2 * w * h,
            _ => w * h * 3 / 2,
        };
        let row = |i: usize| match format {
            PixelFormat::Rgb8 => (i / 3 % w, i / 3 / w),
            PixelFormat::Bgra8 => (i / 4 % w, i / 4 / w),
            PixelFormat::Yuyv => (i / 2 % w, i / 2 / w),
            _ if i < w * h => (i % w, i / w),
            // Chroma is taken outward by a whole block, so only blocks well inside are changed.
            PixelFormat::Nv12 => ((i - w * h) % w, (i - w * h) / w * 2),
            _ => ((i - w * h) % (w / 2) * 2, (i - w * h) / (w / 2) % (h / 2) * 2),
        };
        // The mask's inner part: a box that lies inside the polygon.
        let inside = |(x, y): (usize, usize)| {
            (x as f64 / w as f64 - 0.65).abs() < 0.09 && (y as f64 / h as f64 - 0.5).abs() < 0.2
        };
        let picture = |secret: u8| {
            let value = |i: usize| if inside(row(i)) { secret } else { (i * i / 7 % 251) as u8 };
            let pixels = (0..size).map(value).collect();
            pipeline
                .process(RawFrame::from_pixels(format, w as u32, h as u32, pixels).unwrap())
                .unwrap()
        };
        let outcome = picture(0);
        assert_eq!(outcome, picture(255), "{format}");
        assert_eq!(outcome.occupancy.readings()[1].unknown, Some(Unknown::Masked), "{format}");
        assert!(outcome.occupancy.readings()[0].probability.is_some(), "{format}");
    }
}

/// Each reason for not knowing, and closed.
#[test]
fn unknown_has_its_reason() {
    let quad = |x: f64, w: f64| Quad::from([[x, 0.2], [x + w, 0.2], [x + w, 0.9], [x, 0.9]]);
    let lot = Lot::new([
        Space::new("small", quad(0.1, 0.05)),
        Space::new("closed", quad(0.3, 0.2)).closed(true),
        Space::new("unsure", quad(0.6, 0.2)),
    ])
    .unwrap();
    let options = EstimatorOptions::default().free_below(0.0).occupied_above(1.0);
    let estimator = Estimator::with_options(lot, options).unwrap();
    let striped = (0..10_000).map(|i| if i / 10 % 2 == 0 { 60 } else { 90 }).collect();
    let raw = RawFrame::from_pixels(PixelFormat::Gray8, 100, 100, striped).unwrap();
    let occupancy = estimator.occupancy(&raw).unwrap();
    let found: Vec<_> = occupancy.readings().iter().map(|r| (r.state, r.unknown)).collect();
    assert_eq!(
        found,
        [
            (State::Unknown, Some(Unknown::TooSmall)),
            (State::Closed, None),
            (State::Unknown, Some(Unknown::Unsure)),
        ]
    );
}

/// A frame that shows nothing (a dead sensor, a covered lens, night) is no empty car park: of one
/// colour, or noise.
#[test]
fn what_shows_nothing_is_not_free() {
    let estimator = Estimator::bundled(Lot::from_json(LOT).unwrap()).unwrap();
    let mut state = 1u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 % 16
    };
    let frames = [
        (PixelFormat::Gray8, vec![0; 640 * 400]),
        (PixelFormat::Gray8, vec![128; 640 * 400]),
        (PixelFormat::Rgb8, [30, 60, 200].repeat(640 * 400)),
        (PixelFormat::Nv12, vec![0; 640 * 600]),
        (PixelFormat::Gray8, (0..640 * 400).map(|_| noise()).collect()),
        (PixelFormat::Gray8, (0..320 * 200).map(|_| noise()).collect()),
    ];
    for (i, (format, bytes)) in frames.into_iter().enumerate() {
        let (width, height) = if bytes.len() == 320 * 200 { (320, 200) } else { (640, 400) };
        let raw = RawFrame::from_pixels(format, width, height, bytes).unwrap();
        let occupancy = estimator.occupancy(&raw).unwrap();
        for reading in occupancy.readings() {
            assert_eq!(reading.unknown, Some(Unknown::Blank), "{i}: {reading:?}");
            assert_eq!(reading.probability, None, "{i}: {reading:?}");
        }
        assert_eq!(occupancy.occupied_interval(), 0..=0, "{i}");
    }
}

/// What the pipeline destroys it does not take for bare ground, however much that is: of the
/// occupied spaces one at most seems free then (beside what is destroyed, not in it). An
/// estimator that is given the anonymized picture alone is told what was destroyed.
#[test]
fn what_was_destroyed_is_not_free() {
    let estimator = Arc::new(Estimator::bundled(Lot::from_json(LOT).unwrap()).unwrap());
    let frame = || RawFrame::decode(SCENE).unwrap();
    let raw = estimator.occupancy(&frame()).unwrap();
    for fill in [Fill::Colour([0; 3]), Fill::Surroundings] {
        let policy = Policy::default().fallback(Fallback::WholeVehicle).min_pixels_per_metre(1.0);
        let anonymizer = Anonymizer::with_policy(policy.redaction(Redaction::Fill(fill))).unwrap();
        let options = PipelineOptions::default().keep_picture(true);
        let pipeline = Pipeline::new(estimator.clone(), anonymizer, options).unwrap();
        let outcome = pipeline.process(frame()).unwrap();
        let lost = |(now, before): &(&Reading, &Reading)| {
            now.state == State::Free && before.state == State::Occupied
        };
        let lost = outcome.occupancy.readings().iter().zip(raw.readings()).filter(lost).count();
        assert!(lost <= 1, "{fill:?}: {lost}");
        let alone = estimator.occupancy(&outcome.picture.unwrap()).unwrap();
        for occupancy in [&outcome.occupancy, &alone] {
            let redacted = |r: &Reading| r.unknown == Some(Unknown::Redacted);
            assert!(occupancy.readings().iter().any(redacted), "{fill:?}");
        }
    }
}

/// Nor is what was destroyed in a lent buffer, if the estimator is given what anonymizing gives.
#[test]
fn what_was_destroyed_in_a_lent_buffer_is_not_free() {
    let estimator = Estimator::bundled(Lot::from_json(LOT).unwrap()).unwrap();
    let scene = image::load_from_memory(SCENE).unwrap().into_rgb8();
    let (width, height) = scene.dimensions();
    let policy = Policy::default().fallback(Fallback::WholeVehicle).min_pixels_per_metre(1.0);
    let anonymizer = Anonymizer::with_policy(policy).unwrap();
    let mut pixels = scene.into_raw();
    let lent = FrameMut::packed(PixelFormat::Rgb8, width, height, &mut pixels).unwrap();
    let anonymized = anonymizer.anonymize_in_place(lent).unwrap();
    let redacted = |occupancy: Occupancy| {
        occupancy.readings().iter().filter(|r| r.unknown == Some(Unknown::Redacted)).count()
    };
    let told = redacted(estimator.occupancy(&anonymized).unwrap());
    assert_eq!(
        (told > 0, redacted(estimator.occupancy(anonymized.as_frame()).unwrap())),
        (true, 0)
    );
}

/// The record is what its schema says.
#[test]
fn the_record_follows_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/occupancy-1.schema.json");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = compiler.compile(path, &mut schemas).unwrap();
    let estimator = Estimator::bundled(Lot::from_json(LOT).unwrap()).unwrap();
    let occupancy = estimator.occupancy(&RawFrame::decode(SCENE).unwrap()).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&occupancy.to_json()).unwrap();
    schemas.validate(&record, schema).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(record["free"], occupancy.free());
    let interval = occupancy.occupied_interval();
    assert_eq!(record["occupied_interval"], serde_json::json!([interval.start(), interval.end()]));
    record["readings"][0]["state"] = "full".into();
    assert!(schemas.validate(&record, schema).is_err());
}

/// A lot that does not fit the picture, since the camera was moved or zoomed, takes nothing from
/// what is destroyed without it.
#[test]
fn a_lot_of_another_view_leaves_no_plate() {
    let quad =
        |x: f64, y: f64| Quad::from([[x, y], [x + 0.01, y], [x + 0.01, y + 0.03], [x, y + 0.03]]);
    let places = [(0.1, 0.1), (0.5, 0.5), (0.8, 0.9)];
    let space = |(i, &(x, y)): (usize, &(f64, f64))| Space::new(i.to_string(), quad(x, y));
    let lot = Lot::new(places.iter().enumerate().map(space)).unwrap();
    let destroyed = |anonymizer: Anonymizer| {
        anonymizer.anonymize(RawFrame::decode(SCENE).unwrap()).unwrap().redactions().clone()
    };
    let policy = || Policy::default().fallback(Fallback::Off);
    let alone = destroyed(Anonymizer::with_policy(policy()).unwrap());
    let with = destroyed(Anonymizer::with_policy(policy()).unwrap().on(lot));
    let parts = |all: &parkq_core::Redactions| -> Vec<_> {
        all.iter().flat_map(|region| region.parts.clone()).collect()
    };
    let middle = |r: &Rect| (r.x + r.width / 2.0, r.y + r.height / 2.0);
    let plates = |all| -> Vec<_> {
        parts(all).into_iter().filter(|part| part.label == Some(Label::Plate)).collect()
    };
    assert!(!plates(&alone).is_empty());
    for part in plates(&alone) {
        let (x, y) = middle(&part.rect);
        let holds =
            |r: &Rect| (r.x..=r.x + r.width).contains(&x) && (r.y..=r.y + r.height).contains(&y);
        assert!(plates(&with).iter().any(|other| holds(&other.rect)), "{part:?}");
    }
}

/// The plan shows every space and escapes what a lot's author wrote.
#[test]
fn the_plan_is_safe_xml() {
    let quad = Quad::from([[0.1, 0.1], [0.3, 0.1], [0.3, 0.4], [0.1, 0.4]]);
    let lot = Lot::new([Space::new("<script>\"&\u{1}", quad)]).unwrap().with_name("a & b");
    let raw = RawFrame::from_pixels(PixelFormat::Gray8, 99, 99, vec![90; 9801]).unwrap();
    let svg =
        Estimator::bundled(lot.clone()).unwrap().occupancy(&raw).unwrap().to_svg(&lot, f64::NAN);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let text = document.descendants().find(|n| n.has_tag_name("text")).unwrap();
    assert_eq!(text.text(), Some("<script>\"&\u{fffd}"));
    assert!(!svg.contains("<image"));
}

/// A truncated or mutated model is an error, never a panic of the application.
#[test]
fn damaged_models_are_refused() {
    let onnx = parkq_models::SPACE_CLASSIFIER.onnx;
    let load = |bytes: &[u8]| {
        Estimator::from_onnx("mine", bytes, Lot::new([]).unwrap(), EstimatorOptions::default())
    };
    for keep in [0, 1, 100, onnx.len() / 2, onnx.len() - 1] {
        assert!(matches!(load(&onnx[..keep]), Err(Error::Model(_))), "cut to {keep}");
    }
    for at in (0..2000).step_by(53) {
        let mut damaged = onnx.to_vec();
        damaged[at] ^= 0x5A;
        let _ = load(&damaged);
    }
}

/// Options outside their range are refused with the range.
#[test]
fn options_are_checked() {
    for (options, name) in [
        (EstimatorOptions::default().free_below(f64::NAN), "free_below"),
        (EstimatorOptions::default().occupied_above(1.5).free_below(0.1), "occupied_above"),
        (EstimatorOptions::default().occupied_above(-1.0), "occupied_above"),
        (EstimatorOptions::default().dispersion(0.5), "dispersion"),
        (EstimatorOptions::default().min_side(-1.0), "min_side"),
        (EstimatorOptions::default().max_masked(2.0), "max_masked"),
    ] {
        match Estimator::with_options(Lot::new([]).unwrap(), options) {
            Err(Error::Option { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
    }
}

/// The defaults are those that were fitted with the bundled model.
#[test]
fn defaults_are_the_models() {
    let fitted: serde_json::Value =
        serde_json::from_str(include_str!("../../models/space-classifier.json")).unwrap();
    let options = EstimatorOptions::default();
    assert_eq!(fitted["free_below"].as_f64(), Some(options.free_below));
    assert_eq!(fitted["occupied_above"].as_f64(), Some(options.occupied_above));
    assert_eq!(fitted["dispersion"].as_f64(), Some(options.dispersion));
}

/// The card names the very model that is shipped.
#[test]
fn the_card_is_the_models() {
    let estimator = Estimator::bundled(Lot::new([]).unwrap()).unwrap();
    assert!(parkq_models::SPACE_CLASSIFIER.card.contains(&estimator.model().sha256));
}
