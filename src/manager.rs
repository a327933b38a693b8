//! The manager: a root lock and a set of locks for each level above, and the way into a session.

mod claim;
mod dynamic;
mod enter;
mod error;
mod members;
mod modify;
mod record;
mod request;
mod scope;
mod session;

pub use dynamic::{DynClimb, DynRequest, DynSession};
pub use enter::{Enter, EnterAny};
pub use error::{OrderError, SessionError};
pub use modify::Modify;
pub use request::SessionRequest;
pub use session::{Climb, Session};

use crate::level::{Hierarchy, LevelOf, NotRoot, RootHeld, checks};
use crate::lock::{SharedLock, block_on};
use crate::mode::{Exclusive, LockMode, Shared};
use record::Pool;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The locks of a hierarchy. Cheap to clone: all clones are the same manager.
///
/// A [`Session`] begins at the root, by [`shared`](Self::shared) or [`exclusive`](Self::exclusive), and climbs from
/// there, upwards only. There is no other way to a lock of the manager, so whoever has one holds the root. That levels
/// are taken in order is checked by the compiler.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::LockManager;
/// use lockladder::ganeti::seed::{Instance, Node, Seed};
///
/// let manager: LockManager<Seed> =
///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1", "node2"]).build();
///
/// let job = manager.shared("failover web1").await?;
/// let job = job.exclusive::<Instance>("web1").await?;
/// let job = job.exclusive::<Node>(["node1", "node2"]).await?;
/// assert_eq!(job.owned::<Node>().names(), ["node1", "node2"]);
/// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
/// ```
///
/// # Limits
///
/// Within one session nothing can deadlock. Nobody can stop a task from opening a *second* session while it has one,
/// though: two shared roots pass every test, and hang as soon as an exclusive one is asked for between them. Open one
/// session per job, and hand it (or a [nested](Session::nest) one) to whoever needs locks; within
/// [`scope`](Self::scope), a second one is an error.
///
/// Waiting for anything else with locks held, such as a channel or a task that wants them, can deadlock all the same.
pub struct LockManager<H: Hierarchy> {
    locks: Arc<Locks<H>>,
}

struct Locks<H: Hierarchy> {
    root: Arc<SharedLock>,
    sets: H::Sets,
    flows: Pool<LockManager<H>>,
}

/// A session that holds the root alone.
type Entered<H, M> = Session<H, RootHeld<H, M>>;

impl<H: Hierarchy> LockManager<H> {
    /// Begins a manager: give it the names of each level, then [`build`](Builder::build).
    pub fn builder() -> Builder<H> {
        Builder { sets: H::Sets::default() }
    }

    /// Waits for the root, shared, and begins a session. The label says to people what the session is for.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`SessionError::NestedSession`] inside of a [`scope`](Self::scope) of the same manager;
    /// [`SessionError::TooManySharers`].
    pub fn shared(&self, label: impl Into<Cow<'static, str>>) -> Enter<H, Shared> {
        self.enter(label.into())
    }

    /// Waits for the root, exclusively, and begins a session. Nobody else has one meanwhile.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`SessionError::NestedSession`] inside of a [`scope`](Self::scope) of the same manager;
    /// [`SessionError::TooManySharers`].
    pub fn exclusive(&self, label: impl Into<Cow<'static, str>>) -> Enter<H, Exclusive> {
        self.enter(label.into())
    }

    /// Begins a session with the root shared, if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`], and those of [`shared`](Self::shared).
    ///
    /// # Examples
    ///
    /// ```
    /// use lockladder::{LockManager, SessionError, ganeti::seed::Seed};
    /// let manager: LockManager<Seed> = LockManager::builder().build();
    /// let job = manager.try_shared("job")?;
    /// assert!(matches!(manager.try_exclusive("alone"), Err(SessionError::WouldBlock { level: "Cluster", .. })));
    /// # Ok::<_, SessionError>(())
    /// ```
    pub fn try_shared(&self, label: impl Into<Cow<'static, str>>) -> Result<Entered<H, Shared>, SessionError> {
        self.enter_now(label.into(), SharedLock::try_shared_owned)
    }

    /// Begins a session with the root exclusive, if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`], and those of [`exclusive`](Self::exclusive).
    pub fn try_exclusive(&self, label: impl Into<Cow<'static, str>>) -> Result<Entered<H, Exclusive>, SessionError> {
        self.enter_now(label.into(), SharedLock::try_exclusive_owned)
    }

