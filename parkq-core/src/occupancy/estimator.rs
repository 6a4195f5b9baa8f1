//! Crop -> normalise -> net -> calibrated probability -> a second look if unsure -> state.

use super::crop::{self, SIZE};
use super::{Lot, Occupancy, Reading, Space, State, Unknown};
use crate::anonymize::Redacted;
use crate::detect::{Detection, Detector, Label};
use crate::engine::{ModelInfo, Net};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{Covered, Quad};
use crate::input::Input;
use crate::options::{self, setters};
use crate::threads;

/// The classifier's input.
const INPUT: [usize; 4] = [1, 4, SIZE, SIZE];
/// A vehicle on a space adds the first to its log-odds, and the second times those of its score.
/// Chosen, with vehicles of 0.3 and more, on the 1,068 labelled spaces of two lots held out of
/// training, read from anonymized pictures: there an earlier network that had not seen them had a
/// cross-entropy of 0.211 alone, 0.155 with 1.4 for any vehicle and -0.8 for none, 0.140 with this.
const VEHICLE: [f32; 2] = [1.0, 0.7];
/// No score counts for more.
const SUREST: f32 = 0.99;
/// What is added if there is none; no vehicle says less.
const NO_VEHICLE: f32 = -1.2;
/// A vehicle of a lower score says no more than that.
#[cfg(feature = "bundled")]
const LEAST: f32 = 0.04;
/// Log-odds nearer to zero than this are unsure (probabilities from 0.08 to 0.92): the space is read
/// once more, mirrored, and the mean counts; if that is unsure too, a detector looks for vehicles.
const UNSURE: f64 = 2.5;
/// What the detector is shown then: the square round the space, so many times the longer side of
/// its quad's bounding box. This and the square's pixels (`Detector::detect_in`) were chosen, of 16
/// pairs, on the spaces named above, read from the pictures as they are: cross-entropy 0.079
/// without, 0.068 with it; 0.067 with the best, which takes twice as long, 0.079 with the worst
/// (before boxes were clipped to the frame: 0.065 since).
const MARGIN: f64 = 1.2;
/// With less detail around it (`crop::write`) a space is blank. Of 1,221 spaces of ACPDS' training
/// pictures none has less than 8 (an enlarged one in proportion); white noise of a deviation of 8
/// has 1.
const MIN_DETAIL: f64 = 1.0;
/// A space that seems free, of which a larger share was destroyed with a whole vehicle, may be that
/// vehicle's: seen from low, most of it is above its space.
const MAX_DESTROYED: f64 = 0.1;

/// How an [`Estimator`] decides.
///
/// ```
/// let options = parkq_core::EstimatorOptions::default().free_below(0.5).occupied_above(0.5);
/// assert_eq!(options.free_below, 0.5);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EstimatorOptions {
    /// A space whose probability is below this is free; 0..=1, at most `occupied_above`.
    /// Default: 0.1053.
    pub free_below: f64,
    /// A space whose probability is at least this is occupied; 0..=1. Default: 0.8947.
    pub occupied_above: f64,
    /// How much the variance of the count exceeds that of independent errors, 1..=100; as the
    /// bundled model's card gives it. Default: 1.
    pub dispersion: f64,
    /// A space whose quad's short side has fewer pixels than this is unknown; 0..=1000.
    /// Default: 8.
    pub min_side: f64,
    /// A space of which privacy masks cover more than this share is unknown; 0..=1.
    /// Default: 0.25.
    pub max_masked: f64,
    /// Whether the bundled detector looks for a vehicle where the bundled classifier is unsure, about
    /// one space in ten, which takes several times as long for these; the thresholds above are
    /// fitted to it. Default: true; with a model of your own there is none.
    pub second_look: bool,
    /// On how many threads spaces are read, with the feature `threads`; 0 is one for each
    /// processor. Default: 0.
    pub threads: usize,
}

impl Default for EstimatorOptions {
    fn default() -> Self {
        Self {
            free_below: 0.1053,
            occupied_above: 0.8947,
            dispersion: 1.0,
            min_side: 8.0,
            max_masked: 0.25,
            second_look: true,
            threads: 0,
        }
    }
}

setters! {
    EstimatorOptions {
        free_below: f64 = "0.4",
        occupied_above: f64 = "0.9",
        dispersion: f64 = "2.0",
        min_side: f64 = "12.0",
        max_masked: f64 = "0.5",
        second_look: bool = "false",
        threads: usize = "1",
    }
}

