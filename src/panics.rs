//! Foreign code, run last and survived.
//!
//! Wakers, destructors of values and names, and closures of users are foreign code. It may panic, re-enter the lock, or drop
//! another request. So it runs when nothing is locked; and a panic of it waits until our own work is done, and goes on from
//! there.
//!
//! # Invariant
//!
//! While a panic may go on from a function of ours, nothing that owns a hold, a place or a value of the user's lies in a
//! place for return values, and nothing is half changed. (What lies in such a place when a local panics as it is dropped
//! is leaked: rust-lang/rust#47949.) So foreign code runs in [`Panics::catch`]; and the one place from which a panic that
//! was caught goes on is [`Panics::defer`], when our own work has ended and what it returned has been dropped.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// The first panic of foreign code, kept until our own work is done.
#[derive(Debug)]
pub struct Panics(Option<Box<dyn Any + Send>>);

impl Panics {
    /// Runs work of ours, in which foreign code panics last: the first panic goes on when the work has ended, and what it
    /// returned has been dropped. The others are dropped; and all are, while the thread panics already, as one more would
    /// abort the process.
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

    #[cold]
    fn keep(&mut self, panic: Box<dyn Any + Send>) {
        match self.0 {
            None => self.0 = Some(panic),
            Some(_) => forget(panic),
        }
    }
}

impl Drop for Panics {
    /// The work itself has panicked.
    #[inline]
    fn drop(&mut self) {
        if let Some(panic) = self.0.take() {
            forget(panic);
        }
    }
}

/// The destructor of a payload is foreign code, too: it is not run at all.
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
