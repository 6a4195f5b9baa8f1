//! The one place where the core's errors become Python's exceptions.

use std::error::Error as _;

use parkq_core::Error;
use pyo3::exceptions::{PyException, PyOverflowError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;

/// The exception of an error of the core, with the chain of its sources as `__cause__`.
pub(crate) fn raise(error: Error) -> PyErr {
    let class = match &error {
        Error::Frame(_) => "FrameError",
        Error::Decode(_) => "DecodeError",
        Error::Option { .. } => "OptionError",
        Error::Lot(_) => "LotError",
        Error::Model(_) => "ModelError",
        Error::Inference(_) => "InferenceError",
        _ => "Error",
    };
    Python::attach(|py| {
        let exception = new(py, class, &error.to_string());
        if let Error::Lot(lot) = &error {
            let set = exception.value(py).setattr("space", lot.space());
            debug_assert!(set.is_ok());
        }
        exception.set_cause(py, cause(py, error.source()));
        exception
    })
}

/// A picture that Python cannot hand over; worded as the core words its own.
pub(crate) fn frame(message: &str) -> PyErr {
    Python::attach(|py| new(py, "FrameError", &format!("frame: {message}")))
}

/// An image that Pillow cannot decode, with what it says as `__cause__`; an interrupt stays one.
pub(crate) fn unread(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyException>(py) {
        return error;
    }
    let exception = new(py, "DecodeError", "picture: Pillow cannot decode the image");
    exception.set_cause(py, Some(error));
    exception
}

/// An option that is a word and none of the known ones.
pub(crate) fn option(name: &str, actual: &str, needed: &str) -> PyErr {
    let message = format!("option {name}: {actual:?} is not in {needed}");
    Python::attach(|py| new(py, "OptionError", &message))
}

/// A whole number; what its type cannot hold is out of its range as any other.
pub(crate) fn whole<'py, T>(name: &str, given: &Bound<'py, PyAny>, needed: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    given.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(given.py()) {
            let message = format!("option {name}: {given} is not in {needed}");
            return new(given.py(), "OptionError", &message);
        }
        PyTypeError::new_err(format!("{name} is a whole number, not {}", given.get_type()))
    })
}

fn new(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let made = py.import("parkq._errors").and_then(|m| m.getattr(class)?.call1((message,)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(_) => PyRuntimeError::new_err(message.to_owned()),
    }
}

fn cause(py: Python<'_>, source: Option<&(dyn std::error::Error + 'static)>) -> Option<PyErr> {
    let source = source?;
    let exception = new(py, "Error", &source.to_string());
    exception.set_cause(py, cause(py, source.source()));
    Some(exception)
}
