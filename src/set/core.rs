//! What a set is made of: its directory, its queue, and the gate between them.
//!
//! ```text
//!                ┌─ fast: one exchange a name, in the members themselves; on any conflict all is given back
//!   a request ───┤
//!                └─ slow: the queue, under its mutex; grants are made there, by whoever lets go
//! ```
//!
//! Who comes fast never waits holding: it has everything at once or nothing. A member that somebody waits for is marked
//! as wanted, and a set that somebody holds or awaits as a whole is gated; both send newcomers to the queue.
//!
//! # Invariants
//!
//! 1. The gate says what `Queue::is_gated` says, whenever the mutex is free.
//! 2. Foreign code (wakers; names and values, when they are hashed, compared, cloned or dropped) runs with nothing locked.
//! 3. Each hold of a member, or of the whole, is given back exactly once.

use super::SetPointer;
use super::directory::Directory;
use super::fault;
use super::member::Entry;
use super::names::Key;
use super::policy::{Bounds, Member};
use super::queue::{Count, Effects, Members, Obstacles, Outcome, Queue, Reach, Waiter};
use crate::abridged::SHOWN;
use crate::lock::Panics;
use crate::mode::LockMode;
use crate::sync::{AtomicBool, LOOKS, Mutex, MutexGuard, Ordering, relax, seen_by_one_of_two};
use std::fmt;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};

/// A member, as those know it who hold it or wait for it.
pub(crate) type Known<K, T> = Arc<Entry<K, T>>;

pub(crate) type KnownMembers<K, T> = Members<Known<K, T>>;

/// In terms of the pointer to a set.
pub(crate) type KnownTo<P> = Known<<P as SetPointer>::Name, <P as SetPointer>::Value>;
pub(crate) type HeldBy<P> = Held<<P as SetPointer>::Name, <P as SetPointer>::Value>;

/// A set without the vocabulary of its users.
pub struct Core<K, T> {
    gate: Gate,
    queue: Mutex<Queue<Known<K, T>>>,
    pub(super) directory: Directory<K, T>,
    /// Of an open set, how the value of a name is made that nobody knew.
    pub(super) fresh: Option<fn() -> T>,
}

/// Read by every request, and hardly ever written: on a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Gate(AtomicBool);

/// How the whole is held by a guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
// A word, like all else in a guard. Guards are moved, and seven bytes of padding are moved in two overlapping pieces, for
// the second of which the processor waits: a tenth of the time of a climb.
#[repr(usize)]
pub(crate) enum Whole {
    #[default]
    No,
    /// The right to keep others from adding; the members are listed.
    Alone,
    /// That, and all members, unlisted.
    WithMembers,
}

/// What a guard holds.
#[derive(Debug)]
pub struct Held<K, T> {
    pub(crate) members: KnownMembers<K, T>,
    pub(crate) whole: Whole,
}

impl<K, T> Default for Held<K, T> {
    fn default() -> Self {
        Self { members: Members::new(), whole: Whole::No }
    }
}

impl<K, T> From<KnownMembers<K, T>> for Held<K, T> {
    fn from(members: KnownMembers<K, T>) -> Self {
        Self { members, whole: Whole::No }
    }
}

impl<K: Hash + Eq, T> Core<K, T> {
    pub(crate) fn new(fresh: Option<fn() -> T>) -> Self {
        Self {
            gate: Gate(AtomicBool::new(false)),
            queue: Mutex::new(Queue::new(Bounds::DEFAULT)),
            directory: Directory::new(),
            fresh,
        }
    }

    /// Takes members, all or none, if nobody holds or wants one of them or the whole.
    #[inline]
    pub(crate) fn try_hold(&self, members: &[Known<K, T>], mode: LockMode, panics: &mut Panics) -> bool {
        let is_gated = || self.gate.0.load(Ordering::SeqCst);
        if is_gated() || members.len() > 1 && !members.iter().all(|member| member.look().admits(mode)) {
            return false;
        }
        let held = members.iter().take_while(|member| member.try_hold(mode)).count();
        let all = held == members.len() && self.are_kept(members);
        if !all {
            self.let_go(&members[..held], mode, panics);
        }
        all
    }

    /// Whether members that have just been taken past the queue are held from now on.
    ///
    /// Whoever gates the set looks at the members afterwards; so either they see these held, or this sees the gate. And
    /// since this request saw the set open, somebody may have had the whole, removed a member, and gone.
    #[inline]
    fn are_kept(&self, members: &[Known<K, T>]) -> bool {
        seen_by_one_of_two();
        let is_gone = |member: &Known<K, T>| member.look().is_deleted() && !fault::REMOVED_IN_BETWEEN;
        !self.gate.0.load(Ordering::SeqCst) && !members.iter().any(is_gone)
    }

