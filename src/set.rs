//! Named locks: several at once, all or nothing; members come and go.
//!
//! ```text
//!   LockSet, OpenSet ─► SetAcquire · Add · Remove (futures) ─► SetGuard ─► values
//!      │
//!      └── core         the fast way past the queue, and the slow way through it
//!           ├── shards       name ─► slot: a word, the name, the value
//!           └── queue        the requests that wait, and the holders of the whole
//!                └── policy       which request may be granted (pure)
//! ```

mod acquire;
mod add;
mod core;
mod debug;
mod entries;
mod error;
mod fault;
mod guard;
mod insert;
mod mapped;
mod members;
mod names;
mod open;
mod partial;
mod pointer;
mod queue;
mod remove;
mod request;
mod shards;
mod snapshot;
mod values;

pub use acquire::SetAcquire;
pub use add::{Add, Added, Unheld};
pub(crate) use core::Holding;
pub use entries::Entries;
pub use error::{AddError, SetError};
pub use guard::SetGuard;
pub(crate) use names::extent;
pub use names::{All, AsName, IntoEntries, Key, Names, NamesOrAll};
pub use open::OpenSet;
pub(crate) use partial::InPart;
pub use pointer::{LockSetPointer, NamedLocks, SetPointer};
pub(crate) use queue::{Reach, Stage, conflicts};
pub use remove::Remove;
pub(crate) use request::Want;
pub(crate) use shards::SlotNumber;
pub(crate) use snapshot::{Copies, RequestSeen};
pub use values::NameArray;

use crate::mode::{Exclusive, Shared};
use crate::panics::Panics;
use crate::table::LockTable;
use core::Core;
use shards::forget;
use std::fmt;
use std::sync::Arc;

/// A set of named locks. Members come and go, and each may have a value in it.
///
/// # Fairness
///
/// A request gets all its names at once; until then it waits and holds nothing. Requests stand in the order of
/// (priority, first poll). A request is granted when it fits beside all holders and, for each earlier request that it
/// conflicts with, one of these is true:
///
/// * **It passes.** Both requests have the same priority. The earlier one has been passed fewer than 16 times. It has
///   to wait anyway, for the holder of a name that the later one does not touch. And the later one passes at most 8
///   requests at any one name, and at most 8 that wait for the whole set.
/// * **It goes along.** The later request is shared. Each name on which the two conflict is also a name of a sharer of
///   the same priority that stood ahead of the earlier request and is granted at the same time: sharers go in groups.
///
/// For requests of one name, this is the fairness rule of [`SharedLock`](crate::SharedLock), with one difference: a
/// group does not keep the place of its first sharer when that sharer gives up, or moves to another priority. Each of
/// its other sharers then stands at its own place, because sharers of a set may differ in their other names.
///
/// With several names, a request that waits for a held name keeps its other names from less urgent requests, but lets
/// requests of its own priority pass there until it has been passed 16 times. (Otherwise there would be *convoys*:
/// names that are free, and that no request may have.) No request is passed more often than that, not counting the
/// sharers of groups ahead of it. No request holds anything while it waits, so requests of one set cannot deadlock with
/// each other.
///
/// # Cancel safety
///
/// Every future here is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
/// passes to the next request. Dropped before it resolves, it has neither added nor removed anything. The other
/// requests keep their places. The requests that it has passed stay counted as passed: otherwise requests that are
/// granted and dropped without end could keep them waiting forever.
///
/// If the waker of another request panics while a future here is polled, the panic resumes from that poll. Then
/// [`is_terminated`](futures::future::FusedFuture::is_terminated) says whether the future has resolved. If it has, it
/// has added or removed what it was asked to, and its output has been dropped. If it has not, it can be polled again.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::{All, LockSet};
///
/// let nodes: LockSet<String> = LockSet::new(["node1", "node2", "node3"]);
/// let pair = nodes.exclusive(["node2", "node1", "node2"]).await?;
/// assert_eq!(pair.names(), ["node1", "node2"]);
/// drop(pair);
/// let everything = nodes.shared(All).await?;
/// assert_eq!(everything.len(), 3);
/// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
/// ```
///
/// # Limits
///
/// Take all that you need of a set in one call. A task that holds a part of it and awaits another part can deadlock
/// with a task that does the same in the opposite order; a task that holds [`All`] and awaits `add` waits for itself.
/// Sessions of a [`LockManager`](crate::LockManager) cannot be written that way.
pub struct LockSet<K, T = ()> {
    core: Core<K, T>,
}

