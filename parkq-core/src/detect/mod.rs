//! Vehicles, persons, plates and faces in a picture.

mod decode;
mod detection;
mod detector;
mod nms;
mod options;
mod scale;
mod scores;
mod second;
mod spec;
mod views;

pub use detection::{Detection, Label};
pub use detector::Detector;
pub(crate) use nms::share_of_smaller;
pub use options::{DetectorOptions, Tiling};
pub(crate) use scale::Scale;
pub use scores::Scores;
pub use spec::{BoxFormat, Colour, Convention, InputSize, InputSpec, Layout, ModelSpec, Resize};
