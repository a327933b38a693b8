//! What a set is made of: its names, in shards, and the queue of the requests that wait.
//!
//! ```text
//!                ┌─ fast: under the locks of the shards of its names, all or nothing
//!   a request ───┤
//!                └─ slow: the queue, under its mutex; a holder that releases makes the grants there
//! ```
//!
//! A member is marked as wanted while a request waits for it. The shards, and with them their members, are gated while
//! all members are held together, or a request for all of them waits. Both marks send requests and releases to the
//! queue.
//!
//! # Invariants
//!
//! 1. While the queue is unlocked, the shards are gated if and only if `Whole::is_gated`.
//! 2. Foreign code (wakers; names and values, when they are hashed, compared, cloned or dropped) runs with nothing
//!    locked.
//! 3. Each hold of a member, or of the whole, is given back exactly once.
//!
//! # Memory orderings
//!
//! Only locks make the writes of one thread visible to another: the mutex of the queue, and the lock of each shard,
//! which swaps a flag with Acquire to lock and stores it with Release to unlock. A section is the time between the two.
//!
//! * **The mutex of the queue** orders the requests, their wakers and outcomes, the lines, and the holders of the
//!   whole; every change of QUEUED and DELETED in a word; every change of the gates; every addition to a `LockSet`, and
//!   every removal from it; and every change of the word of a member that is wanted or gated.
//! * **The lock of a shard** orders its index, its slab, its counters and its gate, and the words and pins of its
//!   slots. Of all these, only the words are atomic.
//!
//! Names and values rely on that. A name does not change after the section that inserts it. It is dropped after the
//! section that takes its last pin; every other pin was given back in an earlier section of the same shard. (A guard of
//! all members pins none, but no other guard can remove one meanwhile.) A value goes from one holder to the next
//! through locks that both take: the shard, to release and to take a member past the queue; the queue, to release, to
//! grant and to collect a grant. A hold of all members joins the two: the gate is closed before it begins and opened
//! after it ends, each time with the queue locked, and each shard in turn.
//!
//! The word of a slot is atomic because some threads read it without the lock of its shard. All its loads and stores
//! are Relaxed:
//!
//! * A **store** is made only with the shard locked, and so is the load before it. So it loses no change, and the lock
//!   orders it.
//! * A **load with the shard locked** is exact.
//! * A **load with only the queue locked** is exact if the member is wanted or gated: the mark was made with both
//!   locked, so the thread sees all earlier changes, and later ones need the queue. Of any other member, only QUEUED
//!   and DELETED are exact.
//! * A **load with neither locked** is a snapshot. Of it, only DELETED may be relied on, as it is never cleared. A
//!   thread that has seen it and locks the shard next gets the lock after the removal, and finds the name gone from the
//!   index.
//!
//! A load with neither locked may start a second look (`Request::resolve`, which then locks) or be shown (`Debug`). It
//! must not be used
//!
//! * to take, release or downgrade a hold: `admits` and `is_apart` are asked with the shard locked;
//! * to touch a value: it makes no other thread's writes visible, whatever the word says;
//! * to learn of a grant: a request reads its outcome in the queue;
//! * to conclude that a member still exists: `enter` looks again under the queue, `try_hold` under the shard;
//! * to free or reuse a slot: the pins decide that, under the shard.
//!
//! One more load is Relaxed: a thread that waits for a shard reads the flag until it is clear, to spare the cache line.
//! Only the swap that follows locks the shard.

use super::error::SetError;
use super::fault;
use super::queue::{Bounds, Member};
use super::queue::{Effects, Members, Outcome, Queue, Reach, Waiter};
use super::shards::{MemberRef, Pinned, Shards, forget};
use crate::mode::LockMode;
use crate::panics::Panics;
use crate::priority::Priority;
use crate::sync::{Mutex, MutexGuard, back_off};
use std::fmt;
use std::mem;
use std::sync::PoisonError;
use std::task::{Poll, Waker};

pub(crate) type MemberRefs<K, T> = Members<MemberRef<K, T>>;

