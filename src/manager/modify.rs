//! The future by which a session changes what is in a level that it does not hold.

use super::error::{AtLevel, SessionError};
use super::record::{Awaited, Record};
use crate::deadline::{Deadline, Limit, Timed};
use crate::level::{Level, NotRoot, SetOf};
use crate::priority::Priority;
use crate::set::{Add, Free, Remove};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Adds to a level, or removes from it, while the session is borrowed. Made by [`Session::add`](super::Session::add),
    /// [`Session::add_entries`](super::Session::add_entries) and [`Session::remove`](super::Session::remove).
    ///
    /// Cancel safe: dropped before it resolves, it has changed nothing.
    ///
    /// # Panics
    ///
    /// When polled after it has resolved. And a removal panics where all else is told [`SessionError::AlreadyHeld`]: it
    /// has no error to return, and would wait for ever.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Modify<'s, L: Level, F> {
        #[pin]
        change: F,
        record: &'s Record,
        // From the first poll to the end.
        awaited: Option<Awaited<'s>>,
        refused: bool,
        level: PhantomData<fn() -> L>,
    }
}

impl<'s, L: Level, F> Modify<'s, L, F> {
    pub(super) fn new(record: &'s Record, change: F) -> Self {
        Self { change, record, awaited: None, refused: false, level: PhantomData }
    }

    /// Gives up after so long, counted from the first poll; nothing has changed then. See [`Deadline`] for the runtime
    /// that it needs.
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time; see [`timeout`](Self::timeout).
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }
}

impl<L: Level, F: Timed> Modify<'_, L, F> {
    /// Asks with this priority. Without it, with the default, 0.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.change = self.change.with_priority(priority);
        self
    }

    /// Changes the priority of a request that may wait already; see
    /// [`SetAcquire::set_priority`](crate::SetAcquire::set_priority).
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        self.project().change.move_to(priority);
    }
}

impl<L: Level, F: Future<Output: Changed<L>>> Future for Modify<'_, L, F> {
    type Output = <F::Output as Changed<L>>::Told;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        assert!(!*this.refused, "`Modify` polled after it has resolved");
        if this.awaited.is_none() {
            match Awaited::begin::<L>(this.record) {
                Ok(awaited) => *this.awaited = Some(awaited),
                Err(already) => {
                    *this.refused = true;
                    return Poll::Ready(<F::Output as Changed<L>>::refused(already));
                }
            }
        }
        let changed = ready!(this.change.poll(context));
        *this.awaited = None;
        Poll::Ready(changed.told())
    }
}

impl<L: Level, F: FusedFuture<Output: Changed<L>>> FusedFuture for Modify<'_, L, F> {
    fn is_terminated(&self) -> bool {
        self.refused || self.change.is_terminated()
    }
}

impl<L: NotRoot> Timed for Modify<'_, L, Add<SetOf<L>, Free>> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    type Timed = Self::Output;

    fn in_time(output: Self::Output) -> Self::Timed {
        output
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Timed {
        let this = self.project();
        let changed = this.change.give_up(waited);
        *this.awaited = None;
        changed.map_err(AtLevel::<L>::at_level)
    }
}

impl<L: NotRoot> Timed for Modify<'_, L, Remove<SetOf<L>>> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    type Timed = Result<Vec<L::Name>, SessionError>;

    fn in_time(output: Self::Output) -> Self::Timed {
        Ok(output)
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Timed {
        let this = self.project();
        let changed = this.change.give_up(waited);
        *this.awaited = None;
        changed.map_err(AtLevel::<L>::at_level)
    }
}

impl<L: Level, F: fmt::Debug> fmt::Debug for Modify<'_, L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify").field("level", &L::NAME).field("change", &self.change).finish()
    }
}

/// What a change of a set tells the session: an error learns its level, the names removed stay as they are.
pub trait Changed<L: Level> {
    /// What the session's future resolves to.
    type Told;

    /// Turns one into the other.
    fn told(self) -> Self::Told;

    /// It would wait for the session itself.
    fn refused(already: SessionError) -> Self::Told;
}

impl<L: Level, T, E: AtLevel<L>> Changed<L> for Result<T, E> {
    type Told = Result<T, SessionError>;

    fn told(self) -> Self::Told {
        self.map_err(AtLevel::at_level)
    }

    fn refused(already: SessionError) -> Self::Told {
        Err(already)
    }
}

impl<L: Level> Changed<L> for Vec<L::Name> {
    type Told = Self;

    fn told(self) -> Self {
        self
    }

    fn refused(already: SessionError) -> Self {
        panic!("{already}")
    }
}
