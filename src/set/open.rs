//! Locks whose names exist while somebody uses them.

use super::acquire::SetAcquire;
use super::core::Core;
use super::error::SetError;
use super::guard::SetGuard;
use super::names::{Key, Names};
use super::request::Want;
use crate::mode::{Exclusive, Shared};
use std::fmt;
use std::sync::Arc;

/// Named locks, any number of them: a name exists while it is held or waited for, and costs nothing after.
///
/// No name is ever unknown, or removed; so there is no [`All`](super::All) of it, and nothing to add. A value, where there is
/// one, is made by `Default` when its name comes into use, and dropped when the last one who holds it or waits for it
/// has gone. (`default` is called for names in use, too; what is not needed is dropped.)
///
/// # Fairness
///
/// That of [`LockSet`](super::LockSet).
///
/// # Cancel safety
///
/// That of [`LockSet`](super::LockSet).
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
/// Take all that you need in one call: whoever holds a name and awaits another can deadlock with someone who does the same
/// the other way round.
pub struct OpenSet<K, T = ()> {
    pub(super) core: Core<K, T>,
}

impl<K: Key, T: Default> OpenSet<K, T> {
    /// A set in which no name is in use.
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
    /// Waits for these names, to share them. An empty list holds nothing; it needs a type (`[""; 0]`).
    ///
    /// # Fairness
    ///
    /// See [`LockSet`](super::LockSet).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
    ///
    /// # Errors
    ///
    /// None but those of what the future is told: [`SetError::TooFew`], [`SetError::TimedOut`].
    #[inline]
    pub fn shared(&self, names: impl Names<K>) -> SetAcquire<&Self, Shared> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// Waits for these names, to have them alone.
    ///
    /// # Fairness
    ///
    /// See [`LockSet`](super::LockSet).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    #[inline]
    pub fn exclusive(&self, names: impl Names<K>) -> SetAcquire<&Self, Exclusive> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// As [`shared`](Self::shared), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>, names: impl Names<K>) -> SetAcquire<Arc<Self>, Shared> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn exclusive_owned(self: Arc<Self>, names: impl Names<K>) -> SetAcquire<Arc<Self>, Exclusive> {
        SetAcquire::listed(self, names, Want::All)
    }

    /// Shares these names if that is possible without waiting: all of them now, or nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that others hold.
    pub fn try_shared(&self, names: impl Names<K>) -> Result<SetGuard<&Self, Shared>, SetError<K>> {
        self.shared(names).at_once()
    }

    /// Takes these names alone if that is possible without waiting: all of them now, or nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::WouldBlock`] with the names that others hold.
    pub fn try_exclusive(&self, names: impl Names<K>) -> Result<SetGuard<&Self, Exclusive>, SetError<K>> {
        self.exclusive(names).at_once()
    }

    /// As [`try_shared`](Self::try_shared), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`try_shared`](Self::try_shared).
    pub fn try_shared_owned(self: Arc<Self>, names: impl Names<K>) -> Result<SetGuard<Arc<Self>, Shared>, SetError<K>> {
        self.shared_owned(names).at_once()
    }

    /// As [`try_exclusive`](Self::try_exclusive), with a guard that keeps the set alive itself and is `'static`.
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

    /// A copy of the names that are held or waited for, in name order. Waits for nobody, and is stale the moment it is
    /// returned: for people and tests, not to decide by.
    pub fn names(&self) -> Vec<K> {
        self.core.names()
    }
}

/// Shows each name in use and how it is held, in name order, and never waits. Stale at once: for people.
impl<K: Key + fmt::Debug, T> fmt::Debug for OpenSet<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.show(f)
    }
}
