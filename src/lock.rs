//! One fair shared/exclusive lock.
//!
//! ```text
//!   SharedLock ─► Acquire (future) ─► Guard
//!        │            │                 │
//!        │            │                 │
//!        │         progress              │     how far a request has come
//!        └──────── raw ─────────────────┘     enter, grant, give up
//!                   ├── section   one thread at a time works on the queue
//!                   ├── state     the word: the holders (pure)
//!                   ├── queue     the waiters, in order
//!                   └── wake      foreign code, run last
//! ```

#![allow(unsafe_code, reason = "makes the lock `Sync`, and guards from grants")]

mod acquire;
mod fault;
mod guard;
mod mapped;
mod progress;
mod queue;
mod raw;
mod section;
mod state;
mod wake;

pub use acquire::{Acquire, Delete};
pub use guard::{Access, Guard, LockPointer};
pub(crate) use mapped::sealed;
pub use mapped::{Mappable, MappedGuard};
pub(crate) use queue::NodeCopy;
pub(crate) use state::State;

use crate::error::{AcquireError, TryAcquireError};
use crate::mode::{Exclusive, Mode, Shared};
use crate::panics::Panics;
use crate::sync::const_unless_loom;
use crate::table::{LockRow, Waiter};
use raw::Raw;
use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A fair lock around a value: many [`Shared`] holders, or one [`Exclusive`] holder.
///
/// # Fairness
///
/// 1. Requests are granted in the order of (priority, first poll); a lower [`Priority`](crate::Priority) is more
///    urgent.
/// 2. All *shared* requests of one priority that wait at the same time form one *group*. The group stands at the place
///    of its first member and is granted as a whole. A new shared request joins the group while the group waits. When
///    its granting begins, the group is closed: the next shared request opens a new group behind the requests that
///    wait. The group keeps its place when its first member gives up or moves to another priority.
/// 3. A new request is granted at once only if no request of the same or a more urgent priority waits.
///
/// So, at one priority, only members of the one group ahead of an exclusive request can pass it. No stream of sharers
/// can starve it, and no stream of exclusive requests can starve a sharer. (An endless stream of urgent requests can
/// starve less urgent ones: that is what priorities mean.) Locks are handed over: the releaser grants, and no new
/// request barges past the queue, ever. The one exception is [`downgrade`](Guard::downgrade); see there.
///
/// # Cancel safety
///
/// All futures of this lock are cancel safe. Dropping one gives up its place in the queue; a grant that it has not
/// returned yet passes to the next request. The other requests keep their places, also the sharers of its group.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::SharedLock;
///
/// let lock = SharedLock::new(7);
/// assert_eq!(*lock.shared().await?, 7);
/// *lock.exclusive().await? += 1;
/// assert_eq!(lock.into_inner(), 8);
/// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
/// ```
///
/// # Limits
///
/// A task that awaits a lock which it holds waits for itself: the lock knows guards, not tasks. Even two shared holds
/// deadlock in this way if an exclusive request stands between them.
///
/// A waker may drop requests of the lock that wakes it, and so release the lock again within the release. Thousands of
/// wakers that all do so nest thousands of calls, and can exhaust the stack. (The wakers of tokio do not.)
pub struct SharedLock<T: ?Sized = ()> {
    raw: Raw,
    value: UnsafeCell<T>,
}

// SAFETY: through `&SharedLock`, several threads get `&T` at once (so `T: Sync`), or one of them gets `&mut T` and can
// move the value out (so `T: Send`); never both at once. The rest is `Sync` itself.
unsafe impl<T: ?Sized + Send + Sync> Sync for SharedLock<T> {}

impl<T: ?Sized> SharedLock<T> {
    /// A copy of what the lock looks like now: how it is held, and the requests that wait, in the order in which they
    /// stand. Of a very long queue, it has the first 512.
    ///
    /// It may be out of date as soon as it is returned: for diagnostics, not for decisions.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockMode, SharedLock};
    /// let lock = SharedLock::new(());
    /// let _held = lock.shared().await?;
    /// let mut late = Box::pin(lock.exclusive());
    /// assert!(futures::poll!(late.as_mut()).is_pending());
    /// let seen = lock.snapshot();
    /// assert_eq!((seen.mode, seen.holders), (Some(LockMode::Shared), 1));
    /// assert_eq!(seen.waiters[0].mode, LockMode::Exclusive);
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn snapshot(&self) -> LockRow {
        const WAITERS: usize = 512;
        let (queued, state) = self.raw.copy(WAITERS);
        let waiter = |node: NodeCopy| Waiter { session: None, mode: node.mode, priority: node.priority };
        let row = LockRow::new("", None, state.mode(), state.holders());
        LockRow { waiters: queued.into_iter().map(waiter).collect(), removed: state.is_deleted(), ..row }
    }

    /// Copies of the first requests that wait, in the order in which they stand.
    pub(crate) fn queued(&self, most: usize) -> Vec<NodeCopy> {
        self.raw.copy(most).0
    }
}

