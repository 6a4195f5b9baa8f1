//! The detector and what it finds.

use std::sync::Arc;

use parkq_core::{DetectorOptions, Label, ModelSpec, Rect, Scores, Tiling};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::error::{option, raise, whole};
use crate::lot::Lot;
use crate::occupancy::{ModelInfo, set, word};
use crate::picture::{Picture, Pixels};

/// A rect as Python gets it: x, y, width, height, pixels.
pub(crate) type Xywh = (f32, f32, f32, f32);

pub(crate) fn xywh(rect: Rect) -> Xywh {
    (rect.x, rect.y, rect.width, rect.height)
}

/// An option as its author wrote it: 0.4 and not 0.4000000059604645.
pub(crate) fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Writes a rect's four numbers into a row of a table.
pub(crate) fn set_rect(row: &Bound<'_, PyDict>, rect: Rect) -> PyResult<()> {
    row.set_item("x", rect.x)?;
    row.set_item("y", rect.y)?;
    row.set_item("width", rect.width)?;
    row.set_item("height", rect.height)
}

/// One score for all labels, or a dict with some of them.
pub(crate) fn scores(scores: &mut Scores, given: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(given) = given else { return Ok(()) };
    let Ok(by_label) = given.cast::<PyMapping>() else {
        let all: f32 = given.extract()?;
        (scores.vehicle, scores.person, scores.plate, scores.face) = (all, all, all, all);
        return Ok(());
    };
    for item in by_label.items()? {
        let (label, score): (String, f32) = item.extract()?;
        match Label::ALL.into_iter().find(|l| l.to_string() == label) {
            Some(Label::Vehicle) => scores.vehicle = score,
            Some(Label::Person) => scores.person = score,
            Some(Label::Plate) => scores.plate = score,
            Some(Label::Face) => scores.face = score,
            _ => return Err(option("label", &label, "vehicle, person, plate, face")),
        }
    }
    Ok(())
}

/// The scores as a dict by label.
pub(crate) fn scores_dict<'py>(py: Python<'py>, scores: &Scores) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    all.set_item("vehicle", short(scores.vehicle))?;
    all.set_item("person", short(scores.person))?;
    all.set_item("plate", short(scores.plate))?;
    all.set_item("face", short(scores.face))?;
    Ok(all)
}

/// One thing that was found.
///
/// `pandas.DataFrame(d.to_dict() for d in detections)` is a table of them.
///
/// Example:
///     >>> best = parkq.Detector().detect(parkq.demo_picture())[0]
///     >>> list(best.to_dict())
///     ['label', 'score', 'x', 'y', 'width', 'height']
#[pyclass(frozen, eq, module = "parkq")]
#[derive(Clone, PartialEq)]
pub(crate) struct Detection(pub(crate) parkq_core::Detection);

#[pymethods]
impl Detection {
    /// What it is: "vehicle", "person", "plate" or "face".
    #[getter]
    fn label(&self) -> String {
        word(&self.0.label)
    }

    /// How sure the detector is, 0 to 1.
    #[getter]
    fn score(&self) -> f32 {
        self.0.score
    }

    /// Where: (x, y, width, height) in the picture's pixels, origin top left.
    #[getter]
    fn rect(&self) -> Xywh {
        xywh(self.0.rect)
    }

    /// A row of a table: label, score, x, y, width, height.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let row = PyDict::new(py);
        row.set_item("label", self.label())?;
        row.set_item("score", self.0.score)?;
        set_rect(&row, self.0.rect)?;
        Ok(row)
    }

    fn __repr__(&self) -> String {
        let Rect { x, y, width, height } = self.0.rect;
        let (label, score) = (self.0.label, self.0.score);
        format!(
            "<parkq.Detection {label} {score:.2} at ({x:.1}, {y:.1}), {width:.1} x {height:.1}>"
        )
    }
}

