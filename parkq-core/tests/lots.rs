//! Lots: what is refused and why; formats of others; the schema says what the reader does.
#![allow(clippy::unwrap_used)]

use parkq_core::{Error, Imported, Lot, Point, Quad, Space};
use proptest::prelude::*;

fn refused(space: &str) -> String {
    let json = format!(r#"{{"version": 1, "spaces": [{space}]}}"#);
    Lot::from_json(&json).unwrap_err().to_string()
}

/// Every way to draw a space wrongly names the space and the fault.
#[test]
fn a_bad_space_is_named() {
    let cases = [
        (r#"{"id":"A","quad":[[0.1,0.1],[0.3,0.3],[0.3,0.1],[0.1,0.3]]}"#, "its sides cross"),
        (
            r#"{"id":"A","quad":[[0.1,0.1],[0.1001,0.1],[0.1001,0.1001],[0.1,0.1001]]}"#,
            "are needed",
        ),
        (r#"{"id":"A","quad":[[0.1,0.1],[0.1,0.1],[0.3,0.1],[0.1,0.3]]}"#, "a simple quad"),
        (
            r#"{"id":"A","quad":[[0.1,0.1],[1.2,0.1],[0.3,0.3],[0.1,0.3]]}"#,
            "[1.2, 0.1] is not in 0..=1",
        ),
        (r#"{"id":"A","quad":[[0.1,0.1],[0.2,0.1],[0.3,0.3]]}"#, "length"),
        (r#"{"id":"A","quad":[[0.1,0.1],[null,0.1],[0.3,0.3],[0.1,0.3]]}"#, "null"),
        (r#"{"id":"A","quad":[[0.1,0.1],[0.3,0.1],[0.3,0.3],[0.1,0.3]],"size_m":[2.5,0]}"#, "0 m"),
        (
            r#"{"id":"A","quad":[[0.1,0.1],[0.3,0.1],[0.3,0.3],[0.1,0.3]],"max_stay_minutes":0}"#,
            "at least 1",
        ),
        (
            r#"{"id":"A","quad":[[0.1,0.1],[0.3,0.1],[0.3,0.3],[0.1,0.3]],"colour":"red"}"#,
            "unknown field",
        ),
    ];
    for (space, fault) in cases {
        let error = refused(space);
        assert!(error.starts_with("lot: space \"A\": ") && error.contains(fault), "{error}");
    }
    let nan = Quad::from([[f64::NAN, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]]);
    assert!(
        matches!(Lot::new([Space::new("A", nan)]), Err(Error::Lot(e)) if e.space() == Some("A"))
    );
}

/// A space without a usable id is named by its place.
#[test]
fn a_bad_id_is_located() {
    let quad = Quad::from([[0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]]);
    for (id, bytes) in [(String::new(), 0), ("x".repeat(257), 257)] {
        let spaces = [Space::new("A", quad), Space::new(id, quad)];
        let error = Lot::new(spaces).unwrap_err().to_string();
        let said = format!("lot: space \"#1\": its id has {bytes} bytes, 1..=256 are needed");
        assert_eq!(error, said);
    }
    assert!(Lot::new([Space::new("x".repeat(256), quad)]).is_ok());
}

/// Masks are checked like spaces.
#[test]
fn a_bad_mask_is_numbered() {
    let with = |mask: &[[f64; 2]]| {
        let mask = mask.iter().map(|&p| Point::from(p)).collect();
        Lot::new([]).unwrap().with_masks([mask]).map_err(|e| e.to_string())
    };
    assert!(with(&[[0.0, 0.0], [1.0, 0.0]]).unwrap_err().contains("mask 0: 2 corners"));
    assert!(with(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]).unwrap_err().contains("cross"));
    assert!(with(&[[0.0, 0.0], [1.0, f64::NAN], [1.0, 0.0]]).unwrap_err().contains("NaN"));
    assert!(with(&[[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]]).is_err());
    assert!(with(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).is_ok());
    let many = vec![[0.0, 0.0]; 1001];
    assert!(with(&many).unwrap_err().contains("1001 corners, 3..=1000 are needed"));
    let corner = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]].map(Point::from).to_vec();
    let masks = |n: usize| Lot::new([]).unwrap().with_masks(vec![corner.clone(); n]);
    assert!(masks(1000).is_ok() && masks(1001).is_err());
    let round = |i: u32| {
        let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / 1000.0).sin_cos();
        Point::new(0.5 + 0.4 * cos, 0.5 + 0.4 * sin)
    };
    let circle: Vec<_> = (0..1000).map(round).collect();
    let circles = |n: usize| Lot::new([]).unwrap().with_masks(vec![circle.clone(); n]);
    assert!(circles(10).is_ok() && circles(11).is_err());
}

/// Others' files, with their quirks.
#[test]
fn other_formats_are_read() {
    let pklot = r#"<?xml version="1.0"?><parking id="x">
        <space id="1"><rotatedRect><center x="300" y="207"/><size w="55" h="32"/><angle d="-74"/></rotatedRect>
        <contour><point x="278" y="230"/><point x="290" y="186"/><point x="324" y="185"/><point x="308" y="230"/></contour></space>
        <space id="2" occupied="1"><contour><Point x="100" y="100"/><Point x="150" y="100"/><Point x="150" y="130"/><Point x="100" y="130"/></contour></space>
        <space id="2" occupied="0"><rotatedRect><center x="500" y="300"/><size w="50" h="30"/><angle d="0"/></rotatedRect></space>
    </parking>"#;
    let imported = Imported::pklot(pklot, 1280, 720).unwrap();
    let ids: Vec<_> = imported.lot.spaces().iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "2-2"]);
    assert_eq!(imported.occupied, [None, Some(true), Some(false)]);
    assert_eq!(imported.lot.spaces()[2].quad.0[0], Point::new(475.0 / 1280.0, 285.0 / 720.0));
    assert!(Imported::pklot("<parking>", 1280, 720).is_err());
    assert!(Imported::pklot(pklot, 0, 720).is_err());

    let three = r#"[{"points": [[1, 1], [20, 1], [20, 20]]}]"#;
    assert_eq!(
        Imported::ultralytics(three, 100, 100).unwrap_err().to_string(),
        "lot: space \"1\": 3 corners, 4 are needed"
    );
    // Drawn a little over the edge: moved to it.
    let over = r#"[{"points": [[-1, 1], [20, 1], [20, 20], [0, 20]]}]"#;
    assert_eq!(Imported::ultralytics(over, 100, 100).unwrap().lot.spaces()[0].quad.0[0].x, 0.0);

    let coco = r#"{"images": [{"id": 3, "file_name": "a.jpg", "width": 100, "height": 50}],
        "categories": [{"id": 1, "name": "space-occupied"}, {"id": 2, "name": "spaces"}],
        "annotations": [
          {"id": 1, "image_id": 3, "category_id": 1, "bbox": [10, 10, 20, 20], "segmentation": [[10,10,30,12,28,30,9,28]]},
          {"id": 2, "image_id": 3, "category_id": 2, "bbox": [50, 10, 20, 20], "segmentation": []},
          {"id": 3, "image_id": 4, "category_id": 2, "bbox": [50, 10, 20, 20]}]}"#;
    let imported = Imported::coco(coco, "a.jpg").unwrap();
    assert_eq!(imported.occupied, [Some(true), None]);
    // The id of all its spaces: named apart.
    let one = r#"{"id": 7, "image_id": 3, "bbox": [10, 10, 20, 20]}"#;
    let same = coco.replace(
        r#""annotations": ["#,
        &format!(r#""annotations": [{}"#, [one; 300].map(|one| format!("{one},")).concat()),
    );
    let imported_same = Imported::coco(&same, "a.jpg").unwrap();
    assert_eq!(imported_same.lot.spaces()[299].id, "7-300");
    assert_eq!(imported.lot.spaces()[0].quad.0[1], Point::new(0.3, 0.24));
    assert!(Imported::coco(coco, "b.jpg").is_err());
}

