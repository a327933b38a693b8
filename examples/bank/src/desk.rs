//! What the handlers of both variants share: the store, the time that a request may wait, and the tasks that outlive
//! requests.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::refusal::Refusal;
use crate::store::Store;

/// The parts of the service besides its locks. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where the accounts are.
    pub store: Arc<dyn Store>,
    patience: Duration,
    tasks: TaskTracker,
}

impl Desk {
    /// A desk whose requests wait for locks for so long at most, all locks of a request together.
    pub fn new(store: Arc<dyn Store>, patience: Duration) -> Self {
        Self { store, patience, tasks: TaskTracker::new() }
    }

    /// Begins to wait for the locks of a request.
    pub fn wait(&self) -> Wait {
        let begun = Instant::now();
        Wait { begun, until: begun + self.patience }
    }

    /// Does `work` to its end, in a task of its own, whether the client is still there or not.
    ///
    /// A client that goes away ends its handler wherever that happens to await. This is right while the handler waits
    /// for locks, and wrong once it writes: the locks would be free while the database still works. So the locks move
    /// into `work`, and are released when it ends.
    ///
    /// # Errors
    ///
    /// That of the work, or [`Refusal::Failed`] if it panics.
    pub async fn carry_out<T, E>(&self, work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, Refusal>
    where
        T: Send + 'static,
        E: Into<Refusal> + Send + 'static,
    {
        self.spawn(work).await.map_err(|panic| Refusal::failed(&panic))?.map_err(Into::into)
    }

    /// Begins `work` in a task that [`drained`](Self::drained) waits for.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tasks.spawn(work.instrument(Span::current()))
    }

    /// Waits until all work that was begun has ended. Call it once no request can begin more.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The waiting of one request, for all of its locks.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    begun: Instant,
    /// When the request gives up.
    pub until: Instant,
}

impl Wait {
    /// The request has its locks: the log tells how long it waited.
    pub fn over(self) {
        tracing::debug!(waited = ?self.begun.elapsed(), "locked");
    }
}
