//! Foreign code, run last and survived.
//!
//! Waking, cloning and dropping a `Waker` runs code of strangers. It may panic, re-enter the lock, or drop another
//! request. So wakers are collected while the queue is locked and woken after it has been unlocked, in batches; a
//! panic waits until everybody has been woken, and goes on from there.

use super::fault;
use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;
use std::thread;

/// How many requests are granted under one locking of the queue. Bounds both the stack space of a release and the
/// time for which others are kept from the queue. A model has few threads, and is to see groups of several batches.
pub(crate) const BATCH: usize = if cfg!(lockladder_loom) { 2 } else { 32 };

/// Wakers to wake once nothing is locked, oldest first.
#[derive(Debug)]
pub(crate) struct Woken {
    wakers: [Option<Waker>; BATCH],
    count: usize,
}

impl Woken {
    pub(crate) const fn new() -> Self {
        Self { wakers: [const { None }; BATCH], count: 0 }
    }

    pub(crate) const fn room(&self) -> usize {
        BATCH - self.count
    }

    pub(crate) fn push(&mut self, waker: Option<Waker>) {
        self.wakers[self.count] = waker;
        self.count += 1;
    }

    /// Wakes everybody, in order, whatever the wakers do.
    pub(crate) fn wake_all(&mut self, panics: &mut Panics) {
        let wakers = &mut self.wakers[..mem::take(&mut self.count)];
        if fault::BATCH_OUT_OF_ORDER {
            wakers.reverse();
        }
        for slot in wakers {
            if let Some(waker) = slot.take() {
                panics.catch(|| waker.wake());
            }
        }
    }
}

/// The first panic of foreign code, kept until our own work is done.
///
/// It goes on when this is dropped, unless the thread panics already: a second one would abort the process.
#[derive(Debug)]
pub(crate) struct Panics(Option<Box<dyn Any + Send>>);

impl Panics {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    pub(crate) const fn happened(&self) -> bool {
        self.0.is_some()
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
            // The destructor of a payload is foreign code too: it is not run at all.
            Some(_) => mem::forget(panic),
        }
    }
}

impl Drop for Panics {
    #[inline]
    fn drop(&mut self) {
        if let Some(panic) = self.0.take() {
            go_on(panic);
        }
    }
}

#[cold]
fn go_on(panic: Box<dyn Any + Send>) {
    if thread::panicking() {
        mem::forget(panic);
    } else {
        resume_unwind(panic);
    }
}
