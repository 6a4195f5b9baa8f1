//! `parkq_pipeline`: the whole way of a frame.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use parkq_core::{Anonymizer, Pipeline, PipelineOptions};

use crate::anonymizer::{parkq_policy, parkq_redacted};
use crate::boundary::call;
use crate::detector::{DETECTOR, looking, parkq_detector};
use crate::estimator::{parkq_estimator, parkq_estimator_options};
use crate::frame::{Lent, parkq_frame};
use crate::lot::parkq_lot;
use crate::memory;
use crate::occupancy::parkq_occupancy;
use crate::pointers::{Array, bytes, given};
use crate::status::{Failure, parkq_status};

/// The whole way of a frame: the lot's privacy masks are burnt in, people and plates are
/// destroyed, and the spaces are read from what is left.
///
/// You own it from `parkq_pipeline_new` or `_from_parts` to `parkq_pipeline_free`. It keeps
/// nothing of a frame between calls; any number of threads may use it at once.
pub struct parkq_pipeline {
    pipeline: Pipeline,
    /// What reading the spaces may take.
    reading: usize,
    /// On how many threads the detector looks.
    looking: usize,
}

impl parkq_pipeline {
    fn new(
        estimator: parkq_estimator,
        detector: parkq_detector,
        policy: Option<&parkq_policy>,
    ) -> Result<Self, Failure> {
        let (reading, looking) = (estimator.needs(), detector.0.options().threads);
        let anonymizer = Anonymizer::new(detector.0, parkq_policy::policy(policy)?)?;
        let options = PipelineOptions::default();
        let pipeline = Pipeline::new(estimator.estimator, anonymizer, options);
        Ok(Self { pipeline, reading, looking })
    }

    /// What a frame of this size may take. One part works after the other.
    fn needs(&self, size: (u32, u32)) -> usize {
        self.reading.max(looking(size, self.looking))
    }
}

/// Makes a pipeline with the bundled models.
///
/// Reads `lot`, of which it keeps a copy, `options` of the estimator, and `policy` of the
/// anonymizer, for which NULL gives the defaults. Writes a new pipeline to `pipeline`. Takes up to
/// 40 MiB while it runs. Fails as `parkq_estimator_new` and `parkq_anonymizer_new`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_pipeline_new(
    lot: Option<&parkq_lot>,
    options: Option<&parkq_estimator_options>,
    policy: Option<&parkq_policy>,
    pipeline: Option<&mut MaybeUninit<Option<Box<parkq_pipeline>>>>,
) -> parkq_status {
    call(|| {
        let lot = given(lot, "lot")?;
        let slot = given(pipeline, "pipeline")?;
        let _room = memory::reserve(DETECTOR + (8 << 20))?;
        let estimator = parkq_estimator::bundled(lot, options)?;
        let pipeline = parkq_pipeline::new(estimator, parkq_detector::to_anonymize()?, policy)?;
        slot.write(Some(Box::new(pipeline)));
        Ok(())
    })
}

/// Makes a pipeline with an estimator and a detector of yours, which it takes over, also if it
/// fails: then `*estimator` and `*detector` are NULL. The estimator's lot is the pipeline's; the
/// policy's scores count, not the detector's. Otherwise as `parkq_pipeline_new`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_pipeline_from_parts(
    estimator: Option<&mut Option<Box<parkq_estimator>>>,
    detector: Option<&mut Option<Box<parkq_detector>>>,
    policy: Option<&parkq_policy>,
    pipeline: Option<&mut MaybeUninit<Option<Box<parkq_pipeline>>>>,
) -> parkq_status {
    call(|| {
        let estimator = given(estimator, "estimator")?;
        let detector = given(detector, "detector")?;
        let slot = given(pipeline, "pipeline")?;
        given(estimator.as_ref(), "*estimator")?;
        let detector = given(detector.take(), "*detector")?;
        let estimator = given(estimator.take(), "*estimator")?;
        slot.write(Some(Box::new(parkq_pipeline::new(*estimator, *detector, policy)?)));
        Ok(())
    })
}

