//! masks -> anonymize -> occupancy -> wipe.

use std::sync::Arc;

use crate::anonymize::{AnonymizedFrame, Anonymizer, NoHistory, Redactions, guarded};
use crate::detect::Detection;
use crate::error::{LotError, Result};
use crate::frame::{FrameMut, RawFrame};
use crate::input::Input;
#[cfg(feature = "bundled")]
use crate::occupancy::EstimatorOptions;
use crate::occupancy::{Estimator, Lot, Occupancy};
use crate::options::setters;

/// Vehicles of this score and more bear witness to which spaces are taken, whatever the policy's
/// score is: below it too many detections are false. What a witness counts for
/// (`occupancy/estimator.rs`) was chosen with this threshold.
const WITNESS: f32 = 0.3;

/// What a [`Pipeline`] is about to do.
///
/// ```
/// assert_ne!(parkq_core::Stage::Mask, parkq_core::Stage::Wipe);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Burn the lot's privacy masks into the picture.
    Mask,
    /// Find people and plates, and destroy them.
    Anonymize,
    /// Read the spaces.
    Occupancy,
    /// Destroy the picture, unless it is to be kept or was lent.
    Wipe,
    /// Nothing more.
    Done,
}

/// What a [`Pipeline`] leaves of a frame: states and counts, and what was destroyed.
///
/// ```
/// # use parkq_core::{Lot, Pipeline, PixelFormat, RawFrame};
/// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
/// let outcome = Pipeline::bundled(Lot::new([])?)?.process(raw)?;
/// assert_eq!(outcome.occupancy.free(), 0);
/// assert!(outcome.picture.is_none());
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Which spaces are taken.
    pub occupancy: Occupancy,
    /// The anonymized picture, if [`PipelineOptions::keep_picture`] asks for it.
    pub picture: Option<AnonymizedFrame>,
    /// What was destroyed in it.
    pub redactions: Redactions,
}

/// What a [`Pipeline`] leaves.
///
/// ```
/// assert!(!parkq_core::PipelineOptions::default().keep_picture);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineOptions {
    /// Whether [`Outcome::picture`] is the anonymized picture. Default: false, the picture is
    /// wiped (a lent buffer stays, anonymized).
    pub keep_picture: bool,
}

setters! { PipelineOptions { keep_picture: bool = "true" } }

/// The whole way of a frame: privacy masks are burnt in, people and plates are destroyed, the
/// spaces are read from what is left and from where vehicles were found
/// ([`Estimator::occupancy_with`]; those that score 0.3 and more. If the policy looks for vehicles of
/// higher scores only, or its detector for none, there is the estimator's second look instead, if it
/// has one), the picture is wiped, whether that succeeds, fails or unwinds.
///
/// ```
/// use parkq_core::{Lot, Pipeline, RawFrame};
/// # let jpeg = include_bytes!("../../examples/data/scene.jpg");
/// # let json = include_str!("../../examples/data/scene.lot.json");
/// let pipeline = Pipeline::bundled(Lot::from_json(json)?)?;
/// let outcome = pipeline.process(RawFrame::decode(jpeg)?)?;
/// println!("{} free", outcome.occupancy.free());
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Pipeline {
    estimator: Arc<Estimator>,
    anonymizer: Anonymizer,
    options: PipelineOptions,
}

impl Pipeline {
    /// With the bundled models and the default policy and options.
    ///
    /// # Errors
    /// As [`Estimator::bundled`] and [`Anonymizer::bundled`].
    ///
    /// ```
    /// # use parkq_core::{Lot, Pipeline};
    /// assert!(Pipeline::bundled(Lot::new([])?).is_ok());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[cfg(feature = "bundled")]
    pub fn bundled(lot: Lot) -> Result<Self> {
        // The anonymizer's detector will have looked already.
        let once = EstimatorOptions::default().second_look(false);
        let estimator = Estimator::with_options(lot, once)?;
        Self::new(estimator, Anonymizer::bundled()?, PipelineOptions::default())
    }

    /// From its parts. The estimator's lot becomes the anonymizer's too.
    ///
    /// # Errors
    /// [`Error::Lot`](crate::Error::Lot) if the anonymizer is [`on`](Anonymizer::on) another lot,
    /// with privacy masks that the estimator's lacks: they would be lost.
    ///
    /// ```
    /// use parkq_core::{Anonymizer, Estimator, Lot, Pipeline, PipelineOptions, Policy};
    /// let policy = Policy::default().plate_margin(0.3);
    /// let pipeline = Pipeline::new(
    ///     Estimator::bundled(Lot::new([])?)?,
    ///     Anonymizer::with_policy(policy)?,
    ///     PipelineOptions::default().keep_picture(true),
    /// )?;
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn new(
        estimator: impl Into<Arc<Estimator>>,
        anonymizer: Anonymizer,
        options: PipelineOptions,
    ) -> Result<Self> {
        let estimator = estimator.into();
        let masks = anonymizer.lot().map_or(&[][..], Lot::masks);
        if let Some(i) = masks.iter().position(|mask| !estimator.lot().masks().contains(mask)) {
            let problem = format!("the anonymizer's mask {i} is none of the estimator's lot");
            return Err(LotError::of_file(problem).into());
        }
        let anonymizer = anonymizer.on(estimator.lot().clone());
        Ok(Self { estimator, anonymizer, options })
    }

