//! `parkq_anonymizer`: people and plates are destroyed where they lie.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use parkq_core::{Anonymizer, Cause, Redacted};

use crate::boundary::{call, free, make};
use crate::detector::{DETECTOR, looking, parkq_detector, parkq_label, parkq_rect};
use crate::frame::{Lent, parkq_frame};
use crate::lot::{parkq_lot, room_to_describe};
use crate::memory;
use crate::picture::{decoded, in_place, parkq_picture};
use crate::pointers::{bytes, given, items};
use crate::policy::parkq_policy;
use crate::status::{Failure, parkq_status};

/// Why a region was destroyed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_cause {
    /// It was found.
    Detected = 1,
    /// Something should have been found there, such as a vehicle's plate.
    Fallback = 2,
    /// A privacy mask of the lot's.
    Mask = 3,
    /// A stream saw it in an earlier frame.
    Remembered = 4,
    /// The caller asked for it.
    Given = 5,
    /// A cause that has no number of its own yet.
    Other = 6,
}

/// One region that was destroyed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_redacted {
    /// At most so many bits of what was there can be learnt from what is there now.
    pub leak_bits: f64,
    /// The rectangle round it: what overlaps or touches is one region, which need not fill it.
    pub rect: parkq_rect,
    /// One of `parkq_label`.
    pub label: u32,
    /// One of `parkq_cause`.
    pub cause: u32,
}

impl From<&Redacted> for parkq_redacted {
    fn from(region: &Redacted) -> Self {
        let cause = match region.cause {
            Cause::Detected => parkq_cause::Detected,
            Cause::Fallback => parkq_cause::Fallback,
            Cause::Mask => parkq_cause::Mask,
            Cause::Remembered => parkq_cause::Remembered,
            Cause::Given => parkq_cause::Given,
            _ => parkq_cause::Other,
        };
        Self {
            leak_bits: region.leak_bits,
            rect: region.rect.into(),
            label: parkq_label::from(region.label) as u32,
            cause: cause as u32,
        }
    }
}

/// Destroys people and plates in a picture, and the lot's privacy masks first.
///
/// You own it from `parkq_anonymizer_new` or `_from_detector` to `parkq_anonymizer_free`. It
/// keeps nothing of a frame between calls; any number of threads may use it at once.
pub struct parkq_anonymizer {
    pub(crate) anonymizer: Arc<Anonymizer>,
    pub(crate) threads: usize,
}

impl parkq_anonymizer {
    fn new(
        detector: &parkq_detector,
        policy: Option<&parkq_policy>,
        lot: Option<&parkq_lot>,
    ) -> Result<Self, Failure> {
        let threads = detector.0.options().threads;
        let mut anonymizer = Anonymizer::new(detector.0.clone(), parkq_policy::policy(policy)?)?;
        if let Some(lot) = lot {
            anonymizer = anonymizer.on(lot.0.clone());
        }
        Ok(Self { anonymizer: Arc::new(anonymizer), threads })
    }
}

/// Makes an anonymizer with the bundled detector, which looks at the picture's full size.
///
/// Reads `policy`, for which NULL gives the defaults, and `lot`, of which it keeps a copy; NULL
/// is allowed. Writes a new anonymizer to `anonymizer`. Takes up to 32 MiB while it runs. Fails
/// as `parkq_detector_new`; PARKQ_STATUS_OPTION for a policy outside its ranges, or too leaky.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_anonymizer_new(
    policy: Option<&parkq_policy>,
    lot: Option<&parkq_lot>,
    anonymizer: Option<&mut MaybeUninit<Option<Box<parkq_anonymizer>>>>,
) -> parkq_status {
    make(anonymizer, "anonymizer", || {
        let _room = memory::reserve(DETECTOR)?;
        parkq_anonymizer::new(&parkq_detector::to_anonymize()?, policy, lot)
    })
}

/// Makes an anonymizer with a detector of yours. It shares `detector`, which you may free before
/// it or after. The policy's scores count, not the detector's, but its tiling does: a bundled one
/// misses least with PARKQ_TILING_FULL, which is not its default. PARKQ_STATUS_MODEL for one that
/// does not look for what the policy destroys. Takes as much memory as copies of the lot. Otherwise
/// as `parkq_anonymizer_new`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_anonymizer_from_detector(
    detector: Option<&parkq_detector>,
    policy: Option<&parkq_policy>,
    lot: Option<&parkq_lot>,
    anonymizer: Option<&mut MaybeUninit<Option<Box<parkq_anonymizer>>>>,
) -> parkq_status {
    make(anonymizer, "anonymizer", || {
        let detector = given(detector, "detector")?;
        let _room = lot.map(|lot| room_to_describe(&lot.0)).transpose()?;
        parkq_anonymizer::new(detector, policy, lot)
    })
}

