//! The anonymizer, a camera's stream, and the pictures that come out of them.

use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods};
use parkq_core::{
    Fallback, Fill, FrameMut, Policy, RawFrame, Redaction, Redactions, StreamOptions,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::detect::{Detector, Xywh, scores, scores_dict, set_rect, short, xywh};
use crate::error::{option, raise, whole};
use crate::lot::Lot;
use crate::occupancy::{set, word};
use crate::picture::{Lent, Picture, Pixels, anonymized, format_word, shape};

/// One region whose pixels were destroyed: a rectangle, or several that overlap or touch.
///
/// `pandas.DataFrame(r.to_dict() for r in redactions)` is a table of them.
///
/// Example:
///     >>> sky = [(0, 0), (1, 0), (1, 0.2), (0, 0.2)]
///     >>> anonymizer = parkq.Anonymizer(lot=parkq.Lot(masks=[sky]))
///     >>> anonymizer.anonymize_frame(parkq.demo_picture()).redactions[0]
///     <parkq.Redacted region (mask) at (0, 0), 1280 x 160>
#[pyclass(frozen, eq, module = "parkq")]
#[derive(Clone, PartialEq)]
pub(crate) struct Redacted(parkq_core::Redacted);

#[pymethods]
impl Redacted {
    /// What it hides ("vehicle", "person", "plate", "face"), or None if that is not known.
    #[getter]
    fn label(&self) -> Option<String> {
        self.0.label.as_ref().map(word)
    }

    /// Why: "detected", "fallback", "mask" or "remembered".
    #[getter]
    fn cause(&self) -> String {
        word(&self.0.cause)
    }

    /// The rectangle round it: (x, y, width, height) in the picture's pixels, origin top left.
    /// What overlaps or touches is one region, which need not fill it.
    #[getter]
    fn rect(&self) -> Xywh {
        xywh(self.0.rect)
    }

    /// The most that can be learned of what was there, bits.
    #[getter]
    fn leak_bits(&self) -> f64 {
        self.0.leak_bits
    }

    /// What it was merged from, one or more: together they are what was destroyed.
    #[getter]
    fn parts(&self) -> Vec<RedactedPart> {
        self.0.parts.iter().copied().map(RedactedPart).collect()
    }

    /// A row of a table: label, cause, leak_bits, x, y, width, height.
    pub(crate) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let row = PyDict::new(py);
        row.set_item("label", self.label())?;
        row.set_item("cause", self.cause())?;
        row.set_item("leak_bits", self.0.leak_bits)?;
        set_rect(&row, self.0.rect)?;
        Ok(row)
    }

    fn __repr__(&self) -> String {
        shown("Redacted", self.label(), &self.cause(), self.rect())
    }
}

/// One rectangle of a region, and what asked for it.
///
/// Example:
///     >>> sky = [(0, 0), (1, 0), (1, 0.2), (0, 0.2)]
///     >>> anonymizer = parkq.Anonymizer(lot=parkq.Lot(masks=[sky]))
///     >>> anonymizer.anonymize_frame(parkq.demo_picture()).redactions[0].parts
///     [<parkq.RedactedPart region (mask) at (0, 0), 1280 x 160>]
#[pyclass(frozen, eq, module = "parkq")]
#[derive(Clone, PartialEq)]
pub(crate) struct RedactedPart(parkq_core::RedactedPart);

#[pymethods]
impl RedactedPart {
    /// What it hides, or None if that is not known.
    #[getter]
    fn label(&self) -> Option<String> {
        self.0.label.as_ref().map(word)
    }

    /// Why: "detected", "fallback", "mask" or "remembered".
    #[getter]
    fn cause(&self) -> String {
        word(&self.0.cause)
    }

    /// Where: (x, y, width, height) in the picture's pixels; of a mask, the rectangle round it.
    #[getter]
    fn rect(&self) -> Xywh {
        xywh(self.0.rect)
    }