    /// The lot that it reads.
    ///
    /// ```
    /// # use parkq_core::{Lot, Pipeline};
    /// assert_eq!(Pipeline::bundled(Lot::new([])?)?.lot().name(), None);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn lot(&self) -> &Lot {
        self.estimator.lot()
    }

    /// Takes the frame, destroys people and plates in it, says which spaces are taken, and wipes
    /// the frame or gives it back anonymized.
    ///
    /// # Errors
    /// As [`Anonymizer::anonymize`] and [`Estimator::occupancy_with`]; the frame is wiped then.
    ///
    /// ```
    /// # use parkq_core::{Lot, Pipeline, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let outcome = Pipeline::bundled(Lot::new([])?)?.process(raw)?;
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn process(&self, frame: RawFrame) -> Result<Outcome> {
        self.process_with(frame, &mut |_| ())
    }

    /// As [`process`](Self::process), and tells `observer` of each stage as it begins: parkq
    /// reads no clock, the caller holds it.
    ///
    /// # Errors
    /// As [`process`](Self::process).
    ///
    /// ```
    /// use parkq_core::{Lot, Pipeline, PixelFormat, RawFrame, Stage};
    /// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let mut stages = Vec::new();
    /// Pipeline::bundled(Lot::new([])?)?.process_with(raw, &mut |stage| stages.push(stage))?;
    /// assert_eq!(
    ///     stages,
    ///     [Stage::Mask, Stage::Anonymize, Stage::Occupancy, Stage::Wipe, Stage::Done]
    /// );
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn process_with(
        &self,
        mut frame: RawFrame,
        observer: &mut dyn FnMut(Stage),
    ) -> Result<Outcome> {
        let (occupancy, redactions) = self.read(&mut frame.as_frame_mut(), observer)?;
        observer(Stage::Wipe);
        let picture = if self.options.keep_picture {
            Some(AnonymizedFrame::new(frame, redactions.clone()))
        } else {
            drop(frame);
            None
        };
        observer(Stage::Done);
        Ok(Outcome { occupancy, picture, redactions })
    }

    /// As [`process`](Self::process), on a lent buffer, which is anonymized when this returns;
    /// [`Outcome::picture`] is a copy of it, if that is asked for. If anything fails or unwinds,
    /// the whole picture is filled with black.
    ///
    /// # Errors
    /// As [`process`](Self::process).
    ///
    /// ```
    /// use parkq_core::{FrameMut, Lot, Pipeline, PixelFormat};
    /// let mut nv12 = vec![128; 64 * 48 * 3 / 2];
    /// let frame = FrameMut::packed(PixelFormat::Nv12, 64, 48, &mut nv12)?;
    /// let outcome = Pipeline::bundled(Lot::new([])?)?.process_in_place(frame)?;
    /// assert_eq!(outcome.redactions.max_leak_bits(), 0.0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn process_in_place(&self, frame: FrameMut<'_>) -> Result<Outcome> {
        self.process_in_place_with(frame, &mut |_| ())
    }

    /// As [`process_in_place`](Self::process_in_place), with an observer as in
    /// [`process_with`](Self::process_with); there is no [`Stage::Wipe`].
    ///
    /// # Errors
    /// As [`process`](Self::process).
    ///
    /// ```
    /// use parkq_core::{FrameMut, Lot, Pipeline, PixelFormat, Stage};
    /// let mut gray = vec![128; 64 * 48];
    /// let frame = FrameMut::packed(PixelFormat::Gray8, 64, 48, &mut gray)?;
    /// let mut last = Stage::Mask;
    /// Pipeline::bundled(Lot::new([])?)?.process_in_place_with(frame, &mut |stage| last = stage)?;
    /// assert_eq!(last, Stage::Done);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn process_in_place_with(
        &self,
        mut frame: FrameMut<'_>,
        observer: &mut dyn FnMut(Stage),
    ) -> Result<Outcome> {
        guarded(&mut frame, |frame| {
            let (occupancy, redactions) = self.read(frame, observer)?;
            let picture = self
                .options
                .keep_picture
                .then(|| AnonymizedFrame::new(frame.as_frame().duplicate(), redactions.clone()));
            observer(Stage::Done);
            Ok(Outcome { occupancy, picture, redactions })
        })
    }

    /// Anonymizes the frame, and reads the spaces from what is left.
    fn read(
        &self,
        frame: &mut FrameMut<'_>,
        observer: &mut dyn FnMut(Stage),
    ) -> Result<(Occupancy, Redactions)> {
        observer(Stage::Mask);
        let mut redactions = self.anonymizer.burn_masks(frame);
        observer(Stage::Anonymize);
        let found = self.anonymizer.redact(frame, &mut NoHistory, &mut redactions)?;
        observer(Stage::Occupancy);
        let input = Input { frame: frame.as_frame(), redacted: redactions.as_slice() };
        let all = self.anonymizer.policy().scores.vehicle <= WITNESS;
        let occupancy = match found.filter(|_| all) {
            Some(mut found) => {
                found.retain(|one: &Detection| one.score >= WITNESS);
                self.estimator.occupancy_with(input, &found)?
            }
            None => self.estimator.occupancy(input)?,
        };
        Ok((occupancy, redactions))
    }
}
