//! Vehicles, persons, plates and faces in a picture.

mod detection;
mod scores;

pub use detection::{Detection, Label};
pub use scores::Scores;
