//! What one camera sees of a car park: its spaces and its privacy masks.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::plan;
use crate::error::{LotError, Result};
use crate::geometry::{self, Point, Quad};

/// The JSON Schema of [`Lot::from_json`]'s format.
pub(super) const SCHEMA: &str = include_str!("../../schema/lot-1.schema.json");
/// A quad below this share of the picture is a slip of the hand (12 px of a 4000 x 3000 picture).
const MIN_AREA: f64 = 1e-6;
/// More spaces than any camera sees.
pub(super) const MAX_SPACES: usize = 10_000;
/// The longest id, bytes.
const MAX_ID: usize = 256;
/// More masks, more corners of one, and more of all together than anybody draws; the time to check
/// a mask grows with the square of its corners, the time to burn them with their number.
const MAX_MASKS: usize = 1000;
const MAX_CORNERS: usize = 1000;
const MAX_ALL_CORNERS: usize = 10_000;
/// Metres: from a bicycle stand to a lorry's space.
const SIZES: std::ops::RangeInclusive<f64> = 0.3..=50.0;

/// One marked parking space.
///
/// ```
/// use parkq_core::{Quad, Space};
/// let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
/// let space = Space::new("A1", quad).size_m(2.3, 5.0).max_stay_minutes(120);
/// assert_eq!(space.size_m, [2.3, 5.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Space {
    /// Unique in its lot, not empty.
    pub id: String,
    /// The outline on the ground, relative to the picture (0..=1), corners in order.
    pub quad: Quad,
    /// Width and length in metres, each 0.3..=50. Default: 2.5 x 5.0.
    #[serde(default = "default_size", skip_serializing_if = "is_default_size")]
    pub size_m: [f64; 2],
    /// The longest stay that the sign allows, minutes, at least 1. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay_minutes: Option<u32>,
    /// Taken out of service by the operator; it is not read. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

fn default_size() -> [f64; 2] {
    [2.5, 5.0]
}

fn is_default_size(size: &[f64; 2]) -> bool {
    *size == default_size()
}

impl Space {
    /// A space of the default size, open, without a maximum stay.
    ///
    /// ```
    /// # use parkq_core::{Quad, Space};
    /// let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
    /// assert_eq!(Space::new("A1", quad).size_m, [2.5, 5.0]);
    /// ```
    pub fn new(id: impl Into<String>, quad: Quad) -> Self {
        let id = id.into();
        Self { id, quad, size_m: default_size(), max_stay_minutes: None, closed: false }
    }

    /// Sets [`size_m`](Self::size_m).
    ///
    /// ```
    /// # use parkq_core::{Quad, Space};
    /// # let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
    /// assert_eq!(Space::new("A1", quad).size_m(2.0, 4.0).size_m, [2.0, 4.0]);
    /// ```
    #[must_use]
    pub fn size_m(mut self, width: f64, length: f64) -> Self {
        self.size_m = [width, length];
        self
    }

    /// Sets [`max_stay_minutes`](Self::max_stay_minutes).
    ///
    /// ```
    /// # use parkq_core::{Quad, Space};
    /// # let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
    /// assert_eq!(Space::new("A1", quad).max_stay_minutes(60).max_stay_minutes, Some(60));
    /// ```
    #[must_use]
    pub fn max_stay_minutes(mut self, minutes: u32) -> Self {
        self.max_stay_minutes = Some(minutes);
        self
    }

    /// Sets [`closed`](Self::closed).
    ///
    /// ```
    /// # use parkq_core::{Quad, Space};
    /// # let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
    /// assert!(Space::new("A1", quad).closed(true).closed);
    /// ```
    #[must_use]
    pub fn closed(mut self, closed: bool) -> Self {
        self.closed = closed;
        self
    }

    /// Pixels per metre where it lies, in a picture of this size: the root of its area in
    /// pixels over its area in metres (the geometric mean along its two sides).
    ///
    /// ```
    /// # use parkq_core::{Quad, Space};
    /// let quad = Quad::from([[0.0, 0.0], [0.1, 0.0], [0.1, 0.2], [0.0, 0.2]]);
    /// assert_eq!(Space::new("A1", quad).pixels_per_metre(1000, 1000), 40.0);
    /// ```
    pub fn pixels_per_metre(&self, width: u32, height: u32) -> f64 {
        let pixels = self.quad.scaled(width.into(), height.into()).area();
        (pixels / (self.size_m[0] * self.size_m[1])).sqrt()
    }

