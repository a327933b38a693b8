//! A part of the names of a set, under one lock. Everything about a name is decided under it.

use super::super::fault;
use super::index::Index;
use super::slab::Slab;
use super::slot;
use super::spin_lock::{Locked, SpinLock};
use crate::lock::State;
use crate::mode::LockMode;
use crate::set::queue::Tally;

/// A slot whose home is a shard.
type Slot<K, T> = slot::Slot<K, T, Shard<K, T>>;

/// A member of a set, as holders and requests refer to it.
pub(crate) type MemberRef<K, T> = slot::MemberRef<K, T, Shard<K, T>>;

/// On cache lines of its own, because every request for one of its names writes to it.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Shard<K, T>(SpinLock<Contents<K, T>>);

/// A slot that is no longer in use. Dropping it drops its name and value, which is foreign code.
pub(super) type Gone<K, T> = Slot<K, T>;

/// What is behind the lock of a shard.
///
/// # Invariants
///
/// 1. A slot of the slab has an entry in the index unless it is deleted.
/// 2. `holds` counts the holds that the slots count, and `held` the slots that are held.
/// 3. The shard is gated while all members of the set are held together, or a request for all of them waits.
#[derive(Debug)]
pub(super) struct Contents<K, T> {
    index: Index<K, T, Shard<K, T>>,
    slab: Slab<K, T, Shard<K, T>>,
    holds: Tally,
    /// How many members are held.
    held: usize,
    gated: bool,
    /// Whether a name goes with its last pin.
    is_open: bool,
}

impl<K, T> Shard<K, T> {
    pub(super) fn new(is_open: bool) -> Self {
        let (index, slab, holds) = (Index::new(), Slab::new(), Tally::default());
        Self(SpinLock::new(Contents { index, slab, holds, held: 0, gated: false, is_open }))
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, Contents<K, T>> {
        self.0.lock()
    }

    /// Adds members that `are_meant` to `some`, pinned, until it has `most`. The shard is unlocked now and then, so
    /// members may come and go meanwhile.
    pub(super) fn look_through(
        &self,
        some: &mut Vec<MemberRef<K, T>>,
        most: usize,
        are_meant: impl Fn(&MemberRef<K, T>) -> bool,
    ) {
        let mut next = Some(0);
        while let Some(place) = next.filter(|_| some.len() < most) {
            let room = self.lock();
            next = room.some_from(place, |known| {
                if some.len() < most && are_meant(&known) {
                    room.pin(known);
                    some.push(known);
                }
            });
        }
    }

    /// Adds a name that does not exist. It is pinned for the caller.
    pub(super) fn insert(&self, room: &mut Contents<K, T>, tag: u64, name: K, value: T) -> MemberRef<K, T> {
        let known = room.slab.insert(|index| Slot::new(self, tag, index, name, value));
        if room.index.is_full() {
            room.rebuild();
        } else {
            room.index.insert(known);
        }
        known
    }
}

/// Names and pins.
impl<K, T> Contents<K, T> {
    /// The members of this hash.
    pub(super) fn tagged(&self, tag: u64) -> impl Iterator<Item = MemberRef<K, T>> + '_ {
        self.index.tagged(tag)
    }

    /// The first member of this hash: mostly the only one.
    #[inline]
    pub(super) fn first_tagged(&self, tag: u64) -> Option<MemberRef<K, T>> {
        self.index.first_tagged(tag)
    }

    /// Gives space back when names have gone. Their slots are no longer in use, or marked as deleted.
    fn tidy(&mut self) {
        if self.index.is_spacious() {
            self.rebuild();
        }
    }

    #[cold]
    fn rebuild(&mut self) {
        let Self { index, slab, .. } = self;
        index.rebuild(slab.each().filter(|known| !known.look().is_deleted()));
    }

