//! Pictures that have been anonymized: the only ones whose pixels can be had.

use std::fmt;

use super::report::Redactions;
use crate::error::Result;
use crate::frame::{Frame, FrameMut, PixelFormat, RawFrame};

/// A picture in which everything private was destroyed: it can be looked at, cloned and encoded.
/// Only an [`Anonymizer`](crate::Anonymizer), a [`Stream`](crate::Stream) or a
/// [`Pipeline`](crate::Pipeline) makes one.
///
/// ```
/// use parkq_core::{Anonymizer, RawFrame};
/// # let jpeg = include_bytes!("../../../examples/data/scene.jpg");
/// let picture = Anonymizer::bundled()?.anonymize(RawFrame::decode(jpeg)?)?;
/// println!("{} regions destroyed", picture.redactions().len());
/// let jpeg = picture.to_jpeg(90)?;
/// # Ok::<(), parkq_core::Error>(())
/// ```
pub struct AnonymizedFrame {
    frame: RawFrame,
    redactions: Redactions,
}

impl fmt::Debug for AnonymizedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frame, regions) = (self.as_frame(), self.redactions.len());
        let (width, height, format) = (frame.width(), frame.height(), frame.format());
        write!(f, "AnonymizedFrame({width}x{height} {format}, {regions} regions destroyed)")
    }
}

impl PartialEq for AnonymizedFrame {
    fn eq(&self, other: &Self) -> bool {
        let shape = |picture: &Self| {
            let frame = picture.as_frame();
            (frame.width(), frame.height(), frame.format(), frame.matrix(), frame.range())
        };
        shape(self) == shape(other)
            && self.pixels() == other.pixels()
            && self.redactions == other.redactions
    }
}

impl Clone for AnonymizedFrame {
    fn clone(&self) -> Self {
        Self { frame: self.frame.duplicate(), redactions: self.redactions.clone() }
    }
}

impl AnonymizedFrame {
    /// For a frame whose regions have been destroyed, and no other.
    pub(crate) fn new(frame: RawFrame, redactions: Redactions) -> Self {
        Self { frame, redactions }
    }

    /// What was destroyed.
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn report(picture: &AnonymizedFrame) {
    ///     for region in picture.redactions() {
    ///         println!("{}: {:?}", region.cause, region.rect);
    ///     }
    /// }
    /// ```
    pub fn redactions(&self) -> &Redactions {
        &self.redactions
    }

    /// Width in pixels.
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn width(picture: &AnonymizedFrame) -> u32 { picture.width() }
    /// ```
    pub fn width(&self) -> u32 {
        self.frame.width()
    }

    /// Height in pixels.
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn height(picture: &AnonymizedFrame) -> u32 { picture.height() }
    /// ```
    pub fn height(&self) -> u32 {
        self.frame.height()
    }

    /// How [`pixels`](Self::pixels) lie: the format of the frame that it was made from.
    ///
    /// ```
    /// # use parkq_core::{AnonymizedFrame, PixelFormat};
    /// fn format(picture: &AnonymizedFrame) -> PixelFormat { picture.format() }
    /// ```
    pub fn format(&self) -> PixelFormat {
        self.as_frame().format()
    }

    /// Its bytes; rows and planes follow each other without padding, as in
    /// [`Frame::packed`].
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn is_black(picture: &AnonymizedFrame) -> bool { picture.pixels().iter().all(|&byte| byte == 0) }
    /// ```
    pub fn pixels(&self) -> &[u8] {
        self.frame.pixels()
    }

    /// Its pixels as RGB, 3 bytes each, row by row.
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn first_pixel(picture: &AnonymizedFrame) -> [u8; 3] { picture.to_rgb()[..3].try_into().unwrap() }
    /// ```
    pub fn to_rgb(&self) -> Vec<u8> {
        self.as_frame().to_rgb()
    }

    /// The picture as a frame, which does not know what was destroyed: to read spaces give an
    /// estimator the picture itself, for a destroyed vehicle looks like bare ground.
    ///
    /// ```
    /// # use parkq_core::{AnonymizedFrame, Estimator, Occupancy};
    /// fn read(picture: &AnonymizedFrame, estimator: &Estimator) -> parkq_core::Result<Occupancy> {
    ///     println!("{:?}", picture.as_frame().format());
    ///     estimator.occupancy(picture)
    /// }
    /// ```
    pub fn as_frame(&self) -> Frame<'_> {
        self.frame.as_frame()
    }

