//! What one frame may know of those before it.

use super::redaction::{Levels, Region};
use crate::frame::Frame;

/// What is known of the frames before.
pub(crate) trait History {
    /// Adds regions of earlier frames to those of this one.
    fn extend(&mut self, _picture: &Frame<'_>, _regions: &mut Vec<Region>) {}

    /// The levels of the first mosaic that was made of what these parts of a region hide.
    fn first(&self, _parts: &[Region]) -> Option<Levels> {
        None
    }

    /// A mosaic that was made, with its levels.
    fn remember(&mut self, _parts: &[Region], _levels: Levels) {}
}

/// A single picture has none.
pub(crate) struct NoHistory;

impl History for NoHistory {}
