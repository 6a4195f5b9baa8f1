//! `parkq_pipeline`: the whole way of a frame.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use parkq_core::{Anonymizer, Pipeline, PipelineOptions, Stage};

use crate::anonymizer::parkq_redacted;
use crate::boundary::{call, free, make};
use crate::detector::{DETECTOR, looking, parkq_detector};
use crate::estimator::{CLASSIFIER, parkq_estimator, parkq_estimator_options};
use crate::frame::{Lent, parkq_frame};
use crate::lot::{parkq_lot, room_to_describe};
use crate::memory;
use crate::occupancy::parkq_occupancy;
use crate::picture::{decoded, in_place, parkq_picture};
use crate::pointers::{bytes, given};
use crate::policy::parkq_policy;
use crate::status::{Failure, parkq_status};

/// What a pipeline is about to do.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_stage {
    /// Burn the lot's privacy masks into the picture.
    Mask = 1,
    /// Find people and plates, and destroy them.
    Anonymize = 2,
    /// Read the spaces.
    Occupancy = 3,
    /// Destroy a decoded picture, unless it is to be kept.
    Wipe = 4,
    /// Nothing more.
    Done = 5,
    /// A stage that has no number of its own yet.
    Other = 6,
}

/// Is told of each stage as it begins, so that you can take the time, which parkq does not: `user`
/// as it was given, and one of `parkq_stage`. It runs on the thread of the call, and must return;
/// it must not use what that call uses.
pub type parkq_stage_callback = Option<unsafe extern "C" fn(user: *mut c_void, stage: u32)>;

/// Who is told of stages. The call that it is given to reads it, and keeps nothing of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_observer {
    /// Who; NULL is nobody.
    pub callback: parkq_stage_callback,
    /// Handed on to `callback`.
    pub user: *mut c_void,
}

impl parkq_observer {
    fn tell(this: Option<&Self>, stage: Stage) {
        if let Some(&Self { callback: Some(callback), user }) = this {
            let stage = match stage {
                Stage::Mask => parkq_stage::Mask,
                Stage::Anonymize => parkq_stage::Anonymize,
                Stage::Occupancy => parkq_stage::Occupancy,
                Stage::Wipe => parkq_stage::Wipe,
                Stage::Done => parkq_stage::Done,
                _ => parkq_stage::Other,
            };
            // SAFETY: the caller gave a callback that may be called with its user pointer.
            unsafe { callback(user, stage as u32) };
        }
    }
}

/// The whole way of a frame: the lot's privacy masks are burnt in, people and plates are
/// destroyed, and the spaces are read from what is left and from where vehicles were found, which
/// takes the place of the estimator's second look.
///
/// You own it from `parkq_pipeline_new` or `_from_parts` to `parkq_pipeline_free`. It keeps
/// nothing of a frame between calls; any number of threads may use it at once.
pub struct parkq_pipeline {
    /// Wipes the picture.
    wiping: Pipeline,
    /// Gives it back.
    keeping: Pipeline,
    /// What reading the spaces may take.
    reading: usize,
    /// On how many threads the detector looks.
    looking: usize,
}

impl parkq_pipeline {
    fn new(
        estimator: &parkq_estimator,
        detector: &parkq_detector,
        policy: Option<&parkq_policy>,
    ) -> Result<Self, Failure> {
        let policy = parkq_policy::policy(policy)?;
        let pipeline = |keep| -> Result<_, Failure> {
            let anonymizer = Anonymizer::new(detector.0.clone(), policy.clone())?;
            let options = PipelineOptions::default().keep_picture(keep);
            Ok(Pipeline::new(estimator.0.clone(), anonymizer, options)?)
        };
        Ok(Self {
            wiping: pipeline(false)?,
            keeping: pipeline(true)?,
            reading: estimator.needs(),
            looking: detector.0.options().threads,
        })
    }

