//! Holding named locks.

use super::core::{Holding, WholeHold};
use super::error::SetError;
use super::names::{AsName, Names};
use super::pointer::{HoldingOf, MemberRefOf};
use super::queue::Member;
use super::queue::Members;
use super::shards::{MemberRef, forget, sort_by_name};
use super::{SetPointer, sorted};
use crate::abridged::{Abridged, SHOWN};
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use crate::panics::Panics;
use std::fmt;
use std::marker::PhantomData;
use std::mem;

/// Members of a set, held in mode `M`; dropping the guard releases them all.
///
/// The members, and whether the whole set is held, are known at run time: see [`names`](Self::names) and
/// [`is_whole`](Self::is_whole). The values of the members are reached by name: see [`get`](Self::get) and
/// [`get_mut`](Self::get_mut). See [`LockSet`](super::LockSet) for an example.
///
/// A guard of [`All`](super::All) keeps no list of its members. `release`, `split_off` and the addition of free names
/// first make one, in one step for each member of the set. (On 32 bits, this ends the process if 2²⁸ − 1 guards of one
/// name have been forgotten, as one `Arc` too many does.)
///
/// # Invariants
///
/// 1. While a guard lives, it has a hold of each of its members, or of the whole with all members, in its mode.
/// 2. While a guard holds the whole with all members, only that guard, if it is exclusive, adds or removes members.
#[must_use = "a guard that is dropped at once releases the locks at once"]
pub struct SetGuard<P: SetPointer, M: Mode> {
    pub(super) set: P,
    pub(super) held: HoldingOf<P>,
    mode: PhantomData<M>,
}

impl<P: SetPointer, M: Mode> Drop for SetGuard<P, M> {
    #[inline]
    fn drop(&mut self) {
        self.set.core().release(&mut self.held, M::MODE);
    }
}

impl<P: SetPointer, M: Mode> SetGuard<P, M> {
    /// Takes over the holds.
    pub(crate) fn new(set: P, held: HoldingOf<P>) -> Self {
        Self { set, held, mode: PhantomData }
    }

    /// What it holds.
    #[inline]
    pub(crate) fn held(&self) -> &HoldingOf<P> {
        &self.held
    }

    /// Whether this guard holds this name.
    ///
    /// See [`LockSet::add_exclusive_owned`](super::LockSet::add_exclusive_owned) for an example.
    #[expect(clippy::needless_pass_by_value, reason = "names are passed as everywhere")]
    pub fn contains(&self, name: impl AsName<P::Name>) -> bool {
        self.find(&name).is_some()
    }

    /// How many names are held.
    ///
    /// See [`LockSet::shared`](super::LockSet::shared) for an example.
    pub fn len(&self) -> usize {
        match self.held.whole {
            WholeHold::WithMembers => self.set.core().shards.len(),
            _ => self.held.members.len(),
        }
    }

    /// Whether no name is held, as when the whole of an empty set is held.
    ///
    /// See [`LockSet::shared`](super::LockSet::shared) for an example of `len`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mode in which the names are held.
    ///
    /// See [`CanDowngrade`](crate::level::CanDowngrade) for an example.
    pub fn mode(&self) -> LockMode {
        M::MODE
    }

    /// Whether the set is held as a whole, so that other requests cannot add to it.
    ///
    /// See [`add`](SetGuard::add) for an example of such a guard.
    pub fn is_whole(&self) -> bool {
        self.held.whole != WholeHold::No
    }

    /// Releases some of the names, and the hold on the whole set if there is one.
    ///
    /// Other requests can add to the set then. An empty list (`[""; 0]` for a set of `String`s) releases the hold on
    /// the whole set only.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with the names that are not held; nothing is released then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["a", "b", "c"]);
    /// let mut guard = nodes.exclusive(["a", "b"]).await?;
    /// guard.release("a")?;
    /// assert_eq!(guard.names(), ["b"]);
    /// assert!(guard.release(["a", "b"]).is_err(), "a is not held any more");
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn release(&mut self, names: impl Names<P::Name>) -> Result<(), SetError<P::Name>> {
        Panics::defer(|panics| {
            let Holding { mut members, whole } = self.take(names, panics)?;
            let core = self.set.core();
            core.release_whole(whole, M::MODE, panics);
            core.let_go(&mut members, M::MODE, panics);
            Ok(())
        })
    }

