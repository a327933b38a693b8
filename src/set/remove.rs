//! The future that removes members from a set.

use super::acquire::SetAcquire;
use super::error::SetError;
use super::guard::SetGuard;
use super::names::Names;
use super::request::Want;
use super::{LockSetPointer, SetPointer};
use crate::deadline::{Deadline, Limit, Timed};
use crate::mode::{Exclusive, LockMode};
use crate::priority::Priority;
use crate::wants::{NamesWanted, Wants};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Removes names from a set; resolves to those that it removed itself, in name order.
    ///
    /// Made by [`LockSet::remove`](super::LockSet::remove); see there for an example.
    ///
    /// # Fairness
    ///
    /// Waits for all of its names exclusively, as [`SetAcquire`] does, then removes them in one step.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Dropped before it resolves, it has removed nothing.
    ///
    /// # Errors
    ///
    /// [`SetError::TimedOut`], if it has a deadline; nothing was removed then.
    ///
    /// # Panics
    ///
    /// If polled again after it has resolved; [`FusedFuture::is_terminated`] tells whether it has.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Remove<P: SetPointer> {
        #[pin]
        acquire: SetAcquire<P, Exclusive>,
    }
}

impl<P: SetPointer> Remove<P> {
    // This bound is here, and not on the type, for the reason at `Add::new`.
    pub(crate) fn new(set: P, names: impl Names<P::Name>) -> Self
    where
        P: LockSetPointer,
    {
        Self { acquire: SetAcquire::listed(set, names, Want::Existing) }
    }

    /// Sets the priority of the request; without this it is the default, 0.
    ///
    /// See [`SetAcquire::priority`] for an example.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.acquire = self.acquire.priority(priority);
        self
    }

    /// As [`SetAcquire::set_priority`]; see there for an example.
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        self.project().acquire.set_priority(priority);
    }

    /// Gives up after this long, counted from the first poll; nothing is removed then.
    ///
    /// See [`Deadline`] for the runtime that it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use lockladder::{LockSet, SetError};
    /// use std::time::Duration;
    /// let nodes: LockSet<String> = LockSet::new(["a", "b"]);
    /// let _held = nodes.shared("b").await.unwrap();
    /// let error = nodes.remove(["a", "b"]).timeout(Duration::from_millis(50)).await.unwrap_err();
    /// assert!(matches!(error, SetError::TimedOut { names, .. } if names == ["b"]));
    /// assert_eq!(nodes.names(), ["a", "b"]);
    /// # }
    /// ```
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time. See [`timeout`](Self::timeout) for an example.
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }
}

impl<P: SetPointer> Future for Remove<P> {
    type Output = Result<Vec<P::Name>, SetError<P::Name>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().acquire.poll(context).map_ok(remove)
    }
}

/// Removes all that a guard holds, and returns the names.
fn remove<P: SetPointer>(mut guard: SetGuard<P, Exclusive>) -> Vec<P::Name> {
    let removed = guard.retire_all();
    drop(guard); // It holds nothing now.
    let names = removed.into_iter().map(|(name, value)| {
        drop(value); // Foreign code: before the name is returned.
        name
    });
    names.collect()
}

impl<P: SetPointer> FusedFuture for Remove<P> {
    fn is_terminated(&self) -> bool {
        self.acquire.is_terminated()
    }
}

impl<P: SetPointer> Timed for Remove<P> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        self.project().acquire.give_up(waited).map(remove)
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        self.project().acquire.watch()
    }
}

impl<P: SetPointer<Name: fmt::Debug>> Wants for Remove<P> {
    fn wants(&self) -> (LockMode, Priority) {
        self.acquire.wants()
    }

    fn names_wanted(&self) -> Option<NamesWanted> {
        self.acquire.names_wanted()
    }
}

impl<P: SetPointer<Name: fmt::Debug>> fmt::Debug for Remove<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remove").field("acquire", &self.acquire).finish()
    }
}