/// A set without the vocabulary of its users.
pub struct Core<K, T> {
    queue: Mutex<Queue<MemberRef<K, T>>>,
    pub(super) shards: Shards<K, T>,
    /// In an open set, makes the value of a name that comes into use.
    pub(super) fresh: Option<fn() -> T>,
}

/// How a guard holds the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
// A word, like the other fields of a guard. With a byte and seven of padding, a move copies two overlapping pieces, and
// the processor stalls on the second: a tenth of the time of a climb.
#[repr(usize)]
pub(crate) enum WholeHold {
    #[default]
    No,
    /// The right to keep others from adding. The members held are listed.
    Alone,
    /// That right, and all members, unlisted.
    WithMembers,
}

/// What a guard holds.
#[derive(Debug)]
pub struct Holding<K, T> {
    pub(crate) members: MemberRefs<K, T>,
    pub(crate) whole: WholeHold,
}

impl<K, T> Holding<K, T> {
    /// Whether it holds all members together, unlisted.
    #[inline]
    pub(crate) fn has_all_members(&self) -> bool {
        self.whole == WholeHold::WithMembers
    }

    /// The whole with all members.
    pub(crate) fn of_whole() -> Self {
        Self { members: Members::new(), whole: WholeHold::WithMembers }
    }
}

impl<K, T> Default for Holding<K, T> {
    fn default() -> Self {
        Self { members: Members::new(), whole: WholeHold::No }
    }
}

impl<K, T> From<MemberRefs<K, T>> for Holding<K, T> {
    fn from(members: MemberRefs<K, T>) -> Self {
        Self { members, whole: WholeHold::No }
    }
}

impl<K, T> Core<K, T> {
    pub(crate) fn new(fresh: Option<fn() -> T>) -> Self {
        Self { queue: Mutex::new(Queue::new(Bounds::DEFAULT)), shards: Shards::new(fresh.is_some()), fresh }
    }

    /// Takes those members that have room and that no request waits for, past all that wait for others.
    pub(crate) fn seize(&self, mut members: MemberRefs<K, T>, mode: LockMode, panics: &mut Panics) -> MemberRefs<K, T> {
        let mut seized = Shards::seize(&mut members, mode);
        if !members.is_empty() {
            // A gated shard refuses even free members: ask the queue.
            let (taken, others): (Members<_>, Members<_>) = self.change(panics, |queue| {
                let parts = members.into_iter().partition(|member| queue.seize(member, mode));
                (parts, Effects::none())
            });
            seized.extend(taken);
            forget(others, panics);
        }
        seized.sort_unstable_by_key(Member::id);
        seized
    }

    /// Gives back all holds of a guard, and its pins.
    #[inline]
    pub(crate) fn release(&self, held: &mut Holding<K, T>, mode: LockMode) {
        Panics::defer(|panics| {
            self.release_whole(mem::take(&mut held.whole), mode, panics);
            self.let_go(&mut held.members, mode, panics);
        });
    }

    /// Gives back the caller's holds of these members, and its pins.
    #[inline]
    pub(crate) fn let_go(&self, members: &mut MemberRefs<K, T>, mode: LockMode, panics: &mut Panics) {
        Shards::release(members, mode, panics);
        if !members.is_empty() {
            self.let_go_in_line(mem::take(members), mode, panics);
        }
    }

    /// As [`let_go`](Self::let_go), for members that are wanted or gated.
    #[cold]
    fn let_go_in_line(&self, members: MemberRefs<K, T>, mode: LockMode, panics: &mut Panics) {
        self.change(panics, |queue| ((), queue.release(&members, mode)));
        forget(members, panics);
    }

    /// Gives back the hold of the whole, if there is one.
    #[inline]
    pub(crate) fn release_whole(&self, whole: WholeHold, mode: LockMode, panics: &mut Panics) {
        if whole != WholeHold::No {
            self.change(panics, |queue| ((), queue.release_whole(mode, whole == WholeHold::WithMembers)));
        }
    }

