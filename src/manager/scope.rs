//! Scopes: flows of work in which a second session is an error.

use super::error::SessionError;
use super::{Entered, LockManager};
use crate::level::Hierarchy;
use crate::mode::Mode;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

thread_local! {
    /// The scopes whose work is being polled on this thread, innermost last.
    static SCOPES: RefCell<Vec<Arc<Scope>>> = const { RefCell::new(Vec::new()) };
}

struct Scope {
    /// The address of the manager's locks. They live as long as the work of the scope, so no other manager can be
    /// there.
    manager: usize,
    label: Cow<'static, str>,
}

fn address<H: Hierarchy>(manager: &LockManager<H>) -> usize {
    Arc::as_ptr(&manager.locks) as usize
}

/// Refuses a session if this flow is in a scope of the same manager.
pub(super) fn check<H: Hierarchy>(manager: &LockManager<H>, label: &str) -> Result<(), SessionError> {
    let label_of = |scope: &Arc<Scope>| (scope.manager == address(manager)).then(|| scope.label.to_string());
    let outer = SCOPES.try_with(|scopes| scopes.borrow().iter().rev().find_map(label_of));
    match outer {
        Ok(Some(outer)) => Err(SessionError::NestedSession { outer, inner: label.to_owned() }),
        _ => Ok(()),
    }
}

pin_project! {
    /// Work that is polled, and dropped, in a scope.
    struct Within<F> {
        scope: Arc<Scope>,
        // `None` once this is dropped.
        #[pin]
        work: Option<F>,
    }

    impl<F> PinnedDrop for Within<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = Inside::enter(this.scope);
            this.work.set(None);
        }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _inside = Inside::enter(this.scope);
        let Some(work) = this.work.as_pin_mut() else { unreachable!("it goes when this is dropped") };
        work.poll(context)
    }
}

/// Keeps this thread in a scope until it is dropped.
struct Inside;

impl Inside {
    fn enter(scope: &Arc<Scope>) -> Self {
        // On a thread that is about to end, the list is gone; no session is refused there.
        let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().push(Arc::clone(scope)));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().pop());
    }
}

impl<H: Hierarchy> LockManager<H> {
    /// Begins a session with the root in this mode, and runs `work` with it.
    ///
    /// While `work` runs, the same flow cannot begin another session of this manager: that is an error instead of a
    /// hang.
    ///
    /// The flow is everything that the thread polls while it polls `work`. It includes what an executor within `work`
    /// polls, such as `LocalSet`. It also includes an unrelated task, if `work` wakes it and its executor polls it
    /// within the waker: a session of such a task may be refused. (The executors of tokio do not poll within a waker.)
    /// A task that `work` spawns elsewhere, a thread that it starts, and each of several scopes that are joined, are
    /// flows of their own.
    ///
    /// # Fairness
    ///
    /// That of [`shared`](Self::shared) and [`exclusive`](Self::exclusive).
    ///
    /// # Cancel safety
    ///
    /// While it waits, this future is cancel safe: dropping it gives up its place in the queue, a grant that it has not
    /// returned yet passes to the next request, and `work` has not run. While `work` runs, dropping the future drops
    /// `work` at its current await.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared); `work` has not run.
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
    // Not an `async fn`: the place of the caller does not reach into one.
    #[track_caller]
    pub fn scope<M, F, R>(
        &self,
        label: impl Into<Cow<'static, str>>,
        _mode: M,
        work: F,
    ) -> impl Future<Output = Result<R, SessionError>>
    where
        M: Mode,
        F: AsyncFnOnce(Entered<H, M>) -> R,
    {
        let label = label.into();
        let enter = self.enter::<M>(label.clone());
        let scope = Arc::new(Scope { manager: address(self), label });
        async move {
            let session = enter.await?;
            // The call of `work` is in the block, so that what it does before it returns its future is inside, too.
            Ok(Within { scope, work: Some(async move { work(session).await }) }.await)
        }
    }
}
