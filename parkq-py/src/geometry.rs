//! Points and quads from whatever Python iterates over: tuples, lists, NumPy arrays.

use parkq_core::{Point, Quad};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::error::{raise, whole};

/// A point as Python gets it: (x, y).
pub(crate) type Xy = (f64, f64);

pub(crate) fn points(object: &Bound<'_, PyAny>) -> PyResult<Vec<Point>> {
    let point = |item: PyResult<Bound<'_, PyAny>>| {
        let numbers = item?.try_iter()?.map(|n| n?.extract()).collect::<PyResult<Vec<f64>>>()?;
        match *numbers.as_slice() {
            [x, y] => Ok(Point::new(x, y)),
            _ => Err(PyTypeError::new_err(format!("a point has 2 numbers, not {}", numbers.len()))),
        }
    };
    object.try_iter()?.map(point).collect()
}

pub(crate) fn quad(object: &Bound<'_, PyAny>) -> PyResult<Quad> {
    let corners = points(object)?;
    let wrong =
        |c: Vec<Point>| PyTypeError::new_err(format!("a quad has 4 points, not {}", c.len()));
    Ok(Quad(corners.try_into().map_err(wrong)?))
}

pub(crate) fn xy(points: &[Point]) -> Vec<Xy> {
    points.iter().map(|p| (p.x, p.y)).collect()
}

/// Cuts a quad into a row of `count` quads that are equally wide on the ground: from its first
/// corner to its second, in perspective.
///
/// Args:
///     quad: Four (x, y) in order round the row, convex; relative or in pixels.
///     count: How many, 1 to 1000.
///
/// Raises:
///     LotError: for a quad that is not convex.
///     OptionError: for a count out of range.
///
/// Example:
///     >>> parkq.row([(0, 0), (4, 0), (4, 1), (0, 1)], 2)[1]
///     ((2.0, 0.0), (4.0, 0.0), (4.0, 1.0), (2.0, 1.0))
#[pyfunction]
pub(crate) fn row(
    #[pyo3(from_py_with = quad)] quad: Quad,
    count: &Bound<'_, PyAny>,
) -> PyResult<Vec<(Xy, Xy, Xy, Xy)>> {
    let row = quad.row(whole("count", count, "1..=1000")?).map_err(raise)?;
    let corners = |q: Quad| {
        let [a, b, c, d] = q.0.map(|p| (p.x, p.y));
        (a, b, c, d)
    };
    Ok(row.into_iter().map(corners).collect())
}
