//! What the verbs read.

use std::fmt;

use crate::anonymize::{Anonymized, AnonymizedFrame, Redacted};
use crate::frame::{Frame, FrameMut, RawFrame};

/// What parkq's verbs read: a [`Frame`], a `&`[`FrameMut`], a `&`[`RawFrame`]; or a
/// `&`[`AnonymizedFrame`] or `&`[`Anonymized`], which say what was destroyed in them.
///
/// ```
/// use parkq_core::{Input, PixelFormat, RawFrame};
/// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 2, 1, vec![0, 0])?;
/// let input: Input<'_> = (&raw).into();
/// assert_eq!(format!("{input:?}"), "Input(2x1 GRAY8)");
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub(crate) frame: Frame<'a>,
    /// What was destroyed in it: there it says nothing.
    pub(crate) redacted: &'a [Redacted],
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = (self.frame.width(), self.frame.height());
        write!(f, "Input({width}x{height} {})", self.frame.format())
    }
}

impl<'a> From<Frame<'a>> for Input<'a> {
    fn from(frame: Frame<'a>) -> Self {
        Self { frame, redacted: &[] }
    }
}

impl<'a> From<&'a FrameMut<'_>> for Input<'a> {
    fn from(frame: &'a FrameMut<'_>) -> Self {
        frame.as_frame().into()
    }
}

impl<'a> From<&'a RawFrame> for Input<'a> {
    fn from(frame: &'a RawFrame) -> Self {
        frame.as_frame().into()
    }
}

impl<'a> From<&'a AnonymizedFrame> for Input<'a> {
    fn from(picture: &'a AnonymizedFrame) -> Self {
        Self { frame: picture.as_frame(), redacted: picture.redactions().as_slice() }
    }
}

impl<'a> From<&'a Anonymized<'_>> for Input<'a> {
    fn from(lent: &'a Anonymized<'_>) -> Self {
        Self { frame: lent.as_frame(), redacted: lent.redactions().as_slice() }
    }
}