    fn check(&self) -> std::result::Result<(), LotError> {
        let wrong = |problem: String| Err(LotError::of_space(&self.id, problem));
        if let Some(p) = self.quad.0.iter().find(|p| !p.is_relative()) {
            return wrong(format!("the point [{}, {}] is not in 0..=1", p.x, p.y));
        }
        if !self.quad.is_simple() {
            return wrong(
                "its sides cross or touch, or a corner is given twice: a simple quad is needed"
                    .to_owned(),
            );
        }
        let area = self.quad.area();
        if area < MIN_AREA {
            return wrong(format!("it covers {area:e} of the picture, {MIN_AREA:e} are needed"));
        }
        if let Some(side) = self.size_m.iter().find(|side| !SIZES.contains(side)) {
            return wrong(format!("a size of {side} m is not in 0.3..=50 m"));
        }
        if self.max_stay_minutes == Some(0) {
            return wrong("a maximum stay of 0 minutes, at least 1 is needed".to_owned());
        }
        Ok(())
    }
}

/// The spaces and privacy masks that one camera sees, in relative coordinates, so that they fit
/// every resolution of its picture.
///
/// A `Lot` is valid from its construction on: ids are unique, quads are simple and inside the
/// picture.
///
/// ```
/// use parkq_core::Lot;
/// let lot = Lot::from_json(r#"{
///     "version": 1,
///     "name": "north",
///     "spaces": [
///         {"id": "A1", "quad": [[0.1, 0.5], [0.2, 0.5], [0.2, 0.8], [0.1, 0.8]]},
///         {"id": "A2", "quad": [[0.2, 0.5], [0.3, 0.5], [0.3, 0.8], [0.2, 0.8]], "closed": true}
///     ],
///     "masks": [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.2]]]
/// }"#)?;
/// assert_eq!(lot.spaces().len(), 2);
/// assert_eq!(Lot::from_json(&lot.to_json())?, lot);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lot {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    spaces: Vec<Space>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    masks: Vec<Vec<Point>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    version: u32,
    name: Option<String>,
    #[serde(borrow)]
    spaces: Vec<&'a RawValue>,
    #[serde(default)]
    masks: Vec<Vec<Point>>,
}

impl Lot {
    /// A lot from its spaces, without masks.
    ///
    /// # Errors
    /// [`Error::Lot`](crate::Error::Lot), naming the space, for: an id that is repeated, empty
    /// or longer than 256 bytes; a corner outside 0..=1 or not a number; sides that cross; less than a millionth of the
    /// picture; a size that is not 0.3..=50 m; a maximum stay of 0. Also for more than 10,000
    /// spaces.
    ///
    /// ```
    /// use parkq_core::{Lot, Quad, Space};
    /// let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
    /// assert!(Lot::new([Space::new("A1", quad)]).is_ok());
    /// assert!(Lot::new([Space::new("A1", quad), Space::new("A1", quad)]).is_err());
    /// ```
    pub fn new(spaces: impl IntoIterator<Item = Space>) -> Result<Self> {
        let spaces: Vec<Space> = spaces.into_iter().take(MAX_SPACES + 1).collect();
        if spaces.len() > MAX_SPACES {
            let problem = format!("more than {MAX_SPACES} spaces");
            return Err(LotError::of_file(problem).into());
        }
        let mut ids = HashSet::new();
        for (i, space) in spaces.iter().enumerate() {
            if !(1..=MAX_ID).contains(&space.id.len()) {
                let problem =
                    format!("its id has {} bytes, 1..={MAX_ID} are needed", space.id.len());
                return Err(LotError::of_space(&format!("#{i}"), problem).into());
            }
            if !ids.insert(space.id.as_str()) {
                return Err(LotError::of_space(&space.id, "the id is used twice").into());
            }
            space.check()?;
        }
        Ok(Self { version: 1, name: None, spaces, masks: Vec::new() })
    }

