//! Entering, granting and giving up: the word and the queue together.
//!
//! A request enters by one compare-and-exchange if the word admits it. Otherwise its thread sets LOCKED, looks again,
//! and queues the request. The thread that has LOCKED changes the word and the queue in a
//! [`Section`](super::section::Section). A section ends in `settle`, which grants all that can be granted; no other
//! file can unlock, so no change can forget to grant.
//!
//! While requests wait, only one change is made without LOCKED: a sharer leaves. The last sharer settles, unless a
//! section has LOCKED: that section sees, as it unlocks, that there is no holder any more, and grants again. (A sharer
//! that leaves a full lock settles in any case.)
//!
//! # Invariants
//!
//! 1. Only the thread that set LOCKED touches the queue (`Section`).
//! 2. While LOCKED is set, only its section changes the bits of the word, and sharers can only leave. So a word without
//!    sharers is frozen, and a plain store may change it.
//! 3. A grant is counted in the word *before* its node is told: the owner may release at once.
//! 4. Each grant is given back exactly once: by its guard, or by the future that never claimed it.
//! 5. A node that has been handed to a lock is never handed to another: each future has one lock.
//! 6. Foreign code runs with nothing locked, and after our own work: see [`panics`](crate::panics).
//!
//! # Memory orderings
//!
//! Release and Acquire are orderings here. All changes of the word are read-modify-writes, except the store to a frozen
//! word (2). A read-modify-write continues the release sequence that it reads from, with any ordering of its own. So an
//! Acquire of the word synchronizes with the last store before the value that it reads, and with every Release between.
//! The store cuts off no Release before it: its section acquired them all on entering, a frozen word has had none since
//! but the section's own, and the store is a Release itself.
//!
//! - Acquiring by compare-exchange (`enter`): Acquire. The new holder sees what earlier holders wrote. It has nothing
//!   to publish yet.
//! - Upgrading by compare-exchange (`try_upgrade`): Acquire. The reads of the other sharers come before the holder's
//!   writes.
//! - Releasing an exclusive hold by compare-exchange (`release`): Release (`fault::UNLOCK`). The next holder sees what
//!   this one wrote. The releaser goes on to read nothing that the lock protects.
//! - `fetch_sub` of a sharer (`release`): Release (`fault::UNLOCK`). The sharer's reads come before the writes of the
//!   next exclusive holder. The returned value only decides whether to enter a section, and entering acquires. If the
//!   value has LOCKED, the section's unlocking `fetch_add` comes later in the modification order of the word, so it
//!   counts the sharer as gone; that needs no ordering.
//! - Downgrading by compare-exchange (`downgrade`): Release. New sharers see what the holder wrote. The holder acquired
//!   when it got its hold.
//! - Entering a section by compare-exchange (`LockedQueue::enter_from`): Acquire. The section sees the queue as the
//!   last section left it, and what all earlier holders did, for the holders that it grants. It has nothing to publish
//!   yet.
//! - Publishing by store or `fetch_add` (`Section::publish`): Release (`fault::PUBLISH`). The next section sees the
//!   queue, and the next holder sees all that this section acquired. No Acquire: a section grants nothing because a
//!   sharer has left since it began; if that makes a grant possible, a new section acquires the sharer's Release and
//!   grants.
//! - Handing over (`Queue`, on the phase of a node): Release after the publish, and Acquire in `Node::phase`. A granted
//!   waiter does not read the word. Through the phase it sees all that the section acquired, and gives its hold back
//!   after the word has counted it (3).
//! - Loads (`look`) and failed compare-exchanges: Relaxed. They give a snapshot. It may serve as the expected value of
//!   a compare-exchange, to refuse at once (`Deleted`, which is final; `TooManySharers`; `WouldBlock`), and for
//!   diagnostics. It must not grant, nor allow access to the value, the queue or a node's links: that takes an Acquire
//!   that succeeds, or the phase `Granted`. It must not decide that no request needs a grant: that takes the value that
//!   a `fetch_sub` or a publish returns. A refusal orders nothing: the caller need not see what the holder, or the
//!   deleter, wrote.

#![allow(unsafe_code, reason = "the queue is locked by a bit of the word: see the invariants")]