impl<T> SharedLock<T> {
    const_unless_loom! {
        /// Makes a free lock around `value`. It is `const`, so it can stand in a `static`.
        ///
        /// See [`SharedLock`] for an example.
        pub fn new(value: T) -> Self {
            Self { raw: Raw::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Takes the value out of the lock, deleted or not.
    ///
    /// See [`SharedLock`] for an example.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> SharedLock<T> {
    /// Waits for the lock and shares it.
    ///
    /// # Fairness
    ///
    /// The request waits behind earlier exclusive requests, in one group with all shared requests that wait at its
    /// priority; see [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits; [`AcquireError::TooManySharers`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let lock = lockladder::SharedLock::new("value");
    /// let (one, other) = (lock.shared().await?, lock.shared().await?);
    /// assert_eq!(*one, *other);
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn shared(&self) -> Acquire<&Self, Shared> {
        Acquire::new(self)
    }

    /// Waits for the lock and holds it alone.
    ///
    /// # Fairness
    ///
    /// The request waits for all earlier requests, and for sharers that join a group ahead of it; see [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. The value is unchanged.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let lock = lockladder::SharedLock::new(vec![1]);
    /// lock.exclusive().await?.push(2);
    /// assert_eq!(*lock.shared().await?, [1, 2]);
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn exclusive(&self) -> Acquire<&Self, Exclusive> {
        Acquire::new(self)
    }

    /// As [`shared`](Self::shared), with a guard that keeps the lock alive itself and is `'static`.
    ///
    /// Fairness and cancel safety are those of [`shared`](Self::shared). See [`exclusive_owned`](Self::exclusive_owned)
    /// for an example.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>) -> Acquire<Arc<Self>, Shared> {
        Acquire::new(self)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that keeps the lock alive itself and is `'static`.
    ///
    /// Fairness and cancel safety are those of [`exclusive`](Self::exclusive).
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use std::sync::Arc;
    /// let lock = Arc::new(lockladder::SharedLock::new(0));
    /// let mut guard = Arc::clone(&lock).exclusive_owned().await?;
    /// tokio::spawn(async move { *guard = 1 }).await?;
    /// assert_eq!(*lock.shared().await?, 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn exclusive_owned(self: Arc<Self>) -> Acquire<Arc<Self>, Exclusive> {
        Acquire::new(self)
    }

    /// Shares the lock if that is possible without waiting.
    ///
    /// See [`Guard::downgrade_map`] for an example.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::WouldBlock`] if the lock is held exclusively, if a request of the default priority or a more
    /// urgent one waits, or while a large group is being granted; [`TryAcquireError::Deleted`] if the lock has been
    /// deleted; [`TryAcquireError::TooManySharers`].
    pub fn try_shared(&self) -> Result<Guard<&Self, Shared>, TryAcquireError> {
        try_acquire(self)
    }

    /// Takes the lock alone if that is possible without waiting.
    ///
    /// See [`exclusive`](Self::exclusive) for an example of the guard.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::WouldBlock`] if the lock is held, or if a request of the default priority or a more urgent
    /// one waits; [`TryAcquireError::Deleted`] if the lock has been deleted.
    pub fn try_exclusive(&self) -> Result<Guard<&Self, Exclusive>, TryAcquireError> {
        try_acquire(self)
    }

    /// As [`try_shared`](Self::try_shared), with a guard that keeps the lock alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`try_shared`](Self::try_shared).
    pub fn try_shared_owned(self: Arc<Self>) -> Result<Guard<Arc<Self>, Shared>, TryAcquireError> {
        try_acquire(self)
    }

    /// As [`try_exclusive`](Self::try_exclusive), with a guard that keeps the lock alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`try_exclusive`](Self::try_exclusive).
    pub fn try_exclusive_owned(self: Arc<Self>) -> Result<Guard<Arc<Self>, Exclusive>, TryAcquireError> {
        try_acquire(self)
    }

    /// As [`shared`](Self::shared), for code that is not async: blocks the thread until it shares the lock.
    ///
    /// See [`blocking_exclusive`](Self::blocking_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    pub fn blocking_shared(&self) -> Result<Guard<&Self, Shared>, AcquireError> {
        block_on(self.shared())
    }

    /// As [`exclusive`](Self::exclusive), for code that is not async: blocks the thread until it holds the lock.
    ///
    /// # Errors
    ///
    /// See [`exclusive`](Self::exclusive).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    ///
    /// # Examples
    ///
    /// ```
    /// let lock = lockladder::SharedLock::new(0);
    /// std::thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| *lock.blocking_exclusive().unwrap() += 1);
    ///     }
    /// });
    /// assert_eq!(lock.into_inner(), 4);
    /// ```
    pub fn blocking_exclusive(&self) -> Result<Guard<&Self, Exclusive>, AcquireError> {
        block_on(self.exclusive())
    }

    /// Deletes the lock if it can be held exclusively without waiting.
    ///
    /// See [`delete`](Self::delete) for an example.
    ///
    /// # Errors
    ///
    /// See [`try_exclusive`](Self::try_exclusive); nothing was deleted.
    pub fn try_delete(&self) -> Result<(), TryAcquireError> {
        self.try_exclusive().map(Guard::delete)
    }

    /// Waits for the lock exclusively and deletes it.
    ///
    /// From then on, all requests resolve to `Deleted`: those that wait, and those to come. The holder of an exclusive
    /// guard uses [`Guard::delete`] instead. A task that awaits this while it holds a guard of the same lock waits for
    /// itself.
    ///
    /// # Fairness
    ///
    /// That of [`exclusive`](Self::exclusive).
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Nothing has been deleted.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if another task deletes the lock first.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{AcquireError, SharedLock};
    /// let lock = SharedLock::new(());
    /// lock.delete().await?;
    /// assert_eq!(lock.shared().await.unwrap_err(), AcquireError::Deleted);
    /// assert_eq!(lock.delete().await, Err(AcquireError::Deleted));
    /// # Ok::<_, AcquireError>(()) }).unwrap();
    /// ```
    pub fn delete(&self) -> Delete<&Self> {
        Delete::new(self)
    }

    /// Runs `work` on the value with the lock held: `&mut T` in mode [`Exclusive`], `&T` in mode [`Shared`].
    ///
    /// The lock is released when `work` ends, also by a panic (the seed's `ssynchronized`). There is no poisoning.
    ///
    /// # Fairness
    ///
    /// That of [`shared`](Self::shared) and [`exclusive`](Self::exclusive).
    ///
    /// # Cancel safety
    ///
    /// While it waits, this future is cancel safe: dropping it gives up its place in the queue, and `work` has not run.
    /// While `work` runs, dropping the future drops `work` at its current await, and releases the lock.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits; [`AcquireError::TooManySharers`].
    /// In either case `work` has not run.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Exclusive, Shared, SharedLock};
    /// let lock = SharedLock::new(1);
    /// let n = lock.synchronized(Exclusive, async |value| { *value += 1; *value }).await?;
    /// assert_eq!(n, lock.synchronized(Shared, async |value| *value).await?);
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub async fn synchronized<M, F, R>(&self, _mode: M, work: F) -> Result<R, AcquireError>
    where
        M: Access,
        F: for<'a> AsyncFnOnce(M::Value<'a, T>) -> R,
    {
        let mut guard = Acquire::<&Self, M>::new(self).await?;
        let result = work(M::value(&mut guard)).await;
        Ok(Panics::defer(|panics| {
            panics.catch(|| drop(guard)); // Before the result moves to its place for return values: see `panics`.
            result
        }))
    }

