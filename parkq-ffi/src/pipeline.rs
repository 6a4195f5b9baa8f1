//! `parkq_pipeline`: the whole way of a frame.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use parkq_core::{Anonymizer, Pipeline, PipelineOptions};

use crate::boundary::call;
use crate::estimator::{parkq_estimator, parkq_estimator_options};
use crate::lot::parkq_lot;
use crate::memory;
use crate::occupancy::parkq_occupancy;
use crate::pointers::{bytes, given};
use crate::status::{Failure, parkq_status};

/// The whole way of a frame: the lot's privacy masks are burnt in, the spaces are read, and the
/// picture is destroyed, whether that succeeds or fails.
///
/// You own it from `parkq_pipeline_new` to `parkq_pipeline_free`. It keeps
/// nothing of a frame between calls; any number of threads may use it at once.
#[cfg_attr(not(feature = "image"), allow(dead_code))] // its only verb decodes
pub struct parkq_pipeline {
    pipeline: Pipeline,
    needs: usize,
}

impl parkq_pipeline {
    #[cfg(feature = "bundled")]
    fn bundled(
        lot: &parkq_lot,
        options: Option<&parkq_estimator_options>,
    ) -> Result<Self, Failure> {
        let estimator = parkq_estimator::bundled(lot, options)?;
        let (needs, options) = (estimator.needs(), PipelineOptions::default());
        let pipeline = Pipeline::new(estimator.estimator, Anonymizer::bundled()?, options);
        Ok(Self { pipeline, needs })
    }

    #[cfg(not(feature = "bundled"))]
    fn bundled(_: &parkq_lot, _: Option<&parkq_estimator_options>) -> Result<Self, Failure> {
        Err(Failure::unsupported("bundled"))
    }
}

/// Makes a pipeline with the bundled models.
///
/// Reads and fails as `parkq_estimator_new`. Writes a new pipeline to `pipeline`. Takes up to
/// 64 MiB while it runs.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_pipeline_new(
    lot: Option<&parkq_lot>,
    options: Option<&parkq_estimator_options>,
    pipeline: Option<&mut MaybeUninit<Option<Box<parkq_pipeline>>>>,
) -> parkq_status {
    call(|| {
        let lot = given(lot, "lot")?;
        let pipeline = given(pipeline, "pipeline")?;
        let _room = memory::reserve(64 << 20)?;
        pipeline.write(Some(Box::new(parkq_pipeline::bundled(lot, options)?)));
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

/// Decodes a JPEG, PNG or WebP, and says which spaces are taken; the decoded picture is wiped.
///
/// Reads `length` bytes at `encoded`; they are yours, and not wiped. A picture of more than
/// `max_pixels` is refused before it is decoded. Replaces what is in `occupancy`. Takes up to 12
/// bytes for each of `max_pixels`, and as much as `parkq_estimator_occupancy`.
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
    let _room = memory::reserve(pipeline.needs.saturating_add(decoding))?;
    let frame = parkq_core::RawFrame::decode_with(encoded, limits)?;
    Ok(pipeline.pipeline.process(frame)?.occupancy)
}

#[cfg(not(feature = "image"))]
fn process_encoded(_: &parkq_pipeline, _: &[u8], _: u64) -> Result<parkq_core::Occupancy, Failure> {
    Err(Failure::unsupported("image"))
}