/// Finds vehicles, persons, plates and faces. It keeps nothing of a picture between calls, and
/// any number of threads may share it. The first picture of a new size takes longer.
///
/// Args:
///     model: An ONNX file's bytes instead of the bundled model.
///     model_name: The name of that model in results. Default: "own".
///     spec: What that model's input and output mean, as JSON: see the example. "convention" is
///         "yolox", "yolov5", "yolov8", "nanodet", "centernet", "ssd" or "cells"; the core's
///         manual, under `ModelSpec`, has every field.
///     min_score: What scores less is not reported: one number for all, or a dict by label; 0 to
///         1. Default: vehicle 0.2, person 0.35, plate 0.15, face 0.1.
///     max_overlap: Of two boxes of one label whose intersection is more than this share of their
///         union, the lower one is dropped; 0 to 1. Default: 0.5.
///     max_detections: Of more detections than this the best are reported; 1 to 100,000.
///         Default: 2000.
///     tiling: How closely is looked: "whole", "auto" or "full". Default: "auto".
///     threads: On how many threads; 0 is one for each processor. Default: 1.
///
/// Raises:
///     OptionError: for an option outside its range.
///     ModelError: for a model that is not what its spec says, or none.
///
/// Example:
///     >>> detector = parkq.Detector(min_score={"plate": 0.5}, tiling="whole")
///     >>> vehicles = [d for d in detector.detect(parkq.demo_picture()) if d.label == "vehicle"]
///     
///     A model of your own, a YOLOv8 of COCO's 80 classes:
///     
///     >>> spec = '''{
///     ...     "input": {"size": {"fixed": [640, 640]}, "std": [255, 255, 255]},
///     ...     "classes": 80,
///     ...     "labels": {"0": "person", "2": "vehicle", "5": "vehicle", "7": "vehicle"},
///     ...     "output": {"convention": "yolov8"}
///     ... }'''
///     >>> parkq.Detector(model=b"the ONNX file", spec=spec)
///     Traceback (most recent call last):
///         ...
///     parkq.ModelError: model: ...
#[pyclass(frozen, module = "parkq")]
pub(crate) struct Detector(pub(crate) Arc<parkq_core::Detector>);

#[pymethods]
impl Detector {
    #[new]
    #[pyo3(signature = (
        *, model = None, model_name = "own", spec = None, min_score = None, max_overlap = None,
        max_detections = None, tiling = None, threads = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's options are keyword arguments")]
    fn new(
        py: Python<'_>,
        model: Option<&[u8]>,
        model_name: &str,
        spec: Option<&str>,
        min_score: Option<&Bound<'_, PyAny>>,
        max_overlap: Option<f32>,
        max_detections: Option<&Bound<'_, PyAny>>,
        tiling: Option<&str>,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut options = DetectorOptions::default();
        scores(&mut options.min_score, min_score)?;
        set(&mut options.max_overlap, max_overlap);
        let most = max_detections.map(|n| whole("max_detections", n, "1..=100000"));
        set(&mut options.max_detections, most.transpose()?);
        if let Some(tiling) = tiling {
            let all = [Tiling::Whole, Tiling::Auto, Tiling::Full];
            let known = all.into_iter().find(|t| word(t) == tiling);
            options.tiling = known.ok_or_else(|| option("tiling", tiling, "whole, auto, full"))?;
        }
        set(&mut options.threads, threads.map(|n| whole("threads", n, "0..")).transpose()?);
        let detector = match (model, spec) {
            (Some(onnx), Some(spec)) => {
                let spec = ModelSpec::from_json(spec).map_err(raise)?;
                py.detach(|| parkq_core::Detector::from_onnx(model_name, onnx, spec, options))
            }
            (None, None) => py.detach(|| parkq_core::Detector::with_options(options)),
            (given, _) => {
                let given = if given.is_some() { "model" } else { "spec" };
                return Err(option("model and spec", given, "both or neither"));
            }
        };
        Ok(Self(Arc::new(detector.map_err(raise)?)))
    }

    /// Finds what is in a picture.
    ///
    /// Args:
    ///     image: As `parkq` says under "Pictures"; or an AnonymizedFrame.
    ///     lot: The lot that the camera sees: its geometry says how large things are, where.
    ///     format: How an array's pixels lie.
    ///     matrix: Of Y'CbCr formats: "bt601" or "bt709".
    ///     range: Of Y'CbCr formats: "limited" or "full".
    ///
    /// Returns:
    ///     The detections, the surest first.
    #[pyo3(signature = (image, *, lot = None, format = "rgb", matrix = "bt601", range = "limited"))]
    fn detect(
        &self,
        image: &Bound<'_, PyAny>,
        lot: Option<&Lot>,
        format: &str,
        matrix: &str,
        range: &str,
    ) -> PyResult<Vec<Detection>> {
        let picture = Picture::new(image, &Pixels::new(format, matrix, range)?)?;
        let input = picture.input()?;
        let found = image.py().detach(|| match lot {
            Some(lot) => self.0.detect_on(input, &lot.0),
            None => self.0.detect(input),
        });
        Ok(found.map_err(raise)?.into_iter().map(Detection).collect())
    }

    /// The model that it looks with.
    #[getter]
    fn model(&self) -> ModelInfo {
        self.0.model().into()
    }

    /// The options that are in force.
    #[getter]
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (all, options) = (PyDict::new(py), self.0.options());
        all.set_item("min_score", scores_dict(py, &options.min_score)?)?;
        all.set_item("max_overlap", short(options.max_overlap))?;
        all.set_item("max_detections", options.max_detections)?;
        all.set_item("tiling", word(&options.tiling))?;
        all.set_item("threads", options.threads)?;
        Ok(all)
    }

    fn __repr__(&self) -> String {
        format!("<parkq.Detector {}>", self.0.model().name)
    }
}
