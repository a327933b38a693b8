//! The time during which one thread works on the queue.
//!
//! A section begins by setting LOCKED and ends by clearing it. What it changes of the word it keeps to itself, until
//! others must see it.

#![allow(unsafe_code, reason = "the queue is locked by a bit of the word: see the invariants of `raw`")]

use super::fault;
use super::queue::{Phase, Queue};
use super::raw::Raw;
use super::state::{MAX_SHARERS, State};
use super::wake::Woken;
use crate::mode::LockMode;
use crate::sync::{Ordering, relax};
use std::mem;
use std::task::Waker;

/// Who is next, if there is room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Nobodys,
    Exclusive,
    /// A group of sharers; on a deleted lock, everybody, to be turned away.
    Several,
}

/// The time during which one thread has LOCKED: it alone works on the queue.
pub(super) struct Section<'a> {
    raw: &'a Raw,
    /// What the word is to say. Changes are made here, and reach the word with `publish` and `leave`.
    pub(super) state: State,
    /// What the word says, but for sharers who have left since (2).
    published: State,
}

impl<'a> Section<'a> {
    #[inline]
    pub(super) fn enter(raw: &'a Raw) -> Self {
        Self::enter_from(raw, raw.look())
    }

    /// Enters, with this as the last look at the word.
    #[inline]
    pub(super) fn enter_from(raw: &'a Raw, mut state: State) -> Self {
        let mut attempt = 0;
        loop {
            if state.is_locked() {
                relax(attempt);
                attempt += 1;
                state = raw.look();
                continue;
            }
            let locked = state.locked().word();
            match raw.word.compare_exchange_weak(state.word(), locked, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Self { raw, state: state.locked(), published: state.locked() },
                Err(word) => state = State::from_word(word),
            }
        }
    }

    #[inline]
    pub(super) fn queue<R>(&mut self, f: impl FnOnce(&mut Queue) -> R) -> R {
        self.raw.queue.with_mut(|queue| {
            // SAFETY: this section has LOCKED (1), and `&mut self` makes this its only access.
            let queue = unsafe { &mut *queue };
            f(queue)
        })
    }

    /// Whose turn it is.
    #[inline]
    pub(super) fn turn(&mut self) -> Turn {
        if self.state.is_exclusive() {
            return Turn::Nobodys; // Found without a look at the queue.
        }
        match self.queue(|queue| queue.first_mode()) {
            Some(_) if self.state.is_deleted() => Turn::Several,
            Some(mode) if self.state.has_room(mode) => match mode {
                LockMode::Exclusive => Turn::Exclusive,
                LockMode::Shared => Turn::Several,
            },
            _ => Turn::Nobodys,
        }
    }

    /// Grants the exclusive request that is first, and returns whom to wake.
    pub(super) fn grant_exclusive(&mut self) -> Option<Waker> {
        self.state = self.state.held(LockMode::Exclusive);
        self.publish(self.state); // Before the node is told (3).
        self.queue(|queue| queue.pop(Phase::Granted))
    }

    /// Grants sharers that are first; on a deleted lock, turns requests away.
    pub(super) fn grant_batch(&mut self, woken: &mut Woken) {
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

    /// Unlocks, and says what the word shows then.
    #[inline]
    pub(super) fn leave(mut self) -> State {
        let queued = !self.queue(|queue| queue.is_empty());
        self.publish(self.state.queued(queued).unlocked())
    }

    /// Brings the word to `next`, and says what it shows then.
    #[inline]
    fn publish(&mut self, next: State) -> State {
        let before = mem::replace(&mut self.published, next);
        if before.is_frozen() {
            if before != next {
                self.raw.word.store(next.word(), fault::PUBLISH);
            }
            return next;
        }
        // By difference, so that the leaving of a sharer meanwhile is not lost (2).
        let difference = next.word().wrapping_sub(before.word());
        let word = self.raw.word.fetch_add(difference, fault::PUBLISH);
        State::from_word(word.wrapping_add(difference))
    }
}
