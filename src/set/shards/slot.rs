//! One named lock: how it is held, how many know it, its name, its value, and its home `H`, the shard that it belongs to.
//!
//! # Invariants
//!
//! 1. Whoever keeps a [`MemberRef`] has the slot pinned, and gives that back once, to its shard; or has the shard locked, in which
//!    the slot is in use; or has a hold of the whole set with all its members. So the slot is there, with its name.
//! 2. `word` and `pins` change only while the shard is locked; while the slot is wanted, or its shard is gated, `word`
//!    changes only under the queue of the set as well.
//! 3. Each hold that the word counts is given back once, by who has it.
//! 4. The value is reached only by who holds the slot, by itself or with the whole: exclusively, to change it.
//! 5. Whoever deletes a slot has it exclusively, and takes the value at once; nobody can hold it from then on.
//! 6. The shard of a slot stays where it is as long as the slot is in use: its set goes after all that borrows it.

#![allow(unsafe_code, reason = "a slot is reached by who has it pinned, its value by who holds it: see the invariants")]

use crate::lock::State;
use crate::sync::{AtomicUsize, Ordering};
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr::NonNull;

/// A member of a set, in the slab of its shard.
pub(super) struct Slot<K, T, H> {
    word: AtomicUsize,
    /// How many know it; or [`Self::EVER`].
    pins: UnsafeCell<u32>,
    /// Where it is in the slab.
    pub(super) index: u32,
    /// The hash of the name.
    pub(super) tag: u64,
    home: NonNull<H>,
    name: K,
    /// `None` once the member has been deleted.
    value: UnsafeCell<Option<T>>,
}

impl<K, T, H> Slot<K, T, H> {
    /// A member that nobody holds, and one knows.
    pub(super) fn new(home: &H, tag: u64, index: u32, name: K, value: T) -> Self {
        let (word, pins) = (AtomicUsize::new(State::FREE.word()), UnsafeCell::new(1));
        Self { word, pins, index, tag, home: NonNull::from(home), name, value: UnsafeCell::new(Some(value)) }
    }

    /// What the slot says: exact while its shard is locked, or under the queue, if it is wanted or its shard is gated.
    #[inline]
    pub(super) fn state(&self) -> State {
        State::from_word(self.word.load(Ordering::Relaxed)) // Locks order what changes it and who reads it (2).
    }

    /// The shard is locked.
    #[inline]
    pub(super) fn set_state(&self, state: State) {
        self.word.store(state.word(), Ordering::Relaxed);
    }

    /// More than can be counted have known it (safe code can, that forgets its guards): from then on it stays.
    pub(super) const EVER: u32 = u32::MAX;

    /// One more knows it.
    ///
    /// # Safety
    ///
    /// The shard is locked.
    #[inline]
    pub(super) unsafe fn pin(&self) {
        // SAFETY: by the contract of this function, nobody else reaches the number meanwhile (2).
        let pins = unsafe { &mut *self.pins.get() };
        *pins = pins.saturating_add(1);
    }

    /// One less knows it. Says how many are left.
    ///
    /// # Safety
    ///
    /// The shard is locked.
    #[inline]
    pub(super) unsafe fn unpin(&self) -> u32 {
        // SAFETY: by the contract of this function, nobody else reaches the number meanwhile (2).
        let pins = unsafe { &mut *self.pins.get() };
        if *pins < Self::EVER {
            *pins -= 1;
        }
        *pins
    }
}

#[cfg(test)]
impl<K, T, H> Slot<K, T, H> {
    /// How many know it, to be changed by a test that is alone with it.
    #[expect(clippy::mut_from_ref, reason = "the test is alone with it")]
    pub(super) fn pins_mut(&self) -> &mut u32 {
        // SAFETY: in the test that does so, nobody else reaches the number (2).
        unsafe { &mut *self.pins.get() }
    }
}

/// A member, as those know it who hold it or wait for it. Each of these is a pin (1); a copy is a mention of it.
pub(crate) struct MemberRef<K, T, H>(NonNull<Slot<K, T, H>>);

