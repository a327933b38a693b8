//! What a set is made of: its names, in shards, and the queue of those who wait.
//!
//! ```text
//!                ┌─ fast: under the locks of the shards of its names, all or nothing
//!   a request ───┤
//!                └─ slow: the queue, under its mutex; grants are made there, by whoever lets go
//! ```
//!
//! A member that somebody waits for is marked as wanted, and the shards of a set that somebody holds or awaits as a whole
//! are gated; both send those who come, and those who give back, to the queue.
//!
//! # Invariants
//!
//! 1. The shards are gated whenever `Queue::is_gated`, but while the queue is locked.
//! 2. Foreign code (wakers; names and values, when they are hashed, compared, cloned or dropped) runs with nothing locked.
//! 3. Each hold of a member, or of the whole, is given back exactly once.

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
    /// Of an open set, how the value of a name is made that nobody knew.
    pub(super) fresh: Option<fn() -> T>,
}

/// How the whole is held by a guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
// A word, like all else in a guard. Guards are moved, and seven bytes of padding are moved in two overlapping pieces, for
// the second of which the processor waits: a tenth of the time of a climb.
#[repr(usize)]
pub(crate) enum WholeHold {
    #[default]
    No,
    /// The right to keep others from adding; the members are listed.
    Alone,
    /// That, and all members, unlisted.
    WithMembers,
}

/// What a guard holds.
#[derive(Debug)]
pub struct Holding<K, T> {
    pub(crate) members: MemberRefs<K, T>,
    pub(crate) whole: WholeHold,
}

impl<K, T> Holding<K, T> {
    /// The whole, with all members.
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

    /// Takes those members that nobody holds or wants, past all who wait.
    pub(crate) fn seize(&self, mut members: MemberRefs<K, T>, mode: LockMode, panics: &mut Panics) -> MemberRefs<K, T> {
        let mut seized = Shards::seize(&mut members, mode);
        if !members.is_empty() {
            // Some may be had though their shard is gated.
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

    /// Gives back all that a guard holds, and what it knew.
    #[inline]
    pub(crate) fn release(&self, held: &mut Holding<K, T>, mode: LockMode) {
        Panics::defer(|panics| {
            self.release_whole(mem::take(&mut held.whole), mode, panics);
            self.let_go(&mut held.members, mode, panics);
        });
    }

    /// Gives members back, and what the caller knew of them.
    #[inline]
    pub(crate) fn let_go(&self, members: &mut MemberRefs<K, T>, mode: LockMode, panics: &mut Panics) {
        Shards::release(members, mode, panics);
        if !members.is_empty() {
            self.let_go_in_line(mem::take(members), mode, panics);
        }
    }

    /// The same, of what somebody waits for, or may.
    #[cold]
    fn let_go_in_line(&self, members: MemberRefs<K, T>, mode: LockMode, panics: &mut Panics) {
        self.change(panics, |queue| ((), queue.release(&members, mode)));
        forget(members, panics);
    }

    /// Gives back the whole.
    #[inline]
    pub(crate) fn release_whole(&self, whole: WholeHold, mode: LockMode, panics: &mut Panics) {
        if whole != WholeHold::No {
            self.change(panics, |queue| ((), queue.release_whole(mode, whole == WholeHold::WithMembers)));
        }
    }

    /// Turns an exclusive hold into a shared one.
    pub(crate) fn downgrade(&self, held: &Holding<K, T>, panics: &mut Panics) {
        if held.whole != WholeHold::No {
            self.change(panics, |queue| ((), queue.downgrade_whole(held.whole == WholeHold::WithMembers)));
        }
        let left = Shards::downgrade(&held.members);
        if !left.is_empty() {
            self.change(panics, |queue| ((), queue.downgrade(&left)));
        }
    }

    /// Turns a hold of all members together into holds of each: so that some can be given back, or others added free.
    /// Takes a step for each member of the set, and keeps others from the queue for a few of them at a time.
    pub(crate) fn single_out(&self, held: &mut Holding<K, T>, mode: LockMode, panics: &mut Panics) {
        const STEPS: usize = 64;
        if held.whole != WholeHold::WithMembers {
            return;
        }
        let all = self.shards.all(); // Nobody else adds or removes.
        for some in all.chunks(STEPS) {
            self.queue().single_out(some, mode);
            back_off(u32::MAX); // Yields, so that whoever waits for the queue gets it now.
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

    /// Waits until whoever adds or removes in this moment has done so as a whole.
    pub(crate) fn settle_members(&self) {
        drop(self.queue());
    }

    /// Changes the queue, then does what came of it.
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
        drop(queue); // Wakers and destructors run arbitrary code: the queue is free before the first does.
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

/// Requests that wait.
impl<K, T> Core<K, T> {
    /// Puts a request into the queue; or returns its members, if one of them has just been removed.
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
        panics.catch(|| drop(waker)); // Foreign code: the queue is free by now.
        Err(members)
    }

    /// Takes the whole with all members, if that is possible without waiting. Nobody is told of the attempt.
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

    /// How a request ended, if it has.
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

    /// A settled request; else, sets whom to wake.
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
            new = Some(waker.clone()); // Foreign code, between two looks.
        };
        panics.catch(|| drop(old));
        settled
    }

    /// The owner of a request gives up; if it has been granted meanwhile, it is given what it holds.
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
    /// Its owner has given up.
    GivenUp,
}

impl<K: Clone, T> Refusal<K, T> {
    /// In terms of names. What is known of a member is given back.
    pub(crate) fn into_error(self) -> SetError<K> {
        match self {
            Self::Deleted(member) => {
                let known = Pinned::of(member);
                let name = known.name();
                drop(known); // Before the name is on its way.
                SetError::Deleted { name }
            }
            Self::TooFew { wanted, existing } => SetError::TooFew { wanted, existing },
            Self::GivenUp => unreachable!("only its owner gives up, and asks no more"),
        }
    }
}

impl<K, T> fmt::Debug for Core<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
