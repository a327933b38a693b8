//! Requests that a test polls by hand.

use futures::FutureExt;
use futures::future::FusedFuture;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready_ok};

/// A request that has taken its place in the queue.
#[track_caller]
pub fn waiting<F: Future<Output: Debug>>(request: F) -> Spawn<F> {
    let mut request = task::spawn(request);
    assert_pending!(request.poll());
    request
}

/// The guard of a request that has been woken because it was granted.
#[track_caller]
pub fn granted<G, E: Debug>(mut request: Spawn<impl Future<Output = Result<G, E>>>) -> G {
    assert!(request.is_woken(), "granted without being woken");
    assert_ready_ok!(request.poll())
}

/// The output of a future that need not wait.
#[track_caller]
pub fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("it need not wait")
}

/// Whether a future says that it has resolved.
pub fn is_terminated<F: FusedFuture>(task: &mut Spawn<F>) -> bool {
    task.enter(|_, future| future.is_terminated())
}

/// One poll with this waker.
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// One poll with a waker that does nothing.
pub fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    poll(future, Waker::noop())
}
