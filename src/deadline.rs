//! Waiting with a deadline, at every layer.

use crate::panics::Panics;
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
pub(crate) enum Limit {
    /// This long after the first poll.
    After(Duration),
    At(Instant),
}

pin_project! {
    /// Waits for locks until a deadline.
    ///
    /// It is made by `timeout` and `deadline` of the futures that wait: of [`Acquire`](crate::futures::Acquire),
    /// [`SetAcquire`](crate::futures::SetAcquire) and the others. See
    /// [`Acquire::timeout`](crate::futures::Acquire::timeout) for an example.
    ///
    /// The time starts at the first poll, not at the call. It is tokio's time, so a test can pause it. A request whose
    /// deadline has passed already still tries once, also for the whole of a large set.
    ///
    /// # Fairness
    ///
    /// That of the request inside. When the time is up, the request leaves the queue and the other requests keep their
    /// order; if it has been granted by then, it returns that grant.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it drops the request inside, which gives up its place in the queue; a grant
    /// that it has not returned yet passes to the next request.
    ///
    /// # Errors
    ///
    /// `TimedOut`, with the time waited; else those of the request inside.
    ///
    /// # Panics
    ///
    /// At the first poll outside of a tokio runtime, or in a runtime without timers (`enable_time`). If it is polled
    /// again after it has resolved.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Deadline<F> {
        #[pin]
        request: F,
        limit: Limit,
        #[pin]
        timer: Timer,
        began: Option<Instant>,
    }
}

pin_project! {
    /// The timer of a request, made at the first poll. It keeps the task's waker, whose destructor is foreign code. So
    /// it is dropped after the request, and catches a panic of that destructor; while the thread panics already, that
    /// panic would abort the process.
    struct Timer {
        #[pin]
        sleep: Option<Sleep>,
    }

    impl PinnedDrop for Timer {
        fn drop(this: Pin<&mut Self>) {
            let mut sleep = this.project().sleep;
            Panics::defer(|panics| panics.catch(|| sleep.set(None)));
        }
    }
}

impl<F> Deadline<F> {
    pub(crate) fn new(request: F, limit: Limit) -> Self {
        Self { request, limit, timer: Timer { sleep: None }, began: None }
    }

    /// Keeps the deadline, and changes the request.
    pub(crate) fn map(self, tell: impl FnOnce(F) -> F) -> Self {
        Self { request: tell(self.request), ..self }
    }

    /// The request inside.
    pub(crate) fn request(self: Pin<&mut Self>) -> Pin<&mut F> {
        self.project().request
    }
}

impl<F: Timed> Deadline<F> {
    /// Sets the priority of the request; the default is 0.
    ///
    /// See [`Acquire::priority`](crate::futures::Acquire::priority) for an example.
    pub fn priority(self, priority: Priority) -> Self {
        self.map(|request| request.with_priority(priority))
    }

    /// Changes the priority of a request that may wait already.
    ///
    /// A waiting request moves at once, behind the requests that wait at its new priority. Requests that can be granted
    /// then are granted. A granted request stays granted. See
    /// [`Acquire::set_priority`](crate::futures::Acquire::set_priority) for an example.
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        self.project().request.move_to(priority);
    }
}

impl<F: Timed> Future for Deadline<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut timer = this.timer.project().sleep;
        if timer.is_none() {
            assert!(
                Handle::try_current().is_ok(),
                "`timeout` and `deadline` need a tokio runtime with timers: await this inside of one"
            );
            timer.set(Some(match *this.limit {
                Limit::After(duration) => sleep(duration),
                Limit::At(instant) => sleep_until(instant),
            }));
        }
        let began = *this.began.get_or_insert_with(Instant::now);
        if let Poll::Ready(in_time) = this.request.as_mut().poll(context) {
            return Poll::Ready(in_time);
        }
        let Some(timer) = timer.as_mut().as_pin_mut() else { unreachable!("it was made above") };
        ready!(timer.poll(context));
        Poll::Ready(this.request.give_up(began.elapsed()))
    }
}

impl<F: Timed> FusedFuture for Deadline<F> {
    fn is_terminated(&self) -> bool {
        self.request.is_terminated()
    }
}

impl<F: fmt::Debug> fmt::Debug for Deadline<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("request", &self.request).field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A request that can change its priority and stop waiting.
pub trait Timed: FusedFuture + Sized {
    /// Sets the priority of a request that has not been polled.
    fn with_priority(self, priority: Priority) -> Self;

    /// Changes the priority of a request that may wait.
    fn move_to(self: Pin<&mut Self>, priority: Priority);

    /// Stops waiting. Returns the outcome if the request has one already, else the error `TimedOut`. The request has
    /// resolved then.
    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Output;

    /// If the request waits, returns its ticket, by which a table of the locks finds it; from now on, what happens to
    /// it is noted for that. The ticket changes with the priority.
    fn watch(self: Pin<&mut Self>) -> Option<u64>;
}