    /// A row of a table: label, cause, x, y, width, height.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let row = PyDict::new(py);
        row.set_item("label", self.label())?;
        row.set_item("cause", self.cause())?;
        set_rect(&row, self.0.rect)?;
        Ok(row)
    }

    fn __repr__(&self) -> String {
        shown("RedactedPart", self.label(), &self.cause(), self.rect())
    }
}

fn shown(class: &str, label: Option<String>, cause: &str, (x, y, width, height): Xywh) -> String {
    let label = label.as_deref().unwrap_or("region");
    format!("<parkq.{class} {label} ({cause}) at ({x}, {y}), {width} x {height}>")
}

pub(crate) fn list(redactions: &Redactions) -> Vec<Redacted> {
    redactions.iter().cloned().map(Redacted).collect()
}

/// A picture in which nobody and no plate can be recognised. `numpy.asarray(frame)` is a copy of
/// its pixels; notebooks show it.
///
/// Example:
///     >>> frame = parkq.Anonymizer().anonymize_frame(parkq.demo_picture())
///     >>> frame.width, frame.height, frame.format
///     (1280, 800, 'rgb')
///     >>> jpeg = frame.to_jpeg(quality=90)
#[pyclass(frozen, eq, module = "parkq")]
#[derive(PartialEq)]
pub(crate) struct AnonymizedFrame(pub(crate) parkq_core::AnonymizedFrame);

impl AnonymizedFrame {
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<u8>>> {
        let shape = shape(self.0.format(), self.0.width(), self.0.height());
        PyArray1::from_slice(py, self.0.pixels()).reshape(shape)
    }
}

#[pymethods]
impl AnonymizedFrame {
    /// Width, pixels.
    #[getter]
    fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height, pixels.
    #[getter]
    fn height(&self) -> u32 {
        self.0.height()
    }

    /// How its pixels lie: the format that it came in.
    #[getter]
    fn format(&self) -> String {
        format_word(self.0.format())
    }

    /// The regions that were destroyed.
    #[getter]
    fn redactions(&self) -> Vec<Redacted> {
        list(self.0.redactions())
    }

    /// Its pixels as RGB: a new array of uint8 (height, width, 3).
    fn to_rgb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<u8>>> {
        let shape = vec![self.0.height() as usize, self.0.width() as usize, 3];
        PyArray1::from_vec(py, py.detach(|| self.0.to_rgb())).reshape(shape)
    }

    /// It as a JPEG.
    ///
    /// Args:
    ///     quality: 1 to 100.
    #[pyo3(signature = (quality = None), text_signature = "($self, quality=90)")]
    fn to_jpeg<'py>(
        &self,
        py: Python<'py>,
        quality: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let quality = quality.map_or(Ok(90), |n| whole("quality", n, "1..=100"))?;
        let jpeg = py.detach(|| self.0.to_jpeg(quality)).map_err(raise)?;
        Ok(pyo3::types::PyBytes::new(py, &jpeg).into_any())
    }

    /// It as a PNG.
    fn to_png<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let png = py.detach(|| self.0.to_png()).map_err(raise)?;
        Ok(pyo3::types::PyBytes::new(py, &png).into_any())
    }

    /// Its pixels in its own format: a new array.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            return Err(PyValueError::new_err("the array is always a copy"));
        }
        let array = self.array(py)?.into_any();
        dtype.map_or(Ok(array.clone()), |dtype| array.call_method1("astype", (dtype,)))
    }

    fn _repr_jpeg_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_jpeg(py, None)
    }

    fn __repr__(&self) -> String {
        let (width, height, format) = (self.width(), self.height(), self.format());
        let regions = self.0.redactions().len();
        format!("<parkq.AnonymizedFrame {width} x {height} {format}, {regions} regions destroyed>")
    }
}

