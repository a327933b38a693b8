//! Waking, in batches: wakers are collected while the queue is locked, and woken after it has been unlocked.

use super::fault;
use crate::panics::Panics;
use std::mem;
use std::task::Waker;

/// How many requests are granted under one locking of the queue. Bounds both the stack space of a release and the
/// time for which others are kept from the queue. A model has few threads, and is to see groups of several batches.
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
