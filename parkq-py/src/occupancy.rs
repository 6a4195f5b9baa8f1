//! The estimator and what it says.

use std::sync::Arc;

use parkq_core::EstimatorOptions;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use crate::detect::Detection;
use crate::error::{option, raise, whole};
use crate::lot::Lot;
use crate::picture::{Picture, Pixels};

/// A serialisable value as Python's dicts, lists, numbers and strings.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    value: &impl Serialize,
) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_string(value).map_err(|e| PyValueError::new_err(e.to_string()))?;
    py.import("json")?.call_method1("loads", (json,))
}

/// The word that stands for a value in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Which model gave a result.
///
/// Example:
///     >>> len(parkq.Detector().model.sha256)
///     64
#[pyclass(frozen, get_all, eq, hash, module = "parkq")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ModelInfo {
    /// Its name.
    name: String,
    /// SHA-256 of its ONNX file, hexadecimal.
    sha256: String,
}

impl From<&parkq_core::ModelInfo> for ModelInfo {
    fn from(info: &parkq_core::ModelInfo) -> Self {
        Self { name: info.name.clone(), sha256: info.sha256.clone() }
    }
}

#[pymethods]
impl ModelInfo {
    fn __repr__(&self) -> String {
        format!("parkq.ModelInfo(name={:?}, sha256={:?})", self.name, self.sha256)
    }
}

/// One space in one frame.
///
/// Example:
///     >>> lot = parkq.Lot.from_json(parkq.demo_lot())
///     >>> reading = parkq.Estimator(lot).occupancy(parkq.demo_picture()).readings[0]
///     >>> reading.id, reading.state in ("free", "occupied", "unknown")
///     ('A1', True)
#[pyclass(frozen, eq, module = "parkq")]
#[derive(Clone, PartialEq)]
pub(crate) struct Reading(parkq_core::Reading);

#[pymethods]
impl Reading {
    /// The space's id.
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    /// What is known of it: "free", "occupied", "unknown" or "closed".
    #[getter]
    fn state(&self) -> String {
        word(&self.0.state)
    }

    /// The calibrated probability that it is occupied, 0 to 1; None where it could not be
    /// read (closed, masked, blank, redacted).
    #[getter]
    fn probability(&self) -> Option<f64> {
        self.0.probability
    }

    /// Pixels per metre where it lies.
    #[getter]
    fn pixels_per_metre(&self) -> f64 {
        self.0.pixels_per_metre
    }

    /// Why its state is unknown, if it is: "masked", "too_small", "unsure", "blank" (the picture
    /// shows nothing there) or "redacted" (it seems free, but was destroyed with a whole vehicle).
    #[getter]
    fn unknown(&self) -> Option<String> {
        self.0.unknown.as_ref().map(word)
    }

    /// Every field, None included: a row of a table.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let row = PyDict::new(py);
        row.set_item("id", self.id())?;
        row.set_item("state", self.state())?;
        row.set_item("probability", self.probability())?;
        row.set_item("pixels_per_metre", self.pixels_per_metre())?;
        row.set_item("unknown", self.unknown())?;
        Ok(row)
    }

    fn __repr__(&self) -> String {
        let probability = self.0.probability.map(|p| format!(" {p:.3}")).unwrap_or_default();
        let why = self.unknown().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("<parkq.Reading {:?} {}{probability}{why}>", self.0.id, self.0.state)
    }
}

/// All readings of one frame, in the order of the lot's spaces.
///
/// `pandas.DataFrame(occupancy.records())` is a table of them.
///
/// Example:
///     >>> lot = parkq.Lot.from_json(parkq.demo_lot())
///     >>> occupancy = parkq.Estimator(lot).occupancy(parkq.demo_picture())
///     >>> sum(occupancy.count(s) for s in ("free", "occupied", "unknown", "closed"))
///     30
///     >>> list(occupancy.records()[0])
///     ['id', 'state', 'probability', 'pixels_per_metre', 'unknown']
#[pyclass(frozen, module = "parkq")]
pub(crate) struct Occupancy {
    inner: parkq_core::Occupancy,
    lot: Lot,
    /// The frame's width over its height.
    aspect: f64,
}

impl Occupancy {
    pub(crate) fn new(inner: parkq_core::Occupancy, lot: Lot, (width, height): (u32, u32)) -> Self {
        Self { inner, lot, aspect: f64::from(width) / f64::from(height) }
    }
}

#[pymethods]
impl Occupancy {
    /// One reading for each space of the lot, in its order.
    #[getter]
    fn readings(&self) -> Vec<Reading> {
        self.inner.readings().iter().cloned().map(Reading).collect()
    }

