//! One error type for the whole crate; its parts are small, so that callers can match on them.

use crate::frame::PixelFormat;

/// The result of everything in parkq that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, by where it lies.
///
/// Messages are in lower case, give the actual and the needed value, and never repeat
/// their [`source`](std::error::Error::source).
///
/// ```
/// use parkq_core::{Error, Frame, PixelFormat};
/// let short = [0u8; 10];
/// let error = Frame::packed(PixelFormat::Rgb8, 4, 4, &short).unwrap_err();
/// assert!(matches!(error, Error::Frame(_)));
/// assert_eq!(error.to_string(), "frame: plane 0 has 10 bytes, 48 are needed");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The picture's memory does not hold what its size and format say.
    #[error("frame: {0}")]
    Frame(FrameError),
    /// A JPEG, PNG or WebP that cannot be decoded, or must not be.
    #[error("picture: {0}")]
    Decode(DecodeError),
    /// A picture that could not be encoded.
    #[error("encoding: {0}")]
    Encode(String),
    /// An option outside its range.
    #[error("option {name}: {} is not in {needed}", shortest(*actual))]
    Option {
        /// The option's name.
        name: &'static str,
        /// The value that was given.
        actual: f64,
        /// The range it has to be in.
        needed: &'static str,
    },
    /// A lot that cannot be read or makes no sense.
    #[error("lot: {0}")]
    Lot(LotError),
    /// A model that cannot be loaded, or is not of the shape that its task needs.
    #[error("model: {0}")]
    Model(String),
    /// The network failed on an input.
    #[error("inference: {0}")]
    Inference(String),
}

/// A number in as few digits as tell it: many options are of 32 bits.
fn shortest(number: f64) -> String {
    let narrow = number as f32;
    let is_narrow = f64::from(narrow) == number && number.fract() != 0.0;
    if is_narrow { narrow.to_string() } else { number.to_string() }
}

/// Why a frame was refused.
///
/// ```
/// use parkq_core::{Error, Frame, FrameError, PixelFormat};
/// let pixels = [0u8; 64];
/// let odd = Frame::packed(PixelFormat::Nv12, 5, 4, &pixels).unwrap_err();
/// assert!(matches!(odd, Error::Frame(FrameError::OddSize { width: 5, height: 4, .. })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Width or height is zero.
    #[error("size is {width}x{height}, at least 1x1 is needed")]
    ZeroSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Width or height is above [`Frame::MAX_SIDE`](crate::Frame::MAX_SIDE).
    #[error("size is {width}x{height}, at most {max}x{max} is allowed")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The largest side that is allowed.
        max: u32,
    },
    /// A format with subsampled chroma, of a size that its chroma does not divide.
    #[error("size is {width}x{height}, {format} needs multiples of {x}x{y}")]
    OddSize {
        /// The format.
        format: PixelFormat,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The width must be a multiple of this.
        x: u32,
        /// The height must be a multiple of this.
        y: u32,
    },
    /// The wrong number of planes.
    #[error("{actual} planes were given, {format} has {needed}")]
    PlaneCount {
        /// The format.
        format: PixelFormat,
        /// Planes given.
        actual: usize,
        /// Planes needed.
        needed: usize,
    },
    /// A stride shorter than a row.
    #[error("plane {plane} has a stride of {actual} bytes, at least {needed} are needed")]
    StrideTooSmall {
        /// Index of the plane.
        plane: usize,
        /// Stride given, bytes.
        actual: usize,
        /// Stride needed, bytes.
        needed: usize,
    },
    /// An array whose last axis is not the channels.
    #[error("the array's last axis is {actual}, {needed} channels are needed")]
    Channels {
        /// Channels given.
        actual: usize,
        /// Channels needed.
        needed: usize,
    },
    /// An array with gaps between its pixels or rows, or in another order.
    #[error("the array's pixels do not lie next to each other, row by row, as they have to")]
    Scattered,
    /// One buffer for all planes, which ends before the last of them does.
    #[error("the buffer has {actual} bytes, {needed} are needed for all planes of {format}")]
    PackedTooShort {
        /// The format.
        format: PixelFormat,
        /// Bytes given.
        actual: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// A buffer that ends before its last row does.
    #[error("plane {plane} has {actual} bytes, {needed} are needed")]
    BufferTooShort {
        /// Index of the plane.
        plane: usize,
        /// Bytes given.
        actual: usize,
        /// Bytes needed.
        needed: usize,
    },
}

/// Why an encoded picture was refused.
///
/// ```
/// use parkq_core::{DecodeError, Error, RawFrame};
/// let error = RawFrame::decode(b"not a picture").unwrap_err();
/// assert!(matches!(error, Error::Decode(DecodeError::UnknownFormat)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes do not begin like a JPEG, PNG or WebP.
    #[error("the bytes are no JPEG, PNG or WebP")]
    UnknownFormat,
    /// The picture's header asks for more than the limits allow.
    #[error("size is {width}x{height} ({actual} pixels), at most {needed} pixels are allowed")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Pixels in the picture.
        actual: u64,
        /// Pixels allowed.
        needed: u64,
    },
    /// The file ends before the picture does. (A truncated PNG may be reported as `Malformed`.)
    #[error("the file ends after {actual} bytes, before its picture does")]
    Truncated {
        /// Bytes given.
        actual: usize,
    },
    /// The decoder's own words.
    #[error("{0}")]
    Malformed(String),
}

/// Why a lot was refused: which space, and what is wrong with it.
///
/// ```
/// use parkq_core::{Error, Lot};
/// let crossed = r#"{"version": 1, "spaces": [
///     {"id": "A1", "quad": [[0.1, 0.1], [0.3, 0.3], [0.3, 0.1], [0.1, 0.3]]}]}"#;
/// let Error::Lot(error) = Lot::from_json(crossed).unwrap_err() else { unreachable!() };
/// assert_eq!(error.space(), Some("A1"));
/// assert_eq!(error.to_string(), "space \"A1\": its sides cross or touch, or a corner is given twice: a simple quad is needed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotError {
    space: Option<String>,
    problem: String,
}

impl LotError {
    pub(crate) fn of_space(id: &str, problem: impl Into<String>) -> Self {
        Self { space: Some(id.to_owned()), problem: problem.into() }
    }

    pub(crate) fn of_file(problem: impl Into<String>) -> Self {
        Self { space: None, problem: problem.into() }
    }

    /// The id of the space at fault, if it is one space.
    ///
    /// ```
    /// # use parkq_core::{Error, Lot};
    /// let Error::Lot(error) = Lot::from_json("{").unwrap_err() else { unreachable!() };
    /// assert_eq!(error.space(), None);
    /// ```
    pub fn space(&self) -> Option<&str> {
        self.space.as_deref()
    }
}

impl std::fmt::Display for LotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(id) = &self.space {
            write!(f, "space {id:?}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for LotError {}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<LotError> for Error {
    fn from(error: LotError) -> Self {
        Self::Lot(error)
    }
}
