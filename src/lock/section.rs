//! Sections: one thread at a time works on the queue.
//!
//! A section begins by setting LOCKED and ends by clearing it. It keeps its changes to the word to itself until other
//! threads must see them.

#![allow(unsafe_code, reason = "the queue is locked by a bit of the word: see the invariants of `raw`")]

use super::fault;
use super::queue::{Phase, Queue};
use super::state::{MAX_SHARERS, State};
use super::wake::WakeBatch;
use crate::mode::LockMode;
use crate::panics::Panics;
use crate::sync::{AtomicUsize, Ordering, UnsafeCell, back_off, const_unless_loom};
use std::mem;
use std::task::Waker;

/// The next requests, if there is room for them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Nobody,
    Exclusive,
    /// A group of sharers; on a deleted lock, all requests, to be turned away.
    Group,
}

/// The queue of a lock, and the word; one bit of the word locks the queue.
#[derive(Debug)]
pub(super) struct LockedQueue {
    pub(super) word: AtomicUsize,
    queue: UnsafeCell<Queue>,
}

// SAFETY: the queue is `Send`, and only a section reaches it; there is one section at a time (1).
unsafe impl Sync for LockedQueue {}

impl LockedQueue {
    const_unless_loom! {
        pub(super) fn new() -> Self {
            Self { word: AtomicUsize::new(State::FREE.word()), queue: UnsafeCell::new(Queue::new()) }
        }
    }

    /// A snapshot of the word; see the memory orderings of `raw` for its limits.
    #[inline]
    pub(super) fn look(&self) -> State {
        State::from_word(self.word.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn enter(&self) -> Section<'_> {
        self.enter_from(self.look())
    }

    /// Enters; `state` is the caller's last snapshot of the word.
    #[inline]
    pub(super) fn enter_from(&self, mut state: State) -> Section<'_> {
        let mut attempt = 0;
        loop {
            if state.is_locked() {
                back_off(attempt);
                attempt += 1;
                state = self.look();
                continue;
            }
            let locked = state.locked().word();
            match self.word.compare_exchange_weak(state.word(), locked, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Section { of: self, state: state.locked(), published: state.locked() },
                Err(word) => state = State::from_word(word),
            }
        }
    }

    /// Goes on granting, one section a batch, so that other threads reach the queue between two batches.
    #[inline(never)]
    fn settle_on(&self, panics: &mut Panics) {
        while self.enter().settle_once(panics) {}
    }
}

/// The time during which one thread has LOCKED and alone works on the queue.
#[must_use = "the queue stays locked until the section is settled"]
pub(super) struct Section<'a> {
    of: &'a LockedQueue,
    /// The word as it is to become. `publish` and `leave` write it.
    pub(super) state: State,
    /// The word as this section last read or wrote it; sharers may have left since (2).
    published: State,
}