    /// The model that read them.
    #[getter]
    fn model(&self) -> ModelInfo {
        self.inner.model().into()
    }

    /// The model that had a second look at those of which the first was unsure; None without one.
    #[getter]
    fn second_look(&self) -> Option<ModelInfo> {
        self.inner.second_look().map(Into::into)
    }

    /// The lot that was read.
    #[getter]
    fn lot(&self) -> Lot {
        self.lot.clone()
    }

    /// How many spaces are free.
    #[getter]
    fn free(&self) -> usize {
        self.inner.free()
    }

    /// How many spaces are occupied.
    #[getter]
    fn occupied(&self) -> usize {
        self.inner.occupied()
    }

    /// How many spaces are in a state: "free", "occupied", "unknown" or "closed".
    fn count(&self, state: &str) -> PyResult<usize> {
        use parkq_core::State::{Closed, Free, Occupied, Unknown};
        let known = [Free, Occupied, Unknown, Closed].into_iter().find(|s| word(s) == state);
        let wrong = || option("state", state, "free, occupied, unknown, closed");
        Ok(self.inner.count(known.ok_or_else(wrong)?))
    }

    /// A 95 % interval (least, most) for the number of occupied spaces, among those that were
    /// read.
    #[getter]
    fn occupied_interval(&self) -> (usize, usize) {
        self.inner.occupied_interval().into_inner()
    }

    /// One dict for each space, every field in it.
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.inner.readings().iter().map(|r| Reading(r.clone()).to_dict(py)).collect()
    }

    /// The versioned record, which `json_schema()` describes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.inner)
    }

    /// The JSON Schema (draft 2020-12) of the record.
    #[staticmethod]
    fn json_schema() -> &'static str {
        parkq_core::Occupancy::json_schema()
    }

    /// The versioned record as JSON.
    fn to_json(&self) -> String {
        self.inner.to_json()
    }

    /// The lot as a plan in SVG: every space by its state, no pixel of the picture.
    fn to_svg(&self) -> String {
        self.inner.to_svg(&self.lot.0, self.aspect)
    }

    fn __len__(&self) -> usize {
        self.inner.readings().len()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.inner == other.inner
    }

    fn __repr__(&self) -> String {
        let (from, to) = self.occupied_interval();
        let count = |state| self.inner.count(state);
        format!(
            "<parkq.Occupancy {} free, {} occupied ({from} to {to}), {} unknown, {} closed>",
            self.free(),
            self.occupied(),
            count(parkq_core::State::Unknown),
            count(parkq_core::State::Closed),
        )
    }

    fn _repr_svg_(&self) -> String {
        self.to_svg()
    }

    pub(crate) fn _repr_html_(&self) -> String {
        let words = self.__repr__();
        let words = words.trim_matches(['<', '>']).trim_start_matches("parkq.Occupancy ");
        format!(
            "<figure style=\"max-width: 50em\"><figcaption>{words}</figcaption>{}</figure>",
            self.to_svg()
        )
    }
}

/// Reads which spaces of a lot are taken. It keeps nothing of a frame between calls, and any
/// number of threads may share it; it releases the interpreter's lock while it works.
///
/// Args:
///     lot: Which spaces the camera sees.
///     model: An ONNX file's bytes instead of the bundled model: input f32 (1, 4, 80, 80), output
///         f32 (1, 1), as the core's manual says.
///     model_name: The name of that model in results. Default: "own".
///     free_below: A space whose probability is below this is free; 0 to 1, at most
///         `occupied_above`. Default: 0.1053.
///     occupied_above: A space whose probability is at least this is occupied; 0 to 1.
///         Default: 0.8947.
///     dispersion: How much the variance of the count exceeds that of independent errors, 1 to
///         100. Default: 1.0.
///     min_side: A space whose quad's short side has fewer pixels than this is unknown; 0 to
///         1000. Default: 8.0.
///     max_masked: A space of which privacy masks cover more than this share is unknown; 0 to 1.
///         Default: 0.25.
///     second_look: Whether the bundled detector looks for a vehicle where the bundled classifier
///         is unsure, about one space in ten. Default: True.
///     threads: On how many threads spaces are read; 0 is one for each processor. Default: 0.
///
/// Raises:
///     OptionError: for an option outside its range.
///     ModelError: for a model of another shape, or none.
///
/// Example:
///     >>> import numpy as np
///     >>> estimator = parkq.Estimator(parkq.Lot.from_json(parkq.demo_lot()), occupied_above=0.9)
///     >>> frame = np.zeros((1080 * 3 // 2, 1920), np.uint8)  # as a camera hands it over
///     >>> len(estimator.occupancy(frame, format="nv12"))
///     30
#[pyclass(frozen, module = "parkq")]
pub(crate) struct Estimator {
    pub(crate) inner: Arc<parkq_core::Estimator>,
    pub(crate) lot: Lot,
}

