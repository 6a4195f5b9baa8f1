//! `parkq_lot`.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use parkq_core::Lot;

use crate::boundary::call;
use crate::memory;
use crate::pointers::{Array, given, text};
use crate::status::{Failure, parkq_status};

/// The spaces and privacy masks that one camera sees, relative to the picture, so that they fit
/// every resolution of it.
///
/// You own it from `parkq_lot_from_json` to `parkq_lot_free`. It never changes: any number of
/// threads may use it. What is made with it keeps its own copy.
pub struct parkq_lot(pub(crate) Lot);

/// Reads a lot in parkq's own JSON (version 1; its schema is parkq-core/schema/lot-1.schema.json).
///
/// Reads `length` bytes of UTF-8 at `json`, and keeps none of them. Writes a new lot to `lot`.
/// Takes at most 64 times `length` of memory, and 64 KiB. Fails with PARKQ_STATUS_LOT, whose
/// message names the space at fault.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_from_json(
    json: *const c_char,
    length: usize,
    lot: Option<&mut MaybeUninit<Option<Box<parkq_lot>>>>,
) -> parkq_status {
    call(|| {
        // SAFETY: by this function's contract.
        let json = unsafe { text(json, length, "json") }?;
        let lot = given(lot, "lot")?;
        let _room = memory::reserve(length.saturating_mul(64).saturating_add(64 << 10))?;
        lot.write(Some(Box::new(parkq_lot(Lot::from_json(json)?))));
        Ok(())
    })
}

/// Frees a lot; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_lot_free(lot: Option<Box<parkq_lot>>) {
    call(|| {
        drop(lot);
        Ok(())
    });
}

/// Writes the number of the lot's spaces to `count`. Readings are numbered like them, from 0.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_lot_space_count(
    lot: Option<&parkq_lot>,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let lot = given(lot, "lot")?;
        given(count, "count")?.write(lot.0.spaces().len());
        Ok(())
    })
}

/// Writes the id of a space, as the lot's author wrote it, in UTF-8.
///
/// Reads `space`, from 0. Writes up to `capacity` bytes to `id`, the last of them a NUL, and to
/// `count` the id's length without the NUL: it was cut if that is not less than `capacity`.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_space_id(
    lot: Option<&parkq_lot>,
    space: usize,
    id: *mut c_char,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let spaces = given(lot, "lot")?.0.spaces();
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(id, capacity, count, "id") }?;
        let space = spaces.get(space).ok_or_else(|| {
            let message = format!("space is {space}, the lot has {} spaces", spaces.len());
            Failure::new(parkq_status::Argument, message)
        })?;
        array.write_text(&space.id);
        Ok(())
    })
}
