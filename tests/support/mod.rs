//! What several test files need.

use futures::future::FusedFuture;
use tokio_test::task::Spawn;

/// Whether a future that is polled by hand says that it has resolved.
pub(crate) fn is_terminated<F: FusedFuture>(task: &mut Spawn<F>) -> bool {
    task.enter(|_, future| future.is_terminated())
}
