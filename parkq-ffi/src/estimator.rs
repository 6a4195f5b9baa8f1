//! `parkq_estimator`: which spaces are taken.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use parkq_core::{Detection, Estimator, EstimatorOptions, Label, ModelInfo};

use crate::boundary::{call, free, make, write};
use crate::detector::{parkq_detection, parkq_label};
use crate::frame::parkq_frame;
use crate::library::{loaded, threads};
use crate::lot::parkq_lot;
use crate::memory;
use crate::occupancy::parkq_occupancy;
use crate::pointers::{bytes, fixed_text, given, items, text};
use crate::policy::flag;
use crate::status::{Failure, parkq_status};

/// Reads which spaces of a lot are taken.
///
/// You own it from `parkq_estimator_new` or `_from_onnx` to `parkq_estimator_free`. It keeps
/// nothing of a frame between calls; any number of threads may use it at once.
pub struct parkq_estimator(pub(crate) Arc<Estimator>);

/// How an estimator decides. Fill it with `parkq_estimator_options_default`, then change what
/// you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_estimator_options {
    /// A space whose probability is below this is free; 0 to `occupied_above`.
    pub free_below: f64,
    /// A space whose probability is at least this is occupied; 0 to 1.
    pub occupied_above: f64,
    /// How much the variance of the count exceeds that of independent errors, 1 to 100; as the
    /// model's card gives it.
    pub dispersion: f64,
    /// A space whose quad's short side has fewer pixels than this is unknown; 0 to 1000.
    pub min_side: f64,
    /// A space of which privacy masks cover more than this share is unknown; 0 to 1.
    pub max_masked: f64,
    /// Whether the bundled detector looks for a vehicle where the bundled classifier is unsure: 1
    /// or 0.
    pub second_look: u32,
    /// On how many threads the spaces of a frame are read; 0 is one for each processor. The cap
    /// of `parkq_threads_set_cap` holds.
    pub threads: u32,
}

impl parkq_estimator_options {
    fn defaults() -> Self {
        let options = EstimatorOptions::default();
        Self {
            free_below: options.free_below,
            occupied_above: options.occupied_above,
            dispersion: options.dispersion,
            min_side: options.min_side,
            max_masked: options.max_masked,
            second_look: options.second_look.into(),
            threads: options.threads as u32,
        }
    }

    pub(crate) fn options(this: Option<&Self>) -> Result<EstimatorOptions, Failure> {
        let this = this.copied().unwrap_or_else(Self::defaults);
        Ok(EstimatorOptions::default()
            .free_below(this.free_below)
            .occupied_above(this.occupied_above)
            .dispersion(this.dispersion)
            .min_side(this.min_side)
            .max_masked(this.max_masked)
            .second_look(flag("second_look", this.second_look)?)
            .threads(threads(this.threads)))
    }
}

/// Which model gives results.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_model_info {
    /// Its name, with a NUL after it; cut after 63 bytes.
    pub name: [c_char; 64],
    /// SHA-256 of its ONNX file, hexadecimal, with a NUL after it.
    pub sha256: [c_char; 65],
}

impl From<&ModelInfo> for parkq_model_info {
    fn from(info: &ModelInfo) -> Self {
        Self { name: fixed_text(&info.name), sha256: fixed_text(&info.sha256) }
    }
}

/// What reading the spaces of a frame may take, for each thread, whatever the frame's size.
pub(crate) const READING: usize = 1 << 20;
/// What a second look may take besides.
const SECOND_LOOK: usize = 1 << 20;

/// What loading the bundled classifier may take.
pub(crate) const CLASSIFIER: usize = 8 << 20;
/// What loading the detector of its second look may take.
const VEHICLES: usize = 16 << 20;

/// What loading a model may take: for each byte of it, and for as many nodes as it may have.
pub(crate) fn loading(onnx: &[u8]) -> usize {
    onnx.len().saturating_mul(8).saturating_add(48 << 20)
}

/// Writes the default options to `options`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_estimator_options_default(
    options: Option<&mut MaybeUninit<parkq_estimator_options>>,
) -> parkq_status {
    write(options, "options", || Ok(parkq_estimator_options::defaults()))
}

impl parkq_estimator {
    fn new(estimator: Estimator) -> Self {
        loaded(estimator.model());
        estimator.second_look().into_iter().for_each(loaded);
        Self(Arc::new(estimator))
    }

    #[cfg(feature = "bundled")]
    pub(crate) fn bundled(lot: &parkq_lot, options: EstimatorOptions) -> Result<Self, Failure> {
        Ok(Self::new(Estimator::with_options(lot.0.clone(), options)?))
    }

    #[cfg(not(feature = "bundled"))]
    pub(crate) fn bundled(_: &parkq_lot, _: EstimatorOptions) -> Result<Self, Failure> {
        Err(Failure::unsupported("bundled"))
    }

    /// The memory that reading a frame may take.
    pub(crate) fn needs(&self) -> usize {
        let spaces = self.0.lot().spaces().len();
        let threads = self.0.options().threads.min(spaces);
        let each = READING + self.0.second_look().map_or(0, |_| SECOND_LOOK);
        threads.saturating_mul(each).saturating_add(spaces * 1024)
    }
}

