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
mod input;
mod occupancy;
mod options;
mod pipeline;
mod resample;
mod threads;

pub use anonymize::{
    Anonymized, AnonymizedFrame, Anonymizer, Cause, Fallback, Fill, Policy, Redacted, RedactedPart,
    Redaction, Redactions, Stream, StreamOptions,
};
#[cfg(feature = "image")]
pub use codec::DecodeLimits;
pub use detect::{
    BoxFormat, Colour, Convention, Detection, Detector, DetectorOptions, InputSize, InputSpec,
    Label, Layout, ModelSpec, Resize, Scores, Tiling,
};
pub use engine::ModelInfo;
pub use error::{DecodeError, Error, FrameError, LotError, Result};
pub use frame::{Frame, FrameMut, Matrix, PixelFormat, Plane, PlaneMut, Range, RawFrame};
pub use geometry::{Point, Quad, Rect};
pub use input::Input;
pub use occupancy::{
    Estimator, EstimatorOptions, Imported, Lot, Occupancy, Reading, Space, State, Unknown,
};
pub use pipeline::{Outcome, Pipeline, PipelineOptions, Stage};