impl Section<'_> {
    #[inline]
    pub(super) fn queue<R>(&mut self, f: impl FnOnce(&mut Queue) -> R) -> R {
        self.of.queue.with_mut(|queue| {
            // SAFETY: this section has LOCKED (1), and `&mut self` makes this its only access.
            let queue = unsafe { &mut *queue };
            f(queue)
        })
    }

    /// Grants all that can be granted, unlocks, and wakes. Every section ends here, or in the two forms below.
    #[inline(never)]
    pub(super) fn settle(self) {
        Panics::defer(|panics| self.settle_into(panics));
    }

    /// As [`settle`](Self::settle), but keeps the panic of a waker in `panics`.
    #[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
    #[inline(always)]
    pub(super) fn settle_into(self, panics: &mut Panics) {
        let of = self.of;
        if self.settle_once(panics) {
            of.settle_on(panics);
        }
    }

    /// As [`settle_into`](Self::settle_into), after a request has given up.
    #[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
    #[inline(always)]
    pub(super) fn settle_cancelled(self, panics: &mut Panics) {
        if fault::CANCEL_WITHOUT_REGRANT {
            self.leave();
        } else {
            self.settle_into(panics);
        }
    }

    /// Grants one exclusive request or one batch, unlocks, and wakes. True if there may be more to grant.
    #[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
    #[inline(always)]
    fn settle_once(mut self, panics: &mut Panics) -> bool {
        match self.turn() {
            Turn::Nobody => self.leave(),
            Turn::Exclusive => {
                let waker = self.grant_exclusive();
                self.leave();
                if let Some(waker) = waker {
                    panics.catch(|| waker.wake());
                }
                false // The new holder settles when it releases.
            }
            Turn::Group => self.settle_batch(panics),
        }
    }

    /// Grants or turns away a batch, unlocks, and wakes. True if there may be more to grant.
    ///
    /// A function of its own, because a batch of wakers takes much stack space.
    #[inline(never)]
    fn settle_batch(mut self, panics: &mut Panics) -> bool {
        let mut woken = WakeBatch::new();
        self.grant_batch(&mut woken);
        let more = self.turn() != Turn::Nobody;
        if fault::WAKE_UNDER_LOCK {
            woken.wake_all(panics);
        }
        let sharers_left = self.leave();
        woken.wake_all(panics);
        more || sharers_left
    }

    /// The next requests, if there is room for them.
    #[inline]
    fn turn(&mut self) -> Turn {
        if self.state.is_exclusive() {
            return Turn::Nobody; // Saves a look at the queue.
        }
        match self.queue(|queue| queue.first_mode()) {
            Some(_) if self.state.is_deleted() => Turn::Group,
            Some(mode) if self.state.has_room(mode) => match mode {
                LockMode::Exclusive => Turn::Exclusive,
                LockMode::Shared => Turn::Group,
            },
            _ => Turn::Nobody,
        }
    }

    /// Grants the exclusive request that is first, and returns its waker.
    fn grant_exclusive(&mut self) -> Option<Waker> {
        self.state = self.state.held(LockMode::Exclusive);
        self.publish(self.state); // Before the node is told (3).
        self.queue(|queue| queue.pop(Phase::Granted))
    }

    /// Grants the sharers that are first; on a deleted lock, turns requests away.
    fn grant_batch(&mut self, woken: &mut WakeBatch) {
        let room = woken.room();
        if self.state.is_deleted() {
            while let (1.., false) = (woken.room(), self.queue(|queue| queue.is_empty())) {
                woken.push(self.queue(|queue| queue.pop(Phase::Deleted)));
            }
            return;
        }
        let limit = room.min(MAX_SHARERS - self.state.sharers());
        let count = self.queue(|queue| queue.commit_sharers(limit));
        self.state = self.state.shared_by(count);
        if !fault::TOLD_BEFORE_COUNTED {
            self.publish(self.state); // Before the nodes are told (3).
        }
        for _ in 0..count {
            woken.push(self.queue(|queue| queue.pop(Phase::Granted)));
        }
    }

    /// Unlocks. True if there may be more to grant, because sharers have left meanwhile.
    #[inline]
    fn leave(mut self) -> bool {
        let (full, queued) = (self.state.is_full(), !self.queue(|queue| queue.is_empty()));
        let state = self.publish(self.state.queued(queued).unlocked());
        // A sharer that left before the word said that requests wait could not see that it made room.
        queued && (state.needs_grant() || full && !state.is_full())
    }

    /// Brings the word to `next`, and returns the word as it is then.
    #[inline]
    fn publish(&mut self, next: State) -> State {
        let before = mem::replace(&mut self.published, next);
        if before.is_frozen() {
            if before != next {
                self.of.word.store(next.word(), fault::PUBLISH);
            }
            return next;
        }
        // By difference, so that a sharer that leaves meanwhile is not counted again (2).
        let difference = next.word().wrapping_sub(before.word());
        let word = self.of.word.fetch_add(difference, fault::PUBLISH);
        State::from_word(word.wrapping_add(difference))
    }
}
