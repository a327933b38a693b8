//! Named locks: several at once, all or nothing; members come and go.
//!
//! ```text
//!   LockSet, OpenSet ─► SetAcquire · Add · Remove (futures) ─► SetGuard ─► values
//!      │
//!      └── core         the fast way past the queue, and the slow way through it
//!           ├── shards       name ─► slot: a word, the name, the value
//!           └── queue        who waits, and who has the whole
//!                └── policy       who may be granted (pure)
//! ```

mod acquire;
mod change;
mod core;
mod entries;
mod error;
mod fault;
mod guard;
mod insert;
mod mapped;
mod members;
mod names;
mod open;
mod part;
mod pointer;
mod queue;
mod request;
mod shards;
mod shown;
mod values;

pub use acquire::SetAcquire;
pub use change::{Add, Added, Remove, Unheld};
pub use entries::Entries;
pub use error::{AddError, SetError};
pub use guard::SetGuard;
pub use names::{All, AsName, IntoEntries, Key, Names, NamesOrAll};
pub use open::OpenSet;
pub(crate) use part::InPart;
pub use pointer::{LockSetPointer, SetPointer};
pub(crate) use request::Want;
pub use values::NameArray;

use crate::mode::{Exclusive, Shared};
use crate::panics::Panics;
use core::Core;
use shards::forget;
use std::fmt;
use std::sync::Arc;

/// A set of named locks, whose members come and go; each may have a value in it.
///
/// # Fairness
///
/// A request gets all its names at once, or waits and holds nothing. Requests stand in the order of (priority, first
/// poll). One is granted when it fits beside all holders, and, with each earlier request that it conflicts with, either
///
/// * both have one priority, the earlier one has been passed fewer than 16 times, it is held up by the holder of a name
///   that the later one does not touch, and the later one passes at most 8 at any name; or
/// * it is shared, and what it conflicts about lies on names of sharers that stood ahead of the earlier one and are
///   granted at the same time: sharers go in groups.
///
/// For requests of one name, that is the fairness rule of [`SharedLock`](crate::SharedLock), with one difference: a group
/// does not keep the place of its first sharer when that gives up, or moves to another priority. Each of the others stands
/// at its own place then, as sharers of a set may differ in their other names. Where several names are involved, whoever waits for a name that
/// is held keeps its other names for itself only when requests of its priority have passed it 16 times there, or against
/// less urgent ones. (Else there would be *convoys*: names that are free, and that nobody may have.) Still nobody is passed
/// more often, but for the groups ahead. As nobody waits holding, requests of one set cannot deadlock with each other.
///
/// # Cancel safety
///
/// Every future here can be dropped at any time, and leaves nothing behind: it has neither added nor removed anything, its
/// place is lost, what it was granted goes on to the next, and the others keep their places. Those whom it had passed by
/// then have been passed: else requests that are granted and dropped without end could keep them waiting without end.
///
/// If a waker of somebody else panics while a future here is polled, the panic goes on from that poll. Whether the future
/// has resolved by then, its [`is_terminated`](futures::future::FusedFuture::is_terminated) says: if so, it has added or
/// removed what it was to, and what it would have returned has been dropped; if not, it can be polled on.
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
/// Take all that you need of a set in one call. Whoever holds a part of it and awaits another part can deadlock with
/// someone who does the same the other way round; the same goes for `add` by someone who holds [`All`]. Sessions of a
/// [`LockManager`](crate::LockManager) cannot be written so.
pub struct LockSet<K, T = ()> {
    core: Core<K, T>,
}

impl<K: Key, T> LockSet<K, T> {
    /// A set of these names, each with the default value; repeated ones collapse.
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator<Item: Into<K>>,
        T: Default,
    {
        names.into_iter().map(Into::into).collect()
    }