use super::fault;
use super::queue::{Node, NodeCopy, Phase, Queue};
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

    /// Makes a lock that already counts `sharers` without guards, to reach the limit in a test. Relaxed is enough: no
    /// other thread knows the lock yet.
    #[cfg(test)]
    pub(crate) fn shared_by(sharers: usize) -> Self {
        let raw = Self::new();
        raw.inner.word.store(State::FREE.shared_by(sharers).word(), Ordering::Relaxed);
        raw
    }

    /// A snapshot of the word; it may be out of date as soon as it is returned. See the memory orderings for its
    /// limits.
    #[inline]
    pub(crate) fn look(&self) -> State {
        self.inner.look()
    }

    /// Copies of the first requests that wait, at most `most`, in the order in which they stand; and the word as it is
    /// then.
    pub(crate) fn copy(&self, most: usize) -> (Vec<NodeCopy>, State) {
        let mut list = Vec::with_capacity(most);
        let mut section = self.inner.enter();
        section.queue(|queue| queue.copy(&mut list));
        let state = section.state;
        Panics::defer(|panics| section.settle_into(panics));
        (list, state)
    }

    /// Takes the lock if a request of the default priority would be granted at once.
    pub(crate) fn try_enter(&self, mode: LockMode) -> Result<Hold<'_>, TryAcquireError> {
        let mut state = match self.enter(mode) {
            Ok(()) => return Ok(Hold { raw: self, mode }),
            Err(state) => state,
        };
        // The waiters may be less urgent, or a section may have LOCKED: look again, in a section of our own.
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

    /// Takes the lock by one exchange, if there is room, no request waits and no section has LOCKED; else returns the
    /// word.
    #[inline]
    pub(crate) fn enter(&self, mode: LockMode) -> Result<(), State> {
        let mut state = match mode {
            LockMode::Exclusive => State::FREE, // No other state admits it, so a look first would gain nothing.
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

    /// Queues a request that the fast path refused; it is granted at once if the lock has become free meanwhile.
    ///
    /// # Safety
    ///
    /// The node is new. The caller calls [`cancel`](Self::cancel) before it drops the node, also after a panic, unless
    /// the grant has been claimed.
    pub(crate) unsafe fn queue(&self, node: Pin<&Node>) -> Poll<Result<(), AcquireError>> {
        let mut section = self.inner.enter();
        section.queue(|queue| queue.push(node));
        section.settle(); // Tells the node if the lock has become free or deleted meanwhile.
        outcome(node)
    }

    /// A later poll of a queued request: returns how it ended, or sets the waker of the request.
    pub(crate) fn poll(&self, node: Pin<&Node>, waker: &Waker) -> Poll<Result<(), AcquireError>> {
        Panics::defer(|panics| self.look_again(node, waker, panics));
        outcome(node)
    }

    /// Sets the waker of a request that still waits.
    fn look_again(&self, node: Pin<&Node>, waker: &Waker, panics: &mut Panics) {
        let mut other = None; // The waker to set, then the one that it replaced; dropped last, with nothing locked.
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
            other = Some(waker.clone()); // Foreign code, so between two sections; the loop looks again after it.
        }
        panics.catch(|| drop(other));
    }

    /// The owner drops a request: it leaves the queue, or gives its grant back.
    pub(crate) fn cancel(&self, node: Pin<&Node>, mode: LockMode) {
        Panics::defer(|panics| {
            let granted = node.phase() != Phase::Idle && self.withdraw_into(node, panics);
            if granted && !fault::GRANT_LOST_ON_CANCEL {
                panics.catch(|| drop(Hold { raw: self, mode })); // It was never claimed.
            }
        });
    }

    /// The owner of a request stops waiting. True if it has been granted meanwhile: the grant is the owner's.
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

    /// Changes the priority of a request, and grants what can be granted then.
    pub(crate) fn set_priority(&self, node: Pin<&Node>, priority: Priority) {
        let mut section = self.inner.enter();
        section.queue(|queue| queue.set_priority(node, priority));
        section.settle();
    }

    /// Gives one hold back, and grants the requests that are next.
    ///
    /// # Safety
    ///
    /// The caller has a grant in `mode` that has not been given back, and does not use it again.
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

    /// Gives an exclusive hold back while requests wait, or while a section has LOCKED.
    #[inline(never)]
    fn release_exclusive(&self, state: State) {
        let mut section = self.inner.enter_from(state);
        section.state = section.state.released(LockMode::Exclusive);
        Panics::defer(|panics| section.settle_into(panics));
    }

    /// Settles after a sharer has left, if that may let a waiter in.
    #[inline(never)]
    fn sharer_left(&self, left: State) {
        if left.needs_grant() && !left.is_locked() || left.made_room() {
            self.inner.enter().settle();
        }
    }

    /// Turns an exclusive hold into a shared one, and grants the group of the most urgent priority.
    ///
    /// # Safety
    ///
    /// The caller holds the lock exclusively, and holds it shared from now on.
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

    /// Turns a shared hold into an exclusive one, if it is the only hold and no request waits.
    ///
    /// # Safety
    ///
    /// The caller holds the lock shared; if this returns true, it holds the lock exclusively from now on.
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
                // A section has LOCKED, which need not mean that a request waits: look again when it has ended.
                Err(word) if word == shared.locked().word() => self.inner.enter().settle(),
                Err(_) => return false,
            }
        }
    }

    /// Gives an exclusive hold back for good: all requests, waiting and to come, resolve to `Deleted`.
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

/// A hold that no guard owns yet; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Hold<'a> {
    raw: &'a Raw,
    mode: LockMode,
}

impl Hold<'_> {
    /// A guard owns the hold from now on.
    pub(crate) fn claim(self) {
        mem::forget(self);
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // SAFETY: a `Hold` is made from a grant; one that a guard has claimed is forgotten, not dropped (4).
        unsafe { self.raw.release(self.mode) };
    }
}

/// The outcome of a queued request, or `Pending`.
fn outcome(node: Pin<&Node>) -> Poll<Result<(), AcquireError>> {
    match node.phase() {
        Phase::Granted => Poll::Ready(Ok(())),
        Phase::Deleted => Poll::Ready(Err(AcquireError::Deleted)),
        Phase::Idle | Phase::Waiting => Poll::Pending,
    }
}