/// What both an anonymizer and a stream do with a picture that is handed over or lent.
fn run<'py>(
    image: &Bound<'py, PyAny>,
    pixels: &Pixels,
    inplace: bool,
    return_redactions: bool,
    take: impl Fn(RawFrame) -> parkq_core::Result<parkq_core::AnonymizedFrame> + Sync,
    write: impl Fn(FrameMut<'_>) -> parkq_core::Result<Redactions> + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let py = image.py();
    let write_into = |array: Bound<'py, PyAny>| {
        let mut lent = Lent::new(&array, pixels)?;
        let frame = lent.frame()?;
        let redactions = py.detach(|| write(frame)).map_err(raise)?;
        Ok::<_, PyErr>((array, redactions))
    };
    let (array, redactions) = if inplace {
        write_into(image.clone())?
    } else {
        match Picture::new(image, pixels)? {
            Picture::Own(raw) => {
                let frame = AnonymizedFrame(py.detach(|| take(raw)).map_err(raise)?);
                (frame.array(py)?.into_any(), frame.0.redactions().clone())
            }
            Picture::Anonymized(_) => return Err(anonymized()),
            // The one copy becomes the result; should that fail, it is filled before it is freed.
            Picture::Lent(view) => write_into(view.copy(py)?.into_any())?,
        }
    };
    if !return_redactions {
        return Ok(array);
    }
    let redactions = list(&redactions).into_pyobject(py)?.into_any();
    Ok(PyTuple::new(py, [array, redactions])?.into_any())
}

/// Destroys people and plates in pictures. It keeps nothing of a picture between calls, and any
/// number of threads may share it. For the frames of one camera, one after the other, see
/// `Stream`.
///
/// Args:
///     detector: What finds them; its tiling counts, its scores do not. Default:
///         `Detector(tiling="full")`.
///     lot: The lot that the camera sees: its masks are burnt in first, its geometry says how
///         large things are.
///     plates: Whether plates go. Default: True.
///     faces: Whether faces go, with the head round them. Default: True.
///     persons: Whether persons go, whole. Default: True.
///     scores: From which score on a detection counts: one number for all, or a dict by label.
///         Default: vehicle 0.3, person 0.03, plate 0.03, face 0.05.
///     sure_plate: A plate of less than this score does not spare its vehicle the fallback; 0 to
///         1. Default: 0.2.
///     plate_margin: How far a plate's region reaches beyond its box on each side, as a share of
///         the box; 0 to 4. Default: 0.2.
///     face_margin: As `plate_margin`, for faces. Default: 0.5.
///     person_margin: As `plate_margin`, for persons. Default: 0.1.
///     head_margin: How far a person's region reaches further upward, as a share of the box's
///         height; 0 to 4. Default: 0.1.
///     min_margin: The least margin, pixels; 0 to 64. Default: 2.0.
///     fallback: What happens to a vehicle on which no plate was found: "plate_zone",
///         "whole_vehicle" or "off". Default: "plate_zone".
///     plate_zone: From where to where plates are, as shares of a vehicle's height from its top;
///         0 to 1. Default: (0.35, 1.0).
///     min_pixels_per_metre: Vehicles that are seen at fewer need no fallback. Default: 80.0.
///     fill: What is put there: (red, green, blue), or "surroundings". Default: (0, 0, 0).
///     mosaic: Instead of a fill: (cells across, cells down, levels of gray); refused if it could
///         leak more than `max_leak_bits`.
///     max_leak_bits: The most bits that one region may leak, 0 to 8. Default: 8.0.
///
/// Raises:
///     OptionError: for an option outside its range, and for a redaction that leaks too much.
///     ModelError: for a detector that does not look for what is to be destroyed.
///
/// Example:
///     >>> import numpy as np
///     >>> anonymizer = parkq.Anonymizer(fill=(90, 90, 90), persons=True)
///     >>> frame = np.zeros((480, 640, 3), np.uint8)
///     >>> anonymizer.anonymize(frame, format="bgr", inplace=True) is frame
///     True
#[pyclass(frozen, module = "parkq")]
pub(crate) struct Anonymizer(pub(crate) parkq_core::Anonymizer);

