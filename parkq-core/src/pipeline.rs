//! masks -> occupancy -> wipe.

use crate::error::Result;
use crate::frame::RawFrame;
use crate::occupancy::{Estimator, Lot, Occupancy};

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
    /// Read the spaces.
    Occupancy,
    /// Destroy the picture.
    Wipe,
    /// Nothing more: the picture is gone.
    Done,
}

/// What a [`Pipeline`] leaves of a frame: states and counts.
///
/// ```
/// # use parkq_core::{Lot, Pipeline, PixelFormat, RawFrame};
/// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
/// let outcome = Pipeline::bundled(Lot::new([])?)?.process(raw)?;
/// assert_eq!(outcome.occupancy.free(), 0);
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Which spaces are taken.
    pub occupancy: Occupancy,
}

/// The whole way of a frame: privacy masks are burnt in, the spaces are read, the picture is
/// wiped, whether that succeeds, fails or unwinds.
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
    estimator: Estimator,
}

impl Pipeline {
    /// With the bundled models and the default options.
    ///
    /// # Errors
    /// As [`Estimator::bundled`].
    ///
    /// ```
    /// # use parkq_core::{Lot, Pipeline};
    /// assert!(Pipeline::bundled(Lot::new([])?).is_ok());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[cfg(feature = "bundled")]
    pub fn bundled(lot: Lot) -> Result<Self> {
        Ok(Self::new(Estimator::bundled(lot)?))
    }

    /// From its parts.
    ///
    /// ```
    /// use parkq_core::{Estimator, EstimatorOptions, Lot, Pipeline};
    /// let options = EstimatorOptions::default().threads(1);
    /// let pipeline = Pipeline::new(Estimator::with_options(Lot::new([])?, options)?);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn new(estimator: Estimator) -> Self {
        Self { estimator }
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

    /// Takes the frame, says which spaces are taken, and wipes the frame.
    ///
    /// # Errors
    /// As [`Estimator::occupancy`]; the frame is wiped all the same.
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
    /// assert_eq!(stages, [Stage::Mask, Stage::Occupancy, Stage::Wipe, Stage::Done]);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn process_with(
        &self,
        mut frame: RawFrame,
        observer: &mut dyn FnMut(Stage),
    ) -> Result<Outcome> {
        observer(Stage::Mask);
        let mut picture = frame.as_frame_mut();
        for mask in self.lot().masks() {
            picture.burn(mask);
        }
        observer(Stage::Occupancy);
        let occupancy = self.estimator.occupancy(&frame)?;
        observer(Stage::Wipe);
        drop(frame);
        observer(Stage::Done);
        Ok(Outcome { occupancy })
    }
}
