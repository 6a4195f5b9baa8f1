//! Lots, their spaces, and other programs' lot files.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::error::{raise, whole};
use crate::geometry::{Xy, points, quad, xy};
use crate::occupancy::to_python;

/// One marked parking space.
///
/// Args:
///     id: Unique in its lot, not empty.
///     quad: The outline on the ground: four (x, y), in order round it, relative to the picture
///         (0 to 1, x to the right, y downward).
///     size_m: Width and length in metres, each 0.3 to 50. Default: (2.5, 5.0).
///     max_stay_minutes: The longest stay that the sign allows, minutes. Default: None.
///     closed: Taken out of service by the operator; it is not read. Default: False.
///
/// Example:
///     >>> space = parkq.Space("A1", [(0.1, 0.5), (0.2, 0.5), (0.2, 0.8), (0.1, 0.8)])
///     >>> round(space.pixels_per_metre(1920, 1080), 1)
///     70.5
#[pyclass(frozen, eq, module = "parkq")]
#[derive(Clone, PartialEq)]
pub(crate) struct Space(parkq_core::Space);

#[pymethods]
impl Space {
    #[new]
    #[pyo3(signature = (id, quad, *, size_m = None, max_stay_minutes = None, closed = false))]
    fn new(
        id: String,
        #[pyo3(from_py_with = quad)] quad: parkq_core::Quad,
        size_m: Option<[f64; 2]>,
        max_stay_minutes: Option<&Bound<'_, PyAny>>,
        closed: bool,
    ) -> PyResult<Self> {
        let mut space = parkq_core::Space::new(id, quad).closed(closed);
        space.size_m = size_m.unwrap_or(space.size_m);
        let minutes = max_stay_minutes.map(|n| whole("max_stay_minutes", n, "1.."));
        space.max_stay_minutes = minutes.transpose()?;
        Ok(Self(space))
    }

    /// Unique in its lot.
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    /// Its four corners (x, y), relative to the picture.
    #[getter]
    fn quad<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, xy(&self.0.quad.0))
    }

    /// Width and length, metres.
    #[getter]
    fn size_m(&self) -> Xy {
        self.0.size_m.into()
    }

    /// The longest stay that the sign allows, minutes, or None.
    #[getter]
    fn max_stay_minutes(&self) -> Option<u32> {
        self.0.max_stay_minutes
    }

    /// Whether the operator has taken it out of service.
    #[getter]
    fn closed(&self) -> bool {
        self.0.closed
    }

    /// Pixels per metre where it lies, in a picture of `width` x `height` pixels.
    fn pixels_per_metre(
        &self,
        width: &Bound<'_, PyAny>,
        height: &Bound<'_, PyAny>,
    ) -> PyResult<f64> {
        let [width, height] = sides(width, height)?;
        Ok(self.0.pixels_per_metre(width, height))
    }

    /// As the lot file has it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let parkq_core::Space { id, quad, size_m, max_stay_minutes, closed, .. } = &self.0;
        let id = PyString::new(py, id).repr()?;
        let corners: Vec<_> = quad.0.iter().map(|p| format!("({:?}, {:?})", p.x, p.y)).collect();
        let mut repr = format!("parkq.Space({id}, [{}]", corners.join(", "));
        if *size_m != parkq_core::Space::new("", *quad).size_m {
            repr += &format!(", size_m=({:?}, {:?})", size_m[0], size_m[1]);
        }
        if let Some(minutes) = max_stay_minutes {
            repr += &format!(", max_stay_minutes={minutes}");
        }
        repr += if *closed { ", closed=True)" } else { ")" };
        Ok(repr)
    }
}

/// A picture's width and height.
fn sides(width: &Bound<'_, PyAny>, height: &Bound<'_, PyAny>) -> PyResult<[u32; 2]> {
    Ok([whole("width", width, "1..")?, whole("height", height, "1..")?])
}

/// The spaces and privacy masks that one camera sees, relative to the picture, so that they fit
/// every resolution of it. Valid from its construction on.
///
/// Args:
///     spaces: The spaces; their ids are unique.
///     masks: Polygons of three or more (x, y), relative to the picture, whose pixels are
///         destroyed before anything reads the picture.
///     name: The lot's name.
///
/// Raises:
///     LotError: naming the space that is at fault in its `space`.
///
/// Example:
///     >>> quads = parkq.row([(0.1, 0.5), (0.6, 0.5), (0.6, 0.8), (0.1, 0.8)], 5)
///     >>> spaces = [parkq.Space(f"A{i}", quad) for i, quad in enumerate(quads, 1)]
///     >>> sky = [(0, 0), (1, 0), (1, 0.2), (0, 0.2)]
///     >>> parkq.Lot(spaces, masks=[sky], name="north")
///     <parkq.Lot "north", 5 spaces, 1 masks>
#[pyclass(frozen, eq, module = "parkq")]
#[derive(Clone, PartialEq)]
pub(crate) struct Lot(pub(crate) Arc<parkq_core::Lot>);

impl Lot {
    pub(crate) fn core(&self) -> parkq_core::Lot {
        (*self.0).clone()
    }
}

