//! The way into a session: the futures that wait for the root, and the way that does not wait.

use super::dynamic::DynSession;
use super::error::{SessionError, at_root, now_at_root};
use super::record::Ticket;
use super::session::Session;
use super::{Entered, LockManager, scope};
use crate::deadline::{Deadline, Limit, Timed};
use crate::error::{AcquireError, TryAcquireError};
use crate::level::{AnyRoot, Hierarchy, Level, RootHeld};
use crate::lock::{Acquire, Guard, SharedLock};
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use crate::priority::Priority;
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Who is to begin: taken when the future resolves.
type Start<H> = Option<(LockManager<H>, Cow<'static, str>)>;

impl<H: Hierarchy> LockManager<H> {
    /// Begins a session without waiting.
    pub(super) fn enter_now<M: Mode>(
        &self,
        label: Cow<'static, str>,
        acquire: impl FnOnce(Arc<SharedLock>) -> Result<Guard<Arc<SharedLock>, M>, TryAcquireError>,
    ) -> Result<Entered<H, M>, SessionError> {
        scope::check(self, &label)?;
        let root = acquire(Arc::clone(&self.locks.root)).map_err(|error| now_at_root(H::Root::NAME, M::MODE, error))?;
        Ok(begun(self.clone(), label, root))
    }
}

fn begun<H: Hierarchy, M: Mode>(
    manager: LockManager<H>,
    label: Cow<'static, str>,
    root: Guard<Arc<SharedLock>, M>,
) -> Entered<H, M> {
    Session::new(RootHeld::<H, M>::new(root, ()), Ticket::new(manager, label))
}

fn begun_any<H: Hierarchy>(manager: LockManager<H>, label: Cow<'static, str>, root: AnyRoot) -> DynSession<H> {
    DynSession::new(root, Ticket::new(manager, label))
}

fn error_at_root<H: Hierarchy>(mode: LockMode, error: AcquireError) -> SessionError {
    at_root(H::Root::NAME, mode, error)
}

pin_project! {
    /// Waits for the root; resolves to a [`Session`]. Made by [`LockManager::shared`] and [`LockManager::exclusive`].
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked. Panics when polled after it has resolved.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Enter<H: Hierarchy, M: Mode> {
        start: Start<H>,
        #[pin]
        root: Acquire<Arc<SharedLock>, M>,
    }
}

impl<H: Hierarchy, M: Mode> Enter<H, M> {
    pub(super) fn new(manager: LockManager<H>, label: Cow<'static, str>) -> Self {
        let root = Acquire::new(Arc::clone(&manager.locks.root));
        Self { start: Some((manager, label)), root }
    }

    /// Asks with this priority; see [`Acquire::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.root = self.root.priority(priority);
        self
    }

    /// Changes the priority of a request that may wait already; see [`Acquire::set_priority`].
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        self.project().root.set_priority(priority);
    }

    /// Gives up after so long, counted from the first poll. See [`Deadline`] for the runtime that it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use lockladder::{LockManager, SessionError, ganeti::seed::Seed};
    /// use std::time::Duration;
    /// let manager: LockManager<Seed> = LockManager::builder().build();
    /// let _alone = manager.exclusive("rename").await.unwrap();
    /// let error = manager.shared("job").timeout(Duration::from_millis(50)).await.unwrap_err();
    /// assert!(matches!(error, SessionError::TimedOut { level: "Cluster", .. }));
    /// # }
    /// ```
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time; see [`timeout`](Self::timeout).
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    /// What becomes of the session, now that the root has answered.
    fn finish(start: &mut Start<H>, root: Result<Guard<Arc<SharedLock>, M>, AcquireError>) -> <Self as Future>::Output {
        let Some((manager, label)) = start.take() else { unreachable!("the callers have seen to it") };
        root.map(|root| begun(manager, label, root)).map_err(|error| error_at_root::<H>(M::MODE, error))
    }
}

impl<H: Hierarchy, M: Mode> Future for Enter<H, M> {
    type Output = Result<Entered<H, M>, SessionError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some((manager, label)) = this.start else { panic!("`Enter` polled after it has resolved") };
        if let Err(nested) = scope::check(manager, label) {
            *this.start = None;
            return Poll::Ready(Err(nested));
        }
        let root = ready!(this.root.poll(context));
        Poll::Ready(Self::finish(this.start, root))
    }
}

impl<H: Hierarchy, M: Mode> FusedFuture for Enter<H, M> {
    fn is_terminated(&self) -> bool {
        self.start.is_none()
    }
}

