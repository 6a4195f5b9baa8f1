//! `parkq_picture`: what anonymizing leaves, to be looked at and encoded; and the ways in which a
//! picture comes to it.

use std::mem::MaybeUninit;

use parkq_core::{AnonymizedFrame, RawFrame, Redactions};

use crate::anonymizer::parkq_redacted;
use crate::boundary::{call, free, make, write};
use crate::frame::{Lent, parkq_frame};
use crate::memory::{self, Room};
use crate::pointers::{Array, given};
use crate::status::{Failure, parkq_status};

/// A picture that was anonymized: no other can be encoded.
///
/// You own it from `parkq_picture_new` to `parkq_picture_free`, and may make one for all the
/// frames of a camera: each call that succeeds replaces what is in it, and wipes that. One thread
/// at a time may use it.
pub struct parkq_picture(Option<AnonymizedFrame>);

impl parkq_picture {
    pub(crate) fn set(&mut self, picture: AnonymizedFrame) {
        self.0 = Some(picture);
    }

    fn get(&self) -> Result<&AnonymizedFrame, Failure> {
        let empty = || Failure::new(parkq_status::Argument, "picture: nothing is in it yet");
        self.0.as_ref().ok_or_else(empty)
    }
}

/// What the calls on a lent frame share. Whatever goes wrong once the frame is known to be right,
/// nothing of the picture is left. `work` is told whether a copy is asked for.
///
/// # Safety
/// The planes are as said at `parkq_frame`, `redacted` as at [`Array::new`].
pub(crate) unsafe fn in_place(
    frame: Option<&parkq_frame>,
    picture: Option<&mut parkq_picture>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
    work: impl FnOnce(Lent<'_>, bool) -> Result<(Redactions, Option<AnonymizedFrame>), Failure>,
) -> parkq_status {
    call(|| {
        // SAFETY: by this function's contract.
        let lent = unsafe { Lent::new(frame) }?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(redacted, capacity, count, "redacted") }?;
        let (redactions, copy) = work(lent, picture.is_some())?;
        if let (Some(picture), Some(copy)) = (picture, copy) {
            picture.set(copy);
        }
        array.write(redactions.iter().map(parkq_redacted::from));
        Ok(())
    })
}

/// A picture decoded, and room for that and for `needs`, which is asked about a square frame of so
/// many pixels.
#[cfg(feature = "image")]
pub(crate) fn decoded(
    encoded: &[u8],
    max_pixels: u64,
    needs: impl FnOnce((u32, u32)) -> usize,
) -> Result<(RawFrame, Room), Failure> {
    /// What decoding a picture may take, for each pixel.
    const DECODING: u64 = 12;
    let limits = parkq_core::DecodeLimits::default().max_pixels(max_pixels);
    let decoding = usize::try_from(max_pixels.saturating_mul(DECODING)).unwrap_or(usize::MAX);
    let side = max_pixels.isqrt().min(parkq_core::Frame::MAX_SIDE.into()) as u32 + 1;
    // A decoder may copy the metadata.
    let needed = needs((side, side)).saturating_add(decoding).saturating_add(encoded.len());
    let room = memory::reserve(needed)?;
    Ok((RawFrame::decode_with(encoded, limits)?, room))
}

#[cfg(not(feature = "image"))]
pub(crate) fn decoded(
    _: &[u8],
    _: u64,
    _: impl FnOnce((u32, u32)) -> usize,
) -> Result<(RawFrame, Room), Failure> {
    Err(Failure::unsupported("image"))
}

/// Makes a picture with nothing in it. Writes it to `picture`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_picture_new(
    picture: Option<&mut MaybeUninit<Option<Box<parkq_picture>>>>,
) -> parkq_status {
    make(picture, "picture", || Ok(parkq_picture(None)))
}

/// Wipes and frees a picture; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_picture_free(picture: Option<Box<parkq_picture>>) {
    free(picture);
}

