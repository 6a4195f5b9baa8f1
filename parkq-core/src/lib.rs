#![forbid(unsafe_code)]
#![doc = include_str!("../MANUAL.md")]

mod anonymize;
#[cfg(feature = "image")]
mod codec;
mod detect;
mod engine;
mod error;
mod frame;
mod geometry;
mod occupancy;
mod options;
mod pipeline;

pub use anonymize::{Cause, Fill, Redacted, Redaction, Redactions};
pub use detect::{Detection, Label, Scores};
pub use error::{DecodeError, Error, FrameError, LotError, Result};
#[cfg(feature = "image")]
pub use frame::DecodeLimits;
pub use frame::{Frame, FrameMut, Input, Matrix, PixelFormat, Plane, PlaneMut, Range, RawFrame};
pub use geometry::{Point, Quad, Rect};
pub use occupancy::{
    Estimator, EstimatorOptions, Imported, Lot, ModelInfo, Occupancy, Reading, Space, State,
    Unknown,
};
pub use pipeline::{Outcome, Pipeline, Stage};
