//! Holding named locks.

use super::core::{Holding, WholeHold};
use super::error::{AddError, SetError};
use super::names::{AsName, IntoEntries, Names};
use super::pointer::{HoldingOf, MemberRefOf};
use super::queue::Member;
use super::queue::Members;
use super::shards::{MemberRef, forget, sort_by_name};
use super::{LockSetPointer, SetPointer, sorted};
use crate::abridged::{Abridged, SHOWN};
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use crate::panics::Panics;
use std::fmt;
use std::marker::PhantomData;
use std::mem;

/// Members of a set, held in mode `M`; dropping it releases them all.
///
/// Which members, and whether the whole set, is known at run time: [`names`](Self::names),
/// [`is_whole`](Self::is_whole). The values of the members are reached by name, see [`get`](Self::get) and
/// [`get_mut`](Self::get_mut).
///
/// A guard of [`All`](super::All) keeps no list. What takes a part out of it (`release`, `split_off`), or adds free names,
/// first makes one, in a step for each member of the set. (On 32 bits, should 2²⁸ − 1 guards of one name have been forgotten,
/// that ends the process, as one `Arc` too many does.)
///
/// # Invariants
///
/// 1. While a guard lives, it has a hold of each of its members, or of the whole with all members, in its mode.
/// 2. While the whole is held with all members, no member is added or removed but by the guard itself, if exclusive.
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
    /// The holds go over to the guard.
    pub(crate) fn new(set: P, held: HoldingOf<P>) -> Self {
        Self { set, held, mode: PhantomData }
    }

    /// The names held, in name order.
    pub fn names(&self) -> Vec<&P::Name> {
        self.iter().map(|(name, _)| name).collect()
    }

    /// Whether this name is held by this guard.
    #[expect(clippy::needless_pass_by_value, reason = "names are passed as everywhere")]
    pub fn contains(&self, name: impl AsName<P::Name>) -> bool {
        self.find(&name).is_some()
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        match self.held.whole {
            WholeHold::WithMembers => self.set.core().shards.len(),
            _ => self.held.members.len(),
        }
    }

    /// Whether no name is held. The whole of an empty set can be held, too.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mode in which all of them are held.
    pub fn mode(&self) -> LockMode {
        M::MODE
    }

    /// Whether the set is held as a whole, so that nothing can be added to it meanwhile.
    pub fn is_whole(&self) -> bool {
        self.held.whole != WholeHold::No
    }

    /// Releases some of the names, and the whole-set lock if it is held: `add` can work again.
    ///
    /// An empty list (`[""; 0]` for a set of `String`s) releases just the whole-set lock.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with those names that are not held; nothing is released then.
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

    /// Takes some of the names into a guard of their own; this one keeps the others. The whole-set lock is released if it
    /// is held.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with those names that are not held; nothing has changed then.
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

    /// Takes these names out of the guard, still locked, and the whole if it has it.
    fn take(&mut self, names: impl Names<P::Name>, panics: &mut Panics) -> Result<HoldingOf<P>, SetError<P::Name>> {
        let taken = self.find_all(names)?;
        self.list(panics);
        let is_taken = |member: &MemberRefOf<P>| taken.binary_search_by_key(&member.id(), Member::id).is_ok();
        let (members, kept): (Members<_>, Members<_>) =
            mem::take(&mut self.held.members).into_iter().partition(is_taken);
        self.held.members = kept;
        Ok(Holding { members, whole: mem::take(&mut self.held.whole) })
    }

    /// Makes the list of the members held, if that is all of them, unlisted.
    fn list(&mut self, panics: &mut Panics) {
        self.set.core().single_out(&mut self.held, M::MODE, panics);
    }

    /// The members of these names, in the order of their ids, each once.
    fn find_all(&self, names: impl Names<P::Name>) -> Result<Members<MemberRefOf<P>>, SetError<P::Name>> {
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

    /// The member of this name, if it is held: mentioned, and not pinned once more.
    pub(super) fn find(&self, name: &impl AsName<P::Name>) -> Option<MemberRefOf<P>> {
        let shards = &self.set.core().shards;
        if self.held.whole == WholeHold::WithMembers {
            let found = shards.find(name);
            Panics::defer(|panics| forget(found, panics)); // It stays, as it is held.
            return found;
        }
        let tag = shards.tag(name);
        let first = self.held.members.partition_point(|member| member.tag() < tag);
        let tagged = self.held.members[first..].iter().take_while(|member| member.tag() == tag);
        tagged.into_iter().find(|member| name.is(member.name())).copied()
    }

    /// The names held, for people: some, and how many more.
    pub(crate) fn shown_names(&self) -> impl fmt::Debug
    where
        P::Name: fmt::Debug,
    {
        let some = in_name_order(self.some(SHOWN));
        Abridged::out_of(some.iter().map(|member| member.name().clone()).collect(), self.len())
    }

    /// All members held, in name order: mentioned, and not pinned once more.
    pub(super) fn members(&self) -> Vec<MemberRefOf<P>> {
        in_name_order(self.some(usize::MAX))
    }

    /// Some of the members held, up to so many.
    fn some(&self, most: usize) -> Vec<MemberRefOf<P>> {
        match self.held.whole {
            WholeHold::WithMembers => {
                let some = self.set.core().shards.some(most, |_| true);
                Panics::defer(|panics| forget(some.iter().copied(), panics)); // They stay, as they are held.
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
    /// Turns the exclusive hold into a shared one, without letting another exclusive holder in between.
    ///
    /// # Fairness
    ///
    /// At each name, the sharers that wait at the most urgent priority are granted along with it, if they have all else
    /// that they wait for; see [`Guard::downgrade`](crate::Guard::downgrade).
    pub fn downgrade(self) -> SetGuard<P, Shared> {
        Panics::defer(|panics| self.into_shared(panics))
    }

    /// The shared guard; what panics is kept.
    pub(crate) fn into_shared(mut self, panics: &mut Panics) -> SetGuard<P, Shared> {
        let held = mem::take(&mut self.held);
        self.set.core().downgrade(&held, panics);
        SetGuard::new(self.set.clone(), held)
    }
}

impl<P: LockSetPointer> SetGuard<P, Exclusive> {
    /// Removes names that this guard holds from the set, and returns them with their values, in name order. Whoever waits
    /// for one of them gets `Deleted`.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with those names that are not held; nothing is removed then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let nodes: LockSet<String, u8> = LockSet::from_entries([("a", 1), ("b", 2)]);
    /// let mut guard = nodes.exclusive(["a", "b"]).await?;
    /// assert_eq!(guard.remove("a")?, [("a".to_owned(), 1)]);
    /// assert_eq!((guard.names(), nodes.names()), (vec![&"b".to_owned()], vec!["b".to_owned()]));
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    #[expect(clippy::type_complexity, reason = "names and values, in terms of the pointer")]
    pub fn remove(&mut self, names: impl Names<P::Name>) -> Result<Vec<(P::Name, P::Value)>, SetError<P::Name>> {
        let removed = self.find_all(names)?;
        Ok(Panics::defer(|panics| self.retire(removed, panics)))
    }

    /// Adds names to the set, held by nobody, while this guard holds the whole set: each with the default value or, as
    /// [`Entries`](super::Entries), with its own.
    ///
    /// # Errors
    ///
    /// [`AddError::NotWhole`] if the guard was not acquired with [`All`](super::All), or a part of it has been
    /// released; [`AddError::Repeated`] and [`AddError::Exists`] with the names. Nothing is added then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockSet};
    /// let nodes: LockSet<String> = LockSet::new(["a"]);
    /// let mut guard = nodes.exclusive(All).await?;
    /// guard.add("b")?;
    /// guard.add_held("c")?;
    /// assert_eq!(guard.names(), ["a", "c"]);
    /// assert_eq!(nodes.names(), ["a", "b", "c"]);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn add(&mut self, entries: impl IntoEntries<P::Name, P::Value>) -> Result<(), AddError<P::Name>> {
        self.insert(entries, None)
    }

    /// As [`add`](Self::add), and this guard holds the new names at once.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_held(&mut self, entries: impl IntoEntries<P::Name, P::Value>) -> Result<(), AddError<P::Name>> {
        self.insert(entries, Some(LockMode::Exclusive))
    }

    fn insert(
        &mut self,
        entries: impl IntoEntries<P::Name, P::Value>,
        held: Option<LockMode>,
    ) -> Result<(), AddError<P::Name>> {
        if !self.is_whole() {
            return Err(AddError::NotWhole);
        }
        let entries = entries.into_entries();
        if held.is_none() {
            Panics::defer(|panics| self.list(panics)); // What is free is not held with all the others.
        }
        let unlisted = self.held.whole == WholeHold::WithMembers;
        let held_alone = held.filter(|_| !unlisted);
        Panics::defer(|panics| {
            let new = self.set.core().add(entries, held_alone, panics)?;
            if held_alone.is_some() {
                self.held.members.extend(new); // Before a panic goes on: they are held.
                self.held.members.sort_unstable_by_key(Member::id);
            } else {
                forget(new, panics); // They stay, as members of the set.
            }
            Ok(())
        })
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
