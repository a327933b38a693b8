//! One fair shared/exclusive lock.
//!
//! ```text
//!   SharedLock ─► Acquire (future) ─► Guard
//!        │            │                 │
//!        │            │                 │
//!        │          stage               │     how far a request has come
//!        └──────── raw ─────────────────┘     enter, grant, give up
//!                   ├── section   one thread at a time works on the queue
//!                   ├── state     the word: who holds (pure)
//!                   ├── queue     who waits, in order
//!                   └── wake      foreign code, run last
//! ```

#![allow(unsafe_code, reason = "makes the lock `Sync`, and guards from grants")]

mod acquire;
mod fault;
mod guard;
mod mapped;
mod queue;
mod raw;
mod section;
mod stage;
mod state;
mod wake;

pub use acquire::{Acquire, Delete};
pub use guard::{Access, Guard, LockPointer};
pub(crate) use mapped::sealed;
pub use mapped::{Mappable, MappedGuard};
pub(crate) use state::State;

use crate::error::{AcquireError, TryAcquireError};
use crate::mode::{Exclusive, Mode, Shared};
use crate::panics::Panics;
use crate::sync::const_unless_loom;
use raw::Raw;
use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A fair lock around a value: many [`Shared`] holders, or one [`Exclusive`] holder.
///
/// # Fairness
///
/// 1. Requests are granted in the order of (priority, first poll); a lower [`Priority`](crate::Priority) is more urgent.
/// 2. All *shared* requests of one priority that wait at the same time form one *group*, which stands at the place of
///    its first member and is granted together. A sharer that arrives joins a group that still waits; once a group has
///    been granted it is closed, and a newcomer starts a new one behind those that wait. The group keeps its place when
///    its first member gives up, or moves to another priority.
/// 3. A newcomer is granted at once only if nobody of equal or better priority waits.
///
/// So, at one priority, no exclusive request is overtaken by more than the members of the one group ahead of it, no
/// stream of sharers can starve it, and no stream of exclusive requests can starve a sharer. (Urgent requests without
/// end can starve less urgent ones: that is what priorities mean.) Locks are handed over: the releaser grants, and
/// nobody barges past the queue, ever. A [`downgrade`](Guard::downgrade) is the one exception, see there.
///
/// # Cancel safety
///
/// Every future here can be dropped at any time, and leaves nothing behind: its place is lost, what it was granted goes on
/// to the next, and the others keep their places. (So do the sharers who have joined its group.)
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
/// A task that awaits a lock while it holds it waits for itself: the lock knows guards, not tasks. A sharer that
/// awaits the same lock shared does so too as soon as an exclusive request stands between the two.
///
/// A waker may drop requests of the lock that wakes it, and so release the lock again within the release. Thousands of
/// wakers that each do so nest as deep, and can exhaust the stack. (The wakers of tokio do not.)
pub struct SharedLock<T: ?Sized = ()> {
    raw: Raw,
    value: UnsafeCell<T>,
}

// SAFETY: a lock in another thread gives out `&T` on several threads at once (so `T: Sync`) and `&mut T`, by which the
// value can be moved out (so `T: Send`), and never both at once. The rest is `Sync` itself.
unsafe impl<T: ?Sized + Send + Sync> Sync for SharedLock<T> {}

impl<T> SharedLock<T> {
    const_unless_loom! {
        /// A free lock around `value`. `const`, so it can stand in a `static`.
        pub fn new(value: T) -> Self {
            Self { raw: Raw::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Takes the value out of the lock, deleted or not.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> SharedLock<T> {
    /// Waits for the lock, to share it.
    ///
    /// # Fairness
    ///
    /// Waits behind exclusive requests that came before, with all sharers that wait; see [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
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

    /// Waits for the lock, to have it alone.
    ///
    /// # Fairness
    ///
    /// Waits for everyone who came before, and for sharers that join a group ahead of it; see [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it leaves nothing behind.
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
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>) -> Acquire<Arc<Self>, Shared> {
        Acquire::new(self)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that keeps the lock alive itself and is `'static`.
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
    /// # Errors
    ///
    /// [`TryAcquireError::WouldBlock`] if it is held exclusively, or somebody waits for it who is not less urgent than
    /// the default priority; [`TryAcquireError::Deleted`] if it has been deleted; [`TryAcquireError::TooManySharers`].
    pub fn try_shared(&self) -> Result<Guard<&Self, Shared>, TryAcquireError> {
        try_acquire(self)
    }

    /// Takes the lock alone if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::WouldBlock`] if anybody holds it, or somebody waits for it who is not less urgent than the
    /// default priority; [`TryAcquireError::Deleted`] if it has been deleted.
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

    /// As [`shared`](Self::shared), for threads that are not asynchronous: blocks this one until the lock is shared.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
    pub fn blocking_shared(&self) -> Result<Guard<&Self, Shared>, AcquireError> {
        block_on(self.shared())
    }

    /// As [`exclusive`](Self::exclusive), for threads that are not asynchronous: blocks this one until it has the lock.
    ///
    /// # Errors
    ///
    /// See [`exclusive`](Self::exclusive).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
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

    /// Deletes the lock if it can be had exclusively without waiting.
    ///
    /// # Errors
    ///
    /// See [`try_exclusive`](Self::try_exclusive); nothing was deleted.
    pub fn try_delete(&self) -> Result<(), TryAcquireError> {
        self.try_exclusive().map(Guard::delete)
    }

    /// Waits for the lock exclusively and deletes it: from then on, everyone who waits and everyone who comes gets
    /// `Deleted`. The holder of an exclusive guard uses [`Guard::delete`] instead.
    ///
    /// Whoever awaits this while holding a shared guard of the same lock waits for itself.
    ///
    /// # Fairness
    ///
    /// That of [`exclusive`](Self::exclusive).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has deleted nothing.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if somebody else deletes the lock first.
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
    /// Dropped while it waits, it leaves nothing behind; dropped while `work` runs, it drops `work` at its
    /// current await and releases the lock.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits; `work` has not run then.
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
            panics.catch(|| drop(guard)); // Before the result is on its way.
            result
        }))
    }

    /// The value, without locking: `&mut self` shows that nobody else has the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

/// Blocks this thread. A runtime that it belongs to is asked to, as it knows whether that is allowed here.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    match Handle::try_current() {
        Ok(runtime) => runtime.block_on(future),
        Err(_) => futures::executor::block_on(future),
    }
}

fn try_acquire<P: LockPointer, M: Mode>(pointer: P) -> Result<Guard<P, M>, TryAcquireError> {
    pointer.lock().raw.try_enter(M::MODE)?.claim();
    // SAFETY: the lock has just been granted in this mode.
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

/// Shows the value if it can be shared at once, and never waits for a holder. For people: what it shows was true at one
/// time or another.
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

// Auto traits are promises. A lock moves between threads with its value; it is shared, and its guards and futures
// move, when the value may be both moved and shared.
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
