//! The manager: a root lock, a set of locks for each level above it, and the ways into a session.

mod claim;
mod dynamic;
mod enter;
mod error;
mod flow;
mod hot;
mod in_the_way;
mod jam;
mod locks;
mod members;
mod modify;
mod order;
mod record;
mod request;
mod scope;
mod session;
mod watch;

pub use dynamic::{DynClimb, DynRequest, DynSession};
pub use enter::{Enter, EnterAny};
pub use error::SessionError;
pub use modify::Modify;
pub use order::OrderError;
pub use request::SessionRequest;
pub use session::{Climb, Session};

use crate::level::{Closed, Hierarchy, LevelOf, NotRoot, RootHeld, checks};
use crate::lock::{SharedLock, block_on};
use crate::mode::{Exclusive, LockMode, Shared};
use crate::set::{AsName, Names, SetPointer as _};
use flow::Flows;
use hot::HotNames;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The locks of a hierarchy. Cheap to clone: all clones are the same manager.
///
/// A [`Session`] begins at the root, with [`shared`](Self::shared) or [`exclusive`](Self::exclusive), and climbs from
/// there. There is no other way to a lock of the manager, so each holder of a lock also holds the root. The compiler
/// checks that levels are taken in order.
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
/// If each task has at most one session, the locks of a manager cannot deadlock. But the types cannot stop a task from
/// opening a *second* session: two shared roots pass every test, and hang as soon as a request for the exclusive root
/// comes between them. Open one session per job, and pass it (or a [nested](Session::nest) one) to the code that needs
/// locks. Within a [`scope`](Self::scope), a second session is an error.
///
/// A session that waits for something else while it holds locks can still deadlock: for a channel, say, or for a task
/// that wants those locks.
pub struct LockManager<H: Hierarchy> {
    locks: Arc<Locks<H>>,
}

struct Locks<H: Hierarchy> {
    root: Arc<SharedLock>,
    sets: H::Sets,
    flows: Flows,
    hot: HotNames,
}

/// A session that holds only the root.
type Entered<H, M> = Session<H, RootHeld<H, M>>;

impl<H: Hierarchy> LockManager<H> {
    /// Starts a manager: add the names of each level, then [`build`](Builder::build) it.
    ///
    /// See [`LockManager`] for an example.
    pub fn builder() -> Builder<H> {
        Builder { sets: H::Sets::default(), limits: watch::Limits::default() }
    }

    /// Waits for the root, shares it, and begins a session.
    ///
    /// The label says what the session is for. See [`LockManager`] for an example.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request.
    ///
    /// # Errors
    ///
    /// [`SessionError::NestedSession`] within a [`scope`](Self::scope) of the same manager;
    /// [`SessionError::TooManySharers`].
    #[track_caller]
    pub fn shared(&self, label: impl Into<Cow<'static, str>>) -> Enter<H, Shared> {
        self.enter(label.into())
    }

    /// Waits for the root, takes it exclusively, and begins a session.
    ///
    /// While the session holds the root exclusively, no other session exists. See
    /// [`timeout`](SessionRequest::timeout) for an example.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request.
    ///
    /// # Errors
    ///
    /// [`SessionError::NestedSession`] within a [`scope`](Self::scope) of the same manager.
    #[track_caller]
    pub fn exclusive(&self, label: impl Into<Cow<'static, str>>) -> Enter<H, Exclusive> {
        self.enter(label.into())
    }

    /// Begins a session with the root shared, if it is available without waiting.
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
    #[track_caller]
    pub fn try_shared(&self, label: impl Into<Cow<'static, str>>) -> Result<Entered<H, Shared>, SessionError> {
        self.enter_now(label.into(), SharedLock::try_shared_owned)
    }

    /// Begins a session with the root exclusive, if it is available without waiting.
    ///
    /// See [`try_shared`](Self::try_shared) for an example.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`], and those of [`exclusive`](Self::exclusive).
    #[track_caller]
    pub fn try_exclusive(&self, label: impl Into<Cow<'static, str>>) -> Result<Entered<H, Exclusive>, SessionError> {
        self.enter_now(label.into(), SharedLock::try_exclusive_owned)
    }

    /// As [`shared`](Self::shared), for code that is not async: blocks the thread until it has the root.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockladder::{LockManager, ganeti::seed::{Node, Seed}};
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
    /// let job = manager.blocking_shared("job")?.blocking_exclusive::<Node>("node1")?;
    /// # Ok::<_, lockladder::SessionError>(())
    /// ```
    #[track_caller]
    pub fn blocking_shared(&self, label: impl Into<Cow<'static, str>>) -> Result<Entered<H, Shared>, SessionError> {
        block_on(self.shared(label))
    }

