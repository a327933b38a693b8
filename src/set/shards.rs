//! The names of a set, spread over shards. A shard is locked for a few instructions, and never while code of names or
//! values runs.
//!
//! ```text
//!   Shards ─► Shard ── lock ── index   hash ─► slot
//!                          ├── slab    chunks that never move; a slot: hash, name, value, holders, pins
//!                          ├── holds   how many, by mode
//!                          └── gated   all members are held together, or awaited
//! ```
//!
//! A name is hashed before its shard is locked. A slot of that hash is pinned under the lock, and its name compared
//! after it. A name whose `Hash` or `Eq` is wrong may not be found, or be there twice; nothing worse can happen.
//!
//! # Invariants
//!
//! 1. The queue of a set is locked before a shard, and shards in ascending order. No thread waits for the queue with a
//!    shard locked.
//! 2. A shard is locked for some hundreds of steps at most, with four exceptions. Up to [`TOGETHER`] names are taken at
//!    once. A guard releases all its names of one shard at once, however many. An index that is rebuilt takes a step
//!    for each slot of the shard, and a slab that reuses a vacant chunk takes one for each chunk. A search among names
//!    of one hash compares each with those seen before.

mod index;
mod member;
mod shard;
mod slab;
mod slot;
mod spin_lock;
#[cfg(all(test, not(any(lockladder_loom, lockladder_shuttle))))]
mod tests;

pub(crate) use shard::MemberRef;
use shard::Shard;

use super::fault;
use super::names::{AsName, Key};
use super::queue::Member;
use super::queue::{Members, Tally};
use crate::mode::LockMode;
use crate::panics::Panics;
use crate::sync::SHARDS;
use shard::Gone;
use smallvec::SmallVec;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;

#[cfg(not(any(lockladder_loom, lockladder_shuttle)))]
pub(crate) type Hashing = hashbrown::DefaultHashBuilder;

/// A model has to run the same way each time.
#[cfg(any(lockladder_loom, lockladder_shuttle))]
pub(crate) type Hashing = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// The most names that are taken in one step past the queue.
const TOGETHER: usize = 2_048;

/// Where a member is in its set, as a number: it says nothing about which member is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotNumber {
    pub(crate) shard: u8,
    pub(crate) slot: u32,
}

impl SlotNumber {
    #[inline]
    pub(crate) fn of<K, T>(known: MemberRef<K, T>) -> Self {
        Self { shard: shard_of(known.tag()), slot: known.slot_index() }
    }
}

/// The position of the shard of names with this hash.
#[expect(clippy::cast_possible_truncation, reason = "less than the number of shards")]
#[inline]
fn shard_of(tag: u64) -> u8 {
    const { assert!(SHARDS <= 1 << 8) }
    let part = (tag >> 32) * SHARDS as u64;
    (part >> 32) as u8
}

/// All members of a set.
#[derive(Debug)]
pub(crate) struct Shards<K, T> {
    hashing: Hashing,
    /// Each slot has the address of its shard. (A `Box` would claim to be the only pointer to them.)
    shards: Arc<[Shard<K, T>]>,
}

/// Finding names.
impl<K, T> Shards<K, T> {
    pub(crate) fn new(is_open: bool) -> Self {
        Self { hashing: Hashing::default(), shards: (0..SHARDS).map(|_| Shard::new(is_open)).collect() }
    }

    /// The hash of a name in this set.
    #[inline]
    pub(crate) fn tag(&self, name: &impl AsName<K>) -> u64 {
        name.tag(&self.hashing)
    }

    /// Goes by the upper half of the hash, so that members in order lie in shards in order. The index goes by the
    /// lower.
    #[inline]
    fn shard(&self, tag: u64) -> &Shard<K, T> {
        &self.shards[usize::from(shard_of(tag))]
    }

    /// The member at this place, pinned, if it `is_meant`.
    pub(crate) fn at(
        &self,
        number: SlotNumber,
        is_meant: impl FnOnce(&MemberRef<K, T>) -> bool,
    ) -> Option<MemberRef<K, T>> {
        let room = self.shards.get(usize::from(number.shard))?.lock();
        let known = room.at(number.slot).filter(is_meant)?;
        room.pin(known);
        Some(known)
    }

    /// The member of this name, pinned.
    #[inline]
    pub(crate) fn find<N: AsName<K>>(&self, name: &N) -> Option<MemberRef<K, T>> {
        let tag = self.tag(name);
        let known = {
            let room = self.shard(tag).lock();
            let known = room.first_tagged(tag)?;
            room.pin(known);
            known
        };
        let pinned = Pinned::of(known);
        if name.is(known.name()) {
            mem::forget(pinned); // The caller gets the pin. One member is stored inline, so nothing leaks.
            return Some(known);
        }
        drop(pinned);
        self.find_among_tagged(tag, name)
    }