    /// Turns exclusive holds into shared ones.
    pub(crate) fn downgrade(&self, held: &Holding<K, T>, panics: &mut Panics) {
        if held.whole != WholeHold::No {
            self.change(panics, |queue| ((), queue.downgrade_whole(held.whole == WholeHold::WithMembers)));
        }
        let left = Shards::downgrade(&held.members);
        if !left.is_empty() {
            self.change(panics, |queue| ((), queue.downgrade(&left)));
        }
    }

    /// Turns a hold of all members together into a hold of each, so that some can be given back, or new ones added
    /// free. Takes a step for each member of the set, and locks the queue for a few of them at a time.
    pub(crate) fn single_out(&self, held: &mut Holding<K, T>, mode: LockMode, panics: &mut Panics) {
        const STEPS: usize = 64;
        if held.whole != WholeHold::WithMembers {
            return;
        }
        let all = self.shards.all(); // The caller holds the whole: no other thread adds or removes.
        for some in all.chunks(STEPS) {
            self.queue().single_out(some, mode);
            back_off(u32::MAX); // Yields, so that a thread that waits for the queue gets it now.
        }
        self.change(panics, |queue| ((), queue.singled_out(mode)));
        held.members.extend(all);
        held.members.sort_unstable_by_key(Member::id);
        held.whole = WholeHold::Alone;
    }

    /// Removes members in one step; the caller holds them exclusively, by themselves or with the whole.
    pub(crate) fn retire(&self, members: &[MemberRef<K, T>], whole: WholeHold, panics: &mut Panics) {
        let held = (whole != WholeHold::WithMembers).then_some(LockMode::Exclusive);
        self.change(panics, |queue| ((), queue.retire(members, held)));
    }

    /// Waits until an addition or removal that is under way is complete.
    pub(crate) fn settle_members(&self) {
        drop(self.queue());
    }

