//! One named lock: how it is held, its pins, its name, its value, and its home `H`, the shard that it belongs to.
//!
//! # Invariants
//!
//! 1. Code that keeps a [`MemberRef`] has the slot pinned, and gives the pin back once, to the shard; or has the shard
//!    locked in which the slot is in use; or holds the whole set with all its members. So the slot is there, with its
//!    name.
//! 2. `word` and `pins` change only while the shard is locked. While the slot is wanted, or its shard is gated, `word`
//!    changes only while the queue of the set is locked as well.
//! 3. Each hold that the word counts is given back once, by its holder.
//! 4. Only a holder reaches the value, and only an exclusive holder changes it. Either holds the slot by itself or with
//!    the whole.
//! 5. Only an exclusive holder deletes a slot, and takes the value at once. The slot cannot be held from then on.
//! 6. The shard of a slot stays where it is as long as the slot is in use: the set outlives all that borrows it.

#![allow(unsafe_code, reason = "a pin leads to the slot, and a hold to its value: see the invariants")]

use crate::lock::State;
use crate::sync::{AtomicUsize, Ordering};
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr::NonNull;

/// A member of a set, in the slab of its shard.
pub(super) struct Slot<K, T, H> {
    word: AtomicUsize,
    /// How many pins there are; or [`Self::EVER`].
    pins: UnsafeCell<u32>,
    /// The position in the slab.
    pub(super) index: u32,
    /// The hash of the name.
    pub(super) tag: u64,
    home: NonNull<H>,
    name: K,
    /// `None` once the member has been deleted and its value taken.
    value: UnsafeCell<Option<T>>,
}

impl<K, T, H> Slot<K, T, H> {
    /// A free member with one pin.
    pub(super) fn new(home: &H, tag: u64, index: u32, name: K, value: T) -> Self {
        let (word, pins) = (AtomicUsize::new(State::FREE.word()), UnsafeCell::new(1));
        Self { word, pins, index, tag, home: NonNull::from(home), name, value: UnsafeCell::new(Some(value)) }
    }

    /// What the word says: exact while the shard is locked; or while the queue is, if the slot is wanted or its shard
    /// gated.
    #[inline]
    pub(super) fn state(&self) -> State {
        State::from_word(self.word.load(Ordering::Relaxed)) // Locks order all stores (2): see `core`.
    }

    /// Changes the word. The shard is locked.
    #[inline]
    pub(super) fn set_state(&self, state: State) {
        self.word.store(state.word(), Ordering::Relaxed);
    }

    /// There have been more pins than can be counted, so the slot stays for good. Safe code that forgets guards gets
    /// here.
    pub(super) const EVER: u32 = u32::MAX;

    /// Adds a pin.
    ///
    /// # Safety
    ///
    /// The shard is locked.
    #[inline]
    pub(super) unsafe fn pin(&self) {
        // SAFETY: by the contract of this function, no other thread reaches the number meanwhile (2).
        let pins = unsafe { &mut *self.pins.get() };
        *pins = pins.saturating_add(1);
    }

    /// Gives a pin back. Returns how many are left.
    ///
    /// # Safety
    ///
    /// The shard is locked.
    #[inline]
    pub(super) unsafe fn unpin(&self) -> u32 {
        // SAFETY: by the contract of this function, no other thread reaches the number meanwhile (2).
        let pins = unsafe { &mut *self.pins.get() };
        if *pins < Self::EVER {
            *pins -= 1;
        }
        *pins
    }
}

#[cfg(test)]
impl<K, T, H> Slot<K, T, H> {
    /// The number of pins, for a test that is alone with the slot.
    #[expect(clippy::mut_from_ref, reason = "the test is alone with it")]
    pub(super) fn pins_mut(&self) -> &mut u32 {
        // SAFETY: no other thread of the test reaches the number (2).
        unsafe { &mut *self.pins.get() }
    }
}

/// A member, as holders and requests refer to it. Each of these has the slot pinned (1). A copy is a mention: it adds
/// no pin.
pub(crate) struct MemberRef<K, T, H>(NonNull<Slot<K, T, H>>);

impl<K, T, H> Clone for MemberRef<K, T, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, T, H> Copy for MemberRef<K, T, H> {}

// SAFETY: it leads to the name, which threads share and the one that gives back the last pin may drop (so `K` is `Send`
// and `Sync`); to the value, of which it gives out `&T` on several threads (so `T: Sync`), or `&mut T` or the value
// itself (so `T: Send`); and to the home, which threads share (so `H: Sync`).
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
    /// The slot is in use, and the caller has it pinned or has the shard locked.
    pub(super) fn new(slot: NonNull<Slot<K, T, H>>) -> Self {
        Self(slot)
    }

    #[inline]
    pub(super) fn slot(&self) -> &Slot<K, T, H> {
        // SAFETY: while this is kept, the slot is there (1).
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

    /// The position in the slab of the shard.
    #[inline]
    pub(crate) fn slot_index(self) -> u32 {
        self.slot().index
    }

    #[inline]
    pub(crate) fn name(&self) -> &K {
        &self.slot().name
    }

    /// How the member is held. A snapshot, unless the shard is locked; or the queue is, and the member is wanted or
    /// gated. A deleted member stays deleted.
    #[inline]
    pub(crate) fn look(self) -> State {
        self.slot().state()
    }

    /// Whether a request waits for it. A snapshot, as [`look`](Self::look) is.
    #[inline]
    pub(super) fn is_wanted(self) -> bool {
        self.look().is_queued()
    }

    /// The name and the value, to be read.
    ///
    /// # Safety
    ///
    /// The member is held, in either mode, as long as the references live, and there is no `&mut` to the value.
    pub(crate) unsafe fn entry<'a>(self) -> (&'a K, &'a T)
    where
        H: 'a,
    {
        // SAFETY: by the contract of this function, the slot stays (1).
        let slot = unsafe { self.0.as_ref() };
        // SAFETY: by the contract of this function, nothing changes the value meanwhile (4).
        let value = unsafe { &*slot.value.get() };
        let Some(value) = value else { unreachable!("a member that is held has not been deleted (5)") };
        (&slot.name, value)
    }

    /// The name and the value, to be changed.
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
        // SAFETY: by the contract of this function, nothing else reaches the value meanwhile (4).
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
    /// Shows how the member is held: a snapshot for diagnostics, which may be out of date at once.
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
