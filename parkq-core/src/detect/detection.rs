//! What a detector says: a label, how sure it is, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::geometry::Rect;

/// What parkq looks for.
///
/// ```
/// use parkq_core::Label;
/// assert_eq!(Label::Plate.to_string(), "plate");
/// assert_eq!(Label::ALL.len(), 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Label {
    /// A car, truck, bus or motorcycle.
    Vehicle,
    /// A person, on foot or not.
    Person,
    /// A number plate.
    Plate,
    /// A face.
    Face,
}

impl Label {
    /// Every label, in the order of [`Ord`].
    pub const ALL: [Self; 4] = [Self::Vehicle, Self::Person, Self::Plate, Self::Face];
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vehicle => "vehicle",
            Self::Person => "person",
            Self::Plate => "plate",
            Self::Face => "face",
        })
    }
}

/// One thing that was found.
///
/// ```
/// use parkq_core::{Detection, Label, Rect};
/// let rect = Rect { x: 10.0, y: 20.0, width: 52.0, height: 11.0 };
/// let found = Detection { label: Label::Plate, score: 0.9, rect };
/// assert_eq!(found.label, Label::Plate);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// What it is.
    pub label: Label,
    /// How sure the detector is, 0..=1; calibrated, so that of those at 0.5 about half are right.
    pub score: f32,
    /// Where, in the frame's pixels; clipped to the frame.
    pub rect: Rect,
}
