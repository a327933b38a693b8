//! Entering, granting and giving up: the word and the queue together.
//!
//! A request enters by one compare-and-exchange if the word admits it. Otherwise it takes the LOCKED bit, looks again,
//! and queues. Whatever changes the word or the queue under LOCKED ends in [`Raw::settle`], which grants all that can
//! be granted: there is no other way to unlock, so no change can forget it.
//!
//! The one change made without LOCKED while others wait is a sharer that leaves. The last one settles, unless somebody
//! has LOCKED: then that one sees, as it unlocks, that nobody holds the lock any more, and grants again. (So does one
//! who makes room where there were as many sharers as there can be.)
//!
//! # Invariants
//!
//! 1. The queue is touched only by whoever set LOCKED ([`Section`]).
//! 2. While LOCKED is set, no bit of the word changes but by the section, and sharers only leave. So without sharers the
//!    word is frozen, and a plain store may change it.
//! 3. A grant is counted in the word *before* its node is told: its owner may release at once.
//! 4. Each grant is given back exactly once: by its guard, or by the future that never claimed it.
//! 5. A node that is handed to a lock was never handed to another: each future has one lock.
//! 6. Foreign code runs with nothing locked, and after our own work: see [`wake`](super::wake).

#![allow(unsafe_code, reason = "the queue is locked by a bit of the word: see the invariants")]

use super::fault;
use super::queue::{Node, Phase, Queue};
use super::section::{Section, Turn};
use super::state::State;
use super::wake::{Panics, Woken};
use crate::error::{AcquireError, TryAcquireError};
use crate::mode::LockMode;
use crate::priority::Priority;
use crate::sync::{AtomicUsize, Ordering, UnsafeCell, const_unless_loom};
use std::mem;
use std::pin::Pin;
use std::task::{Poll, Waker};

/// A lock without its value.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(super) word: AtomicUsize,
    pub(super) queue: UnsafeCell<Queue>,
}

// SAFETY: the queue is `Send`, and reached through a section only, of which there is one at a time (1).
unsafe impl Sync for Raw {}

