//! Requests, polled by hand.

use std::fmt::Debug;
use std::future::Future;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready_ok};

/// A request that has taken its place in the queue.
pub(crate) fn waiting<F: Future<Output: Debug>>(request: F) -> Spawn<F> {
    let mut request = task::spawn(request);
    assert_pending!(request.poll());
    request
}

/// The guard of a request that has been woken because it was granted.
pub(crate) fn granted<G, E: Debug>(mut request: Spawn<impl Future<Output = Result<G, E>>>) -> G {
    assert!(request.is_woken(), "granted without being woken");
    assert_ready_ok!(request.poll())
}
