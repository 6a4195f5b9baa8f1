//! What was read: states, probabilities and counts; nothing that shows anybody.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::{Lot, count, plan};
use crate::engine::ModelInfo;

/// The state of a space: FIWARE ParkingSpot's `status`.
///
/// ```
/// assert_eq!(parkq_core::State::Free.to_string(), "free");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No vehicle is in it.
    Free,
    /// A vehicle is in it.
    Occupied,
    /// The picture does not say; [`Reading::unknown`] says why.
    Unknown,
    /// The operator has taken it out of service.
    Closed,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Occupied => "occupied",
            Self::Unknown => "unknown",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a space's state is unknown.
///
/// ```
/// assert_eq!(parkq_core::Unknown::Masked.to_string(), "masked");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unknown {
    /// A privacy mask covers too much of it.
    Masked,
    /// The short side of its quad is too few pixels long.
    TooSmall,
    /// The probability lies between the two thresholds.
    Unsure,
    /// Nothing is to be seen around it: the picture is of one colour there, but for noise (a
    /// covered lens, a dead sensor, night).
    Blank,
    /// It seems free, but more than a tenth of it has been destroyed with a whole vehicle
    /// ([`Fallback::WholeVehicle`](crate::Fallback::WholeVehicle)).
    Redacted,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Masked => "masked",
            Self::TooSmall => "too_small",
            Self::Unsure => "unsure",
            Self::Blank => "blank",
            Self::Redacted => "redacted",
        })
    }
}

/// One space in one frame.
///
/// ```
/// # use parkq_core::{Estimator, Lot, PixelFormat, Quad, RawFrame, Space, State};
/// # let quad = Quad::from([[0.1, 0.1], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]]);
/// # let lot = Lot::new([Space::new("A1", quad).closed(true)])?;
/// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 100, 100, vec![0; 10_000])?;
/// let occupancy = Estimator::bundled(lot)?.occupancy(&raw)?;
/// let reading = &occupancy.readings()[0];
/// assert_eq!((reading.id.as_str(), reading.state), ("A1", State::Closed));
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// The space's id.
    pub id: String,
    /// What is known of it.
    pub state: State,
    /// The calibrated probability that it is occupied, 0..=1; none where it could not be read:
    /// closed, masked, blank, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Pixels per metre where it lies.
    pub pixels_per_metre: f64,
    /// Why its state is unknown, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
}

/// All readings of one frame, in the order of the lot's spaces.
///
/// Serialises to a versioned record, which [`Occupancy::json_schema`] describes. For FIWARE:
/// `readings[].state` is `ParkingSpot.status`, [`free`](Self::free) is
/// `OffStreetParking.availableSpotNumber`, the number of readings is `totalSpotNumber`,
/// `occupancyDetectionType` is `singleSpaceDetection`.
///
/// ```
/// use parkq_core::{Lot, Pipeline, RawFrame};
/// # let jpeg = include_bytes!("../../../examples/data/scene.jpg");
/// # let json = include_str!("../../../examples/data/scene.lot.json");
/// let pipeline = Pipeline::bundled(Lot::from_json(json)?)?;
/// let occupancy = pipeline.process(RawFrame::decode(jpeg)?)?.occupancy;
/// assert!(occupancy.free() > 0);
/// assert!(occupancy.to_json().starts_with("{\n  \"version\": 1,"));
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Occupancy {
    model: ModelInfo,
    second_look: Option<ModelInfo>,
    readings: Vec<Reading>,
    dispersion: f64,
}

impl Serialize for Occupancy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let interval = self.occupied_interval();
        let mut record = serializer
            .serialize_struct("Occupancy", 8 + usize::from(self.second_look.is_some()))?;
        record.serialize_field("version", &1)?;
        record.serialize_field("model", &self.model)?;
        match &self.second_look {
            Some(model) => record.serialize_field("second_look", model)?,
            None => record.skip_field("second_look")?,
        }
        for state in [State::Free, State::Occupied, State::Unknown, State::Closed] {
            record.serialize_field(state.name(), &self.count(state))?;
        }
        record.serialize_field("occupied_interval", &[interval.start(), interval.end()])?;
        record.serialize_field("readings", &self.readings)?;
        record.end()
    }
}

impl Occupancy {
    pub(super) fn new(
        model: ModelInfo,
        second_look: Option<ModelInfo>,
        readings: Vec<Reading>,
        dispersion: f64,
    ) -> Self {
        Self { model, second_look, readings, dispersion }
    }

    /// One reading for each space of the lot, in its order.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// assert!(Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?.readings().is_empty());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// The model that read them.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let occupancy = Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?;
    /// assert_eq!(occupancy.model().name, "space-classifier");
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn model(&self) -> &ModelInfo {
        &self.model
    }

    /// The model that had a second look at those of which the first was unsure, if there was one.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let occupancy = Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?;
    /// assert_eq!(occupancy.second_look().map(|model| &*model.name), Some("detector"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn second_look(&self) -> Option<&ModelInfo> {
        self.second_look.as_ref()
    }

    /// How many spaces are in this state.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame, State};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let occupancy = Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?;
    /// assert_eq!(occupancy.count(State::Closed), 0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn count(&self, state: State) -> usize {
        self.readings.iter().filter(|r| r.state == state).count()
    }

    /// How many spaces are free: `count(State::Free)`.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// assert_eq!(Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?.free(), 0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn free(&self) -> usize {
        self.count(State::Free)
    }

    /// How many spaces are occupied: `count(State::Occupied)`.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// assert_eq!(Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?.occupied(), 0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn occupied(&self) -> usize {
        self.count(State::Occupied)
    }

    /// A 95 % interval for the number of occupied spaces, among those with a probability
    /// (unsure and small ones included; closed, masked, blank and redacted ones not).
    ///
    /// Poisson binomial, widened by the dispersion that the model's card gives.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let occupancy = Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?;
    /// assert_eq!(occupancy.occupied_interval(), 0..=0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn occupied_interval(&self) -> RangeInclusive<usize> {
        let probabilities: Vec<f64> = self.readings.iter().filter_map(|r| r.probability).collect();
        count::interval(&probabilities, self.dispersion)
    }

    /// The record as JSON.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let occupancy = Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?;
    /// assert!(occupancy.to_json().contains("\"readings\": []"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The JSON Schema (draft 2020-12) of the record.
    ///
    /// ```
    /// assert!(parkq_core::Occupancy::json_schema().contains("\"$schema\""));
    /// ```
    pub const fn json_schema() -> &'static str {
        include_str!("../../schema/occupancy-1.schema.json")
    }

    /// The lot as a plan: every space by its state, no pixel of the picture. `aspect` is the
    /// picture's width over its height, as in [`Lot::to_svg`]. Spaces are matched by their ids; a
    /// space of the lot without a reading is drawn as unknown.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// # let lot = Lot::new([])?;
    /// let svg = Estimator::bundled(lot.clone())?.occupancy(&raw)?.to_svg(&lot, 16.0 / 9.0);
    /// assert!(svg.starts_with("<svg"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn to_svg(&self, lot: &Lot, aspect: f64) -> String {
        plan::draw(Some(self), lot, aspect)
    }
}