    /// Takes those members that nobody holds or wants, past all who wait.
    pub(crate) fn seize(
        &self,
        mut members: KnownMembers<K, T>,
        mode: LockMode,
        panics: &mut Panics,
    ) -> KnownMembers<K, T> {
        let (mut seized, mut others) = (Members::new(), Members::new());
        if !self.gate.0.load(Ordering::SeqCst) {
            let (taken, left): (Members<_>, Members<_>) = members.into_iter().partition(|member| member.try_hold(mode));
            if self.are_kept(&taken) {
                // Some may be marked as wanted by those who have waited for the whole, and have gone.
                (members, others) = left.into_iter().partition(|member| member.look().has_room(mode));
                seized = taken;
            } else {
                self.let_go(&taken, mode, panics);
                members = taken;
                members.extend(left);
            }
        }
        if !members.is_empty() {
            self.change(panics, |queue| {
                let (taken, left): (Members<_>, Members<_>) =
                    members.into_iter().partition(|member| queue.seize(member, mode));
                seized.extend(taken);
                others.extend(left);
                ((), Effects::none())
            });
        }
        seized.sort_unstable_by_key(Member::id);
        self.forget(others, panics);
        seized
    }

    /// Gives back holds of members.
    pub(crate) fn let_go(&self, members: &[Known<K, T>], mode: LockMode, panics: &mut Panics) {
        let mut wanted = members.iter().filter(|member| !member.try_let_go(mode)).peekable();
        if wanted.peek().is_some() {
            self.change(panics, |queue| {
                let freed: Members<_> = wanted.filter(|member| member.let_go(mode)).cloned().collect();
                let mut effects = queue.released(&freed, mode);
                effects.dropped.extend(freed);
                ((), effects)
            });
        }
    }

    /// Gives back all that a guard holds, and what it knew: leaves at most members to be dropped.
    #[inline]
    pub(crate) fn release(&self, held: &mut Held<K, T>, mode: LockMode) {
        let let_go = match held.whole {
            Whole::No => held.members.iter().take_while(|member| member.try_let_go(mode)).count(),
            Whole::Alone | Whole::WithMembers => 0,
        };
        if let_go < held.members.len() || held.whole != Whole::No {
            self.release_from(let_go, held, mode); // Rarely: somebody waits, or may.
        } else if self.fresh.is_some() {
            Panics::defer(|panics| self.directory.forget(mem::take(&mut held.members), panics));
        }
    }

    /// Gives back what a guard holds but for so many members, which have been given back, and what it knew.
    #[cold]
    fn release_from(&self, let_go: usize, held: &mut Held<K, T>, mode: LockMode) {
        let Held { members, whole } = mem::take(held);
        Panics::defer(|panics| {
            self.release_whole(whole, mode, panics);
            self.let_go(&members[let_go..], mode, panics);
            self.forget(members, panics);
        });
    }

    /// Gives back the whole.
    pub(crate) fn release_whole(&self, whole: Whole, mode: LockMode, panics: &mut Panics) {
        if whole != Whole::No {
            self.change(panics, |queue| ((), queue.release_whole(mode, whole == Whole::WithMembers)));
        }
    }

    /// Turns an exclusive hold into a shared one.
    pub(crate) fn downgrade(&self, held: &Held<K, T>, panics: &mut Panics) {
        if held.whole != Whole::No {
            self.change(panics, |queue| ((), queue.downgrade_whole(held.whole == Whole::WithMembers)));
        }
        let mut wanted = held.members.iter().filter(|member| !member.try_downgrade()).peekable();
        if wanted.peek().is_some() {
            self.change(panics, |queue| {
                let wanted: Members<_> = wanted.inspect(|member| member.downgrade()).cloned().collect();
                let mut effects = queue.downgraded(&wanted);
                effects.dropped.extend(wanted);
                ((), effects)
            });
        }
    }

    /// Turns a hold of all members together into holds of each: so that some can be given back, or others added free.
    /// Takes a step for each member of the set.
    pub(crate) fn single_out(&self, held: &mut Held<K, T>, mode: LockMode, panics: &mut Panics) {
        if held.whole != Whole::WithMembers {
            return;
        }
        let mut left = self.directory.all();
        for attempt in 0.. {
            left = self.change(panics, |queue| {
                let (singled, left): (Vec<_>, Vec<_>) =
                    left.into_iter().partition(|member| queue.single_out(member, mode));
                held.members.extend(singled);
                let effects = if left.is_empty() { queue.singled_out(mode) } else { Effects::none() };
                (left, effects)
            });
            if left.is_empty() {
                break;
            }
            relax(attempt); // Somebody came fast, and is about to see the gate and go back.
        }
        held.members.sort_by_key(Member::id);
        held.whole = Whole::Alone;
    }

