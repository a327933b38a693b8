//! One named lock: a word that says who holds it, its name, and its value.
//!
//! The word is that of a [`SharedLock`](crate::SharedLock), where QUEUED means *wanted*: somebody waits for this member in
//! the queue of the set, or counts its holders. Nobody takes a wanted member past the queue, and nobody releases it but
//! under the queue, so that all who look at it there see it unchanged.
//!
//! # Invariants
//!
//! 1. Each hold that the word counts is given back exactly once, by its guard, its request, or its failed attempt.
//! 2. A wanted member changes only under the mutex of its queue.
//! 3. The value is reached only by who holds the member: by itself or as part of the whole, exclusively to change it.
//! 4. Whoever removes a member holds it exclusively; once it is deleted nobody can hold it, so the value is theirs.
//! 5. A member leaves its directory only when it is deleted or when nobody knows it: never while it is held.

#![allow(unsafe_code, reason = "the value is guarded by the word: see the invariants")]

use super::policy::{Id, Member};
use crate::lock::State;
use crate::mode::LockMode;
use crate::sync::{AtomicUsize, Ordering};
use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;

/// One member of a set.
pub(crate) struct Entry<K, T> {
    word: AtomicUsize,
    /// The hash of the name.
    pub(crate) tag: u64,
    pub(crate) name: K,
    /// `None` once the member has been deleted and whoever did so has the value.
    value: UnsafeCell<Option<T>>,
}

// SAFETY: a set in another thread gives out `&T` on several threads (so `T: Sync`), and `&mut T` or the value itself (so
// `T: Send`), never both at once (3, 4). The name is shared, and may be dropped by whoever has it last.
unsafe impl<K: Send + Sync, T: Send + Sync> Sync for Entry<K, T> {}

impl<K, T> Entry<K, T> {
    /// A member that is held so from the start.
    pub(crate) fn new(tag: u64, name: K, value: T, held: Option<LockMode>) -> Self {
        let state = held.map_or(State::FREE, |mode| State::FREE.held(mode));
        Self { word: AtomicUsize::new(state.word()), tag, name, value: UnsafeCell::new(Some(value)) }
    }

    /// What the word says: stale at once, unless the member is wanted and its queue is locked.
    pub(crate) fn look(&self) -> State {
        State::from_word(self.word.load(Ordering::Acquire))
    }

    /// Whether anybody holds the member, for whoever has gated the set: see `Core::are_kept`. If nobody does, whoever had
    /// it last has done with it.
    pub(crate) fn is_held(&self) -> bool {
        mode_of(State::from_word(self.word.load(Ordering::SeqCst))).is_some()
    }

    /// Takes the member past the queue, if it is free and nobody wants it.
    #[inline]
    pub(crate) fn try_hold(&self, mode: LockMode) -> bool {
        // `SeqCst`, as whoever gates the set relies on it: see `Core::are_kept`.
        self.change(|state| state.admits(mode).then(|| state.held(mode)), Ordering::SeqCst)
    }

    /// Gives a hold back past the queue, unless somebody wants the member.
    #[inline]
    pub(crate) fn try_let_go(&self, mode: LockMode) -> bool {
        self.change(|state| (!state.is_queued()).then(|| state.released(mode)), Ordering::Release)
    }

    /// Turns an exclusive hold into a shared one past the queue, unless somebody wants the member.
    pub(crate) fn try_downgrade(&self) -> bool {
        self.change(|state| (!state.is_queued()).then(|| Self::downgraded(state)), Ordering::Release)
    }

    /// Gives back a hold of a wanted member, under its queue. True if that made room for others.
    pub(crate) fn let_go(&self, mode: LockMode) -> bool {
        let held = State::FREE.held(mode).word();
        let left = State::from_word(self.word.fetch_sub(held, Ordering::AcqRel)).released(mode);
        left.sharers() == 0 || left.made_room()
    }

    /// Turns an exclusive hold of a wanted member into a shared one, under its queue.
    pub(crate) fn downgrade(&self) {
        self.change(|state| Some(Self::downgraded(state)), Ordering::AcqRel);
    }