/// Says where its pixels lie. Writes `frame`, whose planes are parkq's: they must not be written,
/// and live until the picture is replaced or freed. Its format is that of the frame that was
/// anonymized, RGB8 of one that was decoded; rows have no padding.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_picture_frame(
    picture: Option<&parkq_picture>,
    frame: Option<&mut MaybeUninit<parkq_frame>>,
) -> parkq_status {
    write(frame, "frame", || {
        let picture = given(picture, "picture")?.get()?;
        let pixels = picture.pixels().as_ptr().cast_mut();
        Ok(parkq_frame::packed(&picture.as_frame(), pixels))
    })
}

/// Writes which regions of it were destroyed: up to `capacity` of them to `redacted`, and to
/// `count` how many there are; `redacted` may be NULL if `capacity` is 0.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_picture_redacted(
    picture: Option<&parkq_picture>,
    redacted: *mut parkq_redacted,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let picture = given(picture, "picture")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(redacted, capacity, count, "redacted") }?;
        array.write(picture.get()?.redactions().iter().map(parkq_redacted::from));
        Ok(())
    })
}

/// Encodes it as a JPEG, without any metadata.
///
/// Reads `quality`, 1 to 100. Writes up to `capacity` bytes to `jpeg`, and to `count` how many
/// there are: it was cut, and is of no use, if that is more than `capacity`. `jpeg` may be NULL if
/// `capacity` is 0; the work is the same, so give 3 bytes for each pixel if you can. Takes up to
/// 24 bytes for each pixel, and 1 MiB. PARKQ_STATUS_OPTION for another quality,
/// PARKQ_STATUS_UNSUPPORTED in a library without encoders.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_picture_to_jpeg(
    picture: Option<&parkq_picture>,
    quality: u32,
    jpeg: *mut u8,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    // SAFETY: by this function's contract.
    unsafe { encode(picture, jpeg, capacity, count, "jpeg", |picture| to_jpeg(picture, quality)) }
}

/// Encodes it as a PNG, without any metadata; otherwise as `parkq_picture_to_jpeg`.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_picture_to_png(
    picture: Option<&parkq_picture>,
    png: *mut u8,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    // SAFETY: by this function's contract.
    unsafe { encode(picture, png, capacity, count, "png", to_png) }
}

/// # Safety
/// As [`Array::new`].
unsafe fn encode(
    picture: Option<&parkq_picture>,
    bytes: *mut u8,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
    name: &str,
    encoder: impl FnOnce(&AnonymizedFrame) -> Result<Vec<u8>, Failure>,
) -> parkq_status {
    call(|| {
        let picture = given(picture, "picture")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(bytes, capacity, count, name) }?;
        let picture = picture.get()?;
        let pixels = picture.width() as usize * picture.height() as usize;
        let _room = memory::reserve(pixels.saturating_mul(24).saturating_add(1 << 20))?;
        array.write(encoder(picture)?.into_iter());
        Ok(())
    })
}

#[cfg(feature = "image")]
fn to_jpeg(picture: &AnonymizedFrame, quality: u32) -> Result<Vec<u8>, Failure> {
    let wrong = |_| {
        let message = format!("option quality: {quality} is not in 1..=100");
        Failure::new(parkq_status::Option, message)
    };
    Ok(picture.to_jpeg(u8::try_from(quality).map_err(wrong)?)?)
}

#[cfg(feature = "image")]
fn to_png(picture: &AnonymizedFrame) -> Result<Vec<u8>, Failure> {
    Ok(picture.to_png()?)
}

#[cfg(not(feature = "image"))]
fn to_jpeg(_: &AnonymizedFrame, _: u32) -> Result<Vec<u8>, Failure> {
    Err(Failure::unsupported("image"))
}

#[cfg(not(feature = "image"))]
fn to_png(_: &AnonymizedFrame) -> Result<Vec<u8>, Failure> {
    Err(Failure::unsupported("image"))
}