    /// A JPEG of the quality 1..=100, without any metadata of the source.
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) for another quality;
    /// [`Error::Encode`](crate::Error::Encode) if the encoder fails.
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn jpeg(picture: &AnonymizedFrame) -> parkq_core::Result<Vec<u8>> { picture.to_jpeg(90) }
    /// ```
    #[cfg(feature = "image")]
    pub fn to_jpeg(&self, quality: u8) -> Result<Vec<u8>> {
        let bounds = ("quality", f64::from(quality), 1.0..=100.0, "1..=100");
        crate::options::check([bounds])?;
        crate::codec::to_jpeg(&self.as_frame(), quality)
    }

    /// A PNG, without any metadata of the source.
    ///
    /// # Errors
    /// [`Error::Encode`](crate::Error::Encode) if the encoder fails.
    ///
    /// ```
    /// # use parkq_core::AnonymizedFrame;
    /// fn png(picture: &AnonymizedFrame) -> parkq_core::Result<Vec<u8>> { picture.to_png() }
    /// ```
    #[cfg(feature = "image")]
    pub fn to_png(&self) -> Result<Vec<u8>> {
        crate::codec::to_png(&self.as_frame())
    }
}

/// A lent buffer in which everything private was destroyed.
///
/// ```
/// use parkq_core::{Anonymizer, FrameMut, PixelFormat};
/// let mut nv12 = vec![128; 640 * 480 * 3 / 2];
/// let frame = FrameMut::packed(PixelFormat::Nv12, 640, 480, &mut nv12)?;
/// let anonymized = Anonymizer::bundled()?.anonymize_in_place(frame)?;
/// println!("{} regions destroyed", anonymized.redactions().len());
/// # Ok::<(), parkq_core::Error>(())
/// ```
pub struct Anonymized<'a> {
    frame: FrameMut<'a>,
    redactions: Redactions,
}

impl fmt::Debug for Anonymized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frame, regions) = (self.as_frame(), self.redactions.len());
        let (width, height, format) = (frame.width(), frame.height(), frame.format());
        write!(f, "Anonymized({width}x{height} {format}, {regions} regions destroyed)")
    }
}

impl<'a> Anonymized<'a> {
    /// For a buffer whose regions have been destroyed, and no other.
    pub(super) fn new(frame: FrameMut<'a>, redactions: Redactions) -> Self {
        Self { frame, redactions }
    }

    /// What was destroyed.
    ///
    /// ```
    /// # use parkq_core::Anonymized;
    /// fn regions(anonymized: &Anonymized<'_>) -> usize { anonymized.redactions().len() }
    /// ```
    pub fn redactions(&self) -> &Redactions {
        &self.redactions
    }

    /// The picture as a frame, which does not know what was destroyed: to read spaces give an
    /// estimator this itself.
    ///
    /// ```
    /// # use parkq_core::Anonymized;
    /// fn width(anonymized: &Anonymized<'_>) -> u32 { anonymized.as_frame().width() }
    /// ```
    pub fn as_frame(&self) -> Frame<'_> {
        self.frame.as_frame()
    }

    /// A copy, to be kept or encoded.
    ///
    /// ```
    /// # use parkq_core::Anonymized;
    /// fn jpeg(anonymized: &Anonymized<'_>) -> parkq_core::Result<Vec<u8>> {
    ///     anonymized.to_picture().to_jpeg(90)
    /// }
    /// ```
    pub fn to_picture(&self) -> AnonymizedFrame {
        AnonymizedFrame::new(self.as_frame().duplicate(), self.redactions.clone())
    }
}

/// Runs `work` on a lent buffer; unless that succeeds, be it that it fails or unwinds, the whole
/// picture is filled.
pub(crate) fn guarded<'a, T>(
    frame: &mut FrameMut<'a>,
    work: impl FnOnce(&mut FrameMut<'a>) -> Result<T>,
) -> Result<T> {
    struct Guard<'f, 'a> {
        frame: &'f mut FrameMut<'a>,
        done: bool,
    }

    impl Drop for Guard<'_, '_> {
        fn drop(&mut self) {
            if !self.done {
                self.frame.black_out();
            }
        }
    }

    let mut guard = Guard { frame, done: false };
    let result = work(guard.frame)?;
    guard.done = true;
    Ok(result)
}