    /// Ends the member, under its queue: nobody can hold it from now on. The caller has it exclusively, by itself or as
    /// part of the whole; in the first case, it gives that hold back here.
    pub(crate) fn delete(&self, held: Option<LockMode>) {
        let ended = |state: State| held.map_or(state, |mode| state.released(mode)).deleted();
        self.change(|state| Some(ended(state)), Ordering::AcqRel);
    }

    fn downgraded(state: State) -> State {
        state.released(LockMode::Exclusive).held(LockMode::Shared)
    }

    #[inline]
    fn change(&self, next: impl Fn(State) -> Option<State>, success: Ordering) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while let Some(next) = next(State::from_word(word)) {
            match self.word.compare_exchange_weak(word, next.word(), success, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => word = other,
            }
        }
        false
    }

    /// The value, to be read.
    ///
    /// # Safety
    ///
    /// The member is held as long as the reference lives, in whatever mode, and nobody has it to change it.
    pub(crate) unsafe fn value(&self) -> &T {
        // SAFETY: by the contract of this function, nobody changes the value meanwhile (3).
        let value = unsafe { &*self.value.get() };
        let Some(value) = value else { unreachable!("a member that is held has not been deleted (4)") };
        value
    }

    /// The value, to be changed.
    ///
    /// # Safety
    ///
    /// The member is held exclusively as long as the reference lives, and this is the only one.
    #[expect(clippy::mut_from_ref, reason = "the word excludes others, not the borrow")]
    pub(crate) unsafe fn value_mut(&self) -> &mut T {
        // SAFETY: by the contract of this function, nobody else reaches the value meanwhile (3).
        let value = unsafe { &mut *self.value.get() };
        let Some(value) = value else { unreachable!("a member that is held has not been deleted (4)") };
        value
    }

    /// Takes the value out of a deleted member.
    ///
    /// # Safety
    ///
    /// The caller has deleted the member.
    pub(crate) unsafe fn take_value(&self) -> Option<T> {
        // SAFETY: by the contract of this function, the value is the caller's (4).
        unsafe { &mut *self.value.get() }.take()
    }
}

impl<K, T> Member for Arc<Entry<K, T>> {
    fn id(&self) -> Id {
        // In the order of hashes first, so that a guard finds a name among its members without asking the directory.
        (self.tag, Arc::as_ptr(self).addr())
    }

    fn has_room(&self, mode: LockMode) -> bool {
        self.look().has_room(mode)
    }

    fn held(&self) -> Option<LockMode> {
        mode_of(self.look())
    }

    fn hold(&self, mode: LockMode) {
        self.word.fetch_add(State::FREE.held(mode).word(), Ordering::AcqRel);
    }

    fn want(&self) {
        self.word.fetch_or(State::FREE.queued(true).word(), Ordering::AcqRel);
    }

    fn want_if_held(&self) -> Option<LockMode> {
        let mut state = self.look();
        while let Some(mode) = mode_of(state) {
            let wanted = state.queued(true).word();
            match self.word.compare_exchange_weak(state.word(), wanted, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(mode),
                Err(other) => state = State::from_word(other),
            }
        }
        None
    }

    fn unwant(&self) {
        self.word.fetch_and(!State::FREE.queued(true).word(), Ordering::AcqRel);
    }
}

/// How a member is held.
fn mode_of(state: State) -> Option<LockMode> {
    let shared = (state.sharers() > 0).then_some(LockMode::Shared);
    if state.is_exclusive() { Some(LockMode::Exclusive) } else { shared }
}

/// Shows how the member is held. For people: stale at once.
impl<K, T> fmt::Debug for Entry<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.look();
        f.debug_struct("Member")
            .field("exclusive", &state.is_exclusive())
            .field("sharers", &state.sharers())
            .field("wanted", &state.is_queued())
            .field("deleted", &state.is_deleted())
            .finish()
    }
}