    #[cold]
    fn find_among_tagged(&self, tag: u64, name: &impl AsName<K>) -> Option<MemberRef<K, T>> {
        let mut pinned = Pinned::none();
        {
            let room = self.shard(tag).lock();
            pinned.0.extend(room.tagged(tag).inspect(|known| room.pin(*known)));
        }
        let at = pinned.0.iter().position(|known| name.is(known.name()))?;
        Some(pinned.keep(at))
    }

    /// Adds the member of this name to `found`, and creates it if there is none. Nothing is dropped before that,
    /// because dropping may panic.
    pub(crate) fn find_or_insert(&self, name: K, fresh: fn() -> T, found: &mut Members<MemberRef<K, T>>)
    where
        K: Key,
    {
        let tag = self.tag(&name);
        let mut new = Some((name, fresh())); // Foreign code: run it before the shard is locked.
        let home = self.shard(tag);
        let mut others = Pinned::none(); // Members of the same hash that were looked at.
        loop {
            let known = {
                let mut room = home.lock();
                let known = room.tagged(tag).find(|known| !others.0.contains(known));
                let Some(known) = known else {
                    let Some((name, value)) = new.take() else { unreachable!("it is made into a member once") };
                    return found.push(home.insert(&mut room, tag, name, value));
                };
                room.pin(known);
                known
            };
            others.0.push(known);
            if new.as_ref().is_some_and(|(name, _)| name == known.name()) {
                found.extend(others.0.pop());
                return;
            }
        }
    }

    /// Adds a name that does not exist, held in mode `held`, if any. It is pinned for the caller.
    pub(crate) fn insert(&self, tag: u64, name: K, value: T, held: Option<LockMode>) -> MemberRef<K, T> {
        let home = self.shard(tag);
        let mut room = home.lock();
        let known = home.insert(&mut room, tag, name, value);
        if let Some(mode) = held {
            room.hold(known, mode);
        }
        known
    }
}

/// Pinned members. Dropping this gives the pins back, even if code of the names panics.
pub(crate) struct Pinned<K, T>(SmallVec<[MemberRef<K, T>; 1]>);

impl<K, T> Pinned<K, T> {
    fn none() -> Self {
        Self(SmallVec::new())
    }

    pub(crate) fn of(known: MemberRef<K, T>) -> Self {
        Self(SmallVec::from_buf([known]))
    }

    pub(crate) fn each_of(members: Vec<MemberRef<K, T>>) -> Self {
        Self(members.into())
    }

    /// A clone of the first one's name.
    pub(crate) fn name(&self) -> K
    where
        K: Clone,
    {
        self.0[0].name().clone()
    }

    /// Keeps the pin of one, and gives back the others.
    fn keep(mut self, at: usize) -> MemberRef<K, T> {
        let known = self.0.swap_remove(at);
        let kept = Self::of(known);
        drop(self); // If this panics, the pin of `kept` is given back, too.
        mem::forget(kept);
        known
    }

    pub(crate) fn in_name_order(members: Vec<MemberRef<K, T>>) -> Self
    where
        K: Ord,
    {
        let mut pinned = Self(members.into());
        sort_by_name(&mut pinned.0);
        pinned
    }
}