proptest! {
    /// The spaces of a row are spaces of a lot, also at the picture's edge.
    #[test]
    fn rows_stay_in_the_picture(top in 0.0..0.5, left in 0.0..0.4, right in 0.6..1.0, lean in 0.0..0.3) {
        let row = Quad::from([[left, top], [right, lean], [1.0 - lean, 1.0], [lean, 1.0]]);
        if let Ok(quads) = row.row(7) {
            let spaces = quads.into_iter().enumerate().map(|(i, quad)| Space::new(i.to_string(), quad));
            prop_assert!(Lot::new(spaces).is_ok());
        }
    }

    /// Any four points: an error that names the space, or a lot that survives its own JSON.
    #[test]
    fn any_quad_is_refused_or_round_trips(
        corners in prop::array::uniform4(prop::array::uniform2(-0.2f64..1.2)),
    ) {
        match Lot::new([Space::new("Ä <1>", Quad::from(corners))]) {
            Ok(lot) => {
                prop_assert!(lot.spaces()[0].quad.is_simple());
                prop_assert_eq!(Lot::from_json(&lot.to_json()).unwrap(), lot);
            }
            Err(Error::Lot(error)) => prop_assert_eq!(error.space(), Some("Ä <1>")),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    /// Damaged lot files: a lot or an error, never a panic.
    #[test]
    fn damaged_json_does_not_panic(at in any::<prop::sample::Index>(), with in any::<char>()) {
        let mut json: Vec<char> = include_str!("../../examples/data/scene.lot.json").chars().collect();
        let at = at.index(json.len());
        json[at] = with;
        let _ = Lot::from_json(&json.into_iter().collect::<String>());
    }
}

/// The published schema and the reader agree wherever a schema can say what the reader says.
#[test]
fn the_schema_says_what_the_reader_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/lot-1.schema.json");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = compiler.compile(path, &mut schemas).unwrap();
    let quad = "[[0.1,0.1],[0.3,0.1],[0.3,0.3],[0.1,0.3]]";
    let space =
        |rest: &str| format!(r#"{{"version":1,"spaces":[{{"id":"A","quad":{quad}{rest}}}]}}"#);
    let whole = include_str!("../../examples/data/scene.lot.json").to_owned();
    let right = [
        whole,
        r#"{"version":1,"spaces":[]}"#.to_owned(),
        r#"{"version":1,"name":null,"spaces":[],"masks":[[[0,0],[1,0],[1,1]]]}"#.to_owned(),
        space(""),
        space(r#","size_m":[0.3,50],"max_stay_minutes":null,"closed":true"#),
        space(r#","max_stay_minutes":4294967295"#),
    ];
    let wrong = [
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"spaces":[]}"#.to_owned(),
        r#"{"version":2,"spaces":[]}"#.to_owned(),
        r#"{"version":1}"#.to_owned(),
        r#"{"version":1,"spaces":[],"colour":1}"#.to_owned(),
        r#"{"version":1,"name":7,"spaces":[]}"#.to_owned(),
        r#"{"version":1,"spaces":[{"id":"A"}]}"#.to_owned(),
        r#"{"version":1,"spaces":[{"id":"","quad":[[0.1,0.1],[0.3,0.1],[0.3,0.3],[0.1,0.3]]}]}"#
            .to_owned(),
        r#"{"version":1,"spaces":[{"id":"A","quad":[[0.1,0.1],[0.3,0.1],[0.3,0.3]]}]}"#.to_owned(),
        r#"{"version":1,"spaces":[{"id":"A","quad":[[0.1,0.1],[1.3,0.1],[0.3,0.3],[0.1,0.3]]}]}"#
            .to_owned(),
        r#"{"version":1,"spaces":[],"masks":[[[0,0],[1,0]]]}"#.to_owned(),
        r#"{"version":1,"spaces":[],"masks":[[[0,0],[1,0],[2,1]]]}"#.to_owned(),
        r#"{"version":1,"spaces":[["A",[[0.1,0.1],[0.3,0.1],[0.3,0.3],[0.1,0.3]]]]}"#.to_owned(),
        space(r#","colour":"red""#),
        space(r#","size_m":[0.2,5]"#),
        space(r#","size_m":[2.5,51]"#),
        space(r#","size_m":[2.5]"#),
        space(r#","max_stay_minutes":0"#),
        space(r#","max_stay_minutes":1.5"#),
        space(r#","max_stay_minutes":4294967296"#),
        space(r#","closed":null"#),
    ];
    for (cases, good) in [(&right[..], true), (&wrong[..], false)] {
        for case in cases {
            let json: serde_json::Value = serde_json::from_str(case).unwrap();
            assert_eq!(schemas.validate(&json, schema).is_ok(), good, "schema: {case}");
            assert_eq!(Lot::from_json(case).is_ok(), good, "reader: {case}");
        }
    }
    // Which of two ids is meant no schema can ask.
    let error = Lot::from_json(&space(r#","id":"B""#)).unwrap_err().to_string();
    assert!(error.contains("duplicate field `id`"), "{error}");
    let quad = Quad::from([[0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]]);
    let lot = |n: usize| Lot::new((0..n).map(|i| Space::new(i.to_string(), quad)));
    assert!(lot(10_000).is_ok() && lot(10_001).is_err());
}