    /// As [`exclusive`](Self::exclusive), for code that is not async: blocks the thread until it has the root.
    ///
    /// See [`blocking_shared`](Self::blocking_shared) for an example.
    ///
    /// # Errors
    ///
    /// Those of [`exclusive`](Self::exclusive).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    #[track_caller]
    pub fn blocking_exclusive(
        &self,
        label: impl Into<Cow<'static, str>>,
    ) -> Result<Entered<H, Exclusive>, SessionError> {
        block_on(self.exclusive(label))
    }

    /// Waits for the root in this mode, and begins a session whose levels are known only at run time.
    ///
    /// See [`DynSession`] for an example.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    #[track_caller]
    pub fn dynamic(&self, label: impl Into<Cow<'static, str>>, mode: LockMode) -> EnterAny<H> {
        self.enter_any(label.into(), mode)
    }

    /// Begins a session whose levels are known only at run time, if the root is available without waiting.
    ///
    /// See [`DynSession`] for an example of such a session.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`], and those of [`shared`](Self::shared).
    #[track_caller]
    pub fn try_dynamic(
        &self,
        label: impl Into<Cow<'static, str>>,
        mode: LockMode,
    ) -> Result<DynSession<H>, SessionError> {
        self.enter_any_now(label.into(), mode)
    }

    /// As [`dynamic`](Self::dynamic), for code that is not async: blocks the thread until it has the root.
    ///
    /// See [`blocking_shared`](Self::blocking_shared) for an example.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    #[track_caller]
    pub fn blocking_dynamic(
        &self,
        label: impl Into<Cow<'static, str>>,
        mode: LockMode,
    ) -> Result<DynSession<H>, SessionError> {
        block_on(self.dynamic(label, mode))
    }

    /// A snapshot of the names of a level, in name order, without waiting (the seed's `_names()`).
    ///
    /// Of an open level, these are the names that are held or waited for.
    ///
    /// It may be out of date as soon as it is returned: for diagnostics and tests, not for decisions. See
    /// [`Session::add_exclusive`] for an example.
    pub fn names<L: NotRoot + LevelOf<H>>(&self) -> Vec<L::Name> {
        L::set(&self.locks.sets).0.core().names()
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

/// A manager before its first use. Made by [`LockManager::builder`].
///
/// See [`LockManager`] for an example.
pub struct Builder<H: Hierarchy> {
    sets: H::Sets,
    limits: watch::Limits,
}

impl<H: Hierarchy> Builder<H> {
    /// Adds members to a level, with default values; a repeated name counts once.
    ///
    /// An open level needs none. See [`LockManager`] for an example.
    #[must_use]
    pub fn names<L>(self, names: impl Names<L::Name>) -> Self
    where
        L: NotRoot<Value: Default> + Closed + LevelOf<H>,
    {
        L::set(&self.sets).0.extend(names.listed().map(|name| (name.into_name(), L::Value::default())));
        self
    }

    /// Adds members and their values to a level. If a name is repeated, its first value counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// lockladder::hierarchy! {
    ///     struct Bank { root Ledger, level Account: u32 => i64 }
    /// }
    /// let bank: lockladder::LockManager<Bank> =
    ///     lockladder::LockManager::builder().entries::<Account>([(1, 100), (2, 0)]).build();
    /// let mut transfer = bank.shared("transfer").await?.exclusive::<Account>([1, 2]).await?;
    /// let [from, to] = transfer.get_disjoint_mut::<Account, _>([1, 2])?;
    /// (*from, *to) = (*from - 30, *to + 30);
    /// assert_eq!(transfer.get::<Account>(1), Some(&70));
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn entries<L>(self, entries: impl IntoIterator<Item = (impl AsName<L::Name>, L::Value)>) -> Self
    where
        L: NotRoot + Closed + LevelOf<H>,
    {
        L::set(&self.sets).0.extend(entries.into_iter().map(|(name, value)| (name.into_name(), value)));
        self
    }

    /// Builds the manager, with all locks free.
    ///
    /// See [`LockManager`] for an example.
    #[must_use]
    pub fn build(self) -> LockManager<H> {
        const { checks::is_hierarchy::<H>() }
        let locks = Locks {
            root: Arc::default(),
            sets: self.sets,
            flows: Flows::new(watch::Home::new(self.limits, locks::name_of::<H>, H::LEVELS)),
            hot: HotNames::default(),
        };
        let manager = LockManager { locks: Arc::new(locks) };
        manager.locks.flows.home.opens(&manager);
        manager
    }
}

impl<H: Hierarchy> fmt::Debug for Builder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("levels", &H::LEVELS).finish_non_exhaustive()
    }
}
