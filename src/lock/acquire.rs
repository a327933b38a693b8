//! The future that waits for one lock, and the one that deletes it.

#![allow(unsafe_code, reason = "claims grants: see the invariants of `raw`")]

use super::guard::{Guard, LockPointer};
use super::progress::Progress;
use crate::deadline::{Deadline, Limit, Timed};
use crate::error::AcquireError;
use crate::mode::{Exclusive, LockMode, Mode};
use crate::priority::Priority;
use crate::wants::{NamesWanted, Wants};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::task::coop::poll_proceed;
use tokio::time::Instant;

pin_project! {
    /// Waits for a lock in mode `M`; resolves to its [`Guard`].
    ///
    /// It is made by [`SharedLock::shared`](super::SharedLock::shared),
    /// [`SharedLock::exclusive`](super::SharedLock::exclusive) and their `_owned` forms; see those for examples.
    /// Nothing happens before the first poll, which takes the lock or a place in the queue. The future is not `Unpin`:
    /// that place is inside it, so that waiting allocates nothing.
    ///
    /// # Fairness
    ///
    /// See [`SharedLock`](super::SharedLock). The place counts from the first poll, not from the call.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. The other requests keep their order, and those that can be granted now are granted.
    /// A pinned future that is forgotten (`mem::forget`) keeps its place, and in time the lock: that is sound, but
    /// blocks other requests for ever.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits; [`AcquireError::TooManySharers`].
    ///
    /// # Panics
    ///
    /// If it is polled again after it has resolved; [`FusedFuture::is_terminated`] tells whether it has.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Acquire<P: LockPointer, M: Mode> {
        // Taken when the future resolves.
        pointer: Option<P>,
        #[pin]
        progress: Progress,
        mode: PhantomData<M>,
    }

    impl<P: LockPointer, M: Mode> PinnedDrop for Acquire<P, M> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(pointer) = this.pointer {
                this.progress.cancel(&pointer.lock().raw, M::MODE);
            }
        }
    }
}

impl<P: LockPointer, M: Mode> Acquire<P, M> {
    #[inline]
    pub(crate) fn new(pointer: P) -> Self {
        Self { pointer: Some(pointer), progress: Progress::Idle { priority: Priority::default() }, mode: PhantomData }
    }

    /// Sets the priority of the request; the default is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Priority, SharedLock};
    /// let lock = SharedLock::new(());
    /// let _urgent = lock.exclusive().priority(Priority::new(-10)).await?;
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn priority(mut self, priority: Priority) -> Self {
        self.progress = Progress::Idle { priority };
        self
    }

    /// Changes the priority of a request that may wait already.
    ///
    /// A waiting request moves at once, behind the requests that wait at its new priority; a shared one joins their
    /// group. Requests that can be granted then are granted. A request that is granted, or whose group is being
    /// granted, stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Priority, SharedLock};
    /// use std::pin::pin;
    /// let lock = SharedLock::new(());
    /// let held = lock.exclusive().await?;
    /// let (mut first, mut second) = (pin!(lock.exclusive()), pin!(lock.exclusive()));
    /// assert!(futures::poll!(first.as_mut()).is_pending() && futures::poll!(second.as_mut()).is_pending());
    /// second.as_mut().set_priority(Priority::new(-1));
    /// drop(held);
    /// let _guard = second.await?;
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        let this = self.project();
        if let Some(pointer) = this.pointer {
            this.progress.set_priority(&pointer.lock().raw, priority);
        }
    }

    /// Gives up after `duration`, counted from the first poll. See [`Deadline`] for what happens then, and for the
    /// runtime that it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use lockladder::{AcquireError, SharedLock};
    /// use std::time::Duration;
    /// let lock = SharedLock::new(());
    /// let _held = lock.exclusive().await.unwrap();
    /// let error = lock.shared().timeout(Duration::from_millis(50)).await.unwrap_err();
    /// assert_eq!(error, AcquireError::TimedOut { waited: Duration::from_millis(50) });
    /// # }
    /// ```
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at `instant`. See [`Deadline`] for what happens then, and for the runtime that it needs; see
    /// [`timeout`](Self::timeout) for an example.
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    /// Stops waiting, and returns the guard if the lock has been granted meanwhile. The future has resolved then.
    pub(super) fn withdraw(self: Pin<&mut Self>) -> Option<Guard<P, M>> {
        let this = self.project();
        let granted = this.progress.withdraw(&this.pointer.as_ref()?.lock().raw);
        let pointer = this.pointer.take()?;
        granted.then(|| {
            // SAFETY: the lock was granted to this future, which gives the grant away here and is terminated (`raw`, 4).
            unsafe { Guard::new(pointer) }
        })
    }
}

