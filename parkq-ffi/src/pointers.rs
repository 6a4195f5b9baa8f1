//! What C hands over, checked: pointers, bytes, text, and arrays to write to.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::status::{Failure, parkq_status};

/// What a pointer points to, unless it is NULL.
pub(crate) fn given<T>(pointer: Option<T>, name: &str) -> Result<T, Failure> {
    let null = || Failure::new(parkq_status::NullPointer, format!("{name} is NULL"));
    pointer.ok_or_else(null)
}

/// `length` bytes; NULL is allowed if there are none.
///
/// # Safety
/// As [`items`].
pub(crate) unsafe fn bytes<'a>(
    pointer: *const c_void,
    length: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    // SAFETY: the same contract.
    unsafe { items(pointer.cast(), length, name) }
}

/// `count` values; NULL is allowed if there are none.
///
/// # Safety
/// They are readable, and nobody writes them, for `'a`.
pub(crate) unsafe fn items<'a, T: Copy>(
    pointer: *const T,
    count: usize,
    name: &str,
) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    check_range(pointer.addr(), count.saturating_mul(size_of::<T>()), name)?;
    // SAFETY: not NULL, within the address space, and readable by this function's contract.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// `length` bytes of UTF-8.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(
    pointer: *const c_char,
    length: usize,
    name: &str,
) -> Result<&'a str, Failure> {
    // SAFETY: the same contract.
    let bytes = unsafe { bytes(pointer.cast(), length, name) }?;
    std::str::from_utf8(bytes)
        .map_err(|error| Failure::new(parkq_status::Argument, format!("{name}: {error}")))
}

/// Memory that may be read and written: not NULL, and not across the end of the address space.
pub(crate) fn check_range(address: usize, length: usize, name: &str) -> Result<(), Failure> {
    if address == 0 {
        return given(None, name);
    }
    if isize::try_from(length).is_err() || address.checked_add(length).is_none() {
        let message = format!("{name}: {length} bytes do not fit in memory");
        return Err(Failure::new(parkq_status::Argument, message));
    }
    Ok(())
}

/// An array of the caller's to write to.
pub(crate) struct Array<'a, T> {
    slots: &'a mut [MaybeUninit<T>],
    count: &'a mut MaybeUninit<usize>,
}

impl<'a, T> Array<'a, T> {
    /// NULL is allowed if the capacity is 0.
    ///
    /// # Safety
    /// `capacity` elements are writable, and nobody else uses them, for `'a`.
    pub(crate) unsafe fn new(
        pointer: *mut T,
        capacity: usize,
        count: Option<&'a mut MaybeUninit<usize>>,
        name: &str,
    ) -> Result<Self, Failure> {
        let count = given(count, "count")?;
        if capacity == 0 {
            return Ok(Self { slots: &mut [], count });
        }
        check_range(pointer.addr(), capacity.saturating_mul(size_of::<T>()), name)?;
        // SAFETY: not NULL, within the address space, and ours by this function's contract.
        let slots = unsafe { std::slice::from_raw_parts_mut(pointer.cast(), capacity) };
        Ok(Self { slots, count })
    }

    /// Writes as many as there is room for, and how many there are.
    pub(crate) fn write(self, items: impl ExactSizeIterator<Item = T>) {
        self.count.write(items.len());
        for (slot, item) in self.slots.iter_mut().zip(items) {
            slot.write(item);
        }
    }
}

impl Array<'_, c_char> {
    /// Writes as much of a text as there is room for with a NUL after it, and its whole length.
    /// A character is never cut in two.
    pub(crate) fn write_text(self, text: &str) {
        let length = text.len();
        if let Some(room) = self.slots.len().checked_sub(1) {
            let text = &text[..text.floor_char_boundary(room)];
            let ended = text.bytes().chain([0]);
            for (slot, byte) in self.slots.iter_mut().zip(ended) {
                slot.write(byte as c_char);
            }
        }
        self.count.write(length);
    }
}

/// A text in an array of fixed size, with a NUL after it and none in it, cut if need be.
pub(crate) fn fixed_text<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    let text = &text[..text.floor_char_boundary(N - 1)];
    for (slot, byte) in array.iter_mut().zip(text.bytes()) {
        *slot = (if byte == 0 { b' ' } else { byte }) as c_char;
    }
    array
}
