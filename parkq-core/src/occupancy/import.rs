//! Lot files in the wild. Each comes with what its author says of the spaces, if anything.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::lot::MAX_SPACES;
use super::{Lot, Space};
use crate::error::{Error, LotError, Result};
use crate::geometry::{Point, Quad};

/// Authors draw to the picture's edge and a little over: corners up to this far outside, as a
/// share of the picture, are moved to the edge; farther ones are errors.
const OVERSHOOT: f64 = 0.02;

/// A lot from another program's file.
///
/// ```
/// let json = r#"[{"points": [[64, 48], [128, 48], [128, 96], [64, 96]]}]"#;
/// let imported = parkq_core::Imported::ultralytics(json, 640, 480)?;
/// assert_eq!(imported.lot.spaces()[0].id, "1");
/// assert_eq!(imported.occupied, [None]);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The lot.
    pub lot: Lot,
    /// For each of its spaces: whether the file says that it is occupied.
    pub occupied: Vec<Option<bool>>,
}

impl Imported {
    /// PKLot's XML (P. Almeida et al., "PKLot - A robust dataset for parking lot
    /// classification", 2015): contours of four points, in pixels of a picture whose size the
    /// file does not say. `<Point>` and `<point>` are both read, `occupied` may be missing, and
    /// a contour may be missing too: then the rotated rectangle is taken.
    ///
    /// # Errors
    /// [`Error::Lot`], naming the space, for malformed XML and what [`Lot::new`] refuses.
    ///
    /// ```
    /// let xml = r#"<parking id="pucpr"><space id="7" occupied="1"><contour>
    ///     <point x="64" y="48"/><point x="128" y="48"/><Point x="128" y="96"/><point x="64" y="96"/>
    /// </contour></space></parking>"#;
    /// let imported = parkq_core::Imported::pklot(xml, 1280, 720)?;
    /// assert_eq!(imported.occupied, [Some(true)]);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn pklot(xml: &str, width: u32, height: u32) -> Result<Self> {
        let document = roxmltree::Document::parse(xml)
            .map_err(|e| LotError::of_file(format!("the XML is malformed: {e}")))?;
        let mut spaces = Collector::new(width, height)?;
        for node in document.descendants().filter(|n| n.has_tag_name("space")) {
            let id = node.attribute("id").map(str::to_owned);
            let shown = id.clone().unwrap_or_else(|| spaces.next_id());
            let number = |node: roxmltree::Node<'_, '_>, name: &str| -> Result<f64> {
                let text = node.attribute(name).unwrap_or_default();
                let wrong = || LotError::of_space(&shown, format!("{name} is {text:?}, no number"));
                Ok(text.trim().parse().map_err(|_| wrong())?)
            };
            let contour =
                node.descendants().filter(|n| n.tag_name().name().eq_ignore_ascii_case("point"));
            let contour = contour
                .map(|p| Ok(Point::new(number(p, "x")?, number(p, "y")?)))
                .collect::<Result<Vec<_>>>()?;
            let corners = match node.descendants().find(|n| n.has_tag_name("rotatedRect")) {
                Some(rect) if contour.is_empty() => {
                    let child = |name: &str| {
                        let missing = || LotError::of_space(&shown, format!("<{name}> is missing"));
                        rect.children().find(|n| n.has_tag_name(name)).ok_or_else(missing)
                    };
                    let (centre, size, angle) = (child("center")?, child("size")?, child("angle")?);
                    let (cx, cy) = (number(centre, "x")?, number(centre, "y")?);
                    let (w, h) = (number(size, "w")? / 2.0, number(size, "h")? / 2.0);
                    let (sin, cos) = number(angle, "d")?.to_radians().sin_cos();
                    let turned =
                        |x: f64, y: f64| Point::new(cx + x * cos - y * sin, cy + x * sin + y * cos);
                    vec![turned(-w, -h), turned(w, -h), turned(w, h), turned(-w, h)]
                }
                _ => contour,
            };
            let occupied = match node.attribute("occupied").map(str::trim) {
                None | Some("") => None,
                Some("0") => Some(false),
                Some("1") => Some(true),
                Some(other) => {
                    let problem = format!("occupied is {other:?}, 0 or 1 is needed");
                    return Err(LotError::of_space(&shown, problem).into());
                }
            };
            spaces.push(id, &corners, occupied)?;
        }
        let root = document.root_element().tag_name().name();
        if spaces.spaces.is_empty() && root != "parking" {
            let problem = format!("the XML is a <{root}>, a <parking> is needed");
            return Err(LotError::of_file(problem).into());
        }
        spaces.finish()
    }

    /// Ultralytics' parking JSON: `[{"points": [[x, y] x 4]}, ..]`, in pixels of a picture
    /// whose size the file does not say. Spaces are numbered from 1.
    ///
    /// # Errors
    /// [`Error::Lot`], naming the space, for malformed JSON and what [`Lot::new`] refuses.
    ///
    /// ```
    /// let far = r#"[{"points": [[64, 48], [999, 48], [999, 96], [64, 96]]}]"#;
    /// let error = parkq_core::Imported::ultralytics(far, 640, 480).unwrap_err();
    /// assert!(error.to_string().starts_with("lot: space \"1\": the point"));
    /// ```
    pub fn ultralytics(json: &str, width: u32, height: u32) -> Result<Self> {
        #[derive(Deserialize)]
        struct Region {
            points: Vec<Point>,
        }
        let regions: Vec<Region> = parse(json)?;
        let mut spaces = Collector::new(width, height)?;
        for region in regions {
            spaces.push(None, &region.points, None)?;
        }
        spaces.finish()
    }

    /// The annotations of ACPDS (M. Marek, "Image-Based Parking Space Occupancy
    /// Classification: Dataset and Baseline", arXiv 2107.12207, 2021) for one of its pictures:
    /// `{"train": {"file_names", "rois_list", "occupancy_list"}, "valid": .., "test": ..}` with
    /// relative quads. Spaces are numbered from 1.
    ///
    /// # Errors
    /// [`Error::Lot`] if the picture is not in the file, for malformed JSON and what
    /// [`Lot::new`] refuses.
    ///
    /// ```
    /// let json = r#"{"train": {"file_names": ["a.jpg"], "occupancy_list": [[true]],
    ///     "rois_list": [[[[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.2]]]]}}"#;
    /// assert_eq!(parkq_core::Imported::acpds(json, "a.jpg")?.occupied, [Some(true)]);
    /// assert!(parkq_core::Imported::acpds(json, "b.jpg").is_err());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn acpds(json: &str, picture: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Split {
            file_names: Vec<String>,
            rois_list: Vec<Vec<Vec<Point>>>,
            #[serde(default)]
            occupancy_list: Vec<Vec<bool>>,
        }
        let splits: std::collections::BTreeMap<String, Split> = parse(json)?;
        for split in splits.values() {
            let Some(i) = split.file_names.iter().position(|name| name == picture) else {
                continue;
            };
            let none = Vec::new();
            let mut spaces = Collector::new(1, 1)?;
            for (k, corners) in split.rois_list.get(i).unwrap_or(&none).iter().enumerate() {
                let occupied = split.occupancy_list.get(i).and_then(|all| all.get(k)).copied();
                spaces.push(None, corners, occupied)?;
            }
            return spaces.finish();
        }
        Err(LotError::of_file(format!("the picture {picture:?} is not in the file")).into())
    }

    /// COCO's JSON for one of its pictures, by `file_name`. A segmentation of four points is
    /// taken as it is, anything else by its `bbox`; a category whose name says empty, free,
    /// vacant or unoccupied is free, one that says occupied is occupied, others leave it open, and
    /// so does one that negates (`not_free`). Spaces are named by the annotations' ids.
    ///
    /// # Errors
    /// [`Error::Lot`] if the picture is not in the file, for malformed JSON and what
    /// [`Lot::new`] refuses.
    ///
    /// ```
    /// let json = r#"{"images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
    ///     "categories": [{"id": 2, "name": "space-empty"}],
    ///     "annotations": [{"id": 9, "image_id": 1, "category_id": 2, "bbox": [10, 10, 20, 30]}]}"#;
    /// let imported = parkq_core::Imported::coco(json, "a.jpg")?;
    /// assert_eq!((imported.lot.spaces()[0].id.as_str(), imported.occupied[0]), ("9", Some(false)));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn coco(json: &str, picture: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            images: Vec<Image>,
            annotations: Vec<Annotation>,
            #[serde(default)]
            categories: Vec<Category>,
        }
        #[derive(Deserialize)]
        struct Image {
            id: i64,
            file_name: String,
            width: u32,
            height: u32,
        }
        #[derive(Deserialize)]
        struct Annotation {
            id: i64,
            image_id: i64,
            #[serde(default)]
            category_id: i64,
            bbox: Option<serde_json::Value>,
            // Polygons, or run lengths, which are not read.
            segmentation: Option<serde_json::Value>,
        }
        #[derive(Deserialize)]
        struct Category {
            id: i64,
            name: String,
        }
        let file: File = parse(json)?;
        let missing = || LotError::of_file(format!("the picture {picture:?} is not in the file"));
        let image = file.images.iter().find(|i| i.file_name == picture).ok_or_else(missing)?;
        let occupied = |category: i64| {
            let name = file.categories.iter().find(|c| c.id == category)?.name.to_lowercase();
            let says = |words: &[&str]| words.iter().any(|w| name.contains(w));
            // Not free, non-occupied: which of the two is meant is not guessed.
            let negated = |word: &str| matches!(word, "not" | "non" | "no");
            if name.split(|c: char| !c.is_alphanumeric()).any(negated) {
                None
            } else if says(&["empty", "free", "vacant", "unoccupied"]) {
                Some(false)
            } else {
                says(&["occupied"]).then_some(true)
            }
        };
        let mut spaces = Collector::new(image.width, image.height)?;
        for annotation in file.annotations.iter().filter(|a| a.image_id == image.id) {
            let id = annotation.id.to_string();
            let outline = annotation.segmentation.as_ref().and_then(|s| {
                let flat = <[f64; 8]>::deserialize(s.get(0)?).ok()?;
                Some(flat.as_chunks::<2>().0.iter().map(|&p| Point::from(p)).collect::<Vec<_>>())
            });
            let bbox = annotation.bbox.as_ref().and_then(|b| <[f64; 4]>::deserialize(b).ok());
            let corners = match (outline, bbox) {
                (Some(outline), _) => outline,
                (None, Some([x, y, w, h])) => {
                    [[x, y], [x + w, y], [x + w, y + h], [x, y + h]].map(Point::from).to_vec()
                }
                (None, None) => {
                    let problem = "it has neither a quad as segmentation nor a bbox";
                    return Err(LotError::of_space(&id, problem).into());
                }
            };
            spaces.push(Some(id), &corners, occupied(annotation.category_id))?;
        }
        spaces.finish()
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::Lot(LotError::of_file(e.to_string())))
}

