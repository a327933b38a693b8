//! A story that is printed only when it fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Does the work. If it panics, `tell` says what led to the panic before the panic goes on.
pub fn explained<R>(work: impl FnOnce() -> R, tell: impl FnOnce()) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        tell();
        resume_unwind(panic)
    })
}