#[pymethods]
impl Anonymizer {
    #[new]
    #[pyo3(signature = (
        detector = None, *, lot = None, plates = None, faces = None, persons = None, scores = None,
        sure_plate = None, plate_margin = None, face_margin = None, person_margin = None,
        head_margin = None, min_margin = None, fallback = None, plate_zone = None,
        min_pixels_per_metre = None, fill = None, mosaic = None, max_leak_bits = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's options are keyword arguments")]
    fn new(
        py: Python<'_>,
        detector: Option<&Detector>,
        lot: Option<&Lot>,
        plates: Option<bool>,
        faces: Option<bool>,
        persons: Option<bool>,
        scores: Option<&Bound<'_, PyAny>>,
        sure_plate: Option<f32>,
        plate_margin: Option<f32>,
        face_margin: Option<f32>,
        person_margin: Option<f32>,
        head_margin: Option<f32>,
        min_margin: Option<f32>,
        fallback: Option<&str>,
        plate_zone: Option<[f32; 2]>,
        min_pixels_per_metre: Option<f32>,
        fill: Option<&Bound<'_, PyAny>>,
        mosaic: Option<&Bound<'_, PyAny>>,
        max_leak_bits: Option<f64>,
    ) -> PyResult<Self> {
        let mut policy = Policy::default();
        set(&mut policy.plates, plates);
        set(&mut policy.faces, faces);
        set(&mut policy.persons, persons);
        self::scores(&mut policy.scores, scores)?;
        set(&mut policy.sure_plate, sure_plate);
        set(&mut policy.plate_margin, plate_margin);
        set(&mut policy.face_margin, face_margin);
        set(&mut policy.person_margin, person_margin);
        set(&mut policy.head_margin, head_margin);
        set(&mut policy.min_margin, min_margin);
        if let Some(fallback) = fallback {
            policy.fallback = match fallback {
                "plate_zone" => Fallback::PlateZone,
                "whole_vehicle" => Fallback::WholeVehicle,
                "off" => Fallback::Off,
                other => return Err(option("fallback", other, "plate_zone, whole_vehicle, off")),
            };
        }
        set(&mut policy.plate_zone, plate_zone);
        set(&mut policy.min_pixels_per_metre, min_pixels_per_metre);
        set(&mut policy.redaction, redaction(fill, mosaic)?);
        set(&mut policy.max_leak_bits, max_leak_bits);
        let shared = detector.map(|d| d.0.clone());
        let anonymizer = py.detach(|| match shared {
            Some(detector) => parkq_core::Anonymizer::new(detector, policy),
            None => parkq_core::Anonymizer::with_policy(policy),
        });
        let anonymizer = anonymizer.map_err(raise)?;
        Ok(Self(match lot {
            Some(lot) => anonymizer.on(lot.core()),
            None => anonymizer,
        }))
    }