/// Spaces in pixels, one after the other.
struct Collector {
    width: f64,
    height: f64,
    spaces: Vec<Space>,
    occupied: Vec<Option<bool>>,
}

impl Collector {
    fn new(width: u32, height: u32) -> Result<Self> {
        if width == 0 || height == 0 {
            let problem = format!("the picture is {width}x{height}, at least 1x1 is needed");
            return Err(LotError::of_file(problem).into());
        }
        let (width, height) = (width.into(), height.into());
        Ok(Self { width, height, spaces: Vec::new(), occupied: Vec::new() })
    }

    fn next_id(&self) -> String {
        (self.spaces.len() + 1).to_string()
    }

    fn push(
        &mut self,
        id: Option<String>,
        corners: &[Point],
        occupied: Option<bool>,
    ) -> Result<()> {
        if self.spaces.len() == MAX_SPACES {
            return Err(LotError::of_file(format!("more than {MAX_SPACES} spaces")).into());
        }
        let id = id.unwrap_or_else(|| self.next_id());
        let corners: &[Point; 4] = corners.try_into().map_err(|_| {
            LotError::of_space(&id, format!("{} corners, 4 are needed", corners.len()))
        })?;
        let edge = |v: f64| {
            let near = (-OVERSHOOT..=1.0 + OVERSHOOT).contains(&v);
            if near { v.clamp(0.0, 1.0) } else { v }
        };
        let relative = |p: &Point| Point::new(edge(p.x / self.width), edge(p.y / self.height));
        self.spaces.push(Space::new(id, Quad(corners.each_ref().map(relative))));
        self.occupied.push(occupied);
        Ok(())
    }

    fn finish(self) -> Result<Imported> {
        // Some files number their spaces more than once: the later ones get a suffix.
        let (mut seen, mut numbers) = (HashSet::new(), HashMap::new());
        let mut spaces = self.spaces;
        for space in &mut spaces {
            let id = space.id.clone();
            while !seen.insert(space.id.clone()) {
                let n = numbers.entry(id.clone()).or_insert(1);
                *n += 1;
                space.id = format!("{id}-{n}");
            }
        }
        Ok(Imported { lot: Lot::new(spaces)?, occupied: self.occupied })
    }
}
