//! Stores the slots: in chunks that never move, so that a slot is found by its address.
//!
//! # Invariants
//!
//! 1. A slot of a chunk is in use if and only if its bit in `used` is set.
//! 2. A chunk stays where it is until none of its slots is in use.
//! 3. `open` has the position of each chunk that is there and has a slot to spare, once. That chunk has its place in
//!    `open`.

#![allow(unsafe_code, reason = "slots are reached by their addresses: see the invariants")]

use super::slot::{MemberRef, Slot};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

#[derive(Debug)]
pub(super) struct Slab<K, T, H> {
    chunks: Vec<Chunk<K, T, H>>,
    /// How many of these are vacant.
    gone: usize,
    open: Vec<usize>,
}

#[derive(Debug)]
struct Chunk<K, T, H> {
    /// `None` in a vacant chunk, whose memory has been given back.
    slots: Option<NonNull<Slot<K, T, H>>>,
    used: u32,
    /// The place in `open`, if it is there.
    place: usize,
}

// SAFETY: a chunk owns its slots (1, 2). By the bounds, names and values may be sent and shared, and homes shared.
unsafe impl<K: Send + Sync, T: Send + Sync, H: Sync> Send for Chunk<K, T, H> {}

impl<K, T, H> Slab<K, T, H> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), gone: 0, open: Vec::new() }
    }

    /// Fills a slot with what `make` makes of its position.
    #[inline]
    pub(super) fn insert(&mut self, make: impl FnOnce(u32) -> Slot<K, T, H>) -> MemberRef<K, T, H> {
        let at = match self.open.last() {
            Some(at) => *at,
            None => self.grow(),
        };
        let chunk = &mut self.chunks[at];
        let bit = chunk.used.trailing_ones() as usize;
        let Ok(index) = u32::try_from(at * Chunk::<K, T, H>::SLOTS + bit) else {
            unreachable!("more names than memory has room for")
        };
        let Some(slots) = chunk.slots else { unreachable!("an open chunk is there (3)") };
        // SAFETY: the bit is less than the length of the chunk, as it is open (3).
        let slot = unsafe { slots.add(bit) };
        // SAFETY: nothing refers to this slot, as it was not in use (1).
        unsafe { slot.write(make(index)) };
        chunk.used |= 1 << bit;
        if chunk.used == Chunk::<K, T, H>::FULL {
            self.open.pop();
        }
        MemberRef::new(slot)
    }

    #[cold]
    fn grow(&mut self) -> usize {
        let chunk = Chunk::new(self.open.len());
        let gone = if self.gone > 0 { self.chunks.iter().position(|chunk| chunk.slots.is_none()) } else { None };
        let at = gone.unwrap_or(self.chunks.len());
        if gone.is_some() {
            self.gone -= 1;
            self.chunks[at] = chunk;
        } else {
            self.chunks.push(chunk);
        }
        self.open.push(at);
        at
    }

    /// Moves the content out of a slot, which is no longer in use then.
    ///
    /// # Safety
    ///
    /// The slot is in use in this slab, and nothing refers to it from now on.
    #[inline]
    pub(super) unsafe fn remove(&mut self, known: MemberRef<K, T, H>) -> Slot<K, T, H> {
        let index = known.slot().index as usize;
        let (at, bit) = (index / Chunk::<K, T, H>::SLOTS, index % Chunk::<K, T, H>::SLOTS);
        let chunk = &mut self.chunks[at];
        // SAFETY: it is in use, so it has content (1); by the contract of this function, nothing reaches it from now
        // on.
        let slot = unsafe { known.as_ptr().read() };
        if chunk.used == Chunk::<K, T, H>::FULL {
            chunk.place = self.open.len();
            self.open.push(at);
        }
        chunk.used &= !(1 << bit);
        // One empty chunk stays for names to come, unless it would take more than 4 KiB, or nearly so.
        if chunk.used == 0 && (self.open.len() > 1 || Chunk::<K, T, H>::SLOTS == 1) {
            self.free(at);
        }
        slot
    }

    /// The slot at this position, if it is in use.
    pub(super) fn get(&self, index: u32) -> Option<MemberRef<K, T, H>> {
        let index = index as usize;
        let chunk = self.chunks.get(index / Chunk::<K, T, H>::SLOTS)?;
        let bit = index % Chunk::<K, T, H>::SLOTS;
        let slots = chunk.slots.filter(|_| chunk.used & 1 << bit != 0)?;
        // SAFETY: the bit is less than the length of the chunk, which is there, as the slot is in use (1, 2).
        Some(MemberRef::new(unsafe { slots.add(bit) }))
    }

    /// Gives back the memory of an empty chunk.
    #[cold]
    fn free(&mut self, at: usize) {
        let chunk = &mut self.chunks[at];
        let place = chunk.place;
        chunk.free();
        self.gone += 1;
        self.open.swap_remove(place);
        if let Some(moved) = self.open.get(place) {
            self.chunks[*moved].place = place;
        }
        while self.chunks.last().is_some_and(|chunk| chunk.slots.is_none()) {
            self.chunks.pop();
            self.gone -= 1;
        }
        shrink(&mut self.chunks);
        shrink(&mut self.open);
    }

    /// The slots that are in use, in the order of their addresses within a chunk.
    pub(super) fn each(&self) -> impl Iterator<Item = MemberRef<K, T, H>> + '_ {
        self.chunks.iter().flat_map(Chunk::each)
    }

    /// Shows some slots that are in use, from a chunk on. Returns the next chunk, if there is one.
    pub(super) fn some_from(&self, chunk: usize, mut show: impl FnMut(MemberRef<K, T, H>)) -> Option<usize> {
        /// Of at most 32 slots each.
        const CHUNKS: usize = 8;
        for at in (chunk..self.chunks.len()).take(CHUNKS) {
            self.chunks[at].each().for_each(&mut show);
        }
        (chunk + CHUNKS < self.chunks.len()).then_some(chunk + CHUNKS)
    }
}

