//! Members of a set that come and go.

use super::{Add, IntoEntries, Key, LockSet, Names, Remove, Unheld};
use crate::mode::{Exclusive, Shared};
use std::sync::Arc;

/// Members that come and go.
impl<K: Key, T> LockSet<K, T> {
    /// Adds names, each with the default value or, as [`Entries`](super::Entries), with its own. Nobody holds them then.
    ///
    /// Whoever awaits this while holding the same set as a whole waits for itself, and uses
    /// [`SetGuard::add`](super::SetGuard::add) instead.
    ///
    /// # Fairness
    ///
    /// Waits until nobody holds the set as a whole.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`AddError::Exists`](super::AddError::Exists) and [`AddError::Repeated`](super::AddError::Repeated), with the names; nothing was added.
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

    /// As [`add`](Self::add), and holds the new names exclusively before anybody else can.
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

    /// As [`add`](Self::add), and shares the new names before anybody else can hold them.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_shared(&self, entries: impl IntoEntries<K, T>) -> Add<&Self, Shared> {
        Add::new(self, entries)
    }

    /// As [`add_exclusive`](Self::add_exclusive), with a guard that keeps the set alive itself and is `'static`.
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

    /// As [`add_shared`](Self::add_shared), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_shared_owned(self: Arc<Self>, entries: impl IntoEntries<K, T>) -> Add<Arc<Self>, Shared> {
        Add::new(self, entries)
    }

    /// Removes names; resolves to those that this call removed, in name order. Whoever waits for one of them gets
    /// [`SetError::Deleted`](super::SetError::Deleted).
    ///
    /// Names that do not exist, or that others remove meanwhile, are not in the result. Whoever awaits this while
    /// holding one of the names waits for itself, and uses [`SetGuard::remove`](super::SetGuard::remove) instead.
    ///
    /// # Fairness
    ///
    /// Waits for all of the names exclusively, as [`exclusive`](Self::exclusive) does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: all names are removed in one step, so a removal dropped half way has removed nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::TimedOut`](super::SetError::TimedOut), if the future is given a deadline; nothing was removed then.
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