/// Frees an anonymizer; NULL is allowed. No thread may be using it. Streams made with it live on.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_anonymizer_free(anonymizer: Option<Box<parkq_anonymizer>>) {
    free(anonymizer);
}

/// Destroys people and plates in a frame, where they lie.
///
/// Reads and writes the planes of `frame`; bytes between rows stay as they are. When it returns
/// PARKQ_STATUS_OK, the picture is anonymized. When it returns anything else, the whole picture is
/// black; only if `frame` itself is wrong (NULL, an unknown number, a size or stride that is not
/// allowed, planes that overlap) nothing was written, and the picture must not leave.
/// Replaces what is in `picture` by a copy of what is left; NULL is allowed, and no copy is made.
/// Writes up to `capacity` regions to `redacted`, and to `count` how many there are; `redacted`
/// may be NULL if `capacity` is 0. Takes as much memory as `parkq_detector_detect`, and up to 4
/// bytes for each pixel of the copy.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_anonymizer_anonymize_in_place(
    anonymizer: Option<&parkq_anonymizer>,
    frame: Option<&parkq_frame>,
    picture: Option<&mut parkq_picture>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    let work = |lent: Lent<'_>, keep| {
        let this = given(anonymizer, "anonymizer")?;
        let _room = lent.room(looking(lent.size(), this.threads), keep)?;
        let anonymized = this.anonymizer.anonymize_in_place(lent.take()?)?;
        Ok((anonymized.redactions().clone(), keep.then(|| anonymized.to_picture())))
    };
    // SAFETY: by this function's contract.
    unsafe { in_place(frame, picture, redacted, capacity, count, work) }
}

/// Decodes a JPEG, PNG or WebP, and destroys people and plates in it.
///
/// Reads `length` bytes at `encoded`; they are yours, and not wiped. A picture of more than
/// `max_pixels` is refused before it is decoded. Replaces what is in `picture`. If it fails, the
/// decoded picture is wiped. Takes up to 12 bytes for each of `max_pixels`, `length` bytes, and as
/// much as a square frame of so many would in place. PARKQ_STATUS_DECODE for what is no such picture,
/// PARKQ_STATUS_UNSUPPORTED in a library without decoders.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_anonymizer_anonymize_encoded(
    anonymizer: Option<&parkq_anonymizer>,
    encoded: *const c_void,
    length: usize,
    max_pixels: u64,
    picture: Option<&mut parkq_picture>,
) -> parkq_status {
    call(|| {
        let this = given(anonymizer, "anonymizer")?;
        // SAFETY: by this function's contract.
        let encoded = unsafe { bytes(encoded, length, "encoded") }?;
        let picture = given(picture, "picture")?;
        let (frame, _room) = decoded(encoded, max_pixels, |size| looking(size, this.threads))?;
        picture.set(this.anonymizer.anonymize(frame)?);
        Ok(())
    })
}

/// Destroys rectangles of a frame, where they lie: for what you know yourself has to go.
///
/// Reads and writes the planes of `frame`. Reads the `count` rectangles at `rects`, which are
/// taken outward to whole pixels and chroma samples, and of `policy` how regions are destroyed
/// and how much that may leak; NULL gives the default, black. Whatever fails, but for a wrong
/// `frame`, leaves the whole picture black, as at `parkq_anonymizer_anonymize_in_place`. Nothing
/// else in the picture is looked at: people and plates stay. Takes 256 bytes for each rectangle, and
/// for a mosaic 64 for each pair of them.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_frame_redact(
    frame: Option<&parkq_frame>,
    policy: Option<&parkq_policy>,
    rects: *const parkq_rect,
    count: usize,
) -> parkq_status {
    call(|| {
        // SAFETY: by this function's contract.
        let lent = unsafe { Lent::new(frame) }?;
        // SAFETY: by this function's contract.
        let rects = unsafe { items(rects, count, "rects") }?;
        let redaction =
            policy.copied().unwrap_or_else(parkq_policy::defaults).bounded_redaction()?;
        // Strips of one lie in the cells of all.
        let others =
            if matches!(redaction, parkq_core::Redaction::Mosaic { .. }) { count } else { 0 };
        let each = others.saturating_mul(64).saturating_add(256);
        let _room = memory::reserve(count.saturating_mul(each))?;
        let rects: Vec<_> = rects.iter().copied().map(Into::into).collect();
        lent.redact(redaction, &rects)
    })
}
