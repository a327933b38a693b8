//! Panics on purpose, as foreign code may throw them, and how a test survives them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The payload of a panic on purpose; it tells that panic from a failure.
struct Hostile;

/// Panics on purpose, without the message that `panic!` prints each time.
pub fn throw() {
    resume_unwind(Box::new(Hostile));
}

/// Runs code of the library. Returns `None` if a panic on purpose comes out of it; any other panic goes on.
pub fn survive<R>(act: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Hostile>() => None,
        Err(panic) => resume_unwind(panic),
    }
}
