//! What a detector reports, and at what cost it looks.

use serde::{Deserialize, Serialize};

use super::Scores;
use crate::error::Result;
use crate::options::{self, setters};

/// How a picture is looked at. The cost is that of the network on so many pixels.
///
/// A network whose input may be of any size sees a level (the picture at one scale) as a whole;
/// one of a fixed size sees it in overlapping tiles of that size.
///
/// ```
/// assert_eq!(parkq_core::Tiling::default(), parkq_core::Tiling::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Tiling {
    /// The picture once: at 896 pixels on its longer side (a smaller one enlarged, at most three
    /// times) or, for a network of a fixed size, fitted into that.
    Whole,
    /// The picture at 896 pixels on its longer side (a smaller one enlarged, at most three times),
    /// and at a third, a ninth .. of that, where large things are found. Cost: 1.11 times `Whole`.
    #[default]
    Auto,
    /// The picture at its full size, in tiles of at most 1024 pixels, and at a third, a ninth .. of
    /// that. Cost: for 1280x720 about 2.3 times `Auto`, and in proportion to its pixels.
    Full,
}

/// What a [`Detector`](crate::Detector) reports.
///
/// ```
/// use parkq_core::{DetectorOptions, Scores, Tiling};
/// let options = DetectorOptions::default().min_score(Scores::all(0.3)).tiling(Tiling::Whole);
/// assert_eq!(options.min_score.face, 0.3);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DetectorOptions {
    /// What scores less is not reported. Default: [`Scores::default`].
    pub min_score: Scores,
    /// Of two boxes of one label whose intersection is more than this share of their union, the
    /// lower one is dropped; 0..=1. An [`Anonymizer`](crate::Anonymizer) takes at least the
    /// default, and 0.8 for persons, who stand before one another. Default: 0.5.
    pub max_overlap: f32,
    /// Of more detections than this the best are reported; 1..=100,000. An
    /// [`Anonymizer`](crate::Anonymizer) takes all. Default: 2,000.
    pub max_detections: usize,
    /// How the picture is looked at. With a lot its geometry decides which parts are, and whether
    /// at up to twice that scale, unless this is [`Tiling::Whole`]. Default: [`Tiling::Auto`].
    pub tiling: Tiling,
    /// On how many threads levels and tiles are looked at, with the feature `threads`; 0 is one
    /// for each processor. Default: 1.
    pub threads: usize,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            min_score: Scores::default(),
            max_overlap: 0.5,
            max_detections: 2_000,
            tiling: Tiling::Auto,
            threads: 1,
        }
    }
}

setters! {
    DetectorOptions {
        min_score: Scores = "Scores::all(0.2)",
        max_overlap: f32 = "0.6",
        max_detections: usize = "100",
        tiling: Tiling = "Tiling::Full",
        threads: usize = "0",
    }
}

impl DetectorOptions {
    pub(super) fn check(&self) -> Result<()> {
        self.min_score.check()?;
        options::check([
            ("max_overlap", self.max_overlap.into(), 0.0..=1.0, "0..=1"),
            ("max_detections", self.max_detections as f64, 1.0..=100_000.0, "1..=100000"),
        ])
    }
}
