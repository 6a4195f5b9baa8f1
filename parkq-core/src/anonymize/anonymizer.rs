//! Masks -> detections -> regions -> nothing left of them.

use std::fmt;
use std::sync::Arc;

use super::history::{History, NoHistory};
use super::picture::{Anonymized, AnonymizedFrame, guarded};
use super::policy::Policy;
use super::report::{Cause, Redacted, RedactedPart, Redactions};
use crate::detect::{Detection, Detector, Label, Scores};
#[cfg(feature = "bundled")]
use crate::detect::{DetectorOptions, Tiling};
use crate::engine::ModelInfo;
use crate::error::Result;
use crate::frame::{Frame, FrameMut, RawFrame};
use crate::occupancy::Lot;

/// Destroys people and plates in pictures.
///
/// It keeps nothing of a picture between calls, and may be shared by any number of threads.
/// For a camera's stream see [`Stream`](crate::Stream).
///
/// ```
/// use parkq_core::{Anonymizer, FrameMut, PixelFormat};
/// let anonymizer = Anonymizer::bundled()?;
/// let mut lent = vec![128; 640 * 480 * 3 / 2];
/// anonymizer.anonymize_in_place(FrameMut::packed(PixelFormat::Nv12, 640, 480, &mut lent)?)?;
/// // Nobody and no plate can be recognised in `lent` now.
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Anonymizer {
    finder: Arc<dyn Finder>,
    policy: Policy,
    lot: Option<Lot>,
}

impl fmt::Debug for Anonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anonymizer").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// What finds things: the detector, or a test.
pub(crate) trait Finder: Send + Sync {
    /// All that is in the frame, by at least these scores.
    fn find(&self, frame: Frame<'_>, lot: Option<&Lot>, scores: Scores) -> Result<Vec<Detection>>;

    /// Whether it looks for this.
    fn looks_for(&self, label: Label) -> bool;

    /// The models that it looks with.
    fn models(&self) -> Vec<&ModelInfo> {
        Vec::new()
    }
}

impl Finder for Detector {
    fn find(&self, frame: Frame<'_>, lot: Option<&Lot>, scores: Scores) -> Result<Vec<Detection>> {
        self.detect_all(frame, lot, scores)
    }

    fn looks_for(&self, label: Label) -> bool {
        Self::looks_for(self, label)
    }

    fn models(&self) -> Vec<&ModelInfo> {
        [self.model()].into_iter().chain(self.second_look()).collect()
    }
}

impl Anonymizer {
    /// With the bundled detector, which looks at the picture's full size ([`Tiling::Full`]), and
    /// the default policy.
    ///
    /// # Errors
    /// As [`Detector::bundled`].
    ///
    /// ```
    /// assert!(parkq_core::Anonymizer::bundled().is_ok());
    /// ```
    #[cfg(feature = "bundled")]
    pub fn bundled() -> Result<Self> {
        Self::with_policy(Policy::default())
    }

    /// As [`bundled`](Self::bundled), with a policy of your own.
    ///
    /// # Errors
    /// As [`Anonymizer::new`].
    ///
    /// ```
    /// use parkq_core::{Anonymizer, Fallback, Policy};
    /// let policy = Policy::default().fallback(Fallback::WholeVehicle);
    /// assert!(Anonymizer::with_policy(policy).is_ok());
    /// ```
    #[cfg(feature = "bundled")]
    pub fn with_policy(policy: Policy) -> Result<Self> {
        let options = DetectorOptions::default().tiling(Tiling::Full);
        Self::new(Detector::with_options(options)?, policy)
    }