impl EstimatorOptions {
    fn check(&self) -> Result<()> {
        options::check([
            ("occupied_above", self.occupied_above, 0.0..=1.0, "0..=1"),
            ("free_below", self.free_below, 0.0..=self.occupied_above, "0..=occupied_above"),
            ("dispersion", self.dispersion, 1.0..=100.0, "1..=100"),
            ("min_side", self.min_side, 0.0..=1000.0, "0..=1000"),
            ("max_masked", self.max_masked, 0.0..=1.0, "0..=1"),
        ])
    }
}

/// Reads which spaces of a lot are taken.
///
/// It keeps nothing of a frame between calls, and may be shared by any number of threads.
///
/// ```
/// use parkq_core::{Estimator, Frame, Lot, PixelFormat};
/// let lot = Lot::from_json(r#"{"version": 1, "spaces": [
///     {"id": "A1", "quad": [[0.1, 0.5], [0.2, 0.5], [0.2, 0.8], [0.1, 0.8]]}]}"#)?;
/// let estimator = Estimator::bundled(lot)?;
/// let nv12 = vec![128u8; 640 * 480 * 3 / 2];
/// let occupancy = estimator.occupancy(Frame::packed(PixelFormat::Nv12, 640, 480, &nv12)?)?;
/// assert_eq!(occupancy.readings().len(), 1);
/// # Ok::<(), parkq_core::Error>(())
/// ```
pub struct Estimator {
    net: Net,
    second: Option<Detector>,
    lot: Lot,
    masked: Vec<bool>,
    options: EstimatorOptions,
}

impl std::fmt::Debug for Estimator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (spaces, model) = (self.lot.spaces().len(), &self.net.info().name);
        write!(f, "Estimator({spaces} spaces, {model})")
    }
}

