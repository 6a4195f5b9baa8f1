//! Vehicles, persons, plates and faces in a picture.

mod detection;

pub use detection::{Detection, Label};