impl Raw {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { word: AtomicUsize::new(State::FREE.word()), queue: UnsafeCell::new(Queue::new()) }
        }
    }

    /// Shared so often already, by guards that nobody has: to get to the limit in a test.
    #[cfg(test)]
    pub(crate) fn shared_by(sharers: usize) -> Self {
        let raw = Self::new();
        raw.word.store(State::FREE.shared_by(sharers).word(), Ordering::Relaxed);
        raw
    }

    /// What the word says, for people: stale the moment it is returned.
    #[inline]
    pub(crate) fn look(&self) -> State {
        State::from_word(self.word.load(Ordering::Relaxed))
    }

    /// Takes the lock if it can be had at once, with the default priority.
    pub(crate) fn try_enter(&self, mode: LockMode) -> Result<Hold<'_>, TryAcquireError> {
        let mut state = match self.enter(mode) {
            Ok(()) => return Ok(Hold { raw: self, mode }),
            Err(state) => state,
        };
        // Somebody waits, perhaps less urgently; or somebody works on the queue, so that one has to look again.
        if state.is_locked() || state.is_queued() && state.has_room(mode) {
            let mut section = Section::enter(self);
            state = section.state;
            let admitted = state.has_room(mode) && section.queue(|queue| queue.yields_to(Priority::default()));
            if admitted {
                section.state = state.held(mode);
            }
            let held = Panics::defer(|panics| {
                self.settle_into(section, panics);
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
            match self.word.compare_exchange_weak(state.word(), held, Ordering::Acquire, Ordering::Relaxed) {
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
        let mut section = Section::enter(self);
        section.queue(|queue| queue.push(node));
        self.settle(section); // Should the lock have become free or deleted meanwhile, this tells the node.
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
            let mut section = Section::enter(self);
            let done = node.phase() != Phase::Waiting
                || section.queue(|queue| match other.take() {
                    Some(new) => {
                        other = queue.set_waker(node, new);
                        true
                    }
                    None => queue.wakes(node, waker),
                });
            self.settle_into(section, panics);
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
            let mut section = Section::enter(self);
            if node.phase() == Phase::Waiting {
                waker = section.queue(|queue| queue.remove(node));
            }
            if fault::CANCEL_WITHOUT_REGRANT {
                section.leave();
            } else {
                self.settle_into(section, panics);
            }
        }
        panics.catch(|| drop(waker));
        node.phase() == Phase::Granted
    }

    /// Gives a request another priority, and grants what that makes possible.
    pub(crate) fn set_priority(&self, node: Pin<&Node>, priority: Priority) {
        let mut section = Section::enter(self);
        section.queue(|queue| queue.set_priority(node, priority));
        self.settle(section);
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
                if let Err(word) = self.word.compare_exchange(held, free, fault::UNLOCK, Ordering::Relaxed) {
                    self.release_exclusive(State::from_word(word));
                }
            }
            LockMode::Shared => {
                let sharer = State::FREE.held(mode).word();
                let left = State::from_word(self.word.fetch_sub(sharer, fault::UNLOCK)).released(mode);
                if left.is_queued() {
                    self.sharer_left(left);
                }
            }
        }
    }

    /// An exclusive holder leaves a lock that others wait for.
    #[inline(never)]
    fn release_exclusive(&self, state: State) {
        let mut section = Section::enter_from(self, state);
        section.state = section.state.released(LockMode::Exclusive);
        Panics::defer(|panics| self.settle_into(section, panics));
    }

    /// A sharer has left, and others wait.
    #[inline(never)]
    fn sharer_left(&self, left: State) {
        if left.needs_grant() && !left.is_locked() || left.made_room() {
            self.settle(Section::enter(self));
        }
    }

    /// Turns an exclusive hold into a shared one; the sharers that wait join in.
    ///
    /// # Safety
    ///
    /// The caller holds the lock exclusively, and from now on shared.
    pub(crate) unsafe fn downgrade(&self, panics: &mut Panics) {
        let (exclusive, shared) = (State::FREE.held(LockMode::Exclusive), State::FREE.held(LockMode::Shared));
        if self.word.compare_exchange(exclusive.word(), shared.word(), Ordering::Release, Ordering::Relaxed).is_err() {
            let mut section = Section::enter(self);
            section.state = section.state.released(LockMode::Exclusive).held(LockMode::Shared);
            section.queue(Queue::commit_group);
            self.settle_into(section, panics);
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
            match self.word.compare_exchange(shared.word(), exclusive.word(), Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                // Somebody works on the queue, which need not mean that anybody waits: look once they are done.
                Err(word) if word == shared.locked().word() => self.settle(Section::enter(self)),
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
        let mut section = Section::enter(self);
        section.state = section.state.released(LockMode::Exclusive).deleted();
        self.settle(section);
    }

    /// Grants all that can be granted, unlocks, and wakes. Every section ends here.
    #[inline(never)]
    pub(super) fn settle<'a>(&'a self, section: Section<'a>) {
        Panics::defer(|panics| self.settle_into(section, panics));
    }

    #[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
    #[inline(always)]
    fn settle_into<'a>(&'a self, section: Section<'a>, panics: &mut Panics) {
        if settle_once(section, panics) {
            self.settle_on(panics);
        }
    }

    /// Goes on where others have to be let in between two batches.
    #[inline(never)]
    fn settle_on(&self, panics: &mut Panics) {
        while settle_once(Section::enter(self), panics) {}
    }
}

/// Grants what can be granted at once, unlocks, and wakes. True if there may be more to do.
#[expect(clippy::inline_always, reason = "measured: a call more costs a tenth of a hand-over")]
#[inline(always)]
fn settle_once(mut section: Section<'_>, panics: &mut Panics) -> bool {
    match section.turn() {
        Turn::Nobodys => section.leave().needs_grant(),
        Turn::Exclusive => {
            let waker = section.grant_exclusive();
            section.leave();
            if let Some(waker) = waker {
                panics.catch(|| waker.wake());
            }
            false // Whoever has the lock now settles when they are done.
        }
        Turn::Several => settle_batch(section, panics),
    }
}

/// Grants or turns away a batch, unlocks, and wakes. True if there may be more to do.
///
/// Apart from the rest, because of the space for so many wakers.
#[inline(never)]
fn settle_batch(mut section: Section<'_>, panics: &mut Panics) -> bool {
    let mut woken = Woken::new();
    section.grant_batch(&mut woken);
    let more = section.turn() != Turn::Nobodys;
    let full = section.state.is_full();
    if fault::WAKE_UNDER_LOCK {
        woken.wake_all(panics);
    }
    let state = section.leave();
    woken.wake_all(panics);
    // A sharer that left before the batch was counted could not see that it made room.
    more || state.needs_grant() || full && state.is_queued() && !state.is_full()
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
