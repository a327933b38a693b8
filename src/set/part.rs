//! Requests that are content with a part of the names: told of them by those who wrap them.

use super::SetPointer;
use super::acquire::SetAcquire;
use super::request::Want;
use crate::by_mode::ByMode;
use crate::deadline::Deadline;
use crate::mode::Mode;

/// A request for names that can be told to be content with a part of them.
pub trait InPart: Sized {
    /// The same request, content with so much.
    fn wanting(self, want: Want) -> Self;
}

impl<P: SetPointer, M: Mode> InPart for SetAcquire<P, M> {
    fn wanting(mut self, want: Want) -> Self {
        self.want = want;
        self
    }
}

impl<P: SetPointer, M: Mode> SetAcquire<P, M> {
    /// Takes whichever of the names are free at the first poll and that nobody waits for, and never waits: maybe none.
    ///
    /// Names that do not exist are skipped. With [`All`](super::All), the guard is one of names: `add` does not wait for
    /// it. Of this and [`at_least`](Self::at_least), the later counts.
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

    /// Waits until at least so many of the names are free, and takes all that are free then.
    ///
    /// Names that others wait for, who come first, do not count as free. Names that do not exist, or are removed
    /// meanwhile, are left out. With [`All`](super::All), the guard is one of names. Of this and
    /// [`opportunistic`](Self::opportunistic), the later counts.
    ///
    /// # Errors
    ///
    /// [`SetError::TooFew`](super::SetError::TooFew) if fewer of the names exist, at once and whenever that comes true while
    /// this waits.
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
    /// As [`SetAcquire::opportunistic`].
    pub fn opportunistic(self) -> Self {
        self.map(|request| request.wanting(Want::Free))
    }

    /// As [`SetAcquire::at_least`].
    pub fn at_least(self, names: usize) -> Self {
        self.map(|request| request.wanting(Want::AtLeast(names)))
    }
}
