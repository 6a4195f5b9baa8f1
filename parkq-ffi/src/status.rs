//! Status numbers, and the one place where an error of the core becomes one.

use std::ffi::c_char;

use parkq_core::Error;

/// What a call came to. A number is never given a second meaning; new ones may be added, so
/// treat an unknown one as a failure.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_status {
    /// All went well; the outputs are written.
    Ok = 0,
    /// A pointer that has to be given is NULL.
    NullPointer = 1,
    /// A number that is not of its enumeration, text that is not UTF-8, planes that overlap, an
    /// index out of range.
    Argument = 2,
    /// The picture's memory does not hold what its size and format say.
    Frame = 3,
    /// A JPEG, PNG or WebP that cannot be decoded, or must not be.
    Decode = 4,
    /// An option outside its range.
    Option = 5,
    /// A lot that cannot be read or makes no sense.
    Lot = 6,
    /// A model that cannot be loaded, or is not of the shape that its task needs.
    Model = 7,
    /// The network failed on an input.
    Inference = 8,
    /// The memory that the call may need would exceed the ceiling, or the system does not have
    /// it. Nothing was done, but that a frame lent to be written is black; the handles can be used
    /// again.
    OutOfMemory = 9,
    /// This build of the library lacks what the call needs: the weights, or the decoders and
    /// encoders of pictures.
    Unsupported = 10,
    /// A fault of parkq's own. Nothing was written, but that a frame lent to be written is black;
    /// the handles can be used again. Please report the message.
    Panic = 11,
    /// A failure that has no number of its own yet; the message says what it is.
    Other = 12,
    /// A picture that could not be encoded.
    Encode = 13,
}

impl parkq_status {
    /// Every status, in the order of its number.
    pub(crate) const ALL: [Self; 14] = [
        Self::Ok,
        Self::NullPointer,
        Self::Argument,
        Self::Frame,
        Self::Decode,
        Self::Option,
        Self::Lot,
        Self::Model,
        Self::Inference,
        Self::OutOfMemory,
        Self::Unsupported,
        Self::Panic,
        Self::Other,
        Self::Encode,
    ];
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: parkq_status,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: parkq_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// A feature of the crate that this build was made without.
    #[cfg(not(all(feature = "bundled", feature = "image")))]
    pub(crate) fn unsupported(feature: &str) -> Self {
        let message = format!("this library was built without its feature {feature}");
        Self::new(parkq_status::Unsupported, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Frame(_) => parkq_status::Frame,
            Error::Decode(_) => parkq_status::Decode,
            Error::Encode(_) => parkq_status::Encode,
            Error::Option { .. } => parkq_status::Option,
            Error::Lot(_) => parkq_status::Lot,
            Error::Model(_) => parkq_status::Model,
            Error::Inference(_) => parkq_status::Inference,
            _ => parkq_status::Other,
        };
        Self::new(status, error.to_string())
    }
}

/// The name of a status, such as "out of memory"; "unknown status" for other numbers.
/// Never NULL, never freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_status_name(status: u32) -> *const c_char {
    let name = match parkq_status::ALL.get(status as usize) {
        Some(parkq_status::Ok) => c"ok",
        Some(parkq_status::NullPointer) => c"null pointer",
        Some(parkq_status::Argument) => c"argument",
        Some(parkq_status::Frame) => c"frame",
        Some(parkq_status::Decode) => c"decode",
        Some(parkq_status::Option) => c"option",
        Some(parkq_status::Lot) => c"lot",
        Some(parkq_status::Model) => c"model",
        Some(parkq_status::Inference) => c"inference",
        Some(parkq_status::OutOfMemory) => c"out of memory",
        Some(parkq_status::Unsupported) => c"unsupported",
        Some(parkq_status::Panic) => c"panic",
        Some(parkq_status::Other) => c"other",
        Some(parkq_status::Encode) => c"encode",
        None => c"unknown status",
    };
    name.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parkq_core::{EstimatorOptions, Frame, Lot, PixelFormat};

    /// Numbers are part of the ABI: this table only grows.
    #[test]
    fn numbers_never_change() {
        let table = [
            ("ok", 0),
            ("null pointer", 1),
            ("argument", 2),
            ("frame", 3),
            ("decode", 4),
            ("option", 5),
            ("lot", 6),
            ("model", 7),
            ("inference", 8),
            ("out of memory", 9),
            ("unsupported", 10),
            ("panic", 11),
            ("other", 12),
            ("encode", 13),
        ];
        assert_eq!(table.len(), parkq_status::ALL.len());
        for (status, (name, number)) in parkq_status::ALL.into_iter().zip(table) {
            assert_eq!(status as u32, number);
            // SAFETY: a literal with its end.
            let found = unsafe { std::ffi::CStr::from_ptr(parkq_status_name(number)) };
            assert_eq!(found.to_str(), Ok(name));
        }
    }

    /// Every error that can be made has a number of its own.
    #[test]
    fn errors_have_their_status() {
        let lot = || Lot::new([]).unwrap();
        let model =
            parkq_core::Estimator::from_onnx("x", b"no", lot(), EstimatorOptions::default());
        let option = parkq_core::Estimator::from_onnx(
            "x",
            b"no",
            lot(),
            EstimatorOptions::default().dispersion(0.0),
        );
        for (error, status) in [
            (Frame::packed(PixelFormat::Rgb8, 0, 0, &[]).unwrap_err(), parkq_status::Frame),
            #[cfg(feature = "image")]
            (parkq_core::RawFrame::decode(b"no").unwrap_err(), parkq_status::Decode),
            (option.unwrap_err(), parkq_status::Option),
            (Lot::from_json("{").unwrap_err(), parkq_status::Lot),
            (model.unwrap_err(), parkq_status::Model),
            (Error::Inference(String::new()), parkq_status::Inference),
            (Error::Encode(String::new()), parkq_status::Encode),
        ] {
            let message = error.to_string();
            let failure = Failure::from(error);
            assert_eq!((failure.status, failure.message), (status, message));
        }
    }
}
