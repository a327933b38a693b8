//! The names of a set, spread over shards. A shard is locked for a few instructions; no code of names or values runs
//! meanwhile.
//!
//! ```text
//!   Shards ─► Shard ── lock ── index   hash ─► slot
//!                          ├── slab    chunks that never move; a slot: hash, name, value, holders, who knows it
//!                          ├── holds   how many
//!                          └── gated   somebody holds or awaits the whole
//! ```
//!
//! A name is hashed before its shard is locked, found by the hash and pinned, and compared when the shard is free again. A
//! name that lies about its hash or its equals may not be found, or be there twice. No more can come of it.
//!
//! # Invariants
//!
//! 1. The queue of a set is locked before a shard, and shards in ascending order; nobody awaits the queue with a shard locked.
//! 2. A shard is locked for some hundreds of steps at most, with three exceptions: as many names as [`TOGETHER`] may be taken
//!    at once; an index that grows takes a step for each name of its shard; and so does a search among names of one hash.

mod index;
mod lock;
mod member;
mod shard;
mod slab;
mod slot;
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

/// A model has to take the same course each time.
#[cfg(any(lockladder_loom, lockladder_shuttle))]
pub(crate) type Hashing = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// As many names as are taken in one step past the queue.
const TOGETHER: usize = 2_048;

/// All members of a set.
#[derive(Debug)]
pub(crate) struct Shards<K, T> {
    hashing: Hashing,
    /// Each slot knows its shard by the address. (A `Box` would claim to be the only way to them.)
    shards: Arc<[Shard<K, T>]>,
}

/// Finding names.
impl<K, T> Shards<K, T> {
    pub(crate) fn new(is_open: bool) -> Self {
        Self { hashing: Hashing::default(), shards: (0..SHARDS).map(|_| Shard::new(is_open)).collect() }
    }

    /// The hash by which a name is known here.
    #[inline]
    pub(crate) fn tag(&self, name: &impl AsName<K>) -> u64 {
        name.tag(&self.hashing)
    }

    /// In the order of hashes, so that members in order lie in shards in order. The tables go by the other half.
    #[inline]
    fn shard(&self, tag: u64) -> &Shard<K, T> {
        let part = (tag >> 32) * SHARDS as u64;
        &self.shards[(part >> 32) as usize]
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
            mem::forget(pinned); // It has no space of its own.
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

    /// Adds the member of this name to `found`, new if there is none: before anything is dropped, as that may panic.
    pub(crate) fn find_or_insert(&self, name: K, fresh: fn() -> T, found: &mut Members<MemberRef<K, T>>)
    where
        K: Key,
    {
        let tag = self.tag(&name);
        let mut new = Some((name, fresh())); // Foreign code, so it runs before the shard is locked.
        let home = self.shard(tag);
        let mut others = Pinned::none(); // Those of the same hash that were looked at.
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

    /// Adds a name that does not exist, held so; whoever does so knows it.
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

/// Members that are given back in the end, even if code of their names panics.
pub(crate) struct Pinned<K, T>(SmallVec<[MemberRef<K, T>; 1]>);

impl<K, T> Pinned<K, T> {
    fn none() -> Self {
        Self(SmallVec::new())
    }

    pub(crate) fn of(known: MemberRef<K, T>) -> Self {
        Self(SmallVec::from_buf([known]))
    }

    /// A copy of the name of one.
    pub(crate) fn name(&self) -> K
    where
        K: Clone,
    {
        self.0[0].name().clone()
    }

    /// One of them, when the others have been given back.
    fn keep(mut self, at: usize) -> MemberRef<K, T> {
        let known = self.0.swap_remove(at);
        let kept = Self::of(known);
        drop(self); // If one of them panics, that one is given back, too.
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

/// Gives back what somebody knew of members, last of all their own destructors.
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
    /// Takes members, all or none, if nobody holds or wants one of them or the whole.
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

    /// The same of several. They are in order, and so are their shards.
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

    /// Takes those members that nobody holds or wants; what is left may yet be had under the queue.
    pub(crate) fn seize(members: &mut Members<MemberRef<K, T>>, mode: LockMode) -> Members<MemberRef<K, T>> {
        let (seized, left) = mem::take(members).into_iter().partition(|known| Self::try_hold(&[*known], mode));
        *members = left;
        seized
    }

    /// Gives members back, and what the caller knew of them: of those that are wanted, or of the whole, nothing. They stay.
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

    /// Turns exclusive holds into shared ones, but of those that are wanted, or of the whole. Returns those.
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

/// Members in order, by shards.
fn runs<K, T>(members: &[MemberRef<K, T>]) -> impl Iterator<Item = &[MemberRef<K, T>]> {
    members.chunk_by(|one, other| std::ptr::eq(one.home(), other.home()))
}

/// The whole.
impl<K, T> Shards<K, T> {
    /// Sends everybody to the queue, which is locked, from now on. Says how many holds there are.
    pub(crate) fn gate(&self) -> Tally {
        let holds = self.shards.iter().map(|shard| shard.lock().gate());
        holds.skip(usize::from(fault::COUNTED_WRONG)).fold(Tally::default(), Tally::plus)
    }

    /// Takes that back, under the queue.
    pub(crate) fn ungate(&self) {
        self.shards.iter().for_each(|shard| shard.lock().ungate());
    }

    /// Some of the members that leave no room for this mode, up to so many, pinned; and how many there are.
    pub(crate) fn some_in_the_way(&self, most: usize, mode: LockMode) -> (Vec<MemberRef<K, T>>, usize) {
        let (mut some, mut all) = (Vec::new(), 0);
        for shard in &*self.shards {
            let in_the_way = shard.lock().in_the_way(mode);
            all += in_the_way;
            let most = most.min(some.len() + in_the_way); // Who has found those does not go on looking.
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

    /// Some of those that `are_meant`, up to so many, pinned.
    pub(crate) fn some(&self, most: usize, are_meant: impl Fn(&MemberRef<K, T>) -> bool) -> Vec<MemberRef<K, T>> {
        let mut some = Vec::new();
        for shard in &*self.shards {
            shard.look_through(&mut some, most, &are_meant);
        }
        some
    }
}
