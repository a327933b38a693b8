//! Entering, granting and giving up: the word and the queue together.
//!
//! A request enters by one compare-and-exchange if the word admits it. Otherwise it takes the LOCKED bit, looks again,
//! and queues. Whatever changes the word or the queue under LOCKED is a [`Section`](super::section::Section), which ends in
//! `settle` and grants all that can be granted: no other file can unlock, so no change can forget it.
//!
//! The one change made without LOCKED while others wait is a sharer that leaves. The last one settles, unless somebody
//! has LOCKED: then that one sees, as it unlocks, that nobody holds the lock any more, and grants again. (So does one
//! who makes room where there were as many sharers as there can be.)
//!
//! # Invariants
//!
//! 1. The queue is touched only by whoever set LOCKED (`Section`).
//! 2. While LOCKED is set, no bit of the word changes but by the section, and sharers only leave. So without sharers the
//!    word is frozen, and a plain store may change it.
//! 3. A grant is counted in the word *before* its node is told: its owner may release at once.
//! 4. Each grant is given back exactly once: by its guard, or by the future that never claimed it.
//! 5. A node that is handed to a lock was never handed to another: each future has one lock.
//! 6. Foreign code runs with nothing locked, and after our own work: see [`panics`](crate::panics).

#![allow(unsafe_code, reason = "the queue is locked by a bit of the word: see the invariants")]

use super::fault;
use super::queue::{Node, Phase, Queue};
use super::section::LockedQueue;
use super::state::State;
use crate::error::{AcquireError, TryAcquireError};
use crate::mode::LockMode;
use crate::panics::Panics;
use crate::priority::Priority;
use crate::sync::{Ordering, const_unless_loom};
use std::mem;
use std::pin::Pin;
use std::task::{Poll, Waker};

/// A lock without its value.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(super) inner: LockedQueue,
}

