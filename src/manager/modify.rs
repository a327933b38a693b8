//! The future by which a session adds or removes members of a level that it does not hold.

use super::claim::Lender;
use super::error::{AtLevel, SessionError};
use super::hot::Delay;
use super::record::{Awaited, Place};
use super::request::{Answer, Asker, SessionRequest};
use super::watch::{Party, Watched};
use crate::level::Level;
use crate::table::Holder;
use std::fmt;
use std::marker::PhantomData;

/// Adds members to level `L`, or removes them. It borrows the session.
///
/// Made by [`Session::add`](super::Session::add) and [`Session::remove`](super::Session::remove). See
/// [`CanAdd`](crate::CanAdd) for an example.
///
/// # Cancel safety
///
/// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet passes
/// to the next request. Nothing has been added or removed.
pub type Modify<'s, L, F> = SessionRequest<Changer<'s, L>, F>;

/// What a session lends to a future that changes level `L`.
pub struct Changer<'s, L> {
    session: &'s dyn Lender,
    // `Some` from the first poll to the end.
    awaited: Option<Awaited<'s>>,
    place: Place,
    level: PhantomData<fn() -> L>,
}

impl<'s, L> Changer<'s, L> {
    pub(super) fn new(session: &'s dyn Lender, place: Place) -> Self {
        Self { session, awaited: None, place, level: PhantomData }
    }
}

impl<L: Level> Asker for Changer<'_, L> {
    fn may_wait(&mut self) -> Result<(), SessionError> {
        if self.awaited.is_none() {
            self.awaited = Some(Awaited::begin::<L>(self.session.record())?);
        }
        Ok(())
    }

    fn waits(&mut self, ticket: u64) {
        self.session.record().waits(L::INDEX, ticket, self.place);
    }

    fn moves(&self, ticket: u64) {
        self.session.record().moves(ticket);
    }

    #[inline]
    fn party(&self) -> Party<'_> {
        Party::new(|| self.session.flow(), L::INDEX, self.place)
    }

    fn delay(&self, ticket: u64) -> Delay {
        Delay::begin(self.session.locks(), L::INDEX, ticket)
    }

    fn in_the_way(&self, ticket: u64) -> Vec<Holder> {
        self.session.in_the_way(L::INDEX, ticket)
    }
}

impl<L: Level, T, E: AtLevel<L>> Answer<Result<T, E>> for Changer<'_, L> {
    type Gain = T;

    fn answered(
        asker: &mut Option<Self>,
        changed: Result<T, E>,
        mut watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        watched.ends(asker.as_ref().map(Asker::party), changed.is_ok());
        *asker = None;
        changed.or_else(|error| watched.failed(error.at_level()))
    }
}

impl<L: Level> fmt::Debug for Changer<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changer").field("level", &L::NAME).field("session", &self.session.label()).finish()
    }
}
