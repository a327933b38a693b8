//! Flows that begin one session at a time, and are told when they begin another.

use super::error::SessionError;
use super::{Entered, LockManager};
use crate::level::Hierarchy;
use crate::mode::Mode;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::task_local;

task_local! {
    /// The scopes that this flow is in, innermost first.
    static SCOPES: Arc<Scope>;
}

struct Scope {
    /// Where the locks of the manager are: no two that live are in one place, and this one lives as long as the scope.
    manager: usize,
    label: Cow<'static, str>,
    outer: Option<Arc<Scope>>,
}

fn address<H: Hierarchy>(manager: &LockManager<H>) -> usize {
    Arc::as_ptr(&manager.locks) as usize
}

/// Refuses a session of a manager of which this flow has one.
pub(super) fn check<H: Hierarchy>(manager: &LockManager<H>, label: &str) -> Result<(), SessionError> {
    let outer = SCOPES.try_with(|innermost| {
        let mut scopes = std::iter::successors(Some(innermost), |scope| scope.outer.as_ref());
        scopes.find(|scope| scope.manager == address(manager)).map(|scope| scope.label.to_string())
    });
    match outer {
        Ok(Some(outer)) => Err(SessionError::NestedSession { outer, inner: label.to_owned() }),
        _ => Ok(()),
    }
}

impl<H: Hierarchy> LockManager<H> {
    /// Begins a session with the root in this mode, and runs `work` with it. As long as `work` runs, another session of
    /// the same manager, begun by the same flow, is an error instead of a hang.
    ///
    /// The flow is `work` and what it awaits, wherever that runs. A task that it spawns is a flow of its own, and so is
    /// each of several scopes that are joined.
    ///
    /// # Fairness
    ///
    /// That of [`shared`](Self::shared) and [`exclusive`](Self::exclusive).
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it is as if it had never asked; dropped while `work` runs, it drops `work` at its current
    /// await.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared); `work` has not run then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockManager, SessionError, Shared, ganeti::seed::{Node, Seed}};
    ///
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
    /// let again = manager.clone();
    /// let nodes = manager.scope("verify", Shared, async |job| {
    ///     let error = again.shared("forgot that it has a session").await.unwrap_err();
    ///     assert!(matches!(error, SessionError::NestedSession { .. }));
    ///     job.shared::<Node>(lockladder::All).await.map(|job| job.owned::<Node>().len())
    /// });
    /// assert_eq!(nodes.await??, 1);
    /// # Ok::<_, SessionError>(()) }).unwrap();
    /// ```
    pub async fn scope<M, F, R>(
        &self,
        label: impl Into<Cow<'static, str>>,
        _mode: M,
        work: F,
    ) -> Result<R, SessionError>
    where
        M: Mode,
        F: AsyncFnOnce(Entered<H, M>) -> R,
    {
        let label = label.into();
        let session = self.enter::<M>(label.clone()).await?;
        let outer = SCOPES.try_with(Arc::clone).ok();
        let scope = Arc::new(Scope { manager: address(self), label, outer });
        Ok(SCOPES.scope(scope, work(session)).await)
    }
}