    /// With a detector, which may be shared, and a policy of your own. The detector's tiling
    /// counts ([`Tiling::Full`](crate::Tiling::Full) misses least). The policy's scores count, not
    /// the detector's, and nothing is left out for its `max_detections` or for a `max_overlap`
    /// below the default, for persons below 0.8, since people stand before one another.
    ///
    /// # Errors
    /// [`Error::Option`](crate::Error::Option) for an option of the policy outside its range,
    /// and for a redaction that can leak more than the policy's `max_leak_bits`.
    /// [`Error::Model`](crate::Error::Model) for a detector that does not look for what the policy
    /// destroys: persons; faces, or persons at least; plates, or vehicles with a fallback at least.
    ///
    /// ```
    /// use parkq_core::{Anonymizer, Detector, DetectorOptions, Error, Policy, Redaction, Tiling};
    /// let full = DetectorOptions::default().tiling(Tiling::Full);
    /// let leaky = Policy::default().redaction(Redaction::Mosaic { cells: [8, 2], levels: 255 });
    /// let refused = Anonymizer::new(Detector::with_options(full)?, leaky);
    /// assert!(matches!(refused, Err(Error::Option { name: "redaction", .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(detector: impl Into<Arc<Detector>>, policy: Policy) -> Result<Self> {
        Self::of(detector.into(), policy)
    }

    pub(crate) fn of(finder: Arc<dyn Finder>, policy: Policy) -> Result<Self> {
        policy.check()?;
        policy.check_labels(|label| finder.looks_for(label))?;
        Ok(Self { finder, policy, lot: None })
    }

    /// The same, for a camera that sees this lot: its privacy masks are burnt in before anything
    /// else reads the picture, and its spaces give the scale: at which sizes is looked, and on
    /// which vehicles a plate would be legible. Give no lot for a camera that is moved or zoomed.
    ///
    /// ```
    /// use parkq_core::{Anonymizer, Lot};
    /// let anonymizer = Anonymizer::bundled()?.on(Lot::new([])?);
    /// assert!(anonymizer.lot().is_some());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[must_use]
    pub fn on(mut self, lot: Lot) -> Self {
        self.lot = Some(lot);
        self
    }

