//! From which score on a detection counts.

use serde::Serialize;

use super::Label;
use crate::error::Result;
use crate::options::{self, setters};

/// One threshold for each label, 0..=1: what scores less is not reported.
///
/// ```
/// use parkq_core::{Label, Scores};
/// let scores = Scores::default().plate(0.1);
/// assert_eq!(scores.of(Label::Plate), 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// Of vehicles. Default: 0.2.
    pub vehicle: f32,
    /// Of persons. Default: 0.35.
    pub person: f32,
    /// Of plates. Default: 0.15.
    pub plate: f32,
    /// Of faces. Default: 0.1.
    pub face: f32,
}

impl Default for Scores {
    fn default() -> Self {
        Self { vehicle: 0.2, person: 0.35, plate: 0.15, face: 0.1 }
    }
}

setters! {
    Scores { vehicle: f32 = "0.3", person: f32 = "0.3", plate: f32 = "0.3", face: f32 = "0.3" }
}

impl Scores {
    /// The same threshold for every label.
    ///
    /// ```
    /// # use parkq_core::Scores;
    /// assert_eq!(Scores::all(0.3).person, 0.3);
    /// ```
    pub const fn all(score: f32) -> Self {
        Self { vehicle: score, person: score, plate: score, face: score }
    }

    /// The threshold of a label.
    ///
    /// ```
    /// # use parkq_core::{Label, Scores};
    /// assert_eq!(Scores::default().of(Label::Face), Scores::default().face);
    /// ```
    pub const fn of(&self, label: Label) -> f32 {
        match label {
            Label::Vehicle => self.vehicle,
            Label::Person => self.person,
            Label::Plate => self.plate,
            Label::Face => self.face,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        options::check([
            ("vehicle", self.vehicle.into(), 0.0..=1.0, "0..=1"),
            ("person", self.person.into(), 0.0..=1.0, "0..=1"),
            ("plate", self.plate.into(), 0.0..=1.0, "0..=1"),
            ("face", self.face.into(), 0.0..=1.0, "0..=1"),
        ])
    }
}