    /// Removes members in one step; the caller holds them exclusively, by themselves or with the whole.
    pub(crate) fn retire(&self, members: &[Known<K, T>], whole: Whole, panics: &mut Panics) {
        let held = (whole != Whole::WithMembers).then_some(LockMode::Exclusive);
        self.change(panics, |queue| {
            let mut effects = queue.retire(members);
            for member in members {
                member.delete(held);
                effects.dropped.extend(self.directory.remove(member));
            }
            ((), effects)
        });
    }

    /// Adds members in one step; the caller holds the whole exclusively.
    pub(crate) fn insert(&self, members: &[Known<K, T>]) {
        let mut queue = self.queue();
        for member in members {
            queue.note_held(member);
            self.directory.insert(Arc::clone(member));
        }
    }

    /// Waits until whoever adds or removes in this moment has done so as a whole.
    pub(crate) fn settle_members(&self) {
        drop(self.queue());
    }

    /// Gives back what somebody knew of members.
    #[inline]
    pub(crate) fn forget(&self, members: impl IntoIterator<Item = Known<K, T>>, panics: &mut Panics) {
        if self.fresh.is_some() {
            self.directory.forget(members, panics);
        } else {
            members.into_iter().for_each(|member| panics.catch(|| drop(member)));
        }
    }

