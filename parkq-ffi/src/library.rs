//! What concerns the library as a whole: versions, the log, the cap on threads.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::boundary::call;
use crate::status::{Failure, parkq_status};

/// The version of this header, major.
pub const PARKQ_VERSION_MAJOR: u32 = 0;
/// The version of this header, minor.
pub const PARKQ_VERSION_MINOR: u32 = 1;
/// The version of this header, patch.
pub const PARKQ_VERSION_PATCH: u32 = 0;
/// The number of the binary interface that this header describes: it changes when a program has
/// to be compiled anew.
pub const PARKQ_ABI_VERSION: u32 = 1;

const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("not a number"),
    }
}
const _: () = {
    assert!(number(env!("CARGO_PKG_VERSION_MAJOR")) == PARKQ_VERSION_MAJOR);
    assert!(number(env!("CARGO_PKG_VERSION_MINOR")) == PARKQ_VERSION_MINOR);
    assert!(number(env!("CARGO_PKG_VERSION_PATCH")) == PARKQ_VERSION_PATCH);
};

/// The library's version, such as "0.1.0". Never NULL, never freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The library's binary interface. It fits the header that a program was compiled with if it
/// equals `PARKQ_ABI_VERSION`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_abi_version() -> u32 {
    PARKQ_ABI_VERSION
}

/// How important a log message is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_log_level {
    /// No message at all.
    Off = 0,
    /// What made a call fail.
    Error = 1,
    /// What is odd but was dealt with.
    Warn = 2,
    /// What happens now and then, such as a model being loaded.
    Info = 3,
}

/// Receives log messages: `user` as it was given, one of `parkq_log_level`, and the message,
/// which lives until the callback returns. It runs on whichever thread has something to say,
/// several at once, and must return. It must not use what the call uses that it tells of; what it
/// calls of parkq itself logs nothing.
pub type parkq_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: u32, message: *const c_char)>;

struct Log {
    callback: unsafe extern "C" fn(user: *mut c_void, level: u32, message: *const c_char),
    user: *mut c_void,
}

// SAFETY: the header asks for a callback and a user pointer that any thread may use.
unsafe impl Send for Log {}
// SAFETY: as above; several threads may call it at once.
unsafe impl Sync for Log {}

static LOG: RwLock<Option<Log>> = RwLock::new(None);

thread_local! {
    static LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Hands the messages of parkq and of the libraries in it to the caller.
struct Forward;

impl log::Log for Forward {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        // What the callback itself does is not logged: it might never end, or wait for itself.
        if !self.enabled(record.metadata()) || LOGGING.get() {
            return;
        }
        let log = LOG.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Log { callback, user }) = &*log {
            let text = record.args().to_string().replace('\0', " ");
            let text = CString::new(text).unwrap_or_default();
            LOGGING.set(true);
            // SAFETY: the caller gave a callback that may be called with its user pointer until
            // it is replaced; the lock is held, so it has not been.
            unsafe { callback(*user, record.level() as u32, text.as_ptr()) };
            LOGGING.set(false);
        }
    }

    fn flush(&self) {}
}

/// Sets who receives log messages, for the whole process; nobody does at first. Messages never
/// hold pixels.
///
/// Reads `level`, one of `parkq_log_level`: messages that are less important are not made.
/// Keeps `callback` and `user` until they are replaced; NULL for `callback` stops the messages.
/// When this returns, the callback that was replaced is not running and will not be called.
/// Any thread, but not from within the callback: that is PARKQ_STATUS_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_log_set(
    level: u32,
    callback: parkq_log_callback,
    user: *mut c_void,
) -> parkq_status {
    call(|| {
        if LOGGING.get() {
            let message = "the log: it cannot be set from within its callback";
            return Err(Failure::new(parkq_status::Argument, message));
        }
        let level = match level {
            0 => log::LevelFilter::Off,
            1 => log::LevelFilter::Error,
            2 => log::LevelFilter::Warn,
            3 => log::LevelFilter::Info,
            // Finer levels are for the engine's makers, and could show values of a tensor.
            _ => {
                let message = format!("level is {level}, 0..=3 is needed");
                return Err(Failure::new(parkq_status::Argument, message));
            }
        };
        // Fails if a logger is set already: this one, unless a Rust program has set its own.
        let _ = log::set_logger(&Forward);
        let log = callback.map(|callback| Log { callback, user });
        log::set_max_level(if log.is_some() { level } else { log::LevelFilter::Off });
        *LOG.write().unwrap_or_else(PoisonError::into_inner) = log;
        Ok(())
    })
}

/// Tells the log which model was loaded.
pub(crate) fn loaded(model: &parkq_core::ModelInfo) {
    log::info!("model {} is loaded, sha256 {}", model.name, model.sha256);
}

static CAP: AtomicU32 = AtomicU32::new(0);

/// Sets how many threads a call may use at most, for handles that are made from now on; 0, the
/// default, leaves it at one for each processor. The thread that calls counts as one; a thread
/// that the system does not give is done without. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_threads_set_cap(threads: u32) -> parkq_status {
    CAP.store(threads, Ordering::Relaxed);
    parkq_status::Ok
}

/// How many threads a handle gets that asks for so many; 0 is one for each processor.
pub(crate) fn threads(asked: u32) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let asked = if asked == 0 { processors() } else { asked as usize };
    match CAP.load(Ordering::Relaxed) {
        0 => asked,
        cap => asked.min(cap as usize),
    }
}
