//! Work that is done inside the lock, as a request that can be pursued.

use super::pursuit::Ask;
use super::truth::Truth;
use futures::future::FusedFuture;
use lockladder::{AcquireError, Priority};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

type Work<'w> = Pin<Box<dyn Future<Output = Result<(), AcquireError>> + Send + 'w>>;

/// Wraps the future of an `async fn`, which must not be polled again after it has panicked.
pub(crate) struct Section<'w> {
    // Taken during each poll, so that nothing is left after a panic.
    work: Option<Work<'w>>,
}

impl<'w> Section<'w> {
    pub(crate) fn new(work: Work<'w>) -> Self {
        Self { work: Some(work) }
    }
}

impl Future for Section<'_> {
    type Output = Result<(), AcquireError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut work) = self.work.take() else { panic!("polled after it has resolved") };
        match work.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => {
                self.work = Some(work);
                Poll::Pending
            }
        }
    }
}

impl FusedFuture for Section<'_> {
    fn is_terminated(&self) -> bool {
        self.work.is_none()
    }
}

impl Ask for Section<'_> {
    fn move_to(self: Pin<&mut Self>, _priority: Priority) {}
}

impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").finish_non_exhaustive()
    }
}

/// A holder is inside until this is dropped, perhaps together with the work.
pub(crate) struct Inside<'t> {
    truth: &'t Truth,
    leave: fn(&Truth),
}

impl<'t> Inside<'t> {
    pub(crate) fn shared(truth: &'t Truth) -> Self {
        truth.share();
        Self { truth, leave: Truth::unshare }
    }

    pub(crate) fn exclusive(truth: &'t Truth) -> Self {
        truth.own();
        Self { truth, leave: Truth::disown }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        (self.leave)(self.truth);
    }
}