    /// Gives a picture back anonymized.
    ///
    /// Args:
    ///     image: As `parkq` says under "Pictures".
    ///     inplace: Write into `image`, a writable C-contiguous array (or a tuple of them), instead
    ///         of a new one. Should the work on it fail, all of it is filled; an array, or an
    ///         argument, that is refused is not, so what was in it must not go further.
    ///     return_redactions: Return the regions that were destroyed too.
    ///     format: How an array's pixels lie.
    ///     matrix: Of Y'CbCr formats: "bt601" or "bt709".
    ///     range: Of Y'CbCr formats: "limited" or "full".
    ///
    /// Returns:
    ///     A new array in the same format (planes in one array; RGB for a PIL image and bytes), or
    ///     `image` itself; with `return_redactions` a tuple of that and a list of `Redacted`.
    #[pyo3(signature = (
        image, *, inplace = false, return_redactions = false, format = "rgb", matrix = "bt601",
        range = "limited",
    ))]
    fn anonymize<'py>(
        &self,
        image: &Bound<'py, PyAny>,
        inplace: bool,
        return_redactions: bool,
        format: &str,
        matrix: &str,
        range: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pixels = Pixels::new(format, matrix, range)?;
        let take = |raw| self.0.anonymize(raw);
        let write =
            |frame: FrameMut<'_>| Ok(self.0.anonymize_in_place(frame)?.redactions().clone());
        run(image, &pixels, inplace, return_redactions, take, write)
    }

    /// As `anonymize`, as a frame that can be encoded and says what was destroyed.
    #[pyo3(signature = (image, *, format = "rgb", matrix = "bt601", range = "limited"))]
    fn anonymize_frame(
        &self,
        image: &Bound<'_, PyAny>,
        format: &str,
        matrix: &str,
        range: &str,
    ) -> PyResult<AnonymizedFrame> {
        let raw = Picture::new(image, &Pixels::new(format, matrix, range)?)?.into_raw()?;
        Ok(AnonymizedFrame(image.py().detach(|| self.0.anonymize(raw)).map_err(raise)?))
    }

    /// The options that are in force.
    #[getter]
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (all, policy) = (PyDict::new(py), self.0.policy());
        all.set_item("plates", policy.plates)?;
        all.set_item("faces", policy.faces)?;
        all.set_item("persons", policy.persons)?;
        all.set_item("scores", scores_dict(py, &policy.scores)?)?;
        all.set_item("sure_plate", short(policy.sure_plate))?;
        all.set_item("plate_margin", short(policy.plate_margin))?;
        all.set_item("face_margin", short(policy.face_margin))?;
        all.set_item("person_margin", short(policy.person_margin))?;
        all.set_item("head_margin", short(policy.head_margin))?;
        all.set_item("min_margin", short(policy.min_margin))?;
        let fallback = match policy.fallback {
            Fallback::WholeVehicle => "whole_vehicle",
            Fallback::Off => "off",
            _ => "plate_zone",
        };
        all.set_item("fallback", fallback)?;
        let [top, bottom] = policy.plate_zone.map(short);
        all.set_item("plate_zone", (top, bottom))?;
        all.set_item("min_pixels_per_metre", short(policy.min_pixels_per_metre))?;
        all.set_item("fill", None::<&str>)?;
        all.set_item("mosaic", None::<&str>)?;
        match policy.redaction {
            Redaction::Fill(Fill::Colour([r, g, b])) => all.set_item("fill", (r, g, b))?,
            Redaction::Fill(_) => all.set_item("fill", "surroundings")?,
            Redaction::Mosaic { cells: [x, y], levels } => {
                all.set_item("mosaic", (x, y, levels))?
            }
            _ => {}
        }
        all.set_item("max_leak_bits", policy.max_leak_bits)?;
        Ok(all)
    }

    fn __repr__(&self) -> String {
        let policy = self.0.policy();
        let goes =
            [("plates", policy.plates), ("faces", policy.faces), ("persons", policy.persons)];
        let goes: Vec<_> = goes.iter().filter(|(_, goes)| *goes).map(|(what, _)| *what).collect();
        format!("<parkq.Anonymizer of {}>", goes.join(", "))
    }
}

