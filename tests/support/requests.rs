//! Requests for one lock, polled by hand.

use lockladder::{Guard, Mode, futures::Acquire, guards::LockPointer};
use std::fmt::Debug;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready_ok};

/// A request that has taken its place in the queue.
pub(crate) fn waiting<P: LockPointer<Value: Debug>, M: Mode>(request: Acquire<P, M>) -> Spawn<Acquire<P, M>> {
    let mut request = task::spawn(request);
    assert_pending!(request.poll());
    request
}

/// The guard of a request that has been woken because it was granted.
pub(crate) fn granted<P: LockPointer<Value: Debug>, M: Mode>(mut request: Spawn<Acquire<P, M>>) -> Guard<P, M> {
    assert!(request.is_woken(), "granted without being woken");
    assert_ready_ok!(request.poll())
}