impl<K, T, H> Clone for MemberRef<K, T, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, T, H> Copy for MemberRef<K, T, H> {}

// SAFETY: it leads to the name, which is shared, and which whoever forgets it last may drop (so `K: Send + Sync`); and to
// the value, of which it gives out `&T` on several threads (so `T: Sync`), or `&mut T` or the value itself (so `T: Send`);
// and to the home, which is shared.
unsafe impl<K: Send + Sync, T: Send + Sync, H: Sync> Send for MemberRef<K, T, H> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, T: Send + Sync, H: Sync> Sync for MemberRef<K, T, H> {}

impl<K, T, H> PartialEq for MemberRef<K, T, H> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K, T, H> Eq for MemberRef<K, T, H> {}

impl<K, T, H> MemberRef<K, T, H> {
    /// The slot is in use, and the caller pins it or has the shard locked.
    pub(super) fn new(slot: NonNull<Slot<K, T, H>>) -> Self {
        Self(slot)
    }

    #[inline]
    pub(super) fn slot(&self) -> &Slot<K, T, H> {
        // SAFETY: whoever has this knows that the slot is there (1).
        unsafe { self.0.as_ref() }
    }

    pub(super) fn as_ptr(self) -> *mut Slot<K, T, H> {
        self.0.as_ptr()
    }

    #[inline]
    pub(super) fn home(&self) -> &H {
        // SAFETY: the slot is in use (1), so its shard is there (6).
        unsafe { self.slot().home.as_ref() }
    }

    #[inline]
    pub(crate) fn tag(self) -> u64 {
        self.slot().tag
    }

    #[inline]
    pub(crate) fn name(&self) -> &K {
        &self.slot().name
    }

    /// Stale at once, unless the slot is wanted or its shard gated, and the queue is locked; or it is deleted.
    #[inline]
    pub(crate) fn look(self) -> State {
        self.slot().state()
    }

    /// Whether somebody waits for it. Stale at once, as [`look`](Self::look) is.
    #[inline]
    pub(super) fn is_wanted(self) -> bool {
        self.look().is_queued()
    }

    /// Name and value, to be read.
    ///
    /// # Safety
    ///
    /// The member is held as long as the references live, in whatever mode, and nobody has the value to change it.
    pub(crate) unsafe fn entry<'a>(self) -> (&'a K, &'a T)
    where
        H: 'a,
    {
        // SAFETY: by the contract of this function, the slot stays (1).
        let slot = unsafe { self.0.as_ref() };
        // SAFETY: by the contract of this function, nobody changes the value meanwhile (4).
        let value = unsafe { &*slot.value.get() };
        let Some(value) = value else { unreachable!("a member that is held has not been deleted (5)") };
        (&slot.name, value)
    }

    /// Name and value, to be changed.
    ///
    /// # Safety
    ///
    /// The member is held exclusively as long as the references live, and these are the only ones.
    pub(crate) unsafe fn entry_mut<'a>(self) -> (&'a K, &'a mut T)
    where
        H: 'a,
    {
        // SAFETY: by the contract of this function, the slot stays (1).
        let slot = unsafe { self.0.as_ref() };
        // SAFETY: by the contract of this function, nobody else reaches the value meanwhile (4).
        let value = unsafe { &mut *slot.value.get() };
        let Some(value) = value else { unreachable!("a member that is held has not been deleted (5)") };
        (&slot.name, value)
    }

    /// Takes the value of a deleted member.
    ///
    /// # Safety
    ///
    /// The caller has deleted the member, calls this once, and has no reference to the value.
    pub(crate) unsafe fn take_value(self) -> Option<T> {
        // SAFETY: by the contract of this function, the value is the caller's (5).
        unsafe { &mut *self.slot().value.get() }.take()
    }
}

impl<K, T, H> fmt::Debug for MemberRef<K, T, H> {
    /// Shows how the member is held. For people: stale at once.
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