    /// As [`shared`](Self::shared), for threads that are not asynchronous: blocks this one until it has the root.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockladder::{LockManager, ganeti::seed::{Node, Seed}};
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
    /// let job = manager.blocking_shared("job")?.blocking_exclusive::<Node>("node1")?;
    /// # Ok::<_, lockladder::SessionError>(())
    /// ```
    pub fn blocking_shared(&self, label: impl Into<Cow<'static, str>>) -> Result<Entered<H, Shared>, SessionError> {
        block_on(self.shared(label))
    }

    /// As [`exclusive`](Self::exclusive), for threads that are not asynchronous: blocks this one until it has the root.
    ///
    /// # Errors
    ///
    /// Those of [`exclusive`](Self::exclusive).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
    pub fn blocking_exclusive(
        &self,
        label: impl Into<Cow<'static, str>>,
    ) -> Result<Entered<H, Exclusive>, SessionError> {
        block_on(self.exclusive(label))
    }

    /// Waits for the root in a mode known at run time, and begins a session whose levels are known at run time only.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    pub fn dynamic(&self, label: impl Into<Cow<'static, str>>, mode: LockMode) -> EnterAny<H> {
        self.enter_any(label.into(), mode)
    }

    /// Begins a session whose levels are known at run time only, if the root can be had without waiting.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`], and those of [`shared`](Self::shared).
    pub fn try_dynamic(
        &self,
        label: impl Into<Cow<'static, str>>,
        mode: LockMode,
    ) -> Result<DynSession<H>, SessionError> {
        self.enter_any_now(label.into(), mode)
    }

    /// As [`dynamic`](Self::dynamic), for threads that are not asynchronous: blocks this one until it has the root.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
    pub fn blocking_dynamic(
        &self,
        label: impl Into<Cow<'static, str>>,
        mode: LockMode,
    ) -> Result<DynSession<H>, SessionError> {
        block_on(self.dynamic(label, mode))
    }

    /// A copy of the names of a level, in name order (the seed's `_names()`). Waits for nobody, and is stale the moment
    /// it is returned: for people and tests, not to decide by.
    pub fn names<L: NotRoot + LevelOf<H>>(&self) -> Vec<L::Name> {
        L::set(&self.locks.sets).0.names()
    }
}

impl<H: Hierarchy> Clone for LockManager<H> {
    fn clone(&self) -> Self {
        Self { locks: Arc::clone(&self.locks) }
    }
}

impl<H: Hierarchy> fmt::Debug for LockManager<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockManager").field("levels", &H::LEVELS).field("root", &self.locks.root).finish()
    }
}

/// A manager before anybody uses it. Made by [`LockManager::builder`].
pub struct Builder<H: Hierarchy> {
    sets: H::Sets,
}

impl<H: Hierarchy> Builder<H> {
    /// Adds members to a level, with default values; repeated names collapse.
    #[must_use]
    pub fn names<L>(self, names: impl IntoIterator<Item: Into<L::Name>>) -> Self
    where
        L: NotRoot<Value: Default> + LevelOf<H>,
    {
        L::set(&self.sets).0.extend(names.into_iter().map(|name| (name.into(), L::Value::default())));
        self
    }

    /// Adds members and their values to a level. Of a name that is repeated, the first value counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// lockladder::hierarchy! {
    ///     struct Bank { root Ledger, level Account: u32 => i64 }
    /// }
    /// let bank: lockladder::LockManager<Bank> =
    ///     lockladder::LockManager::builder().entries::<Account>([(1_u32, 100), (2, 0)]).build();
    /// let mut transfer = bank.shared("transfer").await?.exclusive::<Account>([1, 2]).await?;
    /// let [from, to] = transfer.get_disjoint_mut::<Account, _>([1, 2])?;
    /// (*from, *to) = (*from - 30, *to + 30);
    /// assert_eq!(transfer.get::<Account>(1), Some(&70));
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn entries<L>(self, entries: impl IntoIterator<Item = (impl Into<L::Name>, L::Value)>) -> Self
    where
        L: NotRoot + LevelOf<H>,
    {
        L::set(&self.sets).0.extend(entries.into_iter().map(|(name, value)| (name.into(), value)));
        self
    }

    /// The manager, with all locks free.
    #[must_use]
    pub fn build(self) -> LockManager<H> {
        const { checks::is_hierarchy::<H>() }
        LockManager { locks: Arc::new(Locks { root: Arc::default(), sets: self.sets, flows: Pool::default() }) }
    }
}

impl<H: Hierarchy> fmt::Debug for Builder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("levels", &H::LEVELS).finish_non_exhaustive()
    }
}
