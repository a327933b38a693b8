//! The calls that add members to a set and remove them: those of the set, which wait, and those of an exclusive guard.

use super::core::WholeHold;
use super::queue::Member;
use super::shards::forget;
use super::{Add, AddError, IntoEntries, Key, LockSet, LockSetPointer, Names, Remove, SetError, SetGuard, Unheld};
use crate::mode::{Exclusive, LockMode, Shared};
use crate::panics::Panics;
use std::sync::Arc;

/// Adding and removing members.
impl<K: Key, T> LockSet<K, T> {
    /// Adds free names, each with the default value or, with [`Entries`](super::Entries), its own.
    ///
    /// A task that holds the set as a whole and awaits this waits for itself; use
    /// [`SetGuard::add`](super::SetGuard::add) there instead.
    ///
    /// # Fairness
    ///
    /// Waits until the set is not held as a whole; see [`Add`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`AddError::Exists`](super::AddError::Exists) and [`AddError::Repeated`](super::AddError::Repeated) with the
    /// names; nothing was added.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{AddError, LockSet};
    /// let nodes: LockSet<String> = LockSet::new(["node1"]);
    /// nodes.add(["node2", "node3"]).await?;
    /// let error = nodes.add(["node3", "node4"]).await.unwrap_err();
    /// assert_eq!(error, AddError::Exists { names: vec!["node3".to_owned()] });
    /// assert_eq!(nodes.names(), ["node1", "node2", "node3"]);
    /// # Ok::<_, AddError<String>>(()) }).unwrap();
    /// ```
    pub fn add(&self, entries: impl IntoEntries<K, T>) -> Add<&Self, Unheld> {
        Add::new(self, entries)
    }

    /// As [`add`](Self::add), and holds the new names exclusively from the start.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Entries, LockSet};
    /// let sizes: LockSet<String, u64> = LockSet::default();
    /// let mut new = sizes.add_exclusive(Entries([("disk1", 512)])).await?;
    /// new["disk1"] -= 12;
    /// # Ok::<_, lockladder::AddError<String>>(()) }).unwrap();
    /// ```
    pub fn add_exclusive(&self, entries: impl IntoEntries<K, T>) -> Add<&Self, Exclusive> {
        Add::new(self, entries)
    }

    /// As [`add`](Self::add), and shares the new names from the start.
    ///
    /// See [`add_exclusive`](Self::add_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_shared(&self, entries: impl IntoEntries<K, T>) -> Add<&Self, Shared> {
        Add::new(self, entries)
    }

    /// As [`add_exclusive`](Self::add_exclusive), with a guard that is `'static` and keeps the set alive.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// use std::sync::Arc;
    /// let nodes: Arc<LockSet<String>> = Arc::default();
    /// let new = nodes.clone().add_exclusive_owned("node1").await?;
    /// let job = std::thread::spawn(move || assert!(new.contains("node1")));
    /// # job.join().unwrap();
    /// # Ok::<_, lockladder::AddError<String>>(()) }).unwrap();
    /// ```
    pub fn add_exclusive_owned(self: Arc<Self>, entries: impl IntoEntries<K, T>) -> Add<Arc<Self>, Exclusive> {
        Add::new(self, entries)
    }

    /// As [`add_shared`](Self::add_shared), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`add_exclusive_owned`](Self::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_shared_owned(self: Arc<Self>, entries: impl IntoEntries<K, T>) -> Add<Arc<Self>, Shared> {
        Add::new(self, entries)
    }

    /// Removes names; resolves to those that this call removed, in name order.
    ///
    /// Names that do not exist, or that another call removes meanwhile, are not in the result. A waiting request that
    /// needs a removed name fails with [`SetError::Deleted`](super::SetError::Deleted).
    ///
    /// A task that holds one of the names and awaits this waits for itself; use
    /// [`SetGuard::remove`](super::SetGuard::remove) there instead.
    ///
    /// # Fairness
    ///
    /// Waits for all of the names exclusively, as [`exclusive`](Self::exclusive) does.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. All names are removed in one step: dropped before it resolves, it has removed
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::TimedOut`](super::SetError::TimedOut), if the future has a deadline; nothing was removed then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["a", "b", "c"]);
    /// assert_eq!(nodes.remove(["c", "a", "a", "nope"]).await?, ["a", "c"]);
    /// assert_eq!(nodes.names(), ["b"]);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn remove(&self, names: impl Names<K>) -> Remove<&Self> {
        Remove::new(self, names)
    }
}

/// Members that an exclusive guard adds and removes.
impl<P: LockSetPointer> SetGuard<P, Exclusive> {
    /// Removes names that this guard holds from the set, and returns them with their values.
    ///
    /// They are returned in name order. A waiting request that needs one of them fails with [`SetError::Deleted`].
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with the names that are not held; nothing is removed then.
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

    /// Adds free names to the set, while this guard holds the whole set.
    ///
    /// Each name gets the default value or, with [`Entries`](super::Entries), its own.
    ///
    /// # Errors
    ///
    /// [`AddError::NotWhole`] if the guard was not acquired with [`All`](super::All), or a part of it has been released
    /// or split off; [`AddError::Repeated`] and [`AddError::Exists`] with the names. Nothing is added then.
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

    /// As [`add`](Self::add), but this guard holds the new names from the start; see there for an example.
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
            Panics::defer(|panics| self.list(panics)); // The new ones are free, so it will not hold all.
        }
        let unlisted = self.held.whole == WholeHold::WithMembers;
        let held_alone = held.filter(|_| !unlisted);
        Panics::defer(|panics| {
            let new = self.set.core().add(entries, held_alone, panics)?;
            if held_alone.is_some() {
                self.held.members.extend(new); // Before a panic resumes, because they are held.
                self.held.members.sort_unstable_by_key(Member::id);
            } else {
                forget(new, panics); // They stay in the set.
            }
            Ok(())
        })
    }
}