impl<K, T, H> Chunk<K, T, H> {
    /// How many slots are allocated together: as many as `used` has bits, or, if they are large, as fit into 4 KiB; at
    /// least one.
    const SLOTS: usize = {
        let of_some_memory = 4_096 / size_of::<Slot<K, T, H>>();
        if of_some_memory == 0 {
            1
        } else if of_some_memory > u32::BITS as usize {
            u32::BITS as usize
        } else {
            of_some_memory
        }
    };

    /// The value of `used` when all slots are in use.
    const FULL: u32 = u32::MAX >> (u32::BITS as usize - Self::SLOTS);

    /// Allocates slots that are not in use, directly on the heap: large ones would not fit on a stack.
    fn new(place: usize) -> Self {
        let slots = Box::leak(Box::<[Slot<K, T, H>]>::new_uninit_slice(Self::SLOTS));
        Self { slots: Some(NonNull::from(slots).cast()), used: 0, place }
    }

    fn each(&self) -> impl Iterator<Item = MemberRef<K, T, H>> {
        let used = self.used;
        // SAFETY: each bit is less than the length of the chunk, which is there, as it has slots in use (2).
        let at = |(slots, bit): (NonNull<Slot<K, T, H>>, usize)| unsafe { slots.add(bit) };
        let bits = (0..Self::SLOTS).filter(move |bit| used & 1 << bit != 0);
        self.slots
            .into_iter()
            .flat_map(move |slots| bits.clone().map(move |bit| (slots, bit)))
            .map(at)
            .map(MemberRef::new)
    }

    /// Gives the memory back. None of the slots is in use.
    fn free(&mut self) {
        if let Some(slots) = self.slots.take() {
            let slots = ptr::slice_from_raw_parts_mut(slots.as_ptr().cast::<MaybeUninit<Slot<K, T, H>>>(), Self::SLOTS);
            // SAFETY: it came from a box of `SLOTS` slots, and nothing refers to a slot in it (1, 2).
            drop(unsafe { Box::from_raw(slots) });
        }
    }
}

impl<K, T, H> Drop for Chunk<K, T, H> {
    /// The set is dropped, so nothing refers to its members any more.
    fn drop(&mut self) {
        // SAFETY: these are in use, so they have content (1); none is reached again.
        let left: SmallVec<[Slot<K, T, H>; 1]> = self.each().map(|known| unsafe { known.as_ptr().read() }).collect();
        self.used = 0;
        self.free();
        drop(left); // If one of them panics, the others are still dropped.
    }
}

/// Gives space back if most of it is empty. It does so again only after many more removals.
fn shrink<V>(space: &mut Vec<V>) {
    if space.capacity() > 64 && space.len() < space.capacity() / 8 {
        space.shrink_to(space.len() * 2);
    }
}
