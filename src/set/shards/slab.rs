//! Where slots are: in chunks that never move, so that whoever knows a slot finds it by its address.
//!
//! # Invariants
//!
//! 1. Of the slots of a chunk, those are in use, and no others, whose bit in `used` is set.
//! 2. A chunk stays where it is until none of its slots is in use.
//! 3. `open` has the position of each chunk that is there and has a slot to spare, once; that chunk knows where in `open`.

#![allow(unsafe_code, reason = "slots are reached by their addresses: see the invariants")]

use super::slot::{Known, Slot};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// So many slots are allocated together.
const CHUNK: usize = u32::BITS as usize;

type Slots<K, T> = [MaybeUninit<Slot<K, T>>; CHUNK];

#[derive(Debug)]
pub(super) struct Slab<K, T> {
    chunks: Vec<Chunk<K, T>>,
    open: Vec<usize>,
}

#[derive(Debug)]
struct Chunk<K, T> {
    /// `None` of one that has gone.
    slots: Option<NonNull<Slots<K, T>>>,
    used: u32,
    /// Where in `open`.
    place: usize,
}

// SAFETY: a chunk owns its slots (1, 2). Whoever may send and share names and values may send what leads to them.
unsafe impl<K: Send + Sync, T: Send + Sync> Send for Chunk<K, T> {}

impl<K, T> Slab<K, T> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), open: Vec::new() }
    }

    /// Uses a slot for what `make` makes, which is told where.
    #[inline]
    pub(super) fn insert(&mut self, make: impl FnOnce(u32) -> Slot<K, T>) -> Known<K, T> {
        let at = match self.open.last() {
            Some(at) => *at,
            None => self.grow(),
        };
        let chunk = &mut self.chunks[at];
        let bit = chunk.used.trailing_ones() as usize;
        chunk.used |= 1 << bit;
        if chunk.used == u32::MAX {
            self.open.pop();
        }
        let Ok(index) = u32::try_from(at * CHUNK + bit) else { unreachable!("so many names have no place in memory") };
        let Some(slots) = chunk.slots else { unreachable!("an open chunk is there (3)") };
        // SAFETY: the bit is less than the length of the chunk.
        let slot = unsafe { slots.cast::<Slot<K, T>>().add(bit) };
        // SAFETY: nobody knows this slot, as it was not in use (1).
        unsafe { slot.write(make(index)) };
        Known::new(slot)
    }

    #[cold]
    fn grow(&mut self) -> usize {
        let slots = Box::new([const { MaybeUninit::uninit() }; CHUNK]);
        let chunk = Chunk { slots: Some(NonNull::from(Box::leak(slots))), used: 0, place: self.open.len() };
        let gone = self.chunks.iter().position(|chunk| chunk.slots.is_none());
        let at = gone.unwrap_or(self.chunks.len());
        match self.chunks.get_mut(at) {
            Some(gone) => *gone = chunk,
            None => self.chunks.push(chunk),
        }
        self.open.push(at);
        at
    }

    /// Moves out of a slot, which is not in use any more.
    ///
    /// # Safety
    ///
    /// The slot is in use here, and nobody knows it.
    #[inline]
    pub(super) unsafe fn remove(&mut self, known: Known<K, T>) -> Slot<K, T> {
        let index = known.slot().index as usize;
        let (at, bit) = (index / CHUNK, index % CHUNK);
        let chunk = &mut self.chunks[at];
        // SAFETY: it is in use, so there is something in it (1); and nobody reaches it from now on.
        let slot = unsafe { known.as_ptr().read() };
        if chunk.used == u32::MAX {
            chunk.place = self.open.len();
            self.open.push(at);
        }
        chunk.used &= !(1 << bit);
        if chunk.used == 0 && self.open.len() > 1 {
            self.free(at);
        }
        slot
    }

    /// Gives a chunk back that is empty, beside others that have slots to spare.
    #[cold]
    fn free(&mut self, at: usize) {
        let chunk = &mut self.chunks[at];
        let place = chunk.place;
        chunk.free();
        self.open.swap_remove(place);
        if let Some(moved) = self.open.get(place) {
            self.chunks[*moved].place = place;
        }
        while self.chunks.last().is_some_and(|chunk| chunk.slots.is_none()) {
            self.chunks.pop();
        }
        shrink(&mut self.chunks);
        shrink(&mut self.open);
    }

    /// The slots that are in use, in the order of their addresses within a chunk.
    pub(super) fn each(&self) -> impl Iterator<Item = Known<K, T>> + '_ {
        self.chunks.iter().flat_map(Chunk::each)
    }

    /// Some slots that are in use, from a chunk on; and the next chunk, if there is one.
    pub(super) fn some_from(&self, chunk: usize, mut show: impl FnMut(Known<K, T>)) -> Option<usize> {
        /// Of a chunk, there are at most 32.
        const CHUNKS: usize = 8;
        for at in (chunk..self.chunks.len()).take(CHUNKS) {
            self.chunks[at].each().for_each(&mut show);
        }
        (chunk + CHUNKS < self.chunks.len()).then_some(chunk + CHUNKS)
    }
}

impl<K, T> Chunk<K, T> {
    fn each(&self) -> impl Iterator<Item = Known<K, T>> {
        let used = self.used;
        // SAFETY: each bit is less than the length of the chunk.
        let at = |(slots, bit): (NonNull<Slots<K, T>>, usize)| unsafe { slots.cast::<Slot<K, T>>().add(bit) };
        let bits = (0..CHUNK).filter(move |bit| used & 1 << bit != 0);
        self.slots.into_iter().flat_map(move |slots| bits.clone().map(move |bit| (slots, bit))).map(at).map(Known::new)
    }

    /// Gives the memory back. None of the slots is in use.
    fn free(&mut self) {
        if let Some(slots) = self.slots.take() {
            // SAFETY: it came from a box, and nobody knows a slot in it (1, 2).
            drop(unsafe { Box::from_raw(slots.as_ptr()) });
        }
    }
}

impl<K, T> Drop for Chunk<K, T> {
    /// The set goes: so nobody knows its members any more.
    fn drop(&mut self) {
        // SAFETY: these are in use, so there is something in them (1); none is reached again.
        let left: SmallVec<[Slot<K, T>; 1]> = self.each().map(|known| unsafe { known.as_ptr().read() }).collect();
        self.used = 0;
        self.free();
        drop(left); // If one of them panics, the others are dropped still.
    }
}

/// Gives space back, at most once for as much as is left.
fn shrink<V>(space: &mut Vec<V>) {
    if space.capacity() > 64 && space.len() < space.capacity() / 8 {
        space.shrink_to(space.len() * 2);
    }
}
