//! Which spaces are taken.

mod count;
mod crop;
mod estimator;
pub(crate) mod import;
mod lot;
mod plan;
mod reading;

pub use estimator::{Estimator, EstimatorOptions};
pub use import::Imported;
pub use lot::{Lot, Space};
pub use reading::{Occupancy, Reading, State, Unknown};