impl<K, T> Deref for Pinned<K, T> {
    type Target = [MemberRef<K, T>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K, T> Drop for Pinned<K, T> {
    fn drop(&mut self) {
        Panics::defer(|panics| forget(self.0.drain(..), panics));
    }
}

pub(crate) fn sort_by_name<K: Ord, T>(members: &mut [MemberRef<K, T>]) {
    members.sort_by(|one, other| one.name().cmp(other.name()));
}

/// Gives back a pin of each member. A slot that goes with its last pin is dropped with nothing locked.
pub(crate) fn forget<K, T>(members: impl IntoIterator<Item = MemberRef<K, T>>, panics: &mut Panics) {
    for known in members {
        let gone = known.home().lock().unpin(known);
        drop_gone(gone, panics);
    }
}

#[inline]
fn drop_gone<K, T>(gone: Option<Gone<K, T>>, panics: &mut Panics) {
    if let Some(gone) = gone {
        panics.catch(|| drop(gone));
    }
}

/// Holding members, past the queue.
impl<K, T> Shards<K, T> {
    /// Takes all of these members or none. Each must have room, and be neither wanted nor gated.
    #[inline]
    pub(crate) fn try_hold(members: &[MemberRef<K, T>], mode: LockMode) -> bool {
        match members {
            [one] => {
                let mut room = one.home().lock();
                let admits = room.admits(*one, mode);
                if admits {
                    room.hold(*one, mode);
                }
                admits
            }
            _ => Self::try_hold_together(members, mode),
        }
    }

    /// As [`try_hold`](Self::try_hold), for several members. They are in order, so their shards are locked in order.
    fn try_hold_together(members: &[MemberRef<K, T>], mode: LockMode) -> bool {
        if members.len() > TOGETHER {
            return false;
        }
        let mut rooms: SmallVec<[_; 8]> = SmallVec::new();
        for run in runs(members) {
            let room = run[0].home().lock();
            let admits = run.iter().all(|known| room.admits(*known, mode));
            rooms.push(room);
            if !admits {
                return false;
            }
        }
        for (room, run) in rooms.iter_mut().zip(runs(members)) {
            for known in run {
                room.hold(*known, mode);
            }
        }
        true
    }

    /// Takes those members that have room and are neither wanted nor gated. The queue may grant some of those left.
    pub(crate) fn seize(members: &mut Members<MemberRef<K, T>>, mode: LockMode) -> Members<MemberRef<K, T>> {
        let (seized, left) = mem::take(members).into_iter().partition(|known| Self::try_hold(&[*known], mode));
        *members = left;
        seized
    }

    /// Releases members, and gives back the caller's pins. Members that are wanted or gated are left, held and pinned.
    #[inline]
    pub(crate) fn release(members: &mut Members<MemberRef<K, T>>, mode: LockMode, panics: &mut Panics) {
        if let [one] = &members[..] {
            let mut room = one.home().lock();
            if room.is_apart(*one) {
                room.release(*one, mode);
                let gone = room.unpin(*one);
                drop(room);
                members.clear();
                drop_gone(gone, panics);
            }
            return;
        }
        Self::release_several(members, mode, panics);
    }

    fn release_several(members: &mut Members<MemberRef<K, T>>, mode: LockMode, panics: &mut Panics) {
        let mut left = Members::new();
        let mut all_gone: SmallVec<[_; 4]> = SmallVec::new();
        for run in runs(members) {
            let mut room = run[0].home().lock();
            for known in run {
                if room.is_apart(*known) {
                    room.release(*known, mode);
                    all_gone.extend(room.unpin(*known));
                } else {
                    left.push(*known);
                }
            }
            drop(room);
        }
        *members = left;
        all_gone.into_iter().for_each(|gone| drop_gone(Some(gone), panics));
    }

    /// Turns exclusive holds into shared ones. Returns the members that are wanted or gated; these are unchanged.
    pub(crate) fn downgrade(members: &[MemberRef<K, T>]) -> Members<MemberRef<K, T>> {
        let is_left = |known: &MemberRef<K, T>| {
            let mut room = known.home().lock();
            let is_apart = room.is_apart(*known);
            if is_apart {
                room.downgrade(*known);
            }
            !is_apart
        };
        members.iter().copied().filter(is_left).collect()
    }
}

/// Members in order, split by shard.
fn runs<K, T>(members: &[MemberRef<K, T>]) -> impl Iterator<Item = &[MemberRef<K, T>]> {
    members.chunk_by(|one, other| std::ptr::eq(one.home(), other.home()))
}

/// The whole.
impl<K, T> Shards<K, T> {
    /// Sends all requests to the queue, which is locked, from now on. Returns how many holds of members there are.
    pub(crate) fn gate(&self) -> Tally {
        let holds = self.shards.iter().map(|shard| shard.lock().gate());
        holds.skip(usize::from(fault::COUNTED_WRONG)).fold(Tally::default(), Tally::plus)
    }

    /// Takes that back. The queue is locked.
    pub(crate) fn ungate(&self) {
        self.shards.iter().for_each(|shard| shard.lock().ungate());
    }

    /// Up to `most` of the members that leave no room for this mode, pinned; and how many such members there are.
    pub(crate) fn some_in_the_way(&self, most: usize, mode: LockMode) -> (Vec<MemberRef<K, T>>, usize) {
        let (mut some, mut all) = (Vec::new(), 0);
        for shard in &*self.shards {
            let in_the_way = shard.lock().in_the_way(mode);
            all += in_the_way;
            let most = most.min(some.len() + in_the_way); // Found them all: look no further in this shard.
            shard.look_through(&mut some, most, |known| !known.has_room(mode));
        }
        (some, all)
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// All members, pinned, in no order.
    pub(crate) fn all(&self) -> Vec<MemberRef<K, T>> {
        self.some(usize::MAX, |_| true)
    }

    /// Up to `most` of the members that `are_meant`, pinned.
    pub(crate) fn some(&self, most: usize, are_meant: impl Fn(&MemberRef<K, T>) -> bool) -> Vec<MemberRef<K, T>> {
        let mut some = Vec::new();
        for shard in &*self.shards {
            shard.look_through(&mut some, most, &are_meant);
        }
        some
    }
}
