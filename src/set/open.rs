//! Locks whose names exist while they are in use.

use super::acquire::SetAcquire;
use super::core::Core;
use super::error::SetError;
use super::guard::SetGuard;
use super::names::{Key, Names};
use super::request::Want;
use crate::mode::{Exclusive, Shared};
use crate::table::LockTable;
use std::fmt;
use std::sync::Arc;

/// Named locks, any number of them: a name exists while it is held or waited for, and costs nothing after that.
///
/// No name is ever unknown or removed, so there is no [`All`](super::All), and nothing to add. `Default` makes the
/// value when its name comes into use; the value is dropped with the last holder or waiter. (`default` is called for
/// names that are in use already, too; a value that is not needed is dropped.)
///
/// A set keeps a few KiB in each of its 256 shards for names to come, and gives back the rest when names go.
///
/// # Fairness
///
/// See [`LockSet`](super::LockSet).
///
/// # Cancel safety
///
/// See [`LockSet`](super::LockSet).
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::OpenSet;
///
/// let users: OpenSet<u64> = OpenSet::new();
/// let (from, to) = (4_211, 17);
/// let transfer = users.exclusive([from, to]).await?;
/// assert_eq!(users.names(), [17, 4_211]);
/// drop(transfer);
/// assert!(users.names().is_empty());
/// # Ok::<_, lockladder::SetError<u64>>(()) }).unwrap();
/// ```
///
/// # Limits
///
/// Take all that you need in one call. A task that holds a name and awaits another can deadlock with a task that does
/// the same in the opposite order.
pub struct OpenSet<K, T = ()> {
    pub(super) core: Core<K, T>,
}

impl<K: Key, T: Default> OpenSet<K, T> {
    /// A set in which no name is in use.
    ///
    /// See [`OpenSet`] for an example.
    pub fn new() -> Self {
        Self { core: Core::new(Some(T::default)) }
    }
}

impl<K: Key, T: Default> Default for OpenSet<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key, T> OpenSet<K, T> {
    /// Waits for these names, and shares them.
    ///
    /// An empty list holds nothing; it needs a type (`[""; 0]`). See [`OpenSet`] for an example.
    ///
    /// # Fairness
    ///
    /// See [`LockSet`](super::LockSet).
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request.
    ///
    /// # Errors
    ///
    /// [`SetError::TooFew`] and [`SetError::TimedOut`], if the future has a minimum or a deadline; no others.
    #[inline]
    pub fn shared(&self, names: impl Names<K>) -> SetAcquire<&Self, Shared> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// Waits for these names, and takes them exclusively.
    ///
    /// See [`OpenSet`] for an example.
    ///
    /// # Fairness
    ///
    /// See [`LockSet`](super::LockSet).
    ///
    /// # Cancel safety
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    #[inline]
    pub fn exclusive(&self, names: impl Names<K>) -> SetAcquire<&Self, Exclusive> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// As [`shared`](Self::shared), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`LockSet::add_exclusive_owned`](super::LockSet::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>, names: impl Names<K>) -> SetAcquire<Arc<Self>, Shared> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`LockSet::add_exclusive_owned`](super::LockSet::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn exclusive_owned(self: Arc<Self>, names: impl Names<K>) -> SetAcquire<Arc<Self>, Exclusive> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// Shares these names without waiting: all of them now, or none.
    ///
    /// See [`LockSet::try_exclusive`](super::LockSet::try_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that other holders have.
    pub fn try_shared(&self, names: impl Names<K>) -> Result<SetGuard<&Self, Shared>, SetError<K>> {
        self.shared(names).at_once()
    }

    /// Takes these names exclusively, without waiting: all of them now, or none.
    ///
    /// See [`LockSet::try_exclusive`](super::LockSet::try_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that other holders have.
    pub fn try_exclusive(&self, names: impl Names<K>) -> Result<SetGuard<&Self, Exclusive>, SetError<K>> {
        self.exclusive(names).at_once()
    }

    /// As [`try_shared`](Self::try_shared), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`LockSet::add_exclusive_owned`](super::LockSet::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`try_shared`](Self::try_shared).
    pub fn try_shared_owned(self: Arc<Self>, names: impl Names<K>) -> Result<SetGuard<Arc<Self>, Shared>, SetError<K>> {
        self.shared_owned(names).at_once()
    }

    /// As [`try_exclusive`](Self::try_exclusive), with a guard that is `'static` and keeps the set alive.
    ///
    /// See [`LockSet::add_exclusive_owned`](super::LockSet::add_exclusive_owned) for an example of such a guard.
    ///
    /// # Errors
    ///
    /// See [`try_exclusive`](Self::try_exclusive).
    pub fn try_exclusive_owned(
        self: Arc<Self>,
        names: impl Names<K>,
    ) -> Result<SetGuard<Arc<Self>, Exclusive>, SetError<K>> {
        self.exclusive_owned(names).at_once()
    }

    /// A snapshot of the names that are held or waited for, in name order, without waiting.
    ///
    /// It may be out of date as soon as it is returned: for diagnostics and tests, not for decisions. See [`OpenSet`]
    /// for an example.
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
    /// let nodes: lockladder::OpenSet<String> = lockladder::OpenSet::new();
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

/// Shows names in use and how they are held, in name order, without waiting: up to 16, then how many more there are. A
/// snapshot for diagnostics; it may be out of date as soon as it is returned.
impl<K: Key + fmt::Debug, T> fmt::Debug for OpenSet<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.show(f)
    }
}