impl Estimator {
    /// With the bundled model and the default options.
    ///
    /// # Errors
    /// As [`Estimator::with_options`].
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot};
    /// let estimator = Estimator::bundled(Lot::new([])?)?;
    /// assert_eq!(estimator.model().name, "space-classifier");
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[cfg(feature = "bundled")]
    pub fn bundled(lot: Lot) -> Result<Self> {
        Self::with_options(lot, EstimatorOptions::default())
    }

    /// With the bundled model.
    ///
    /// # Errors
    /// [`Error::Option`] for an option outside its range.
    ///
    /// ```
    /// use parkq_core::{Error, Estimator, EstimatorOptions, Lot};
    /// let crossed = EstimatorOptions::default().free_below(0.9).occupied_above(0.1);
    /// let error = Estimator::with_options(Lot::new([])?, crossed).unwrap_err();
    /// assert!(matches!(error, Error::Option { name: "free_below", .. }));
    /// # Ok::<(), Error>(())
    /// ```
    #[cfg(feature = "bundled")]
    pub fn with_options(lot: Lot, options: EstimatorOptions) -> Result<Self> {
        let model = &parkq_models::SPACE_CLASSIFIER;
        let once = Self::from_onnx(model.name, model.onnx, lot, options.clone())?;
        let second = options.second_look.then(|| Detector::for_vehicles(LEAST)).transpose()?;
        Ok(Self { second, options, ..once })
    }

    /// With a model of your own, under a name of your own.
    ///
    /// Its input is `f32 [1, 4, 80, 80]`: the square round the space (1.5 times the longer side
    /// of its quad's bounding box) as red, green, blue, less their common mean and divided by
    /// their common standard deviation plus 10 (of 255), then the quad as 0 or 1. Its output is
    /// `f32 [1, 1]`: the log-odds that the space is occupied. If these are between -2.5 and 2.5, the
    /// mirror image is read too, and the mean counts. There is no second look, whatever the options
    /// say ([`occupancy_with`](Self::occupancy_with) weighs what you found yourself).
    ///
    /// # Errors
    /// [`Error::Model`] for what is no ONNX model of these shapes, or above 64 MiB;
    /// [`Error::Option`] for an option outside its range.
    ///
    /// ```
    /// use parkq_core::{Error, Estimator, EstimatorOptions, Lot};
    /// let nonsense = Estimator::from_onnx("mine", b"no model", Lot::new([])?, EstimatorOptions::default());
    /// assert!(matches!(nonsense, Err(Error::Model(_))));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_onnx(name: &str, onnx: &[u8], lot: Lot, options: EstimatorOptions) -> Result<Self> {
        options.check()?;
        let net = Net::load(name, onnx)?;
        let outputs = net.shapes(&INPUT)?;
        if outputs != [[1, 1]] {
            return Err(Error::Model(format!("its outputs are {outputs:?}, [[1, 1]] is needed")));
        }
        let options = options.second_look(false);
        // A mask that only touches a space covers a share of it that is 0 but for rounding.
        let most = options.max_masked + 1e-6;
        let covered = Covered::by(lot.masks());
        let masked = |space: &Space| space.quad.share_covered(&covered) > most;
        let masked = lot.spaces().iter().map(masked).collect();
        Ok(Self { net, second: None, lot, masked, options })
    }

    /// The lot that it reads.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot};
    /// assert!(Estimator::bundled(Lot::new([])?)?.lot().spaces().is_empty());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn lot(&self) -> &Lot {
        &self.lot
    }

    /// The classifier that it reads with.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot};
    /// assert_eq!(Estimator::bundled(Lot::new([])?)?.model().sha256.len(), 64);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn model(&self) -> &ModelInfo {
        self.net.info()
    }

    /// The model of the second look, which looks for vehicles where the classifier is unsure; none
    /// with a model of your own, or if the options say so.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot};
    /// let estimator = Estimator::bundled(Lot::new([])?)?;
    /// assert_eq!(estimator.second_look().map(|model| &*model.name), Some("detector"));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn second_look(&self) -> Option<&ModelInfo> {
        self.second.as_ref().map(Detector::model)
    }

    /// How it decides.
    ///
    /// ```
    /// # use parkq_core::{Estimator, EstimatorOptions, Lot};
    /// assert_eq!(Estimator::bundled(Lot::new([])?)?.options(), &EstimatorOptions::default());
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn options(&self) -> &EstimatorOptions {
        &self.options
    }

    /// Reads every space of the lot in one frame. Where the classifier is unsure (log-odds from
    /// -2.5 to 2.5) and the space is not too small, the bundled detector looks for a vehicle in the
    /// square round it, 1.2 times the longer side of its quad's bounding box; what it finds is
    /// weighed as by [`occupancy_with`](Self::occupancy_with). Closed spaces are not looked at. The
    /// lot's privacy masks are not burnt in here, only honoured: that is
    /// [`Pipeline`](crate::Pipeline)'s part, which owns the picture.
    ///
    /// # Errors
    /// [`Error::Inference`] if the network fails.
    ///
    /// ```
    /// # use parkq_core::{Estimator, Lot, PixelFormat, RawFrame};
    /// let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// let occupancy = Estimator::bundled(Lot::new([])?)?.occupancy(&raw)?;
    /// assert_eq!(occupancy.free(), 0);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn occupancy<'a>(&self, input: impl Into<Input<'a>>) -> Result<Occupancy> {
        self.read_all(input.into(), None)
    }

    /// As [`occupancy`](Self::occupancy), but instead of a second look it weighs, for every space,
    /// the vehicles that a detector has found in the same picture. A space is taken to hold a
    /// vehicle if the middle of the lower half of its box lies in it. That adds 1 and 0.7 times the
    /// log-odds of its score (0.99 at most) to the space's log-odds; of several the surest counts.
    /// None, or one that scores less than 0.04, takes 1.2 away. Detections of other labels are not
    /// looked at.
    ///
    /// # Errors
    /// As [`occupancy`](Self::occupancy).
    ///
    /// ```
    /// # use parkq_core::{Detector, Estimator, Lot, PixelFormat, RawFrame};
    /// # let raw = RawFrame::from_pixels(PixelFormat::Gray8, 9, 9, vec![0; 81])?;
    /// # let lot = Lot::new([])?;
    /// let vehicles = Detector::bundled()?.detect_on(&raw, &lot)?;
    /// let occupancy = Estimator::bundled(lot)?.occupancy_with(&raw, &vehicles)?;
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn occupancy_with<'a>(
        &self,
        input: impl Into<Input<'a>>,
        vehicles: &[Detection],
    ) -> Result<Occupancy> {
        self.read_all(input.into(), Some(vehicles))
    }

    fn read_all(&self, input: Input<'_>, found: Option<&[Detection]>) -> Result<Occupancy> {
        let vehicles = found.map(Vehicle::all);
        let spaces: Vec<_> = self.lot.spaces().iter().zip(&self.masked).collect();
        let read = |&(space, &masked): &(&Space, &bool)| {
            self.read(&input, space, masked, vehicles.as_deref())
        };
        // Spaces are small and many: below a few of them a thread costs more than it saves.
        let readings = threads::map(&spaces, self.options.threads, 4, read)?;
        let second = self.second_look().filter(|_| found.is_none()).cloned();
        Ok(Occupancy::new(self.model().clone(), second, readings, self.options.dispersion))
    }

    fn read(
        &self,
        input: &Input<'_>,
        space: &Space,
        masked: bool,
        vehicles: Option<&[Vehicle]>,
    ) -> Result<Reading> {
        let (width, height) = (input.frame.width(), input.frame.height());
        let quad = space.quad.scaled(width.into(), height.into());
        let (state, unknown, probability) = if space.closed {
            (State::Closed, None, None)
        } else if masked {
            (State::Unknown, Some(Unknown::Masked), None)
        } else {
            match self.probability(&input.frame, &quad, vehicles)? {
                None => (State::Unknown, Some(Unknown::Blank), None),
                Some(p) if self.too_small(&quad) => {
                    (State::Unknown, Some(Unknown::TooSmall), Some(p))
                }
                Some(p) if p >= self.options.occupied_above => (State::Occupied, None, Some(p)),
                Some(p) if p >= self.options.free_below => {
                    (State::Unknown, Some(Unknown::Unsure), Some(p))
                }
                // What is destroyed looks like bare ground.
                Some(_) if share_destroyed(&quad, input.redacted) > MAX_DESTROYED => {
                    (State::Unknown, Some(Unknown::Redacted), None)
                }
                Some(p) => (State::Free, None, Some(p)),
            }
        };
        let pixels_per_metre = space.pixels_per_metre(width, height);
        Ok(Reading { id: space.id.clone(), state, probability, pixels_per_metre, unknown })
    }

    fn too_small(&self, quad: &Quad) -> bool {
        quad.short_side() < self.options.min_side
    }

    /// That a space is occupied; none if nothing is to be seen there.
    fn probability(
        &self,
        frame: &Frame<'_>,
        quad: &Quad,
        vehicles: Option<&[Vehicle]>,
    ) -> Result<Option<f64>> {
        let (mut logit, detail) = self.logit(frame, quad, false)?;
        if detail < MIN_DETAIL {
            return Ok(None);
        }
        if logit.abs() < UNSURE {
            logit = f64::midpoint(logit, self.logit(frame, quad, true)?.0);
        }
        let evidence = match (vehicles, &self.second) {
            (Some(vehicles), _) => evidence(vehicles, quad),
            (None, Some(second)) if logit.abs() < UNSURE && !self.too_small(quad) => {
                evidence(&Vehicle::all(&second.detect_in(frame, quad.square(MARGIN))?), quad)
            }
            (None, _) => 0.0,
        };
        Ok(Some(1.0 / (1.0 + (-logit - f64::from(evidence)).exp())))
    }

    /// The log-odds that a space is occupied, seen as it is or mirrored, and how much there is to
    /// see.
    fn logit(&self, frame: &Frame<'_>, quad: &Quad, mirrored: bool) -> Result<(f64, f64)> {
        let mut detail = 0.0;
        let fill = |input: &mut [f32]| {
            detail = crop::write(frame, quad, input);
            if mirrored {
                input.chunks_exact_mut(SIZE).for_each(<[f32]>::reverse);
            }
        };
        let logit = self.net.run(&INPUT, fill, |outputs| f64::from(outputs[0].values[0]))?;
        if !logit.is_finite() {
            return Err(Error::Inference(format!("the log-odds are {logit}")));
        }
        Ok((logit, detail))
    }
}

