//! The bundled scene: the same files as in `examples/data`, which a source distribution cannot reach.

use std::borrow::Cow;

use pyo3::prelude::*;

/// The bundled scene: the bytes of a JPEG of a rendered car park, 1280 x 800 pixels.
///
/// Example:
///     >>> parkq.demo_picture()[6:10]
///     b'JFIF'
#[pyfunction]
pub(crate) fn demo_picture() -> Cow<'static, [u8]> {
    Cow::Borrowed(include_bytes!("../demo/scene.jpg"))
}

/// The text of the bundled scene's lot file.
///
/// Example:
///     >>> parkq.Lot.from_json(parkq.demo_lot())
///     <parkq.Lot "bundled scene", 30 spaces, 1 masks>
#[pyfunction]
pub(crate) fn demo_lot() -> &'static str {
    include_str!("../demo/scene.lot.json")
}