    /// Changes the queue, unlocks it, then carries out what the change has led to.
    pub(crate) fn change<R>(
        &self,
        panics: &mut Panics,
        change: impl FnOnce(&mut Queue<MemberRef<K, T>>) -> (R, Effects<MemberRef<K, T>>),
    ) -> R {
        let mut queue = self.queue();
        let (result, Effects { woken, dropped }) = change(&mut queue);
        if queue.whole.ungated() {
            self.shards.ungate();
        }
        drop(queue); // Wakers and destructors are foreign code: unlock before the first one runs.
        for waker in woken {
            panics.catch(|| waker.wake());
        }
        forget(dropped, panics);
        result
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue<MemberRef<K, T>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Requests.
impl<K, T> Core<K, T> {
    /// Queues a request and returns its ticket; or returns its members, if one of them has been removed meanwhile.
    pub(crate) fn enter(&self, waiter: Waiter<MemberRef<K, T>>, panics: &mut Panics) -> Result<u64, MemberRefs<K, T>> {
        let mut refused = None;
        let ticket = self.change(panics, |queue| {
            if waiter.members.iter().any(|member| member.look().is_deleted()) {
                refused = Some(waiter);
                return (0, Effects::none());
            }
            if waiter.reach == Reach::Every && !queue.whole.is_gated() {
                queue.whole.gated(self.shards.gate());
            }
            queue.enter(waiter)
        });
        let Some(Waiter { members, waker, .. }) = refused else { return Ok(ticket) };
        panics.catch(|| drop(waker)); // Foreign code: the queue is unlocked by now.
        Err(members)
    }

    /// Takes the whole with all members, if that is possible without waiting. A failed attempt leaves nothing in
    /// the queue.
    pub(crate) fn try_whole(&self, mode: LockMode, priority: Priority, panics: &mut Panics) -> bool {
        self.change(panics, |queue| {
            let is_open = !queue.whole.is_gated();
            if is_open && !queue.nobody_is_ahead(mode, priority) {
                return (false, Effects::none());
            }
            if is_open {
                queue.whole.gated(self.shards.gate());
            }
            queue.try_every(mode, priority)
        })
    }

    /// Takes the whole, to add members, if that is possible without waiting.
    pub(crate) fn try_addition(&self) -> bool {
        self.queue().try_addition()
    }

    /// Collects a request that has been settled; otherwise sets the waker that it wakes.
    pub(crate) fn advance(
        &self,
        ticket: u64,
        waker: &Waker,
        panics: &mut Panics,
    ) -> Poll<Result<Holding<K, T>, Refusal<K, T>>> {
        match self.collect_or_register(ticket, waker, panics) {
            Some(waiter) => Poll::Ready(Self::outcome(waiter, panics)),
            None => Poll::Pending,
        }
    }

    /// What a settled request gives its owner.
    fn outcome(waiter: Waiter<MemberRef<K, T>>, panics: &mut Panics) -> Result<Holding<K, T>, Refusal<K, T>> {
        let Waiter { members, waker, outcome, reach, enough, .. } = waiter;
        panics.catch(|| drop(waker));
        let whole = match reach {
            Reach::Names => WholeHold::No,
            Reach::Every => WholeHold::WithMembers,
            Reach::Addition => WholeHold::Alone,
        };
        let refusal = match outcome {
            Some(Outcome::Granted { others }) => {
                forget(others, panics);
                return Ok(Holding { members, whole });
            }
            Some(Outcome::Deleted(member)) => Refusal::Deleted(member),
            Some(Outcome::TooFew) => Refusal::TooFew { wanted: enough, existing: members.len() },
            None => Refusal::GivenUp,
        };
        forget(members, panics);
        Err(refusal)
    }

    /// Takes a settled request out of the queue; sets the waker of any other.
    fn collect_or_register(&self, ticket: u64, waker: &Waker, panics: &mut Panics) -> Option<Waiter<MemberRef<K, T>>> {
        let mut new = None;
        let (settled, old) = loop {
            let mut queue = self.queue();
            let Some(waiter) = queue.request(ticket) else { unreachable!("its owner collects it once") };
            if waiter.outcome.is_some() {
                break (queue.collect(ticket), new);
            }
            if let Some(new) = new.take() {
                break (None, waiter.waker.replace(new));
            }
            if waiter.waker.as_ref().is_some_and(|own| own.will_wake(waker)) {
                break (None, None);
            }
            drop(queue);
            new = Some(waker.clone()); // Foreign code: the queue is unlocked, so look again.
        };
        panics.catch(|| drop(old));
        settled
    }

    /// Cancels a request. If it has been granted meanwhile, returns what it holds.
    pub(crate) fn withdraw(&self, ticket: u64, panics: &mut Panics) -> Option<Holding<K, T>> {
        let waiter = self.change(panics, |queue| queue.cancel(ticket))?;
        match Self::outcome(waiter, panics) {
            Ok(held) => Some(held).filter(|_| !fault::HOLD_NOT_GIVEN_BACK),
            Err(Refusal::Deleted(member)) => {
                forget([member], panics);
                None
            }
            Err(Refusal::TooFew { .. } | Refusal::GivenUp) => None,
        }
    }
}

/// Why a request gets nothing.
#[derive(Debug)]
pub(crate) enum Refusal<K, T> {
    /// This member was removed. It is pinned.
    Deleted(MemberRef<K, T>),
    /// Removals have left fewer members than it asked for.
    TooFew { wanted: usize, existing: usize },
    /// It has been cancelled.
    GivenUp,
}

impl<K: Clone, T> Refusal<K, T> {
    /// The error in terms of names. Gives back the pin.
    pub(crate) fn into_error(self) -> SetError<K> {
        match self {
            Self::Deleted(member) => {
                let known = Pinned::of(member);
                let name = known.name();
                drop(known); // May run foreign code: before the name lies in the result (see `panics`).
                SetError::Deleted { name }
            }
            Self::TooFew { wanted, existing } => SetError::TooFew { wanted, existing },
            Self::GivenUp => unreachable!("only the owner withdraws a request, and only once"),
        }
    }
}

impl<K, T> fmt::Debug for Core<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
