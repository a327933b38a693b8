//! Foreign code: it runs last, and its panics are survived.
//!
//! Wakers, destructors of values and names, and closures of users are foreign code. It may panic, re-enter the lock, or
//! drop another request. So it runs when nothing is locked. Its panic is caught, and goes on when our own work is done.
//!
//! # Invariant
//!
//! While a panic may go on from a function of ours, nothing is half changed, and no return slot contains anything that
//! owns a hold, a place or a user's value. (The value in a return slot leaks if a local panics as it is dropped:
//! rust-lang/rust#47949.) So foreign code runs in [`Panics::catch`]. A caught panic goes on only from
//! [`Panics::defer`], when our own work has ended and its result has been dropped.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// The first panic of foreign code, kept until our own work is done.
#[derive(Debug)]
pub struct Panics(Option<Box<dyn Any + Send>>);

impl Panics {
    /// Runs our own work, and defers the panics of foreign code in it: the first one goes on when the work has ended
    /// and its result has been dropped. Later ones are forgotten. While the thread panics already, all are forgotten
    /// and the result is returned, because one more panic would abort the process.
    #[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
    #[inline(always)]
    pub(crate) fn defer<R>(work: impl FnOnce(&mut Self) -> R) -> R {
        let mut panics = Self(None);
        let result = work(&mut panics);
        match panics.0.take() {
            None => result,
            Some(panic) => go_on(panic, result),
        }
    }

    #[inline]
    pub(crate) fn catch(&mut self, foreign: impl FnOnce()) {
        // The closures own what they touch, and our own state is consistent whenever foreign code runs.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(foreign)) {
            self.keep(panic);
        }
    }

    /// Runs foreign code for our own purposes. Its panic is forgotten: what the caller was asked to do goes on.
    pub(crate) fn forgetting(foreign: impl FnOnce()) {
        Self(None).catch(foreign);
    }

    #[cold]
    fn keep(&mut self, panic: Box<dyn Any + Send>) {
        match self.0 {
            None => self.0 = Some(panic),
            Some(_) => forget(panic),
        }
    }
}

impl Drop for Panics {
    /// There is a panic here only if the work itself has panicked, or if the panic is to be forgotten.
    #[inline]
    fn drop(&mut self) {
        if let Some(panic) = self.0.take() {
            forget(panic);
        }
    }
}

/// Leaks the payload of a panic: its destructor is foreign code, too, and does not run at all.
#[cold]
fn forget(panic: Box<dyn Any + Send>) {
    mem::forget(panic);
}

#[cold]
#[inline(never)]
fn go_on<R>(panic: Box<dyn Any + Send>, result: R) -> R {
    if thread::panicking() {
        forget(panic);
        return result;
    }
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(result))) {
        forget(another);
    }
    resume_unwind(panic)
}