    /// Moves some of the names into a guard of their own; this guard keeps the others.
    ///
    /// Releases the hold on the whole set if there is one.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with the names that are not held; nothing has changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["a", "b", "c"]);
    /// let mut guard = nodes.exclusive(["a", "b"]).await?;
    /// let part = guard.split_off("b")?;
    /// drop(guard);
    /// assert_eq!(part.names(), ["b"]);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn split_off(&mut self, names: impl Names<P::Name>) -> Result<Self, SetError<P::Name>> {
        Panics::defer(|panics| {
            let Holding { members, whole } = self.take(names, panics)?;
            let part = Self::new(self.set.clone(), members.into());
            self.set.core().release_whole(whole, M::MODE, panics);
            Ok(part)
        })
    }

    /// Takes the members of these names out of the guard, still held, and its hold on the whole if it has one.
    fn take(&mut self, names: impl Names<P::Name>, panics: &mut Panics) -> Result<HoldingOf<P>, SetError<P::Name>> {
        let taken = self.find_all(names)?;
        self.list(panics);
        let is_taken = |member: &MemberRefOf<P>| taken.binary_search_by_key(&member.id(), Member::id).is_ok();
        let (members, kept): (Members<_>, Members<_>) =
            mem::take(&mut self.held.members).into_iter().partition(is_taken);
        self.held.members = kept;
        Ok(Holding { members, whole: mem::take(&mut self.held.whole) })
    }

    /// Lists the members if the guard holds all of them unlisted.
    pub(super) fn list(&mut self, panics: &mut Panics) {
        self.set.core().single_out(&mut self.held, M::MODE, panics);
    }

    /// The members of these names, in the order of their ids, each once.
    pub(super) fn find_all(&self, names: impl Names<P::Name>) -> Result<Members<MemberRefOf<P>>, SetError<P::Name>> {
        let (mut found, mut unheld) = (Members::new(), Vec::new());
        for name in names.listed() {
            match self.find(&name) {
                Some(member) => found.push(member),
                None => unheld.push(name.into_name()),
            }
        }
        if !unheld.is_empty() {
            return Err(SetError::NotHeld { names: sorted(unheld) });
        }
        found.sort_unstable_by_key(Member::id);
        found.dedup();
        Ok(found)
    }

    /// The member of this name, if the guard holds it: a mention, not one more pin.
    pub(super) fn find(&self, name: &impl AsName<P::Name>) -> Option<MemberRefOf<P>> {
        let shards = &self.set.core().shards;
        if self.held.whole == WholeHold::WithMembers {
            let found = shards.find(name);
            Panics::defer(|panics| forget(found, panics)); // It stays, because it is held.
            return found;
        }
        let tag = shards.tag(name);
        let first = self.held.members.partition_point(|member| member.tag() < tag);
        let tagged = self.held.members[first..].iter().take_while(|member| member.tag() == tag);
        tagged.into_iter().find(|member| name.is(member.name())).copied()
    }

    /// The names held, for diagnostics: some, and how many more.
    pub(crate) fn shown_names(&self) -> impl fmt::Debug
    where
        P::Name: fmt::Debug,
    {
        let some = in_name_order(self.some(SHOWN));
        Abridged::out_of(some.iter().map(|member| member.name().clone()).collect(), self.len())
    }

    /// All members held, in name order: mentions, not more pins.
    pub(super) fn members(&self) -> Vec<MemberRefOf<P>> {
        in_name_order(self.some(usize::MAX))
    }

    /// Up to `most` of the members held.
    fn some(&self, most: usize) -> Vec<MemberRefOf<P>> {
        match self.held.whole {
            WholeHold::WithMembers => {
                let some = self.set.core().shards.some(most, |_| true);
                Panics::defer(|panics| forget(some.iter().copied(), panics)); // They stay, because they are held.
                some
            }
            _ => self.held.members.iter().take(most).copied().collect(),
        }
    }
}

fn in_name_order<K: Ord, T>(mut members: Vec<MemberRef<K, T>>) -> Vec<MemberRef<K, T>> {
    sort_by_name(&mut members);
    members
}

impl<P: SetPointer> SetGuard<P, Exclusive> {
    /// Turns the exclusive hold into a shared one; no other exclusive holder gets in between.
    ///
    /// See [`CanDowngrade`](crate::level::CanDowngrade) for an example, in a session.
    ///
    /// # Fairness
    ///
    /// At each name, the sharers that wait at the most urgent priority are granted as well, if they get everything else
    /// that they wait for; see [`Guard::downgrade`](crate::Guard::downgrade).
    pub fn downgrade(self) -> SetGuard<P, Shared> {
        Panics::defer(|panics| self.into_shared(panics))
    }

    /// As [`downgrade`](Self::downgrade); a panic is kept in `panics`.
    pub(crate) fn into_shared(mut self, panics: &mut Panics) -> SetGuard<P, Shared> {
        let held = mem::take(&mut self.held);
        self.set.core().downgrade(&held, panics);
        SetGuard::new(self.set.clone(), held)
    }
}

impl<P: SetPointer<Name: fmt::Debug>, M: Mode> fmt::Debug for SetGuard<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetGuard")
            .field("mode", &M::MODE)
            .field("whole", &self.is_whole())
            .field("names", &self.shown_names())
            .finish()
    }
}