    /// Changes the queue, then does what came of it.
    pub(crate) fn change<R>(
        &self,
        panics: &mut Panics,
        change: impl FnOnce(&mut Queue<Known<K, T>>) -> (R, Effects<Known<K, T>>),
    ) -> R {
        let mut queue = self.queue();
        let (result, Effects { woken, dropped }) = change(&mut queue);
        let is_gated = queue.is_gated();
        if is_gated != self.gate.0.load(Ordering::Relaxed) {
            self.gate.0.store(is_gated, Ordering::SeqCst);
        }
        drop(queue); // Wakers and destructors run arbitrary code: the queue is free before the first does.
        for waker in woken {
            panics.catch(|| waker.wake());
        }
        if !dropped.is_empty() {
            self.forget(dropped, panics);
        }
        result
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue<Known<K, T>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Requests that wait.
impl<K: Hash + Eq, T> Core<K, T> {
    /// Puts a request into the queue; or returns its members, if one of them has just been removed.
    pub(crate) fn enter(&self, waiter: Waiter<Known<K, T>>, panics: &mut Panics) -> Result<u64, KnownMembers<K, T>> {
        let mut refused = None;
        let ticket = self.change(panics, |queue| {
            if waiter.members.iter().any(|member| member.look().is_deleted()) {
                refused = Some(waiter);
                return (0, Effects::none());
            }
            queue.enter(waiter)
        });
        let Some(Waiter { members, waker, .. }) = refused else { return Ok(ticket) };
        panics.catch(|| drop(waker)); // Foreign code: the queue is free by now.
        Err(members)
    }

    /// How a request ended, if it has. If it waits for all members, counts them with others who do.
    pub(crate) fn advance(
        &self,
        ticket: u64,
        waker: &Waker,
        panics: &mut Panics,
    ) -> Poll<Result<Held<K, T>, Refusal<K, T>>> {
        loop {
            if let Some(waiter) = self.look(ticket, waker, panics) {
                return Poll::Ready(self.outcome(waiter, panics));
            }
            if !self.is_counting_for(ticket) {
                return Poll::Pending;
            }
            if !self.count(LOOKS, panics) {
                panics.catch(|| waker.wake_by_ref());
                return Poll::Pending;
            }
        }
    }

    /// What a settled request gives its owner.
    fn outcome(&self, waiter: Waiter<Known<K, T>>, panics: &mut Panics) -> Result<Held<K, T>, Refusal<K, T>> {
        let Waiter { members, waker, outcome, reach, enough, .. } = waiter;
        panics.catch(|| drop(waker));
        let whole = match reach {
            Reach::Names => Whole::No,
            Reach::Every => Whole::WithMembers,
            Reach::Addition => Whole::Alone,
        };
        let refusal = match outcome {
            Some(Outcome::Granted { others }) => {
                self.forget(others, panics);
                return Ok(Held { members, whole });
            }
            Some(Outcome::Deleted(member)) => Refusal::Deleted(member),
            Some(Outcome::TooFew) => Refusal::TooFew { wanted: enough, existing: members.len() },
            None => Refusal::GivenUp,
        };
        self.forget(members, panics);
        Err(refusal)
    }

    /// Whether a request for all members waits until they are counted.
    pub(crate) fn is_counting_for(&self, ticket: u64) -> bool {
        let mut queue = self.queue();
        queue.to_count().is_some() && queue.request(ticket).is_some_and(|waiter| waiter.reach == Reach::Every)
    }

    /// A settled request; else, sets whom to wake.
    fn look(&self, ticket: u64, waker: &Waker, panics: &mut Panics) -> Option<Waiter<Known<K, T>>> {
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
    pub(crate) fn withdraw(&self, ticket: u64, panics: &mut Panics) -> Option<Held<K, T>> {
        let waiter = self.change(panics, |queue| queue.cancel(ticket))?;
        self.outcome(waiter, panics).ok().filter(|_| !fault::HOLD_NOT_GIVEN_BACK)
    }

    /// Counts held members for those who wait for all of them: at least so many, or to the end. True at the end.
    pub(crate) fn count(&self, at_least: usize, panics: &mut Panics) -> bool {
        let mut looked_at = 0;
        while looked_at < at_least {
            let Some(shard) = self.queue().to_count() else { return true };
            // Whoever comes fast sees the gate, which was closed before, or has been here before.
            seen_by_one_of_two();
            let mut held = Vec::new();
            looked_at += 1 + self.directory.each_of(shard, |member| {
                if member.is_held() && !(fault::COUNTED_WRONG && shard == 0) {
                    held.push(Arc::clone(member));
                }
            });
            let next = shard + 1;
            let next = if next == self.directory.shards() { Count::Done } else { Count::At(next) };
            self.change(panics, |queue| {
                let mut effects = queue.counted(shard, &held, next);
                effects.dropped.extend(held);
                ((), effects)
            });
        }
        self.queue().to_count().is_none()
    }
}

/// Why a request gets nothing.
#[derive(Debug)]
pub(crate) enum Refusal<K, T> {
    /// This member was removed.
    Deleted(Known<K, T>),
    /// Removals have left fewer members than it asked for.
    TooFew { wanted: usize, existing: usize },
    /// Its owner has given up.
    GivenUp,
}

/// For people.
impl<K: Key, T> Core<K, T> {
    /// Shows members in name order, and forgets them.
    fn shown<R>(&self, members: KnownMembers<K, T>, show: impl FnOnce(&[Known<K, T>]) -> R) -> R {
        Panics::defer(|panics| {
            let mut shown = Shown { core: self, members };
            shown.members.sort_by(|one, other| one.name.cmp(&other.name));
            let result = show(&shown.members);
            panics.catch(|| drop(shown)); // Before the result is on its way.
            result
        })
    }

    /// The names of members, in name order. Forgets the members.
    pub(crate) fn names_of(&self, members: KnownMembers<K, T>) -> Vec<K> {
        self.shown(members, |members| members.iter().map(|member| member.name.clone()).collect())
    }

    /// All names, as they were when nobody was adding or removing.
    pub(crate) fn names(&self) -> Vec<K> {
        let members = {
            let _settled = self.queue();
            self.directory.all()
        };
        self.names_of(members.into())
    }

    /// The names that stand in the way of a request that waits; of one for all members, some of them.
    pub(crate) fn obstacles(&self, ticket: u64) -> Vec<K> {
        let obstacles = self.queue().obstacles(ticket);
        self.names_of(match obstacles {
            Obstacles::Members(members) => members,
            Obstacles::Any(mode) => self.directory.some(SHOWN, |member| !member.look().has_room(mode)).into(),
        })
    }

    /// Shows some members and how they are held, and how many more there are.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result
    where
        K: fmt::Debug,
    {
        let (members, all) = (self.directory.some(SHOWN, |_| true), self.directory.len());
        self.shown(members.into(), |members| {
            let mut map = f.debug_map();
            map.entries(members.iter().map(|member| (&member.name, member)));
            if all > members.len() {
                map.entry(&format_args!(".."), &format_args!("{} more", all - members.len()));
            }
            map.finish()
        })
    }
}

/// Members that are forgotten in the end, even if what shows them panics.
struct Shown<'a, K: Hash + Eq, T> {
    core: &'a Core<K, T>,
    members: KnownMembers<K, T>,
}

impl<K: Hash + Eq, T> Drop for Shown<'_, K, T> {
    fn drop(&mut self) {
        Panics::defer(|panics| self.core.forget(mem::take(&mut self.members), panics));
    }
}

impl<K, T> fmt::Debug for Core<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("gate", &self.gate).finish_non_exhaustive()
    }
}
