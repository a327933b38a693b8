//! Requests that accept a part of the names. Wrappers hand this on to the request inside.

use super::SetPointer;
use super::acquire::SetAcquire;
use super::request::Want;
use crate::by_mode::ByMode;
use crate::deadline::Deadline;
use crate::mode::Mode;

/// A request for names that can be told to accept a part of them.
pub trait InPart: Sized {
    /// The same request, for this much.
    fn wanting(self, want: Want) -> Self;
}

impl<P: SetPointer, M: Mode> InPart for SetAcquire<P, M> {
    fn wanting(mut self, want: Want) -> Self {
        self.want = want;
        self
    }
}

impl<P: SetPointer, M: Mode> SetAcquire<P, M> {
    /// Takes those names that are free at the first poll, maybe none, and never waits.
    ///
    /// A name that another request waits for does not count as free. Names that do not exist are skipped. With
    /// [`All`](super::All), the guard holds names, not the whole: `add` does not wait for it. Of this call and
    /// [`at_least`](Self::at_least), the later one counts.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockSet};
    /// let nodes: LockSet<String> = LockSet::new(["node1", "node2", "node3"]);
    /// let busy = nodes.shared("node2").await?;
    /// let free = nodes.exclusive(All).opportunistic().await?;
    /// assert_eq!(free.names(), ["node1", "node3"]);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn opportunistic(self) -> Self {
        self.wanting(Want::Free)
    }

    /// Waits until at least this many of the names are free, and takes all that are free then.
    ///
    /// A name that an earlier, conflicting request waits for does not count as free. Names that do not exist, or that
    /// are removed meanwhile, are skipped. With [`All`](super::All), the guard holds names, not the whole. Of this call
    /// and [`opportunistic`](Self::opportunistic), the later one counts.
    ///
    /// # Errors
    ///
    /// [`SetError::TooFew`](super::SetError::TooFew) if fewer of the names exist, at the first poll or at any time
    /// while this waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let nodes: LockSet<String> = LockSet::new(["node1", "node2", "node3"]);
    /// let busy = nodes.shared("node2").await?;
    /// let two = nodes.exclusive(["node1", "node2", "node3"]).at_least(2).await?;
    /// assert_eq!(two.names(), ["node1", "node3"]);
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn at_least(self, names: usize) -> Self {
        self.wanting(Want::AtLeast(names))
    }
}

impl<S: InPart, X: InPart> InPart for ByMode<S, X> {
    fn wanting(self, want: Want) -> Self {
        self.map(|shared| shared.wanting(want), |exclusive| exclusive.wanting(want))
    }
}

impl<F: InPart> Deadline<F> {
    /// As [`SetAcquire::opportunistic`]; see there for an example.
    pub fn opportunistic(self) -> Self {
        self.map(|request| request.wanting(Want::Free))
    }

    /// As [`SetAcquire::at_least`]; see there for an example.
    pub fn at_least(self, names: usize) -> Self {
        self.map(|request| request.wanting(Want::AtLeast(names)))
    }
}