impl From<parkq_core::Lot> for Lot {
    fn from(lot: parkq_core::Lot) -> Self {
        Self(Arc::new(lot))
    }
}

#[pymethods]
impl Lot {
    #[new]
    #[pyo3(signature = (spaces = None, *, masks = None, name = None))]
    fn new(
        spaces: Option<&Bound<'_, PyAny>>,
        masks: Option<&Bound<'_, PyAny>>,
        name: Option<String>,
    ) -> PyResult<Self> {
        let (mut inner, mut polygons) = (Vec::new(), Vec::new());
        if let Some(spaces) = spaces {
            for space in spaces.try_iter()? {
                inner.push(space?.cast::<Space>()?.get().0.clone());
            }
        }
        if let Some(masks) = masks {
            for mask in masks.try_iter()? {
                polygons.push(points(&mask?)?);
            }
        }
        let lot = parkq_core::Lot::new(inner).and_then(|lot| lot.with_masks(polygons));
        let lot = lot.map_err(raise)?;
        Ok(if let Some(name) = name { lot.with_name(name) } else { lot }.into())
    }

    /// Reads a lot file's text, which `json_schema()` describes. Unknown fields are errors.
    #[staticmethod]
    fn from_json(json: &str) -> PyResult<Self> {
        Ok(parkq_core::Lot::from_json(json).map_err(raise)?.into())
    }

    /// The JSON Schema (draft 2020-12) of lot files.
    #[staticmethod]
    fn json_schema() -> &'static str {
        parkq_core::Lot::json_schema()
    }

    /// The lot file's text.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The lot file's content.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &*self.0)
    }

    /// The plan of the lot as SVG: no pixel of the picture.
    ///
    /// Args:
    ///     aspect: The picture's width over its height.
    #[pyo3(signature = (aspect = 16.0 / 9.0), text_signature = "($self, aspect=1.7777777777777777)")]
    fn to_svg(&self, aspect: f64) -> String {
        self.0.to_svg(aspect)
    }

    /// Its name, or None.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name()
    }

    /// Its spaces, in the order of the file.
    #[getter]
    fn spaces(&self) -> Vec<Space> {
        self.0.spaces().iter().cloned().map(Space).collect()
    }

    /// Its privacy masks: polygons of (x, y), relative to the picture.
    #[getter]
    fn masks(&self) -> Vec<Vec<Xy>> {
        self.0.masks().iter().map(|mask| xy(mask)).collect()
    }

    fn __len__(&self) -> usize {
        self.0.spaces().len()
    }

    fn __repr__(&self) -> String {
        let name = self.0.name().map(|name| format!("{name:?}, ")).unwrap_or_default();
        let (spaces, masks) = (self.0.spaces().len(), self.0.masks().len());
        format!("<parkq.Lot {name}{spaces} spaces, {masks} masks>")
    }

    fn _repr_svg_(&self) -> String {
        self.0.to_svg(16.0 / 9.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.to_json(),)))
    }
}

/// A lot from another program's file.
///
/// Example:
///     >>> text = '[{"points": [[64, 48], [128, 48], [128, 96], [64, 96]]}]'
///     >>> parkq.Imported.ultralytics(text, 640, 480).lot.spaces[0].quad[0]
///     (0.1, 0.1)
#[pyclass(frozen, get_all, module = "parkq")]
pub(crate) struct Imported {
    /// The lot.
    lot: Lot,
    /// For each of its spaces: whether the file says that it is occupied (True, False), or None.
    occupied: Vec<Option<bool>>,
}

impl Imported {
    fn new(imported: parkq_core::Result<parkq_core::Imported>) -> PyResult<Self> {
        let imported = imported.map_err(raise)?;
        Ok(Self { lot: imported.lot.into(), occupied: imported.occupied })
    }
}

#[pymethods]
impl Imported {
    /// PKLot's XML: contours in pixels of a picture of `width` x `height`, which the file does
    /// not say.
    #[staticmethod]
    fn pklot(xml: &str, width: &Bound<'_, PyAny>, height: &Bound<'_, PyAny>) -> PyResult<Self> {
        let [width, height] = sides(width, height)?;
        Self::new(parkq_core::Imported::pklot(xml, width, height))
    }

    /// Ultralytics' parking JSON: quads in pixels of a picture of `width` x `height`, which the
    /// file does not say.
    #[staticmethod]
    fn ultralytics(
        json: &str,
        width: &Bound<'_, PyAny>,
        height: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let [width, height] = sides(width, height)?;
        Self::new(parkq_core::Imported::ultralytics(json, width, height))
    }

    /// ACPDS' annotations, for one of its pictures by file name.
    #[staticmethod]
    fn acpds(json: &str, picture: &str) -> PyResult<Self> {
        Self::new(parkq_core::Imported::acpds(json, picture))
    }

    /// COCO's JSON, for one of its pictures by file name.
    #[staticmethod]
    fn coco(json: &str, picture: &str) -> PyResult<Self> {
        Self::new(parkq_core::Imported::coco(json, picture))
    }

    fn __repr__(&self) -> String {
        let known = self.occupied.iter().flatten().count();
        format!("<parkq.Imported {} spaces, {known} with a state>", self.occupied.len())
    }
}