impl<H: Hierarchy, M: Mode> Timed for Enter<H, M> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    type Timed = Self::Output;

    fn in_time(output: Self::Output) -> Self::Timed {
        output
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Timed {
        let this = self.project();
        let root = this.root.give_up(waited);
        Self::finish(this.start, root)
    }
}

impl<H: Hierarchy, M: Mode> fmt::Debug for Enter<H, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.start.as_ref().map(|(_, label)| label);
        f.debug_struct("Enter").field("label", &label).field("root", &self.root).finish()
    }
}

pin_project! {
    /// Waits for the root; resolves to a [`DynSession`]. Made by [`LockManager::dynamic`].
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked. Panics when polled after it has resolved.
    #[must_use = "futures do nothing unless awaited"]
    pub struct EnterAny<H: Hierarchy> {
        start: Start<H>,
        #[pin]
        root: AnyAcquire,
    }
}

pin_project! {
    #[project = AnyAcquireProjected]
    #[derive(Debug)]
    enum AnyAcquire {
        Shared { #[pin] acquire: Acquire<Arc<SharedLock>, Shared> },
        Exclusive { #[pin] acquire: Acquire<Arc<SharedLock>, Exclusive> },
    }
}

impl<H: Hierarchy> EnterAny<H> {
    pub(super) fn new(manager: LockManager<H>, label: Cow<'static, str>, mode: LockMode) -> Self {
        let root = Arc::clone(&manager.locks.root);
        let root = match mode {
            LockMode::Shared => AnyAcquire::Shared { acquire: Acquire::new(root) },
            LockMode::Exclusive => AnyAcquire::Exclusive { acquire: Acquire::new(root) },
        };
        Self { start: Some((manager, label)), root }
    }

    /// Asks with this priority; see [`Acquire::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.root = match self.root {
            AnyAcquire::Shared { acquire } => AnyAcquire::Shared { acquire: acquire.priority(priority) },
            AnyAcquire::Exclusive { acquire } => AnyAcquire::Exclusive { acquire: acquire.priority(priority) },
        };
        self
    }

    /// Changes the priority of a request that may wait already; see [`Acquire::set_priority`].
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        match self.project().root.project() {
            AnyAcquireProjected::Shared { acquire } => acquire.set_priority(priority),
            AnyAcquireProjected::Exclusive { acquire } => acquire.set_priority(priority),
        }
    }

    /// Gives up after so long, counted from the first poll. See [`Deadline`] for the runtime that it needs.
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time; see [`timeout`](Self::timeout).
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    fn finish(start: &mut Start<H>, mode: LockMode, root: Result<AnyRoot, AcquireError>) -> <Self as Future>::Output {
        let Some((manager, label)) = start.take() else { unreachable!("the callers have seen to it") };
        root.map(|root| begun_any(manager, label, root)).map_err(|error| error_at_root::<H>(mode, error))
    }
}

impl<H: Hierarchy> Future for EnterAny<H> {
    type Output = Result<DynSession<H>, SessionError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some((manager, label)) = this.start else { panic!("`EnterAny` polled after it has resolved") };
        if let Err(nested) = scope::check(manager, label) {
            *this.start = None;
            return Poll::Ready(Err(nested));
        }
        let (mode, root) = match this.root.project() {
            AnyAcquireProjected::Shared { acquire } => {
                (LockMode::Shared, ready!(acquire.poll(context)).map(AnyRoot::Shared))
            }
            AnyAcquireProjected::Exclusive { acquire } => {
                (LockMode::Exclusive, ready!(acquire.poll(context)).map(AnyRoot::Exclusive))
            }
        };
        Poll::Ready(Self::finish(this.start, mode, root))
    }
}

impl<H: Hierarchy> FusedFuture for EnterAny<H> {
    fn is_terminated(&self) -> bool {
        self.start.is_none()
    }
}

impl<H: Hierarchy> Timed for EnterAny<H> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    type Timed = Self::Output;

    fn in_time(output: Self::Output) -> Self::Timed {
        output
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Timed {
        let this = self.project();
        let (mode, root) = match this.root.project() {
            AnyAcquireProjected::Shared { acquire } => (LockMode::Shared, acquire.give_up(waited).map(AnyRoot::Shared)),
            AnyAcquireProjected::Exclusive { acquire } => {
                (LockMode::Exclusive, acquire.give_up(waited).map(AnyRoot::Exclusive))
            }
        };
        Self::finish(this.start, mode, root)
    }
}

impl<H: Hierarchy> fmt::Debug for EnterAny<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.start.as_ref().map(|(_, label)| label);
        f.debug_struct("EnterAny").field("label", &label).field("root", &self.root).finish()
    }
}
