//! `parkq_stream`: the frames of one camera, one after the other.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use parkq_core::{Stream, StreamOptions};

use crate::anonymizer::{parkq_anonymizer, parkq_redacted};
use crate::boundary::{call, free, make, write};
use crate::detector::looking;
use crate::frame::{Lent, parkq_frame};
use crate::picture::{decoded, in_place, parkq_picture};
use crate::pointers::{bytes, given};
use crate::status::parkq_status;

/// The frames of one camera, one after the other: what was found once stays hidden while it is
/// missed, and a redaction is repeated, not renewed: as long as a thing is followed, and where it
/// comes back in its old place, a film leaks no more of it than a picture.
///
/// You own it from `parkq_stream_new` to `parkq_stream_free`. It keeps where regions were, and
/// what was written there, but no picture. One thread at a time may use it.
pub struct parkq_stream {
    stream: Stream,
    threads: usize,
}

/// How long a stream remembers. Fill it with `parkq_stream_options_default`, then change what
/// you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_stream_options {
    /// For how many frames a region stays hidden that is not found any more; 0 to 1000.
    pub keep_frames: u32,
    /// How far something may move from frame to frame and still be the same, as a multiple of
    /// its longer side; 0 to 100.
    pub reach: f32,
}

impl parkq_stream_options {
    fn defaults() -> Self {
        let StreamOptions { keep_frames, reach, .. } = StreamOptions::default();
        Self { keep_frames, reach }
    }
}

/// Writes the default options to `options`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_stream_options_default(
    options: Option<&mut MaybeUninit<parkq_stream_options>>,
) -> parkq_status {
    write(options, "options", || Ok(parkq_stream_options::defaults()))
}

/// Makes a stream. It shares `anonymizer`, which you may free before it or after. Reads
/// `options`; NULL gives the defaults. Writes a new stream to `stream`. PARKQ_STATUS_OPTION for
/// an option outside its range.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_stream_new(
    anonymizer: Option<&parkq_anonymizer>,
    options: Option<&parkq_stream_options>,
    stream: Option<&mut MaybeUninit<Option<Box<parkq_stream>>>>,
) -> parkq_status {
    make(stream, "stream", || {
        let parkq_anonymizer { anonymizer, threads } = given(anonymizer, "anonymizer")?;
        let parkq_stream_options { keep_frames, reach } =
            options.copied().unwrap_or_else(parkq_stream_options::defaults);
        let options = StreamOptions::default().keep_frames(keep_frames).reach(reach);
        let stream = Stream::new(anonymizer.clone(), options)?;
        Ok(parkq_stream { stream, threads: *threads })
    })
}

/// Frees a stream; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_stream_free(stream: Option<Box<parkq_stream>>) {
    free(stream);
}

/// As `parkq_anonymizer_anonymize_in_place`, for the next frame of the camera.
///
/// # Safety
/// The pointers, and the planes, are as said above and at `parkq_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_stream_anonymize_in_place(
    stream: Option<&mut parkq_stream>,
    frame: Option<&parkq_frame>,
    picture: Option<&mut parkq_picture>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    let work = |lent: Lent<'_>, keep| {
        let this = given(stream, "stream")?;
        let _room = lent.room(looking(lent.size(), this.threads), keep)?;
        let anonymized = this.stream.anonymize_in_place(lent.take()?)?;
        Ok((anonymized.redactions().clone(), keep.then(|| anonymized.to_picture())))
    };
    // SAFETY: by this function's contract.
    unsafe { in_place(frame, picture, redacted, capacity, count, work) }
}

/// As `parkq_anonymizer_anonymize_encoded`, for the next frame of the camera.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_stream_anonymize_encoded(
    stream: Option<&mut parkq_stream>,
    encoded: *const c_void,
    length: usize,
    max_pixels: u64,
    picture: Option<&mut parkq_picture>,
) -> parkq_status {
    call(|| {
        let this = given(stream, "stream")?;
        // SAFETY: by this function's contract.
        let encoded = unsafe { bytes(encoded, length, "encoded") }?;
        let picture = given(picture, "picture")?;
        let (frame, _room) = decoded(encoded, max_pixels, |size| looking(size, this.threads))?;
        picture.set(this.stream.anonymize(frame)?);
        Ok(())
    })
}