/// A vehicle that a detector has found.
struct Vehicle {
    /// Where it stands: three quarters down the middle of its box.
    x: f32,
    y: f32,
    /// What it adds to the log-odds of the space that it stands on.
    evidence: f32,
}

impl Vehicle {
    fn all(found: &[Detection]) -> Vec<Self> {
        let mut vehicles = Vec::with_capacity(found.len()); // exact: nothing is taken beyond this
        let is_vehicle = |d: &&Detection| d.label == Label::Vehicle;
        vehicles.extend(found.iter().filter(is_vehicle).map(Self::of));
        vehicles
    }

    fn of(found: &Detection) -> Self {
        let Detection { rect, score, .. } = found;
        let score = score.clamp(1.0 - SUREST, SUREST); // the log-odds are finite
        Self {
            x: rect.x + rect.width / 2.0,
            y: rect.y + 0.75 * rect.height,
            evidence: VEHICLE[0] + VEHICLE[1] * (score / (1.0 - score)).ln(),
        }
    }
}

/// What the vehicles say about a space: the one on it that says most, or that there is none.
fn evidence(vehicles: &[Vehicle], quad: &Quad) -> f32 {
    let on_it = vehicles.iter().filter(|vehicle| quad.contains(vehicle.x.into(), vehicle.y.into()));
    on_it.map(|vehicle| vehicle.evidence).fold(NO_VEHICLE, f32::max)
}

/// The share of a quad in which whole vehicles were destroyed. Plates, faces and persons hide no
/// vehicle: the network has learnt to read with these destroyed.
fn share_destroyed(quad: &Quad, redacted: &[Redacted]) -> f64 {
    let parts = redacted.iter().flat_map(|region| &region.parts);
    let vehicles = parts.filter(|part| part.label == Some(Label::Vehicle));
    quad.share_within(&vehicles.map(|part| part.rect).collect::<Vec<_>>())
}