impl<K: Key, T> LockSet<K, T> {
    /// A set of these names, each with the default value; a repeated name counts once.
    ///
    /// The names of an iterator can be [collected](Iterator::collect) into a set. See [`LockSet`] for an example.
    pub fn new(names: impl Names<K>) -> Self
    where
        T: Default,
    {
        names.listed().map(AsName::into_name).collect()
    }

    /// A set of these names and values. If a name is repeated, its first value counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let ports: lockladder::LockSet<u16, String> =
    ///     lockladder::LockSet::from_entries([(80, "web".to_owned()), (25, "mail".to_owned())]);
    /// ports.exclusive(80).await?[80].push_str(" server");
    /// assert_eq!(ports.shared(80).await?[80], "web server");
    /// # Ok::<_, lockladder::SetError<u16>>(()) }).unwrap();
    /// ```
    pub fn from_entries<I, N>(entries: I) -> Self
    where
        I: IntoIterator<Item = (N, T)>,
        N: AsName<K>,
    {
        let set = Self { core: Core::new(None) };
        set.extend(entries.into_iter().map(|(name, value)| (name.into_name(), value)));
        set
    }

    /// Adds free members, before other threads can reach the set. A name that exists keeps its member and its value.
    pub(crate) fn extend(&self, entries: impl IntoIterator<Item = (K, T)>) {
        for entry in entries {
            Panics::defer(|panics| {
                if let Ok(added) = self.core.add(vec![entry], None, panics) {
                    forget(added, panics); // They stay in the set.
                }
            });
        }
    }
}

impl<K: Key, T: Default> FromIterator<K> for LockSet<K, T> {
    fn from_iter<I: IntoIterator<Item = K>>(names: I) -> Self {
        Self::from_entries(names.into_iter().map(|name| (name, T::default())))
    }
}

impl<K: Key, T> FromIterator<(K, T)> for LockSet<K, T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(entries: I) -> Self {
        Self::from_entries(entries)
    }
}

impl<K: Key, T> Default for LockSet<K, T> {
    /// An empty set.
    fn default() -> Self {
        Self { core: Core::new(None) }
    }
}

impl<K: Key, T> LockSet<K, T> {
    /// Waits for these names, or for [`All`], and shares them.
    ///
    /// An empty list holds nothing; it needs a type (`[""; 0]`).
    ///
    /// # Fairness
    ///
    /// See [`LockSet`]. While `All` is held, `add` waits. A request for `All` skips members that are removed before it
    /// is granted.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request.
    ///
    /// # Errors
    ///
    /// [`SetError::Unknown`] if a name does not exist. [`SetError::Deleted`] if a name is removed while this waits,
    /// even if it is added again meanwhile. In both cases nothing is held.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["node1", "node2"]);
    /// let (one, both) = (nodes.shared("node1").await?, nodes.shared(["node1", "node2"]).await?);
    /// assert_eq!((one.len(), both.len()), (1, 2));
    /// let error = nodes.shared("node9").await.unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "there is no lock named \"node9\" in this set: add it first, or leave it out"
    /// );
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    #[inline]
    pub fn shared(&self, names: impl NamesOrAll<K>) -> SetAcquire<&Self, Shared> {
        SetAcquire::of(self, names, Want::All)
    }