    /// The same lot with a name.
    ///
    /// ```
    /// # use parkq_core::Lot;
    /// assert_eq!(Lot::new([])?.with_name("north").name(), Some("north"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same lot with these privacy masks in place of those it had: polygons, relative to the
    /// picture. A [`Pipeline`](crate::Pipeline) and an [`Anonymizer`](crate::Anonymizer) destroy their
    /// pixels before anything reads the picture; a [`Detector`](crate::Detector) alone reports nothing
    /// that has its middle there, an [`Estimator`](crate::Estimator) alone no space that they cover.
    ///
    /// # Errors
    /// [`Error::Lot`](crate::Error::Lot) for fewer than three corners or more than 1,000, a corner
    /// outside 0..=1 or not a number, sides that cross. Also for more than 1,000 masks, or more than
    /// 10,000 corners of all of them.
    ///
    /// ```
    /// use parkq_core::{Lot, Point};
    /// let sky = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.2]].map(Point::from);
    /// assert_eq!(Lot::new([])?.with_masks([sky.to_vec()])?.masks().len(), 1);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn with_masks(mut self, masks: impl IntoIterator<Item = Vec<Point>>) -> Result<Self> {
        self.masks = masks.into_iter().take(MAX_MASKS + 1).collect();
        if self.masks.len() > MAX_MASKS {
            return Err(LotError::of_file(format!("more than {MAX_MASKS} masks")).into());
        }
        let corners: usize = self.masks.iter().map(Vec::len).sum();
        if corners > MAX_ALL_CORNERS {
            let problem =
                format!("its masks have {corners} corners, at most {MAX_ALL_CORNERS} are allowed");
            return Err(LotError::of_file(problem).into());
        }
        for (i, mask) in self.masks.iter().enumerate() {
            let wrong = |problem: String| LotError::of_file(format!("mask {i}: {problem}"));
            if !(3..=MAX_CORNERS).contains(&mask.len()) {
                let problem = format!("{} corners, 3..={MAX_CORNERS} are needed", mask.len());
                return Err(wrong(problem).into());
            }
            if let Some(p) = mask.iter().find(|p| !p.is_relative()) {
                return Err(wrong(format!("the point [{}, {}] is not in 0..=1", p.x, p.y)).into());
            }
            if !geometry::is_simple(mask) || geometry::area(mask) == 0.0 {
                return Err(wrong("its sides cross or touch, or a corner is given twice: a simple polygon is needed".into()).into());
            }
        }
        Ok(self)
    }

    /// Reads parkq's own JSON, which [`Lot::json_schema`] describes. Unknown fields are errors.
    ///
    /// # Errors
    /// As [`Lot::new`] and [`Lot::with_masks`]; and for what is no JSON of that schema.
    ///
    /// ```
    /// use parkq_core::Lot;
    /// assert!(Lot::from_json(r#"{"version": 1, "spaces": []}"#).is_ok());
    /// let error = Lot::from_json(r#"{"version": 2, "spaces": []}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "lot: version is 2, 1 is needed");
    /// assert!(Lot::from_json("[1, null, [], []]").is_err());
    /// ```
    pub fn from_json(json: &str) -> Result<Self> {
        let malformed = |error: serde_json::Error| LotError::of_file(error.to_string());
        if json.trim_start().starts_with('[') {
            // What is derived would take it for the fields in their order.
            let problem = "it is a list, as other programs' are; an object is needed";
            return Err(LotError::of_file(problem).into());
        }
        let file: File<'_> = serde_json::from_str(json).map_err(malformed)?;
        if file.version != 1 {
            let problem = format!("version is {}, 1 is needed", file.version);
            return Err(LotError::of_file(problem).into());
        }
        let spaces = file.spaces.into_iter().enumerate().map(|(i, space)| {
            let wrong = |problem: String| {
                let value = serde_json::from_str(space.get()).unwrap_or(Value::Null);
                let id = value["id"].as_str().map_or_else(|| format!("#{i}"), str::to_owned);
                LotError::of_space(&id, problem)
            };
            // Here too a list would be taken for the fields in their order.
            if !space.get().starts_with('{') {
                return Err(wrong("an object is needed".to_owned()));
            }
            // Its line would be counted from the space's beginning.
            let said = |error: serde_json::Error| {
                let text = error.to_string();
                wrong(text.split(" at line ").next().unwrap_or_default().to_owned())
            };
            serde_json::from_str(space.get()).map_err(said)
        });
        let spaces = spaces.collect::<std::result::Result<Vec<Space>, _>>()?;
        let mut lot = Self::new(spaces)?.with_masks(file.masks)?;
        lot.name = file.name;
        Ok(lot)
    }

    /// Writes parkq's own JSON.
    ///
    /// ```
    /// # use parkq_core::Lot;
    /// assert_eq!(Lot::new([])?.to_json(), "{\n  \"version\": 1,\n  \"spaces\": []\n}");
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The lot as a plan in SVG 1.1: its spaces and masks, no pixel of a picture. `aspect` is the
    /// picture's width over its height, 0.1..=10 (beyond, the nearest of these; 1 for what is no
    /// number). [`Occupancy::to_svg`](crate::Occupancy::to_svg) draws
    /// the states too.
    ///
    /// ```
    /// # use parkq_core::Lot;
    /// assert!(Lot::new([])?.to_svg(16.0 / 9.0).starts_with("<svg"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn to_svg(&self, aspect: f64) -> String {
        plan::draw(None, self, aspect)
    }

    /// The JSON Schema (draft 2020-12) of parkq's own JSON.
    ///
    /// ```
    /// assert!(parkq_core::Lot::json_schema().contains("\"$schema\""));
    /// ```
    pub const fn json_schema() -> &'static str {
        SCHEMA
    }

    /// Its name.
    ///
    /// ```
    /// # use parkq_core::Lot;
    /// assert_eq!(Lot::new([])?.name(), None);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its spaces, in the order of the file.
    ///
    /// ```
    /// # use parkq_core::Lot;
    /// assert!(Lot::new([])?.spaces().is_empty());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn spaces(&self) -> &[Space] {
        &self.spaces
    }

    /// Its privacy masks.
    ///
    /// ```
    /// # use parkq_core::Lot;
    /// assert!(Lot::new([])?.masks().is_empty());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn masks(&self) -> &[Vec<Point>] {
        &self.masks
    }
}
