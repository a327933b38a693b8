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
