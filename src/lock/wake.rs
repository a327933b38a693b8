//! Waking in batches: a section collects wakers while the queue is locked, and wakes them after unlocking it.

use super::fault;
use crate::panics::Panics;
use std::mem;
use std::task::Waker;

/// The most requests that one section grants. It bounds the stack space of a release, and the time for which the queue
/// is locked. It is small under loom: a model has few threads, and must still see groups of several batches.
pub(crate) const BATCH: usize = if cfg!(lockladder_loom) { 2 } else { 32 };

/// Wakers to wake once nothing is locked, oldest first.
#[derive(Debug)]
pub(crate) struct WakeBatch {
    wakers: [Option<Waker>; BATCH],
    count: usize,
}

impl WakeBatch {
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

    /// Wakes all, in order, even if some panic.
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