    /// The models that it looks with: the detector's, and that of its second look if it has one.
    ///
    /// ```
    /// let anonymizer = parkq_core::Anonymizer::bundled()?;
    /// let names: Vec<_> = anonymizer.models().iter().map(|model| &*model.name).collect();
    /// assert_eq!(names, ["detector", "second-look"]);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn models(&self) -> Vec<&ModelInfo> {
        self.finder.models()
    }

    /// What it destroys, and how.
    ///
    /// ```
    /// assert!(parkq_core::Anonymizer::bundled()?.policy().plates);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The lot that its camera sees.
    ///
    /// ```
    /// assert!(parkq_core::Anonymizer::bundled()?.lot().is_none());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn lot(&self) -> Option<&Lot> {
        self.lot.as_ref()
    }

    /// Takes a raw frame and gives it back anonymized, without a copy of its pixels.
    ///
    /// # Errors
    /// As [`Detector::detect`], and [`Error::Inference`](crate::Error::Inference) for more boxes
    /// than can be looked at (100,000): none may be left out. The frame is wiped then.
    ///
    /// ```
    /// use parkq_core::{Anonymizer, PixelFormat, RawFrame};
    /// let raw = RawFrame::from_pixels(PixelFormat::Rgb8, 640, 480, vec![0; 640 * 480 * 3])?;
    /// let picture = Anonymizer::bundled()?.anonymize(raw)?;
    /// assert_eq!(picture.width(), 640);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn anonymize(&self, mut frame: RawFrame) -> Result<AnonymizedFrame> {
        let redactions = self.run(&mut frame.as_frame_mut(), &mut NoHistory)?;
        Ok(AnonymizedFrame::new(frame, redactions))
    }

    /// Anonymizes a lent buffer where it lies. If that fails or unwinds, the whole picture is
    /// filled with black (an abort, as under `panic = "abort"`, leaves it as it is).
    ///
    /// # Errors
    /// As [`anonymize`](Self::anonymize).
    ///
    /// ```
    /// use parkq_core::{Anonymizer, FrameMut, PixelFormat};
    /// let mut gray = vec![0; 640 * 480];
    /// let frame = FrameMut::packed(PixelFormat::Gray8, 640, 480, &mut gray)?;
    /// let anonymized = Anonymizer::bundled()?.anonymize_in_place(frame)?;
    /// assert_eq!(anonymized.redactions().max_leak_bits(), 0.0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn anonymize_in_place<'a>(&self, mut frame: FrameMut<'a>) -> Result<Anonymized<'a>> {
        let redactions = guarded(&mut frame, |frame| self.run(frame, &mut NoHistory))?;
        Ok(Anonymized::new(frame, redactions))
    }

    /// All of it, on a frame that the caller wipes or fills if this fails.
    pub(super) fn run(
        &self,
        frame: &mut FrameMut<'_>,
        history: &mut dyn History,
    ) -> Result<Redactions> {
        let mut redactions = self.burn_masks(frame);
        self.redact(frame, history, &mut redactions)?;
        Ok(redactions)
    }

    /// Burns in the lot's privacy masks.
    pub(crate) fn burn_masks(&self, frame: &mut FrameMut<'_>) -> Redactions {
        let mut redactions = Redactions::default();
        for mask in self.lot.iter().flat_map(Lot::masks) {
            let rect = frame.burn(mask).into();
            let (label, cause) = (None, Cause::Mask);
            let parts = vec![RedactedPart { label, cause, rect }];
            redactions.push(Redacted { label, cause, rect, leak_bits: 0.0, parts });
        }
        redactions
    }

    /// Destroys what is private in a frame whose masks are burnt in; gives what was found if
    /// vehicles were looked for.
    pub(crate) fn redact(
        &self,
        frame: &mut FrameMut<'_>,
        history: &mut dyn History,
        redactions: &mut Redactions,
    ) -> Result<Option<Vec<Detection>>> {
        let Self { policy, lot, .. } = self;
        let picture = frame.as_frame();
        let found = self.finder.find(picture, lot.as_ref(), policy.scores)?;
        let mut regions = policy.regions(&picture, &found, lot.as_ref());
        history.extend(&picture, &mut regions);
        let masks = lot.as_ref().map_or(&[][..], Lot::masks);
        policy.redaction.destroy(frame, regions, masks, history, redactions);
        Ok(self.finder.looks_for(Label::Vehicle).then_some(found))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::redaction::Redaction;
    use super::*;
    use crate::error::Error;
    use crate::frame::PixelFormat;
    use crate::geometry::{Point, Rect};

    /// What the detector does.
    #[derive(Clone, Copy)]
    enum Does {
        Find,
        Fail,
        Panic,
    }

    impl Finder for Does {
        fn find(&self, _: Frame<'_>, _: Option<&Lot>, _: Scores) -> Result<Vec<Detection>> {
            match self {
                Self::Find => Ok(vec![Detection {
                    label: Label::Plate,
                    score: 0.9,
                    rect: Rect { x: 8.0, y: 8.0, width: 8.0, height: 4.0 },
                }]),
                Self::Fail => Err(Error::Inference("on purpose".into())),
                Self::Panic => panic!("on purpose"),
            }
        }

        fn looks_for(&self, _: Label) -> bool {
            true
        }
    }

    fn anonymizer(does: Does) -> Anonymizer {
        let corner = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]].map(Point::from).to_vec();
        let lot = Lot::new([]).unwrap().with_masks([corner]).unwrap();
        Anonymizer::of(Arc::new(does), Policy::default()).unwrap().on(lot)
    }

    /// Bytes of a packed picture of 32 x 32.
    fn size(format: PixelFormat) -> usize {
        (0..3).map(|plane| format.plane_size(plane, 32, 32)).map(|(row, rows)| row * rows).sum()
    }

    /// A lent buffer whose anonymizing fails or unwinds is black all over, in every format.
    #[test]
    fn what_fails_leaves_nothing() {
        for format in PixelFormat::ALL {
            for does in [Does::Fail, Does::Panic] {
                let mut lent: Vec<u8> = (0..size(format)).map(|i| (i * 37 % 201) as u8).collect();
                let frame = FrameMut::packed(format, 32, 32, &mut lent).unwrap();
                let anonymizer = anonymizer(does);
                let result = catch_unwind(AssertUnwindSafe(|| {
                    anonymizer.anonymize_in_place(frame).map(|_| ())
                }));
                assert!(!matches!(result, Ok(Ok(()))));
                let frame = Frame::packed(format, 32, 32, &lent).unwrap();
                assert!(frame.to_rgb().iter().all(|&v| v == 0), "{format}");
            }
        }
    }

    /// Owned and lent frames are anonymized alike: mask and plate are gone and reported, the
    /// rest is as it was.
    #[test]
    fn what_succeeds_keeps_the_rest() {
        for format in PixelFormat::ALL {
            let before: Vec<u8> = (0..size(format)).map(|i| 40 + (i * 37 % 151) as u8).collect();
            let mut lent = before.clone();
            let anonymizer = anonymizer(Does::Find);
            let frame = FrameMut::packed(format, 32, 32, &mut lent).unwrap();
            let anonymized = anonymizer.anonymize_in_place(frame).unwrap();
            let causes: Vec<_> =
                anonymized.redactions().iter().map(|r| (r.label, r.cause)).collect();
            assert_eq!(causes, [(None, Cause::Mask), (Some(Label::Plate), Cause::Detected)]);
            let rgb = anonymized.as_frame().to_rgb();
            let before_rgb = Frame::packed(format, 32, 32, &before).unwrap().to_rgb();
            for (i, (now, then)) in rgb.iter().zip(&before_rgb).enumerate() {
                let (x, y) = (i / 3 % 32, i / 3 / 32);
                if (6..18).contains(&x) && (6..14).contains(&y) || (x, y) == (0, 0) {
                    assert_eq!(*now, 0, "{format} {x} {y}");
                } else if x > 18 || y > 14 {
                    assert_eq!(now, then, "{format} {x} {y}");
                }
            }
            let raw = RawFrame::from_pixels(format, 32, 32, before).unwrap();
            let picture = anonymizer.anonymize(raw).unwrap();
            assert_eq!(picture.pixels(), lent, "{format}");
            assert_eq!(picture, picture.clone());
            let shown = format!("{picture:?}");
            assert_eq!(shown, format!("AnonymizedFrame(32x32 {format}, 2 regions destroyed)"));
        }
    }

    /// Encoded pictures hold the pixels, and nothing of a source's metadata.
    #[cfg(feature = "image")]
    #[test]
    fn encoded_pictures_are_the_pixels_alone() {
        let raw = RawFrame::from_pixels(PixelFormat::Nv12, 32, 32, vec![128; 32 * 32 * 3 / 2]);
        let picture = anonymizer(Does::Find).anonymize(raw.unwrap()).unwrap();
        let png = picture.to_png().unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().into_rgb8().into_raw(), picture.to_rgb());
        let jpeg = picture.to_jpeg(100).unwrap();
        let back = image::load_from_memory(&jpeg).unwrap().into_rgb8().into_raw();
        let far = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 60;
        assert!(back.iter().zip(&picture.to_rgb()).filter(|&(a, b)| far((a, b))).count() < 60);
        // Chunks beside the picture's own in the PNG; application segments but JFIF in the JPEG.
        for chunk in ["eXIf", "tEXt", "iTXt", "zTXt", "tIME", "iCCP"] {
            assert!(!png.windows(4).any(|w| w == chunk.as_bytes()), "{chunk}");
        }
        for marker in 0xE1..=0xEF {
            assert!(!jpeg.windows(2).any(|w| w == [0xFF, marker]), "{marker:x}");
        }
        assert!(picture.to_jpeg(0).is_err() && picture.to_jpeg(101).is_err());
    }

    /// A redaction that leaks more than the policy allows is refused, and the policy's own
    /// bound can only be lowered.
    #[test]
    fn leaky_policies_are_refused() {
        let of = |policy| Anonymizer::of(Arc::new(Does::Find), policy).err().map(|e| e.to_string());
        let mosaic = Redaction::Mosaic { cells: [2, 2], levels: 4 };
        assert_eq!(of(Policy::default().redaction(mosaic)), None);
        assert_eq!(
            of(Policy::default().redaction(mosaic).max_leak_bits(7.9)),
            Some("option redaction: 8 is not in 0..=max_leak_bits (bits, 8 at most)".into())
        );
        assert_eq!(
            of(Policy::default().max_leak_bits(9.0)),
            Some("option max_leak_bits: 9 is not in 0..=8".into())
        );
    }
}