/// Makes an estimator with the bundled models.
///
/// Reads `lot`, of which it keeps a copy, and `options`; NULL for `options` gives the defaults.
/// Writes a new estimator to `estimator`. Takes up to 24 MiB while it runs, 8 MiB without a second
/// look.
/// PARKQ_STATUS_UNSUPPORTED in a library without its weights, PARKQ_STATUS_OPTION for an option
/// outside its range, PARKQ_STATUS_ARGUMENT for a `second_look` that is neither 0 nor 1.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_estimator_new(
    lot: Option<&parkq_lot>,
    options: Option<&parkq_estimator_options>,
    estimator: Option<&mut MaybeUninit<Option<Box<parkq_estimator>>>>,
) -> parkq_status {
    make(estimator, "estimator", || {
        let lot = given(lot, "lot")?;
        let options = parkq_estimator_options::options(options)?;
        let _room = memory::reserve(CLASSIFIER + if options.second_look { VEHICLES } else { 0 })?;
        parkq_estimator::bundled(lot, options)
    })
}

/// Makes an estimator with a model of your own.
///
/// Reads `name_length` bytes of UTF-8 at `name`, under which results name the model, and
/// `onnx_length` bytes at `onnx`, and keeps neither. The model's input is f32 [1, 4, 80, 80]: the
/// square round a space (1.5 times the longer side of its quad's bounding box) as red, green,
/// blue, less their common mean and divided by their common standard deviation plus 10 (of 255),
/// then the quad as 0 or 1. Its output is f32 [1, 1]: the log-odds that the space is occupied; if
/// these are between -2.5 and 2.5, the mirror image is read too, and the mean counts. There is no
/// second look.
/// Otherwise as `parkq_estimator_new`; takes up to 8 times `onnx_length` of memory, and 48 MiB.
/// PARKQ_STATUS_MODEL for what is no such model.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_estimator_from_onnx(
    name: *const c_char,
    name_length: usize,
    onnx: *const c_void,
    onnx_length: usize,
    lot: Option<&parkq_lot>,
    options: Option<&parkq_estimator_options>,
    estimator: Option<&mut MaybeUninit<Option<Box<parkq_estimator>>>>,
) -> parkq_status {
    make(estimator, "estimator", || {
        // SAFETY: by this function's contract.
        let name = unsafe { text(name, name_length, "name") }?;
        // SAFETY: by this function's contract.
        let onnx = unsafe { bytes(onnx, onnx_length, "onnx") }?;
        let lot = given(lot, "lot")?;
        let _room = memory::reserve(loading(onnx))?;
        let options = parkq_estimator_options::options(options)?;
        Ok(parkq_estimator::new(Estimator::from_onnx(name, onnx, lot.0.clone(), options)?))
    })
}

/// Frees an estimator; NULL is allowed. No thread may be using it.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_estimator_free(estimator: Option<Box<parkq_estimator>>) {
    free(estimator);
}

/// Writes which classifier it reads with to `info`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_estimator_model(
    estimator: Option<&parkq_estimator>,
    info: Option<&mut MaybeUninit<parkq_model_info>>,
) -> parkq_status {
    write(info, "info", || Ok(given(estimator, "estimator")?.0.model().into()))
}

/// Reads every space of the lot in one frame.
///
/// Reads the planes of `frame` where they lie, and only what lies round the spaces; writes none
/// of it: the lot's privacy masks are honoured, not burnt in. Replaces what is in `occupancy`.
/// Takes up to 2 MiB for each thread, 1 MiB without a second look, and 1 KiB for each space,
/// whatever the frame's size; keeps less than 1 MiB, 256 KiB without a second look, for every call
/// and thread that ever read at once, without a pixel in it.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_estimator_occupancy(
    estimator: Option<&parkq_estimator>,
    frame: Option<&parkq_frame>,
    occupancy: Option<&mut parkq_occupancy>,
) -> parkq_status {
    call(|| {
        let estimator = given(estimator, "estimator")?;
        let frame = given(frame, "frame")?;
        let occupancy = given(occupancy, "occupancy")?;
        // SAFETY: by this function's contract.
        let frame = unsafe { frame.view() }?;
        let _room = memory::reserve(estimator.needs())?;
        occupancy.set(estimator.0.occupancy(frame)?);
        Ok(())
    })
}

/// As `parkq_estimator_occupancy`, but instead of a second look it weighs, for every space, the
/// vehicles that a detector has found in the same frame: one whose box stands on a space adds 1 and
/// 0.7 times the log-odds of its score (0.99 at most) to the log-odds that the space is occupied;
/// of several the surest counts. None, or one that scores less than 0.04, takes 1.2 away. Detections
/// of other labels are not looked at. Takes 40 bytes more for each.
///
/// # Safety
/// As there; `vehicles` are `count` detections, NULL is allowed if there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_estimator_occupancy_with(
    estimator: Option<&parkq_estimator>,
    frame: Option<&parkq_frame>,
    vehicles: *const parkq_detection,
    count: usize,
    occupancy: Option<&mut parkq_occupancy>,
) -> parkq_status {
    call(|| {
        let estimator = given(estimator, "estimator")?;
        let frame = given(frame, "frame")?;
        // SAFETY: by this function's contract.
        let vehicles = unsafe { items(vehicles, count, "vehicles") }?;
        let occupancy = given(occupancy, "occupancy")?;
        // SAFETY: by this function's contract.
        let frame = unsafe { frame.view() }?;
        let _room = memory::reserve(estimator.needs().saturating_add(count.saturating_mul(40)))?;
        let mut found = Vec::with_capacity(count);
        found.extend(vehicles.iter().filter(|one| one.label == parkq_label::Vehicle as u32).map(
            |one| Detection { label: Label::Vehicle, score: one.score, rect: one.rect.into() },
        ));
        occupancy.set(estimator.0.occupancy_with(frame, &found)?);
        Ok(())
    })
}