fn redaction(
    fill: Option<&Bound<'_, PyAny>>,
    mosaic: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Redaction>> {
    match (fill, mosaic) {
        (Some(_), Some(_)) => Err(option("fill and mosaic", "both", "one of them")),
        (None, None) => Ok(None),
        (None, Some(mosaic)) => {
            let [across, down, levels] = three("mosaic", mosaic, "(across, down, levels)")?;
            let cell = |n| whole("cells", n, "1..=32768");
            Ok(Some(Redaction::Mosaic {
                cells: [cell(&across)?, cell(&down)?],
                levels: whole("levels", &levels, "1..=255")?,
            }))
        }
        (Some(fill), None) if fill.extract::<&str>().is_ok_and(|word| word == "surroundings") => {
            Ok(Some(Redaction::Fill(Fill::Surroundings)))
        }
        (Some(fill), None) => {
            let [red, green, blue] = three("fill", fill, "surroundings, (red, green, blue)")?;
            let channel = |n| whole("fill", n, "0..=255");
            let colour = [channel(&red)?, channel(&green)?, channel(&blue)?];
            Ok(Some(Redaction::Fill(Fill::Colour(colour))))
        }
    }
}

/// The items of whatever Python iterates over, if there are three.
fn three<'py>(
    name: &str,
    given: &Bound<'py, PyAny>,
    needed: &str,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let items = given.try_iter().and_then(|items| items.collect::<PyResult<Vec<_>>>());
    let wrong = || option(name, &given.to_string(), needed);
    items.ok().and_then(|items| items.try_into().ok()).ok_or_else(wrong)
}

/// Anonymizes the frames of one camera, one after the other: what was found in one frame stays
/// hidden for a while where it was heading, so that one miss undoes nothing.
///
/// Args:
///     anonymizer: What anonymizes each frame; several streams may share it.
///     keep_frames: For how many frames a region is remembered; 0 to 1000. Default: 15.
///     reach: How far it may move between two frames, as a multiple of its longer side; 0 to 100.
///         Default: 2.0.
///
/// Example:
///     >>> import numpy as np
///     >>> stream = parkq.Stream(parkq.Anonymizer(), keep_frames=25)
///     >>> for frame in np.zeros((3, 120, 160, 3), np.uint8):  # as cv2.VideoCapture hands them out
///     ...     stream.anonymize(frame, format="bgr", inplace=True, return_redactions=True)[1]
///     []
///     []
///     []
#[pyclass(frozen, module = "parkq")]
pub(crate) struct Stream(Mutex<parkq_core::Stream>);

#[pymethods]
impl Stream {
    #[new]
    #[pyo3(signature = (anonymizer, *, keep_frames = None, reach = None))]
    fn new(
        anonymizer: &Anonymizer,
        keep_frames: Option<&Bound<'_, PyAny>>,
        reach: Option<f32>,
    ) -> PyResult<Self> {
        let mut options = StreamOptions::default();
        let frames = keep_frames.map(|n| whole("keep_frames", n, "0..=1000"));
        set(&mut options.keep_frames, frames.transpose()?);
        set(&mut options.reach, reach);
        let stream = parkq_core::Stream::new(anonymizer.0.clone(), options).map_err(raise)?;
        Ok(Self(Mutex::new(stream)))
    }

    /// The next frame, as `Anonymizer.anonymize`.
    #[pyo3(signature = (
        image, *, inplace = false, return_redactions = false, format = "rgb", matrix = "bt601",
        range = "limited",
    ))]
    fn anonymize<'py>(
        &self,
        image: &Bound<'py, PyAny>,
        inplace: bool,
        return_redactions: bool,
        format: &str,
        matrix: &str,
        range: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pixels = Pixels::new(format, matrix, range)?;
        let stream = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let take = |raw| stream().anonymize(raw);
        let write =
            |frame: FrameMut<'_>| Ok(stream().anonymize_in_place(frame)?.redactions().clone());
        run(image, &pixels, inplace, return_redactions, take, write)
    }

    /// The next frame, as `Anonymizer.anonymize_frame`.
    #[pyo3(signature = (image, *, format = "rgb", matrix = "bt601", range = "limited"))]
    fn anonymize_frame(
        &self,
        image: &Bound<'_, PyAny>,
        format: &str,
        matrix: &str,
        range: &str,
    ) -> PyResult<AnonymizedFrame> {
        let raw = Picture::new(image, &Pixels::new(format, matrix, range)?)?.into_raw()?;
        let stream = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(AnonymizedFrame(image.py().detach(|| stream().anonymize(raw)).map_err(raise)?))
    }

    fn __repr__(&self) -> String {
        "<parkq.Stream>".to_owned()
    }
}
