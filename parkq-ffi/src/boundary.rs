//! What every entry goes through: an error or a panic becomes a status, and its message is kept
//! for the thread.

use std::cell::Cell;
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use crate::pointers::{fixed_text, given};
use crate::status::{Failure, parkq_status};

thread_local! {
    // In one place for the thread's life: a caller who looks at an old pointer sees a text.
    static MESSAGE: Cell<[c_char; 1024]> = const { Cell::new([0; 1024]) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// The name of the core's threads.
const WORKER: &str = "parkq";

/// What the latest panic said: it may have been on a thread of the call's.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs an entry's body. It cannot unwind.
pub(crate) fn call(body: impl FnOnce() -> Result<(), Failure>) -> parkq_status {
    quiet_panics();
    let outer = INSIDE.replace(true);
    // What a panic leaves half done is dropped with the call: handles keep nothing of it.
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    let failure = match result {
        Ok(Ok(())) => return parkq_status::Ok,
        Ok(Err(failure)) => failure,
        Err(payload) => {
            // A payload whose own drop panics must not unwind into C.
            let dropped = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
            dropped.unwrap_or_else(std::mem::forget);
            let said = PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Failure::new(parkq_status::Panic, said)
        }
    };
    log::error!("{}", failure.message);
    MESSAGE.set(fixed_text(&failure.message));
    failure.status
}

/// An entry with one output, which is looked for before anything is made to be written there.
pub(crate) fn write<T>(
    slot: Option<&mut MaybeUninit<T>>,
    name: &str,
    value: impl FnOnce() -> Result<T, Failure>,
) -> parkq_status {
    call(|| {
        given(slot, name)?.write(value()?);
        Ok(())
    })
}

/// An entry that makes a handle.
pub(crate) fn make<T>(
    slot: Option<&mut MaybeUninit<Option<Box<T>>>>,
    name: &str,
    handle: impl FnOnce() -> Result<T, Failure>,
) -> parkq_status {
    write(slot, name, || Ok(Some(Box::new(handle()?))))
}

/// An entry that frees a handle.
pub(crate) fn free<T>(handle: Option<Box<T>>) {
    call(|| {
        drop(handle);
        Ok(())
    });
}

/// A library does not write to standard error: while a call runs, a panic's message is kept for
/// [`parkq_last_error`], also that of a thread of the core's. Panics elsewhere go where they went
/// before.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if INSIDE.get() || thread::current().name() == Some(WORKER) {
                *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
            } else {
                previous(info);
            }
        }));
    });
}

/// Why the latest call on this thread that failed did so: lower case, with the actual and the
/// needed value; "" if none has failed.
///
/// Never NULL. parkq owns it; it lives until the thread's end, and is another text after the next
/// call on this thread that fails. Cut after 1023 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_last_error() -> *const c_char {
    MESSAGE.try_with(|message| message.as_ptr().cast_const().cast()).unwrap_or(c"".as_ptr())
}

/// Panics, for the tests: on this thread, or on one that is named as the core names its own.
#[cfg(feature = "testing")]
#[unsafe(no_mangle)]
pub extern "C" fn parkq_test_panic(elsewhere: u32) -> parkq_status {
    call(|| {
        let panics = || -> Result<(), Failure> { panic!("on purpose") };
        if elsewhere == 0 {
            return panics();
        }
        let worker = thread::Builder::new().name(WORKER.to_owned()).spawn(panics);
        let worker = worker.map_err(|e| Failure::new(parkq_status::Other, e.to_string()))?;
        worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}
