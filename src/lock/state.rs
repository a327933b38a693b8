//! The word of a lock, and the policy that reads it: **is there room for this holder?** Pure; it knows no waiters.
//!
//! ```text
//!   usize::BITS-1 … 4   3        2        1         0
//!   ┌────────────────┬────────┬────────┬─────────┬───────────┐
//!   │    sharers     │ LOCKED │ QUEUED │ DELETED │ EXCLUSIVE │
//!   └────────────────┴────────┴────────┴─────────┴───────────┘
//! ```
//!
//! | bit | means | changed by |
//! |---|---|---|
//! | EXCLUSIVE | one exclusive holder | its fast acquisition, release, upgrade and downgrade; else under LOCKED |
//! | DELETED | gone for good; EXCLUSIVE and sharers are 0 | under LOCKED |
//! | QUEUED | the queue is not empty | under LOCKED |
//! | LOCKED | a section works on the queue | the thread that sets it |
//! | sharers | their number | up: fast acquisition, downgrade, under LOCKED; down: release (at any time), upgrade |

use super::fault;
use crate::mode::LockMode;

const EXCLUSIVE: usize = 1;
const DELETED: usize = 1 << 1;
const QUEUED: usize = 1 << 2;
const LOCKED: usize = 1 << 3;
const SHARER: usize = 1 << 4;

/// The word can count no more sharers than this: one more is an error.
pub(crate) const MAX_SHARERS: usize = usize::MAX / SHARER;

/// A value of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(usize);

impl State {
    /// No holder and no waiter.
    pub(crate) const FREE: Self = Self(0);

    #[inline]
    pub(crate) const fn from_word(word: usize) -> Self {
        Self(word)
    }

    #[inline]
    pub(crate) const fn word(self) -> usize {
        self.0
    }

    #[inline]
    pub(crate) const fn sharers(self) -> usize {
        self.0 / SHARER
    }

    #[inline]
    pub(crate) const fn is_exclusive(self) -> bool {
        self.0 & EXCLUSIVE != 0
    }

    /// Held in either mode.
    #[inline]
    pub(crate) const fn is_held(self) -> bool {
        self.is_exclusive() || self.sharers() > 0
    }

    /// The mode in which it is held.
    pub(crate) fn mode(self) -> Option<LockMode> {
        let shared = (self.sharers() > 0).then_some(LockMode::Shared);
        if self.is_exclusive() { Some(LockMode::Exclusive) } else { shared }
    }

    /// How many holders there are.
    pub(crate) fn holders(self) -> usize {
        self.sharers().max(usize::from(self.is_exclusive()))
    }

    #[inline]
    pub(crate) const fn is_deleted(self) -> bool {
        self.0 & DELETED != 0
    }

    #[inline]
    pub(crate) const fn is_queued(self) -> bool {
        self.0 & QUEUED != 0
    }

    #[inline]
    pub(crate) const fn is_locked(self) -> bool {
        self.0 & LOCKED != 0
    }

    /// With no sharers, only the thread that has LOCKED can change the word.
    #[inline]
    pub(crate) const fn is_frozen(self) -> bool {
        self.sharers() == 0
    }

    /// The word can count no more sharers.
    #[inline]
    pub(crate) const fn is_full(self) -> bool {
        self.sharers() == MAX_SHARERS
    }

    /// After a sharer has left: the lock was full, and requests wait, perhaps for this room.
    #[inline]
    pub(crate) const fn made_room(self) -> bool {
        self.is_queued() && self.sharers() == MAX_SHARERS - 1
    }

    /// Requests wait and there is no holder: a thread that sees this must grant.
    #[inline]
    pub(crate) const fn needs_grant(self) -> bool {
        self.is_queued() && !self.is_exclusive() && self.sharers() == 0
    }

    /// Whether the *holders* leave room for one more holder in `mode`.
    #[inline]
    pub(crate) const fn has_room(self, mode: LockMode) -> bool {
        match mode {
            LockMode::Shared => !self.is_exclusive() && !self.is_deleted() && !self.is_full(),
            LockMode::Exclusive => !self.is_exclusive() && !self.is_deleted() && self.sharers() == 0,
        }
    }

    /// Whether a *new request* gets the lock at once: there is room, and no request waits (fairness rule 3).
    #[inline]
    pub(crate) const fn admits(self, mode: LockMode) -> bool {
        self.has_room(mode) && (fault::BARGING || !self.is_queued())
    }

    /// With one more holder.
    #[inline]
    pub(crate) const fn held(self, mode: LockMode) -> Self {
        match mode {
            LockMode::Shared => self.shared_by(1),
            LockMode::Exclusive => Self(self.0 | EXCLUSIVE),
        }
    }

    /// With `count` more sharers.
    #[inline]
    pub(crate) const fn shared_by(self, count: usize) -> Self {
        Self(self.0 + count * SHARER)
    }

    /// With one holder less.
    #[inline]
    pub(crate) const fn released(self, mode: LockMode) -> Self {
        match mode {
            LockMode::Shared => Self(self.0 - SHARER),
            LockMode::Exclusive => Self(self.0 & !EXCLUSIVE),
        }
    }

    #[inline]
    pub(crate) const fn deleted(self) -> Self {
        Self(self.0 | DELETED)
    }

    #[inline]
    pub(crate) const fn queued(self, queued: bool) -> Self {
        Self(if queued { self.0 | QUEUED } else { self.0 & !QUEUED })
    }

    #[inline]
    pub(crate) const fn locked(self) -> Self {
        Self(self.0 | LOCKED)
    }

    #[inline]
    pub(crate) const fn unlocked(self) -> Self {
        Self(self.0 & !LOCKED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LockMode::{Exclusive, Shared};

    #[test]
    fn an_exclusive_holder_leaves_room_for_nobody() {
        let state = State::FREE.held(Exclusive);
        assert!(!state.has_room(Shared) && !state.has_room(Exclusive));
        assert!(state.released(Exclusive) == State::FREE);
    }

    #[test]
    fn sharers_leave_room_for_sharers_only() {
        let state = State::FREE.shared_by(2);
        assert!(state.has_room(Shared) && !state.has_room(Exclusive));
        assert_eq!(state.released(Shared).sharers(), 1);
    }

    #[test]
    fn whoever_waits_keeps_every_newcomer_out() {
        for mode in [Shared, Exclusive] {
            let state = State::FREE.queued(true);
            assert!(state.has_room(mode) && !state.admits(mode) && state.needs_grant());
        }
    }

    #[test]
    fn a_deleted_lock_admits_nobody() {
        let state = State::FREE.deleted();
        assert!(!state.admits(Shared) && !state.admits(Exclusive));
    }

    #[test]
    fn one_sharer_too_many_finds_no_room_and_does_not_wrap() {
        let full = State::FREE.shared_by(MAX_SHARERS);
        assert_eq!(full.sharers(), MAX_SHARERS);
        assert!(!full.has_room(Shared) && !full.is_exclusive() && !full.is_locked());
    }
}
