#![forbid(unsafe_code)]
//! parkq for Python: it converts and forwards; all logic is in `parkq-core`.

mod anonymize;
mod demo;
mod detect;
mod error;
mod geometry;
mod lot;
mod occupancy;
mod picture;
mod pipeline;

/// Memory that Rust frees is wiped: tensors and decoders' buffers too.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// What `import parkq` is made of; the Python package gives it its names and its manual.
#[pyo3::pymodule]
mod _parkq {
    #[pymodule_export]
    use crate::anonymize::{AnonymizedFrame, Anonymizer, Redacted, RedactedPart, Stream};
    #[pymodule_export]
    use crate::demo::{demo_lot, demo_picture};
    #[pymodule_export]
    use crate::detect::{Detection, Detector};
    #[pymodule_export]
    use crate::geometry::row;
    #[pymodule_export]
    use crate::lot::{Imported, Lot, Space};
    #[pymodule_export]
    use crate::occupancy::{Estimator, ModelInfo, Occupancy, Reading};
    #[pymodule_export]
    use crate::pipeline::{Outcome, Pipeline};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