    /// A set of these names and values. Of a name that is repeated, the first value counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let ports: lockladder::LockSet<u16, String> =
    ///     lockladder::LockSet::from_entries([(80_u16, "web".to_owned()), (25, "mail".to_owned())]);
    /// ports.exclusive(80).await?[80].push_str(" server");
    /// assert_eq!(ports.shared(80).await?[80], "web server");
    /// # Ok::<_, lockladder::SetError<u16>>(()) }).unwrap();
    /// ```
    pub fn from_entries<I, N>(entries: I) -> Self
    where
        I: IntoIterator<Item = (N, T)>,
        N: Into<K>,
    {
        let set = Self { core: Core::new(None) };
        set.extend(entries.into_iter().map(|(name, value)| (name.into(), value)));
        set
    }

    /// Adds free members that do not exist yet, before anybody else knows the set. Those whose names exist stay as they
    /// are.
    pub(crate) fn extend(&self, entries: impl IntoIterator<Item = (K, T)>) {
        for entry in entries {
            Panics::defer(|panics| {
                if let Ok(added) = self.core.add(vec![entry], None, panics) {
                    forget(added, panics); // They stay, as members of the set.
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
    /// Waits for these names, or for [`All`], to share them.
    ///
    /// An empty list holds nothing; it needs a type (`[""; 0]`).
    ///
    /// # Fairness
    ///
    /// See [`LockSet`]. With `All`, `add` waits meanwhile, and members that are removed before its turn are skipped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`SetError::Unknown`] if a name does not exist, [`SetError::Deleted`] if one is removed while this waits, also
    /// when it is added again meanwhile. Either way nothing is held.
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

    /// Waits for these names, or for [`All`], to have them alone.
    ///
    /// Otherwise as [`shared`](Self::shared).
    ///
    /// # Fairness
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
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

    /// As [`shared`](Self::shared), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>, names: impl NamesOrAll<K>) -> SetAcquire<Arc<Self>, Shared> {
        SetAcquire::of(self, names, Want::All)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn exclusive_owned(self: Arc<Self>, names: impl NamesOrAll<K>) -> SetAcquire<Arc<Self>, Exclusive> {
        SetAcquire::of(self, names, Want::All)
    }

    /// Shares these names, or [`All`], if that is possible without waiting: all of them now, or nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that others hold; [`SetError::Unknown`]. Nothing is held then.
    pub fn try_shared(&self, names: impl NamesOrAll<K>) -> Result<SetGuard<&Self, Shared>, SetError<K>> {
        self.shared(names).at_once()
    }

    /// Takes these names, or [`All`], alone if that is possible without waiting: all of them now, or nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that others hold; [`SetError::Unknown`]. Nothing is held then.
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

    /// As [`try_shared`](Self::try_shared), with a guard that keeps the set alive itself and is `'static`.
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

    /// As [`try_exclusive`](Self::try_exclusive), with a guard that keeps the set alive itself and is `'static`.
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

    /// A copy of all names, in name order; waits for nobody. Consistent in itself and stale the moment it is returned:
    /// for people and tests, not to decide by.
    pub fn names(&self) -> Vec<K> {
        self.core.names()
    }
}

/// Names without order: sorted, each once.
fn sorted<K: Ord>(mut names: Vec<K>) -> Vec<K> {
    names.sort();
    names.dedup();
    names
}

/// The pointers to a kind of set.
macro_rules! pointers {
    ($($pointer:ty),+) => {$(
        impl<K: Key, T> SetPointer for $pointer {
            type Name = K;
            type Value = T;

            fn core(&self) -> &Core<K, T> {
                &self.core
            }
        }

        impl<K, T> pointer::sealed::Sealed for $pointer {}
    )+};
}

pointers! { &LockSet<K, T>, Arc<LockSet<K, T>>, &OpenSet<K, T>, Arc<OpenSet<K, T>> }

impl<K: Key, T> LockSetPointer for &LockSet<K, T> {}
impl<K: Key, T> LockSetPointer for Arc<LockSet<K, T>> {}

/// Shows each member and how it is held, in name order, and never waits. Stale at once: for people.
impl<K: Key + fmt::Debug, T> fmt::Debug for LockSet<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.show(f)
    }
}

// Auto traits are promises: a set and what comes of it move between threads if the names may be shared by threads, and
// the values moved and shared.
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