impl Raw {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { inner: LockedQueue::new() }
        }
    }

    /// Shared so often already, by guards that nobody has: to get to the limit in a test.
    #[cfg(test)]
    pub(crate) fn shared_by(sharers: usize) -> Self {
        let raw = Self::new();
        raw.inner.word.store(State::FREE.shared_by(sharers).word(), Ordering::Relaxed);
        raw
    }

    /// What the word says, for people: stale the moment it is returned.
    #[inline]
    pub(crate) fn look(&self) -> State {
        self.inner.look()
    }

    /// Takes the lock if it can be had at once, with the default priority.
    pub(crate) fn try_enter(&self, mode: LockMode) -> Result<Hold<'_>, TryAcquireError> {
        let mut state = match self.enter(mode) {
            Ok(()) => return Ok(Hold { raw: self, mode }),
            Err(state) => state,
        };
        // Somebody waits, perhaps less urgently; or somebody works on the queue, so that one has to look again.
        if state.is_locked() || state.is_queued() && state.has_room(mode) {
            let mut section = self.inner.enter();
            state = section.state;
            let admitted = state.has_room(mode) && section.queue(|queue| queue.yields_to(Priority::default()));
            if admitted {
                section.state = state.held(mode);
            }
            let held = Panics::defer(|panics| {
                section.settle_into(panics);
                admitted.then(|| Hold { raw: self, mode })
            });
            if let Some(hold) = held {
                return Ok(hold);
            }
        }
        Err(match mode {
            _ if state.is_deleted() => TryAcquireError::Deleted,
            LockMode::Shared if state.is_full() => TryAcquireError::TooManySharers,
            _ => TryAcquireError::WouldBlock,
        })
    }

    /// Takes a lock that nobody waits for and nobody works on, by one exchange; or says what stands in the way.
    #[inline]
    pub(crate) fn enter(&self, mode: LockMode) -> Result<(), State> {
        let mut state = match mode {
            LockMode::Exclusive => State::FREE, // Nothing else admits it, so that looking first tells nothing.
            LockMode::Shared => self.look(),
        };
        while state.admits(mode) && !state.is_locked() {
            let held = state.held(mode).word();
            match self.inner.word.compare_exchange_weak(state.word(), held, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(word) => state = State::from_word(word),
            }
        }
        Err(state)
    }

    /// Gives a request that has not got in its place in the queue, or what can be had by now.
    ///
    /// # Safety
    ///
    /// The node is new. [`cancel`](Self::cancel) must be called before it is dropped, also after a panic, unless its
    /// grant has been claimed.
    pub(crate) unsafe fn queue(&self, node: Pin<&Node>) -> Poll<Result<(), AcquireError>> {
        let mut section = self.inner.enter();
        section.queue(|queue| queue.push(node));
        section.settle(); // Should the lock have become free or deleted meanwhile, this tells the node.
        outcome(node)
    }

    /// A later poll of a queued request: how it ended, or whom to wake from now on.
    pub(crate) fn poll(&self, node: Pin<&Node>, waker: &Waker) -> Poll<Result<(), AcquireError>> {
        Panics::defer(|panics| self.look_again(node, waker, panics));
        outcome(node)
    }

    /// Sets whom a request wakes that still waits.
    fn look_again(&self, node: Pin<&Node>, waker: &Waker, panics: &mut Panics) {
        let mut other = None; // The waker to set, and then the one it has replaced; dropped last, with nothing locked.
        while node.phase() == Phase::Waiting {
            let mut section = self.inner.enter();
            let done = node.phase() != Phase::Waiting
                || section.queue(|queue| match other.take() {
                    Some(new) => {
                        other = queue.set_waker(node, new);
                        true
                    }
                    None => queue.wakes(node, waker),
                });
            section.settle_into(panics);
            if done {
                break;
            }
            other = Some(waker.clone()); // Foreign code, between two sections: so the loop looks again.
        }
        panics.catch(|| drop(other));
    }

    /// The owner of a request drops it: nothing of it stays.
    pub(crate) fn cancel(&self, node: Pin<&Node>, mode: LockMode) {
        Panics::defer(|panics| {
            let granted = node.phase() != Phase::Idle && self.withdraw_into(node, panics);
            if granted && !fault::GRANT_LOST_ON_CANCEL {
                panics.catch(|| drop(Hold { raw: self, mode })); // It was never claimed.
            }
        });
    }

    /// The owner of a request gives up waiting: true if the lock has been granted meanwhile, and is its own.
    pub(crate) fn withdraw(&self, node: Pin<&Node>) -> bool {
        Panics::defer(|panics| self.withdraw_into(node, panics))
    }

    #[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
    #[inline(always)]
    fn withdraw_into(&self, node: Pin<&Node>, panics: &mut Panics) -> bool {
        let mut waker = None;
        if node.phase() == Phase::Waiting {
            let mut section = self.inner.enter();
            if node.phase() == Phase::Waiting {
                waker = section.queue(|queue| queue.remove(node));
            }
            section.settle_cancelled(panics);
        }
        panics.catch(|| drop(waker));
        node.phase() == Phase::Granted
    }

    /// Gives a request another priority, and grants what that makes possible.
    pub(crate) fn set_priority(&self, node: Pin<&Node>, priority: Priority) {
        let mut section = self.inner.enter();
        section.queue(|queue| queue.set_priority(node, priority));
        section.settle();
    }

    /// Gives one hold back and grants whoever is next.
    ///
    /// # Safety
    ///
    /// The caller has a grant in `mode` that nobody has given back, and does not use it again.
    #[inline]
    pub(crate) unsafe fn release(&self, mode: LockMode) {
        match mode {
            LockMode::Exclusive => {
                let (held, free) = (State::FREE.held(mode).word(), State::FREE.word());
                if let Err(word) = self.inner.word.compare_exchange(held, free, fault::UNLOCK, Ordering::Relaxed) {
                    self.release_exclusive(State::from_word(word));
                }
            }
            LockMode::Shared => {
                let sharer = State::FREE.held(mode).word();
                let left = State::from_word(self.inner.word.fetch_sub(sharer, fault::UNLOCK)).released(mode);
                if left.is_queued() {
                    self.sharer_left(left);
                }
            }
        }
    }

    /// An exclusive holder leaves a lock that others wait for.
    #[inline(never)]
    fn release_exclusive(&self, state: State) {
        let mut section = self.inner.enter_from(state);
        section.state = section.state.released(LockMode::Exclusive);
        Panics::defer(|panics| section.settle_into(panics));
    }

    /// A sharer has left, and others wait.
    #[inline(never)]
    fn sharer_left(&self, left: State) {
        if left.needs_grant() && !left.is_locked() || left.made_room() {
            self.inner.enter().settle();
        }
    }

    /// Turns an exclusive hold into a shared one; the sharers that wait join in.
    ///
    /// # Safety
    ///
    /// The caller holds the lock exclusively, and from now on shared.
    pub(crate) unsafe fn downgrade(&self, panics: &mut Panics) {
        let (exclusive, shared) = (State::FREE.held(LockMode::Exclusive), State::FREE.held(LockMode::Shared));
        if self
            .inner
            .word
            .compare_exchange(exclusive.word(), shared.word(), Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            let mut section = self.inner.enter();
            section.state = section.state.released(LockMode::Exclusive).held(LockMode::Shared);
            section.queue(Queue::commit_group);
            section.settle_into(panics);
        }
    }

    /// Turns a shared hold into an exclusive one, if it is the only hold and nobody waits.
    ///
    /// # Safety
    ///
    /// The caller holds the lock shared; from then on, if this returns true, exclusively.
    pub(crate) unsafe fn try_upgrade(&self) -> bool {
        let (shared, exclusive) = (State::FREE.held(LockMode::Shared), State::FREE.held(LockMode::Exclusive));
        loop {
            match self.inner.word.compare_exchange(
                shared.word(),
                exclusive.word(),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                // Somebody works on the queue, which need not mean that anybody waits: look once they are done.
                Err(word) if word == shared.locked().word() => self.inner.enter().settle(),
                Err(_) => return false,
            }
        }
    }

    /// Gives an exclusive hold back for good: everyone who waits, and everyone who comes, learns that the lock is gone.
    ///
    /// # Safety
    ///
    /// The caller holds the lock exclusively, and does not use that hold again.
    pub(crate) unsafe fn delete(&self) {
        let mut section = self.inner.enter();
        section.state = section.state.released(LockMode::Exclusive).deleted();
        section.settle();
    }
}

/// A hold that no guard has; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Hold<'a> {
    raw: &'a Raw,
    mode: LockMode,
}

impl Hold<'_> {
    /// It goes over to a guard.
    pub(crate) fn claim(self) {
        mem::forget(self);
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // SAFETY: whoever makes a `Hold` has been granted it, and a guard that has claimed it is given back instead (4).
        unsafe { self.raw.release(self.mode) };
    }
}

/// What became of a request that had queued.
fn outcome(node: Pin<&Node>) -> Poll<Result<(), AcquireError>> {
    match node.phase() {
        Phase::Granted => Poll::Ready(Ok(())),
        Phase::Deleted => Poll::Ready(Err(AcquireError::Deleted)),
        Phase::Idle | Phase::Waiting => Poll::Pending,
    }
}