/// Frees a pipeline; NULL is allowed. No thread may be using it.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_pipeline_free(pipeline: Option<Box<parkq_pipeline>>) {
    call(|| {
        drop(pipeline);
        Ok(())
    });
}

/// Anonymizes a lent frame where it lies, and says which spaces are taken.
///
/// Reads and writes the planes of `frame`; what is left in them, whether it succeeds or fails, and
/// what is written to `redacted` and `count`, is as `parkq_anonymizer_anonymize_in_place` says.
/// Replaces what is in `occupancy`. Takes as much memory as that or
/// `parkq_estimator_occupancy`, whichever is more.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_pipeline_process_in_place(
    pipeline: Option<&parkq_pipeline>,
    frame: Option<&parkq_frame>,
    occupancy: Option<&mut parkq_occupancy>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        // SAFETY: by this function's contract.
        let lent = unsafe { Lent::new(frame) }?;
        let pipeline = given(pipeline, "pipeline")?;
        let occupancy = given(occupancy, "occupancy")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(redacted, capacity, count, "redacted") }?;
        let _room = memory::reserve(pipeline.needs(lent.size()))?;
        let outcome = pipeline.pipeline.process_in_place(lent.take()?)?;
        occupancy.set(outcome.occupancy);
        array.write_redactions(&outcome.redactions);
        Ok(())
    })
}

/// Decodes a JPEG, PNG or WebP, and says which spaces are taken, as
/// `parkq_pipeline_process_in_place` does; the decoded picture is wiped, whether that succeeds or
/// fails.
///
/// Reads `length` bytes at `encoded`; they are yours, and not wiped. A picture of more than
/// `max_pixels` is refused before it is decoded. Replaces what is in `occupancy`. Takes up to 12
/// bytes for each of `max_pixels`, and as much as a square frame of so many would in place.
/// PARKQ_STATUS_DECODE for what is no such picture, PARKQ_STATUS_UNSUPPORTED in a library
/// without decoders.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_pipeline_process_encoded(
    pipeline: Option<&parkq_pipeline>,
    encoded: *const c_void,
    length: usize,
    max_pixels: u64,
    occupancy: Option<&mut parkq_occupancy>,
) -> parkq_status {
    call(|| {
        let pipeline = given(pipeline, "pipeline")?;
        // SAFETY: by this function's contract.
        let encoded = unsafe { bytes(encoded, length, "encoded") }?;
        let occupancy = given(occupancy, "occupancy")?;
        occupancy.set(process_encoded(pipeline, encoded, max_pixels)?);
        Ok(())
    })
}

/// What decoding a picture may take, for each pixel.
#[cfg(feature = "image")]
const DECODING: u64 = 12;

#[cfg(feature = "image")]
fn process_encoded(
    pipeline: &parkq_pipeline,
    encoded: &[u8],
    max_pixels: u64,
) -> Result<parkq_core::Occupancy, Failure> {
    let limits = parkq_core::DecodeLimits::default().max_pixels(max_pixels);
    let decoding = usize::try_from(max_pixels.saturating_mul(DECODING)).unwrap_or(usize::MAX);
    let side = max_pixels.isqrt().min(parkq_core::Frame::MAX_SIDE.into()) as u32 + 1;
    let _room = memory::reserve(pipeline.needs((side, side)).saturating_add(decoding))?;
    let frame = parkq_core::RawFrame::decode_with(encoded, limits)?;
    Ok(pipeline.pipeline.process(frame)?.occupancy)
}

#[cfg(not(feature = "image"))]
fn process_encoded(_: &parkq_pipeline, _: &[u8], _: u64) -> Result<parkq_core::Occupancy, Failure> {
    Err(Failure::unsupported("image"))
}
