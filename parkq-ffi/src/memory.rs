//! The memory that parkq holds: wiped when it is freed, counted, and kept under a ceiling.
//!
//! Rust aborts when an allocation fails in the midst of work, and an allocator must not unwind,
//! so the ceiling is kept at the door: each entry that takes memory says beforehand how much it
//! may need, and is turned away if that is too much. What they say is held against what they
//! take in `tests/c/memory.c`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::boundary::call;
use crate::pointers::given;
use crate::status::{Failure, parkq_status};

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator; zeroes are written over all that is freed or moved.
pub(crate) struct Wiping;

fn took(pointer: *mut u8, size: usize) -> *mut u8 {
    if !pointer.is_null() {
        let now = IN_USE.fetch_add(size, Ordering::Relaxed) + size;
        PEAK.fetch_max(now, Ordering::Relaxed);
    }
    pointer
}

// SAFETY: every block is the system allocator's, of the layout that was asked for. `realloc` is
// the trait's own: a new block, a copy, and the old block freed, hence wiped.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        took(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        took(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller hands over a block of this size, which nobody else uses. All of it
        // is written before it is looked at as a slice.
        unsafe {
            pointer.write_bytes(0, layout.size());
            // A compiler may drop writes to memory that is about to be freed.
            zeroize::optimization_barrier(std::slice::from_raw_parts(pointer, layout.size()));
            System.dealloc(pointer, layout);
        }
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
    }
}

/// Who is inside, and what they may need.
struct Ledger {
    ceiling: usize,
    /// What those who run said they may need.
    reserved: usize,
}

static LEDGER: Mutex<Ledger> = Mutex::new(Ledger { ceiling: usize::MAX, reserved: 0 });

fn ledger() -> MutexGuard<'static, Ledger> {
    LEDGER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place under the ceiling, until it is dropped.
#[must_use]
pub(crate) struct Room(usize);

/// Asks for room before memory is taken: under the ceiling, and from the system.
pub(crate) fn reserve(needed: usize) -> Result<Room, Failure> {
    let mut ledger = ledger();
    // Those who run have taken a part of what they reserved. How much of what is in use that is, or
    // what calls have left that are over, nobody knows: it counts twice.
    let held = IN_USE.load(Ordering::Relaxed).saturating_add(ledger.reserved);
    let free = ledger.ceiling.saturating_sub(held);
    if needed > free {
        let ceiling = ledger.ceiling;
        let message = format!(
            "memory: {needed} bytes may be needed, {free} are left under the ceiling of {ceiling}"
        );
        return Err(Failure::new(parkq_status::OutOfMemory, message));
    }
    ledger.reserved += needed;
    drop(ledger);
    let room = Room(needed);
    if !system_has(needed) {
        let message = format!("memory: {needed} bytes may be needed, the system has less");
        return Err(Failure::new(parkq_status::OutOfMemory, message));
    }
    Ok(room)
}

impl Drop for Room {
    fn drop(&mut self) {
        ledger().reserved -= self.0;
    }
}

/// Whether the system would give so much, in one piece; none of it is touched.
fn system_has(bytes: usize) -> bool {
    let Ok(layout) = Layout::from_size_align(bytes.max(1), 16) else { return false };
    // SAFETY: the layout has a size; the block is freed at once with the same layout.
    unsafe {
        // Without the black box a compiler may leave both calls out.
        let block = black_box(System.alloc(layout));
        if block.is_null() {
            return false;
        }
        System.dealloc(block, layout);
    }
    true
}

/// Sets the most memory, in bytes, that parkq may hold in this process; 0, the default, is no
/// limit.
///
/// A call that could take parkq above the ceiling is refused with PARKQ_STATUS_OUT_OF_MEMORY
/// before it does anything (but that a frame lent to be written is black, as after any error); so
/// is one for which the system does not have the memory. How much each call may need is said at
/// each. Calls that run at the same time count together, each with all that it may need beside what it
/// has taken already: leave room for that, too. What is not counted: your own buffers,
/// the code with its weights, and threads' stacks. If the system gives no memory in the midst of
/// a call, although it had it at its beginning, the process is aborted: that can only be ruled
/// out by leaving room for it. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_memory_set_ceiling(bytes: usize) -> parkq_status {
    ledger().ceiling = if bytes == 0 { usize::MAX } else { bytes };
    parkq_status::Ok
}

/// Writes how many bytes parkq holds in this process now to `in_use`, and the most that it has
/// held since the last time this was asked to `peak`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_memory_usage(
    in_use: Option<&mut MaybeUninit<usize>>,
    peak: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let (in_use, peak) = (given(in_use, "in_use")?, given(peak, "peak")?);
        let now = IN_USE.load(Ordering::Relaxed);
        in_use.write(now);
        peak.write(PEAK.swap(now, Ordering::Relaxed).max(now));
        Ok(())
    })
}