    /// Waits for these names, or for [`All`], and takes them exclusively.
    ///
    /// Otherwise as [`shared`](Self::shared).
    ///
    /// # Fairness
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Cancel safety
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockSet};
    /// let ports: LockSet<u16> = LockSet::new([80u16, 443]);
    /// let mut whole = ports.exclusive(All).await?;
    /// assert_eq!(whole.names(), [&80, &443]);
    /// whole.add(8080)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[inline]
    pub fn exclusive(&self, names: impl NamesOrAll<K>) -> SetAcquire<&Self, Exclusive> {
        SetAcquire::of(self, names, Want::All)
    }

    /// As [`shared`](Self::shared), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`add_exclusive_owned`](Self::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>, names: impl NamesOrAll<K>) -> SetAcquire<Arc<Self>, Shared> {
        SetAcquire::of(self, names, Want::All)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`add_exclusive_owned`](Self::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn exclusive_owned(self: Arc<Self>, names: impl NamesOrAll<K>) -> SetAcquire<Arc<Self>, Exclusive> {
        SetAcquire::of(self, names, Want::All)
    }

    /// Shares these names, or [`All`], without waiting: all of them now, or none.
    ///
    /// See [`try_exclusive`](Self::try_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that other holders have; [`SetError::Unknown`]. Nothing is held then.
    pub fn try_shared(&self, names: impl NamesOrAll<K>) -> Result<SetGuard<&Self, Shared>, SetError<K>> {
        self.shared(names).at_once()
    }

    /// Takes these names, or [`All`], exclusively, without waiting: all of them now, or none.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that other holders have; [`SetError::Unknown`]. Nothing is held then.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockladder::{LockSet, SetError};
    /// let nodes: LockSet<String> = LockSet::new(["node1", "node2"]);
    /// let both = nodes.try_exclusive(["node1", "node2"])?;
    /// assert!(matches!(nodes.try_shared("node2"), Err(SetError::WouldBlock { names, .. }) if names == ["node2"]));
    /// # Ok::<_, SetError<String>>(())
    /// ```
    pub fn try_exclusive(&self, names: impl NamesOrAll<K>) -> Result<SetGuard<&Self, Exclusive>, SetError<K>> {
        self.exclusive(names).at_once()
    }

    /// As [`try_shared`](Self::try_shared), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`add_exclusive_owned`](Self::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`try_shared`](Self::try_shared).
    pub fn try_shared_owned(
        self: Arc<Self>,
        names: impl NamesOrAll<K>,
    ) -> Result<SetGuard<Arc<Self>, Shared>, SetError<K>> {
        self.shared_owned(names).at_once()
    }

    /// As [`try_exclusive`](Self::try_exclusive), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`add_exclusive_owned`](Self::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`try_exclusive`](Self::try_exclusive).
    pub fn try_exclusive_owned(
        self: Arc<Self>,
        names: impl NamesOrAll<K>,
    ) -> Result<SetGuard<Arc<Self>, Exclusive>, SetError<K>> {
        self.exclusive_owned(names).at_once()
    }

    /// A snapshot of all names, in name order, without waiting.
    ///
    /// It is consistent in itself, but may be out of date as soon as it is returned: for diagnostics and tests, not for
    /// decisions. See [`remove`](Self::remove) for an example.
    pub fn names(&self) -> Vec<K> {
        self.core.names()
    }

    /// A copy of what the locks look like now: which names are held and how, and the requests that wait for each, in
    /// the order in which they stand.
    ///
    /// A set knows no sessions: who holds a name is seen in the table of a [`LockManager`](crate::LockManager). See
    /// [`LockTable`] for how far its parts are of one moment.
    ///
    /// # Panics
    ///
    /// If the `Debug` of a name panics.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockMode;
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["node1", "node2"]);
    /// let _held = nodes.exclusive("node1").await?;
    /// let table = nodes.locks();
    /// assert_eq!((table.locks[0].name.as_deref(), table.locks[0].mode), (Some("node1"), Some(LockMode::Exclusive)));
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn locks(&self) -> LockTable
    where
        K: fmt::Debug,
    {
        self.core.table()
    }
}

/// Sorts names, and keeps each once.
fn sorted<K: Ord>(mut names: Vec<K>) -> Vec<K> {
    names.sort();
    names.dedup();
    names
}

/// Shows members and how they are held, in name order, without waiting: up to 16, then how many more there are. A
/// snapshot for diagnostics; it may be out of date as soon as it is returned.
impl<K: Key + fmt::Debug, T> fmt::Debug for LockSet<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.show(f)
    }
}

// Auto traits are promises: a set, its futures and its guards move between threads if threads may share the names, and
// may move and share the values.
const _: () = {
    const fn is_send<T: Send>() {}
    const fn is_sync<T: Sync>() {}
    #[cfg(not(any(lockladder_loom, lockladder_shuttle)))]
    const fn survives_panics<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    #[cfg(not(any(lockladder_loom, lockladder_shuttle)))]
    survives_panics::<(LockSet<String, std::cell::Cell<u8>>, OpenSet<String>)>();
    is_sync::<LockSet<String, u8>>();
    is_sync::<OpenSet<String, u8>>();
    is_send::<SetAcquire<&LockSet<String>, Shared>>();
    is_send::<SetAcquire<Arc<OpenSet<String>>, Exclusive>>();
    is_send::<Add<Arc<LockSet<String>>, Exclusive>>();
    is_send::<Remove<&LockSet<String>>>();
    is_send::<SetGuard<Arc<LockSet<String>>, Exclusive>>();
    is_sync::<SetGuard<&LockSet<String, u8>, Shared>>();
};