    /// Gives the value without locking: `&mut self` shows that no guard is in use.
    ///
    /// As [`into_inner`](Self::into_inner), but the value stays in the lock; see [`SharedLock`] for an example.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

/// Blocks the thread on a future. Within a tokio runtime it uses that runtime, which panics where blocking is
/// forbidden.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    match Handle::try_current() {
        Ok(runtime) => runtime.block_on(future),
        Err(_) => futures::executor::block_on(future),
    }
}

fn try_acquire<P: LockPointer, M: Mode>(pointer: P) -> Result<Guard<P, M>, TryAcquireError> {
    pointer.lock().raw.try_enter(M::MODE)?.claim();
    // SAFETY: the line above got a grant in this mode and claimed it for the guard (`raw`, 4).
    Ok(unsafe { Guard::new(pointer) })
}

impl<T> From<T> for SharedLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for SharedLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Shows the value if it can be shared at once; never waits for a holder. The output is for diagnostics: its parts are
/// read at different times, and may be out of date.
impl<T: ?Sized + fmt::Debug> fmt::Debug for SharedLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.raw.look();
        let mut out = f.debug_struct("SharedLock");
        match self.try_shared() {
            Ok(guard) => out.field("value", &&*guard),
            Err(_) => out.field("value", &format_args!("<locked>")),
        };
        out.field("exclusive", &state.is_exclusive())
            .field("sharers", &state.sharers())
            .field("queued", &state.is_queued())
            .field("deleted", &state.is_deleted())
            .finish()
    }
}

// Auto traits are promises. A lock is `Send` if its value is. The lock is `Sync`, and its guards and futures move
// between threads, if the value is both `Send` and `Sync`.
const _: () = {
    const fn is_send<T: Send>() {}
    const fn is_sync<T: Sync>() {}
    is_send::<SharedLock<std::cell::Cell<u8>>>();
    is_sync::<SharedLock<u8>>();
    is_send::<Guard<&SharedLock<u8>, Exclusive>>();
    is_sync::<Guard<Arc<SharedLock<u8>>, Shared>>();
    is_send::<Acquire<&SharedLock<u8>, Exclusive>>();
    is_sync::<Acquire<Arc<SharedLock<u8>>, Shared>>();
};

#[cfg(all(test, not(lockladder_loom)))]
mod tests;
