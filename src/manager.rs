//! The manager: a root lock and a set of locks for each level above, and the way into a session.

mod climb;
mod error;
mod session;

pub use climb::{Climb, Modify};
pub use error::SessionError;
pub use session::Session;

use crate::level::{Hierarchy, NotRoot, RootHeld};
use crate::lock::{Acquire, SharedLock};
use crate::mode::{Exclusive, Mode, Shared};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

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
/// session per job, and hand it (or a [nested](Session::nest) one) to whoever needs locks.
pub struct LockManager<H: Hierarchy> {
    locks: Arc<Locks<H>>,
}

struct Locks<H: Hierarchy> {
    root: Arc<SharedLock>,
    sets: H::Sets,
}

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
    /// Cancel safe: dropped at any time, it is as if it had never asked.
    ///
    /// # Errors
    ///
    /// None so far; the root is never deleted.
    pub fn shared(&self, label: impl Into<Cow<'static, str>>) -> Enter<H, Shared> {
        Enter::new(self.clone(), label.into())
    }

    /// Waits for the root, exclusively, and begins a session. Nobody else has one meanwhile.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked.
    ///
    /// # Errors
    ///
    /// None so far; the root is never deleted.
    pub fn exclusive(&self, label: impl Into<Cow<'static, str>>) -> Enter<H, Exclusive> {
        Enter::new(self.clone(), label.into())
    }

    /// A copy of the names of a level, in name order (the seed's `_names()`). Waits for nobody, and is stale the moment
    /// it is returned: for people and tests, not to decide by.
    pub fn names<L: NotRoot<In = H>>(&self) -> Vec<L::Name> {
        L::set(&self.locks.sets).names()
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
    /// Adds members to a level; repeated names collapse.
    #[must_use]
    pub fn names<L: NotRoot<In = H>>(self, names: impl IntoIterator<Item: Into<L::Name>>) -> Self {
        L::set(&self.sets).extend(names.into_iter().map(|name| (name.into(), ())));
        self
    }

    /// The manager, with all locks free.
    #[must_use]
    pub fn build(self) -> LockManager<H> {
        LockManager { locks: Arc::new(Locks { root: Arc::default(), sets: self.sets }) }
    }
}

impl<H: Hierarchy> fmt::Debug for Builder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("levels", &H::LEVELS).finish_non_exhaustive()
    }
}

pin_project! {
    /// Waits for the root; resolves to a [`Session`]. Made by [`LockManager::shared`] and [`LockManager::exclusive`].
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked. Panics when polled after it has resolved.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Enter<H: Hierarchy, M: Mode> {
        // Taken when the future resolves.
        start: Option<(LockManager<H>, Cow<'static, str>)>,
        #[pin]
        root: Acquire<Arc<SharedLock>, M>,
    }
}

impl<H: Hierarchy, M: Mode> Enter<H, M> {
    fn new(manager: LockManager<H>, label: Cow<'static, str>) -> Self {
        let root = Acquire::new(Arc::clone(&manager.locks.root));
        Self { start: Some((manager, label)), root }
    }
}

impl<H: Hierarchy, M: Mode> Future for Enter<H, M> {
    type Output = Result<Session<H, RootHeld<H, M>>, SessionError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        assert!(this.start.is_some(), "`Enter` polled after it has resolved");
        let Ok(root) = ready!(this.root.poll(context)) else { unreachable!("the root is never deleted") };
        let Some((manager, label)) = this.start.take() else { unreachable!("it was there above") };
        Poll::Ready(Ok(Session::new(manager, label, RootHeld::<H, M>::new(root, ()))))
    }
}

impl<H: Hierarchy, M: Mode> FusedFuture for Enter<H, M> {
    fn is_terminated(&self) -> bool {
        self.start.is_none()
    }
}

impl<H: Hierarchy, M: Mode> fmt::Debug for Enter<H, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.start.as_ref().map(|(_, label)| label);
        f.debug_struct("Enter").field("label", &label).field("root", &self.root).finish()
    }
}