#[pymethods]
impl Estimator {
    #[new]
    #[pyo3(signature = (
        lot, *, model = None, model_name = "own", free_below = None, occupied_above = None,
        dispersion = None, min_side = None, max_masked = None, second_look = None,
        threads = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's options are keyword arguments")]
    fn new(
        py: Python<'_>,
        lot: &Lot,
        model: Option<&[u8]>,
        model_name: &str,
        free_below: Option<f64>,
        occupied_above: Option<f64>,
        dispersion: Option<f64>,
        min_side: Option<f64>,
        max_masked: Option<f64>,
        second_look: Option<bool>,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut options = EstimatorOptions::default();
        set(&mut options.free_below, free_below);
        set(&mut options.occupied_above, occupied_above);
        set(&mut options.dispersion, dispersion);
        set(&mut options.min_side, min_side);
        set(&mut options.max_masked, max_masked);
        set(&mut options.second_look, second_look);
        set(&mut options.threads, threads.map(|n| whole("threads", n, "0..")).transpose()?);
        let inner = py.detach(|| match model {
            Some(onnx) => parkq_core::Estimator::from_onnx(model_name, onnx, lot.core(), options),
            None => parkq_core::Estimator::with_options(lot.core(), options),
        });
        Ok(Self { inner: Arc::new(inner.map_err(raise)?), lot: lot.clone() })
    }

    /// Reads every space of the lot in one picture.
    ///
    /// Args:
    ///     image: As `parkq` says under "Pictures": a uint8 array, a PIL image, or the bytes of a
    ///         JPEG, PNG or WebP; or an AnonymizedFrame, of which it is known what was destroyed.
    ///     format: How an array's pixels lie: "rgb", "bgr", "rgba", "bgra", "gray", "nv12",
    ///         "nv21", "i420" or "yuyv".
    ///     matrix: Of Y'CbCr formats: "bt601" or "bt709".
    ///     range: Of Y'CbCr formats: "limited" or "full".
    ///     vehicles: What a detector has found in the same picture. A vehicle whose box stands on
    ///         a space adds 1 and 0.7 times the log-odds of its score (0.99 at most) to the
    ///         log-odds that the space is occupied; of several the surest counts. None there, or
    ///         one that scores less than 0.04, takes 1.2 away; other labels are not looked at.
    ///         None: the bundled detector looks where the bundled classifier is unsure.
    ///
    /// Raises:
    ///     FrameError: for an array of another type or shape.
    ///     DecodeError: for bytes that cannot be decoded.
    #[pyo3(signature = (
        image, *, format = "rgb", matrix = "bt601", range = "limited", vehicles = None,
    ))]
    fn occupancy(
        &self,
        image: &Bound<'_, PyAny>,
        format: &str,
        matrix: &str,
        range: &str,
        vehicles: Option<Vec<PyRef<'_, Detection>>>,
    ) -> PyResult<Occupancy> {
        let py = image.py();
        let vehicles: Option<Vec<_>> = vehicles.map(|all| all.iter().map(|v| v.0).collect());
        let picture = Picture::new(image, &Pixels::new(format, matrix, range)?)?;
        let input = picture.input()?;
        let read = || match &vehicles {
            Some(vehicles) => self.inner.occupancy_with(input, vehicles),
            None => self.inner.occupancy(input),
        };
        let occupancy = py.detach(read).map_err(raise)?;
        Ok(Occupancy::new(occupancy, self.lot.clone(), picture.size()))
    }

    /// The lot that it reads.
    #[getter]
    fn lot(&self) -> Lot {
        self.lot.clone()
    }

    /// The model that it reads with.
    #[getter]
    fn model(&self) -> ModelInfo {
        self.inner.model().into()
    }

    /// The options that are in force.
    #[getter]
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (all, options) = (PyDict::new(py), self.inner.options());
        all.set_item("free_below", options.free_below)?;
        all.set_item("occupied_above", options.occupied_above)?;
        all.set_item("dispersion", options.dispersion)?;
        all.set_item("min_side", options.min_side)?;
        all.set_item("max_masked", options.max_masked)?;
        all.set_item("second_look", options.second_look)?;
        all.set_item("threads", options.threads)?;
        Ok(all)
    }

    fn __repr__(&self) -> String {
        let (spaces, model) = (self.lot.0.spaces().len(), &self.inner.model().name);
        format!("<parkq.Estimator {spaces} spaces, {model}>")
    }
}

/// Sets an option that was given.
pub(crate) fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}
