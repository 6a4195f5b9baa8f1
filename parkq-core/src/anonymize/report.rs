//! What was destroyed, why, and how much could still leak.

use std::fmt;

use serde::Serialize;

use crate::detect::Label;
use crate::geometry::Rect;

/// What asked for a region to be destroyed.
///
/// ```
/// assert_eq!(parkq_core::Cause::Fallback.to_string(), "fallback");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Cause {
    /// The detector found it.
    Detected,
    /// The detector found what it belongs to, but not it: the place where it may be.
    Fallback,
    /// A privacy mask of the lot.
    Mask,
    /// A frame before this one, of a stream.
    Remembered,
    /// The caller, by [`Redaction::apply`](crate::Redaction::apply).
    Given,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detected => "detected",
            Self::Fallback => "fallback",
            Self::Mask => "mask",
            Self::Remembered => "remembered",
            Self::Given => "given",
        })
    }
}

/// One region that was destroyed: a rectangle, or several that overlap or touch.
///
/// ```
/// # use parkq_core::{Cause, FrameMut, PixelFormat, Rect, Redaction};
/// # let mut bytes = [9; 64];
/// # let mut frame = FrameMut::packed(PixelFormat::Gray8, 8, 8, &mut bytes)?;
/// let rect = Rect { x: 1.5, y: 2.0, width: 3.0, height: 2.0 };
/// let redactions = Redaction::default().apply(&mut frame, &[rect])?;
/// let region = redactions.iter().next().unwrap();
/// assert_eq!(region.rect, Rect { x: 1.0, y: 2.0, width: 4.0, height: 2.0 });
/// assert_eq!((region.cause, region.leak_bits), (Cause::Given, 0.0));
/// assert_eq!(region.parts.len(), 1);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Redacted {
    /// What it hides, if that is known; of several parts, the last in the order of [`Label`].
    pub label: Option<Label>,
    /// What asked for that.
    pub cause: Cause,
    /// The rectangle round it, in whole pixels of the frame; a mask or a region of several parts
    /// need not fill it.
    pub rect: Rect,
    /// At most so many bits of what was there can be learnt from what is there now.
    pub leak_bits: f64,
    /// What it was merged from, one or more: together they are what was destroyed.
    pub parts: Vec<RedactedPart>,
}

/// One rectangle of a region, and what asked for it.
///
/// ```
/// # use parkq_core::{Cause, FrameMut, PixelFormat, Rect, Redaction};
/// # let mut bytes = [9; 64];
/// # let mut frame = FrameMut::packed(PixelFormat::Gray8, 8, 8, &mut bytes)?;
/// let one = Rect { x: 0.0, y: 0.0, width: 3.0, height: 3.0 };
/// let other = Rect { x: 2.0, y: 2.0, width: 4.0, height: 1.0 };
/// let redactions = Redaction::default().apply(&mut frame, &[one, other])?;
/// let region = redactions.iter().next().unwrap();
/// assert_eq!(region.rect, Rect { x: 0.0, y: 0.0, width: 6.0, height: 3.0 });
/// assert_eq!(region.parts[1].rect, other);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RedactedPart {
    /// What it hides, if that is known.
    pub label: Option<Label>,
    /// What asked for it.
    pub cause: Cause,
    /// Where, in whole pixels of the frame; of a mask, the rectangle round it.
    pub rect: Rect,
}

/// Everything that was destroyed in a picture.
///
/// ```
/// # use parkq_core::{FrameMut, PixelFormat, Rect, Redaction};
/// # let mut bytes = [9; 64];
/// # let mut frame = FrameMut::packed(PixelFormat::Gray8, 8, 8, &mut bytes)?;
/// let at = |x: f32| Rect { x, y: 2.0, width: 3.0, height: 2.0 };
/// let redactions = Redaction::default().apply(&mut frame, &[at(0.0), at(5.0)])?;
/// assert_eq!((redactions.len(), redactions.max_leak_bits()), (2, 0.0));
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Redactions(Vec<Redacted>);

impl Redactions {
    pub(crate) fn with_capacity(regions: usize) -> Self {
        Self(Vec::with_capacity(regions))
    }

    pub(crate) fn as_slice(&self) -> &[Redacted] {
        &self.0
    }

    pub(crate) fn push(&mut self, region: Redacted) {
        self.0.push(region);
    }

    /// One after the other: masks first. No two regions but masks overlap or touch.
    ///
    /// ```
    /// assert!(parkq_core::Redactions::default().iter().next().is_none());
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Redacted> {
        self.0.iter()
    }

    /// How many regions there are.
    ///
    /// ```
    /// assert_eq!(parkq_core::Redactions::default().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was destroyed.
    ///
    /// ```
    /// assert!(parkq_core::Redactions::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The most that one region can leak, bits.
    ///
    /// ```
    /// assert_eq!(parkq_core::Redactions::default().max_leak_bits(), 0.0);
    /// ```
    pub fn max_leak_bits(&self) -> f64 {
        self.iter().map(|region| region.leak_bits).fold(0.0, f64::max)
    }
}

impl<'a> IntoIterator for &'a Redactions {
    type Item = &'a Redacted;
    type IntoIter = std::slice::Iter<'a, Redacted>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
