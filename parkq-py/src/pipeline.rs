//! The whole way of a frame.

use parkq_core::{EstimatorOptions, PipelineOptions};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::anonymize::{AnonymizedFrame, Anonymizer, Redacted, list};
use crate::error::raise;
use crate::lot::Lot;
use crate::occupancy::{Estimator, Occupancy};
use crate::picture::{Lent, Picture, Pixels};

/// What a pipeline leaves of a frame: states and counts, and an anonymized picture if asked for.
///
/// Example:
///     >>> lot = parkq.Lot.from_json(parkq.demo_lot())
///     >>> outcome = parkq.Pipeline(lot).process(parkq.demo_picture())
///     >>> outcome.picture is None, sorted(outcome.to_dict())
///     (True, ['occupancy', 'redactions'])
#[pyclass(frozen, get_all, module = "parkq")]
pub(crate) struct Outcome {
    /// Which spaces are taken.
    occupancy: Py<Occupancy>,
    /// The anonymized picture, if the pipeline keeps it.
    picture: Option<Py<AnonymizedFrame>>,
    /// The regions that were destroyed.
    redactions: Vec<Redacted>,
}

#[pymethods]
impl Outcome {
    /// The occupancy's record, and the redactions.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        all.set_item("occupancy", self.occupancy.bind(py).call_method0("to_dict")?)?;
        let rows = self.redactions.iter().map(|r| r.to_dict(py)).collect::<PyResult<Vec<_>>>()?;
        all.set_item("redactions", PyList::new(py, rows)?)?;
        Ok(all)
    }

    fn _repr_html_(&self) -> String {
        self.occupancy.get()._repr_html_()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (occupancy, regions) = (self.occupancy.bind(py).repr()?, self.redactions.len());
        let picture = if self.picture.is_some() { ", with its picture" } else { "" };
        Ok(format!("<parkq.Outcome {occupancy}, {regions} regions destroyed{picture}>"))
    }
}

/// The whole way of a frame: the lot's privacy masks are burnt in, people and plates are
/// destroyed, the spaces are read, the picture is wiped.
///
/// Args:
///     reader: A `Lot`, which the bundled model reads, or an `Estimator`.
///     anonymizer: What destroys people and plates, here on the reader's lot. Default:
///         `Anonymizer()`.
///     keep_picture: Whether the anonymized picture is handed out. Default: False.
///
/// Raises:
///     LotError: for an anonymizer of another lot, with privacy masks that the reader's lacks.
///
/// Example:
///     >>> lot = parkq.Lot.from_json(parkq.demo_lot())
///     >>> pipeline = parkq.Pipeline(parkq.Estimator(lot, threads=1), keep_picture=True)
///     >>> pipeline.process(parkq.demo_picture()).picture.width
///     1280
#[pyclass(frozen, module = "parkq")]
pub(crate) struct Pipeline {
    inner: parkq_core::Pipeline,
    lot: Lot,
}

#[pymethods]
impl Pipeline {
    #[new]
    #[pyo3(signature = (reader, anonymizer = None, *, keep_picture = false))]
    fn new(
        reader: &Bound<'_, PyAny>,
        anonymizer: Option<&Anonymizer>,
        keep_picture: bool,
    ) -> PyResult<Self> {
        let py = reader.py();
        let (lot, estimator) = if let Ok(lot) = reader.cast::<Lot>() {
            let lot = lot.get().clone();
            // The bundled anonymizer's detector will have looked already.
            let options = EstimatorOptions::default().second_look(anonymizer.is_some());
            let load = || parkq_core::Estimator::with_options(lot.core(), options);
            let estimator = py.detach(load);
            (lot, estimator.map_err(raise)?.into())
        } else if let Ok(estimator) = reader.cast::<Estimator>() {
            let estimator = estimator.get();
            (estimator.lot.clone(), estimator.inner.clone())
        } else {
            let kind = reader.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a Lot or an Estimator is needed, not {kind}"
            )));
        };
        let anonymizer = match anonymizer {
            Some(anonymizer) => anonymizer.0.clone(),
            None => py.detach(parkq_core::Anonymizer::bundled).map_err(raise)?,
        };
        let options = PipelineOptions::default().keep_picture(keep_picture);
        let inner = parkq_core::Pipeline::new(estimator, anonymizer, options).map_err(raise)?;
        Ok(Self { inner, lot })
    }

    /// Says which spaces are taken.
    ///
    /// Args:
    ///     image: As `parkq` says under "Pictures". It is only read, unless `inplace`.
    ///     inplace: Anonymize `image` itself, a writable C-contiguous array (or a tuple of them);
    ///         should the work on it fail, all of it is filled; an array, or an argument, that is
    ///         refused is not. `Outcome.picture`, if it is kept, is a copy.
    ///     format: How an array's pixels lie.
    ///     matrix: Of Y'CbCr formats: "bt601" or "bt709".
    ///     range: Of Y'CbCr formats: "limited" or "full".
    #[pyo3(signature = (
        image, *, inplace = false, format = "rgb", matrix = "bt601", range = "limited",
    ))]
    fn process(
        &self,
        image: &Bound<'_, PyAny>,
        inplace: bool,
        format: &str,
        matrix: &str,
        range: &str,
    ) -> PyResult<Outcome> {
        let (py, pixels) = (image.py(), Pixels::new(format, matrix, range)?);
        let (outcome, size) = if inplace {
            let mut lent = Lent::new(image, &pixels)?;
            let size = lent.size();
            let frame = lent.frame()?;
            (py.detach(|| self.inner.process_in_place(frame)).map_err(raise)?, size)
        } else {
            let picture = Picture::new(image, &pixels)?;
            let size = picture.size();
            let raw = picture.into_raw()?;
            (py.detach(|| self.inner.process(raw)).map_err(raise)?, size)
        };
        let occupancy = Occupancy::new(outcome.occupancy, self.lot.clone(), size);
        let picture = outcome.picture.map(|picture| Py::new(py, AnonymizedFrame(picture)));
        Ok(Outcome {
            occupancy: Py::new(py, occupancy)?,
            picture: picture.transpose()?,
            redactions: list(&outcome.redactions),
        })
    }

    /// The lot that it reads.
    #[getter]
    fn lot(&self) -> Lot {
        self.lot.clone()
    }

    fn __repr__(&self) -> String {
        format!("<parkq.Pipeline {} spaces>", self.lot.0.spaces().len())
    }
}
