//! A story that is told only when it fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Does the work. If it panics, `tell` says how it came to that before the panic goes on.
pub fn explained<R>(work: impl FnOnce() -> R, tell: impl FnOnce()) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        tell();
        resume_unwind(panic)
    })
}
