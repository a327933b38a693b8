//! Waiting for a lock, but not for ever.

use super::acquire::{Acquire, Delete};
use super::guard::{Guard, LockPointer};
use crate::error::AcquireError;
use crate::mode::Mode;
use crate::priority::Priority;
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// So long after the first poll.
    After(Duration),
    At(Instant),
}

pin_project! {
    /// Waits for a lock until a deadline. Made by [`Acquire::timeout`], [`Acquire::deadline`] and those of [`Delete`].
    ///
    /// The time starts at the first poll, not at the call; it is tokio's, so that a test can pause it. A deadline that
    /// is past already still tries once.
    ///
    /// # Fairness
    ///
    /// That of the request inside. When the time is up, the request leaves the queue and the others keep their order;
    /// if the lock has been granted by then, it is taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked.
    ///
    /// # Errors
    ///
    /// [`AcquireError::TimedOut`], with how long it has waited; else those of the request inside.
    ///
    /// # Panics
    ///
    /// At the first poll outside of a tokio runtime, or in one that was built without timers (`enable_time`). When
    /// polled again after it has resolved.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Deadline<F> {
        #[pin]
        request: F,
        limit: Limit,
        // Made at the first poll.
        #[pin]
        timer: Option<Sleep>,
        began: Option<Instant>,
    }
}

impl<F> Deadline<F> {
    pub(super) fn new(request: F, limit: Limit) -> Self {
        Self { request, limit, timer: None, began: None }
    }
}

impl<P: LockPointer, M: Mode> Deadline<Acquire<P, M>> {
    /// As [`Acquire::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.request = self.request.priority(priority);
        self
    }

    /// As [`Acquire::set_priority`].
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        self.project().request.set_priority(priority);
    }
}

impl<P: LockPointer> Deadline<Delete<P>> {
    /// As [`Delete::priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.request = self.request.priority(priority);
        self
    }
}

impl<F: Request> Future for Deadline<F> {
    type Output = Result<F::Granted, AcquireError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.timer.is_none() {
            assert!(
                Handle::try_current().is_ok(),
                "`timeout` and `deadline` need a tokio runtime with timers: await this inside of one"
            );
            this.timer.set(Some(match *this.limit {
                Limit::After(duration) => sleep(duration),
                Limit::At(instant) => sleep_until(instant),
            }));
        }
        let began = *this.began.get_or_insert_with(Instant::now);
        if let Poll::Ready(granted) = this.request.as_mut().poll(context) {
            return Poll::Ready(granted);
        }
        let Some(timer) = this.timer.as_mut().as_pin_mut() else { unreachable!("it was made above") };
        ready!(timer.poll(context));
        Poll::Ready(this.request.give_up().ok_or_else(|| AcquireError::TimedOut { waited: began.elapsed() }))
    }
}

impl<F: Request> FusedFuture for Deadline<F> {
    fn is_terminated(&self) -> bool {
        self.request.is_terminated()
    }
}

impl<F: fmt::Debug> fmt::Debug for Deadline<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("request", &self.request).field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A request that can be told to stop waiting.
pub trait Request: FusedFuture<Output = Result<Self::Granted, AcquireError>> {
    /// What it waits for.
    type Granted;

    /// Stops waiting, and has resolved then; if the lock has been granted in time, takes it.
    fn give_up(self: Pin<&mut Self>) -> Option<Self::Granted>;
}

impl<P: LockPointer, M: Mode> Request for Acquire<P, M> {
    type Granted = Guard<P, M>;

    fn give_up(self: Pin<&mut Self>) -> Option<Guard<P, M>> {
        self.withdraw()
    }
}

impl<P: LockPointer> Request for Delete<P> {
    type Granted = ();

    fn give_up(self: Pin<&mut Self>) -> Option<()> {
        self.withdraw()
    }
}