impl<P: LockPointer, M: Mode> Acquire<P, M> {
    /// Every poll except one that finds the lock free at the first look.
    #[inline(never)]
    fn poll_slowly(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Guard<P, M>, AcquireError>> {
        let this = self.as_mut().project();
        let Some(pointer) = this.pointer else { panic!("`Acquire` polled after it has resolved") };
        // SAFETY: dropping this future cancels the progress unless the pointer has been taken. The pointer is taken only
        // together with the grant, or when the request is out of the queue: in `withdraw`, and below after an error
        // (`raw`, 4; `queue`, 2).
        match ready!(unsafe { this.progress.poll(&pointer.lock().raw, M::MODE, context.waker()) }) {
            Ok(()) => self.claim(context),
            Err(error) => {
                *this.pointer = None;
                Poll::Ready(Err(error))
            }
        }
    }

    /// Turns the grant into a guard.
    ///
    /// The place in the queue comes first, the task's budget second: a task that has used up its budget keeps the grant
    /// and yields, so that it cannot run for ever on a lock that is always free.
    #[expect(clippy::inline_always, reason = "see `poll`")]
    #[inline(always)]
    fn claim(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Guard<P, M>, AcquireError>> {
        let mut this = self.project();
        this.progress.set(Progress::Granted); // First, because cloning a waker below is foreign code, which may panic.
        match poll_proceed(context) {
            // Forgotten, not dropped: that is how `coop` records progress, and dropping costs a call.
            Poll::Ready(budget) => mem::forget(budget),
            Poll::Pending => return Poll::Pending,
        }
        let Some(pointer) = this.pointer.take() else { unreachable!("the caller has found it there") };
        // SAFETY: the lock was granted to this future, which gives the grant away here and is terminated (`raw`, 4).
        Poll::Ready(Ok(unsafe { Guard::new(pointer) }))
    }
}

impl<P: LockPointer, M: Mode> Future for Acquire<P, M> {
    type Output = Result<Guard<P, M>, AcquireError>;

    #[expect(clippy::inline_always, reason = "measured: passing the outcome through memory costs a fifth of it all")]
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let (Some(pointer), Progress::Idle { .. }) = (&self.pointer, &self.progress) {
            if pointer.lock().raw.enter(M::MODE).is_ok() {
                return self.claim(context);
            }
        }
        self.poll_slowly(context)
    }
}

impl<P: LockPointer, M: Mode> FusedFuture for Acquire<P, M> {
    fn is_terminated(&self) -> bool {
        self.pointer.is_none()
    }
}

impl<P: LockPointer, M: Mode> fmt::Debug for Acquire<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("mode", &M::MODE).field("phase", &self.progress.phase()).finish_non_exhaustive()
    }
}

pin_project! {
    /// Waits for a lock exclusively, and deletes it.
    ///
    /// It is made by [`SharedLock::delete`](super::SharedLock::delete); see there for an example. Fairness, cancel
    /// safety, errors and panics are those of [`Acquire`]. If it is dropped before it resolves, nothing has been
    /// deleted.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Delete<P: LockPointer> {
        #[pin]
        acquire: Acquire<P, Exclusive>,
    }
}

impl<P: LockPointer> Delete<P> {
    pub(crate) fn new(pointer: P) -> Self {
        Self { acquire: Acquire::new(pointer) }
    }

    /// As [`Acquire::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.acquire = self.acquire.priority(priority);
        self
    }

    /// As [`Acquire::set_priority`].
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        self.project().acquire.set_priority(priority);
    }

    /// As [`Acquire::timeout`]; if the time is up first, nothing has been deleted.
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// As [`Acquire::deadline`]; if the time is up first, nothing has been deleted. See [`Acquire::timeout`] for an
    /// example.
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }
}

impl<P: LockPointer> Future for Delete<P> {
    type Output = Result<(), AcquireError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let guard = ready!(self.project().acquire.poll(context));
        Poll::Ready(guard.map(Guard::delete))
    }
}

impl<P: LockPointer> FusedFuture for Delete<P> {
    fn is_terminated(&self) -> bool {
        self.acquire.is_terminated()
    }
}

impl<P: LockPointer, M: Mode> Timed for Acquire<P, M> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        self.withdraw().ok_or(AcquireError::TimedOut { waited })
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        self.progress.ticket()
    }
}

impl<P: LockPointer, M: Mode> Wants for Acquire<P, M> {
    fn wants(&self) -> (LockMode, Priority) {
        let Progress::Idle { priority } = self.progress else { return (M::MODE, Priority::default()) };
        (M::MODE, priority)
    }

    fn names_wanted(&self) -> Option<NamesWanted> {
        None
    }
}

impl<P: LockPointer> Timed for Delete<P> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        self.project().acquire.give_up(waited).map(Guard::delete)
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        self.project().acquire.watch()
    }
}