    /// The member in this slot, if there is one.
    pub(super) fn at(&self, slot: u32) -> Option<MemberRef<K, T>> {
        self.slab.get(slot).filter(|known| !known.look().is_deleted())
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Shows some members, from a place in the slab on. Returns the next place, if there is one.
    pub(super) fn some_from(&self, place: usize, mut show: impl FnMut(MemberRef<K, T>)) -> Option<usize> {
        self.slab.some_from(place, |known| {
            if !known.look().is_deleted() {
                show(known);
            }
        })
    }

    /// Adds a pin.
    #[inline]
    #[allow(unsafe_code, reason = "the shard is locked")]
    #[expect(clippy::unused_self, reason = "shows that the shard is locked")]
    pub(super) fn pin(&self, known: MemberRef<K, T>) {
        // SAFETY: this is behind the lock of the shard (2 of slots).
        unsafe { known.slot().pin() };
    }

    /// Gives a pin back. Returns the slot if it goes with that, to be dropped when the shard is unlocked.
    #[inline]
    #[allow(unsafe_code, reason = "the shard is locked, and nothing refers to a slot without pins")]
    pub(super) fn unpin(&mut self, known: MemberRef<K, T>) -> Option<Gone<K, T>> {
        // SAFETY: this is behind the lock of the shard (2 of slots).
        let pins = unsafe { known.slot().unpin() };
        if fault::NAME_DROPPED_EARLY && self.is_open && pins == 1 {
            self.index.remove(known);
        }
        if pins > 0 || !self.is_open && !known.look().is_deleted() {
            return None;
        }
        if !known.look().is_deleted() {
            self.index.remove(known);
        }
        // SAFETY: its last pin has been given back (1 of slots), and no thread can find it: it is not in the index.
        let gone = unsafe { self.slab.remove(known) };
        self.tidy();
        Some(gone)
    }
}

/// Holds.
impl<K, T> Contents<K, T> {
    /// Whether a hold of the member may be given back, or downgraded, past the queue.
    #[inline]
    pub(super) fn is_apart(&self, known: MemberRef<K, T>) -> bool {
        (!self.gated || fault::GATE_OVERLOOKED) && !known.is_wanted()
    }

    /// Whether a request may take the member past the queue.
    #[inline]
    pub(super) fn admits(&self, known: MemberRef<K, T>, mode: LockMode) -> bool {
        let state = known.look();
        !self.gated && (state.admits(mode) || fault::REMOVED_IN_BETWEEN && state.is_deleted())
    }

    #[inline]
    pub(super) fn hold(&mut self, known: MemberRef<K, T>, mode: LockMode) {
        let before = known.look();
        known.slot().set_state(before.held(mode));
        self.holds.add(mode);
        self.held += usize::from(!before.is_held());
    }

    /// How many members are held so that they exclude this mode.
    pub(super) fn in_the_way(&self, mode: LockMode) -> usize {
        match mode {
            LockMode::Shared => self.holds.exclusive,
            LockMode::Exclusive => self.held,
        }
    }

    /// Gives a hold back. Returns how the member is held now.
    #[inline]
    pub(super) fn release(&mut self, known: MemberRef<K, T>, mode: LockMode) -> State {
        let left = known.look().released(mode);
        known.slot().set_state(left);
        self.holds.remove(mode);
        self.held -= usize::from(!left.is_held());
        left
    }

    pub(super) fn downgrade(&mut self, known: MemberRef<K, T>) {
        self.release(known, LockMode::Exclusive);
        self.hold(known, LockMode::Shared);
    }

    /// Removes the member: it cannot be found or held from now on. Ends the hold of mode `held`, if there is one.
    pub(super) fn delete(&mut self, known: MemberRef<K, T>, held: Option<LockMode>) {
        self.index.remove(known);
        if let Some(mode) = held {
            self.release(known, mode);
        }
        known.slot().set_state(known.look().deleted());
        self.tidy();
    }

    /// Sends all requests to the queue from now on. Returns how many holds there are.
    pub(super) fn gate(&mut self) -> Tally {
        self.gated = true;
        self.holds
    }

    #[cfg(test)]
    pub(super) fn holds(&self) -> Tally {
        self.holds
    }

    pub(super) fn ungate(&mut self) {
        self.gated = false;
    }
}