    fn to(&self, keep: bool) -> &Pipeline {
        if keep { &self.keeping } else { &self.wiping }
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
    make(pipeline, "pipeline", || {
        let lot = given(lot, "lot")?;
        let _room = memory::reserve(DETECTOR + CLASSIFIER)?;
        // The anonymizer's detector will have looked already.
        let options = parkq_estimator_options::options(options)?.second_look(false);
        let estimator = parkq_estimator::bundled(lot, options)?;
        parkq_pipeline::new(&estimator, &parkq_detector::to_anonymize()?, policy)
    })
}

/// Makes a pipeline with an estimator and a detector of yours. It shares them; you may free them
/// before it or after. The estimator's lot is the pipeline's; the policy's scores count, not the
/// detector's, but its tiling does: a bundled one misses least with PARKQ_TILING_FULL, which is
/// not its default. Takes as much memory as copies of the lot. Otherwise as `parkq_pipeline_new`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_pipeline_from_parts(
    estimator: Option<&parkq_estimator>,
    detector: Option<&parkq_detector>,
    policy: Option<&parkq_policy>,
    pipeline: Option<&mut MaybeUninit<Option<Box<parkq_pipeline>>>>,
) -> parkq_status {
    make(pipeline, "pipeline", || {
        let (estimator, detector) = (given(estimator, "estimator")?, given(detector, "detector")?);
        let _room = room_to_describe(estimator.0.lot())?;
        parkq_pipeline::new(estimator, detector, policy)
    })
}

/// Frees a pipeline; NULL is allowed. No thread may be using it.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_pipeline_free(pipeline: Option<Box<parkq_pipeline>>) {
    free(pipeline);
}

/// Anonymizes a lent frame where it lies, and says which spaces are taken.
///
/// Reads and writes the planes of `frame`; what is left in them, whether it succeeds or fails, and
/// what is written to `picture`, `redacted` and `count`, is as
/// `parkq_anonymizer_anonymize_in_place` says. Tells `observer` of the stages; NULL is allowed.
/// Replaces what is in `occupancy`. Takes as much memory as that or `parkq_estimator_occupancy`,
/// whichever is more.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_pipeline_process_in_place(
    pipeline: Option<&parkq_pipeline>,
    frame: Option<&parkq_frame>,
    observer: Option<&parkq_observer>,
    occupancy: Option<&mut parkq_occupancy>,
    picture: Option<&mut parkq_picture>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    let work = |lent: Lent<'_>, keep| {
        let pipeline = given(pipeline, "pipeline")?;
        let occupancy = given(occupancy, "occupancy")?;
        let _room = lent.room(pipeline.needs(lent.size()), keep)?;
        let mut observer = |stage| parkq_observer::tell(observer, stage);
        let outcome = pipeline.to(keep).process_in_place_with(lent.take()?, &mut observer)?;
        occupancy.set(outcome.occupancy);
        Ok((outcome.redactions, outcome.picture))
    };
    // SAFETY: by this function's contract.
    unsafe { in_place(frame, picture, redacted, capacity, count, work) }
}

/// Decodes a JPEG, PNG or WebP, destroys people and plates in it, and says which spaces are taken.
///
/// Reads `encoded`, `length` and `max_pixels` as `parkq_anonymizer_anonymize_encoded` does, and
/// fails as that does. Tells `observer` of the stages; NULL is allowed. Replaces what is in
/// `occupancy`, and what is in `picture` by what is left; for `picture` NULL is allowed, and
/// nothing is left.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_pipeline_process_encoded(
    pipeline: Option<&parkq_pipeline>,
    encoded: *const c_void,
    length: usize,
    max_pixels: u64,
    observer: Option<&parkq_observer>,
    occupancy: Option<&mut parkq_occupancy>,
    picture: Option<&mut parkq_picture>,
) -> parkq_status {
    call(|| {
        let pipeline = given(pipeline, "pipeline")?;
        // SAFETY: by this function's contract.
        let encoded = unsafe { bytes(encoded, length, "encoded") }?;
        let occupancy = given(occupancy, "occupancy")?;
        let (frame, _room) = decoded(encoded, max_pixels, |size| pipeline.needs(size))?;
        let mut observer = |stage| parkq_observer::tell(observer, stage);
        let outcome = pipeline.to(picture.is_some()).process_with(frame, &mut observer)?;
        occupancy.set(outcome.occupancy);
        if let (Some(picture), Some(left)) = (picture, outcome.picture) {
            picture.set(left);
        }
        Ok(())
    })
}
