//! The future of a session whose levels are known only at run time, and the loan of the session to it.

use super::{DynClimb, DynSession};
use crate::by_mode::ByMode;
use crate::level::{AnyGuard, Hierarchy, LevelOf, NotRoot};
use crate::manager::error::{AtLevel, SessionError};
use crate::manager::hot::Delay;
use crate::manager::order::OrderError;
use crate::manager::record::Place;
use crate::manager::request::{Answer, Asker, SessionRequest};
use crate::manager::watch::{Party, Watched};
use crate::mode::LockMode;
use crate::set::SetError;
use crate::table::Holder;
use std::fmt;
use std::sync::Arc;

/// Waits for names of level `L`, or adds or removes members. It borrows the session.
///
/// Made by [`DynSession::acquire`], [`DynSession::add`], [`DynSession::remove`] and the other methods that wait. An
/// [`OrderError`] comes at the first poll. See [`DynSession`] for an example.
///
/// # Cancel safety
///
/// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet passes
/// to the next request. Nothing has been added or removed, and the session keeps what it held before.
pub type DynRequest<'s, H, L, F> = SessionRequest<DynAsker<'s, H, L>, F>;

/// The session that asks for something of level `L`.
pub struct DynAsker<'s, H: Hierarchy, L: NotRoot> {
    session: &'s mut DynSession<H>,
    order: Result<(), OrderError>,
    /// Whether this request has put the level on the session's record, as awaited.
    noted: bool,
    place: Place,
    /// Stores the guard in the session. The function is looked up where the request is made: if the await looked it up,
    /// a level of another hierarchy would be an error there, too, and not only where it is named (see
    /// `tests/ui/dynamic_other_hierarchy.rs`).
    keep: Keep<H, L>,
}

type Keep<H, L> = fn(&mut DynSession<H>, AnyGuard<L>, Place, Watched);

impl<'s, H: Hierarchy, L: NotRoot + LevelOf<H>, F> DynRequest<'s, H, L, F> {
    pub(super) fn on(session: &'s mut DynSession<H>, order: Result<(), OrderError>, request: F, place: Place) -> Self {
        Self::new(DynAsker { session, order, noted: false, place, keep: DynSession::keep::<L> }, request)
    }
}

impl<H: Hierarchy, L: NotRoot> DynClimb<'_, H, L> {
    /// Takes the names without waiting, or returns why that is not possible.
    pub(super) fn at_once(self) -> Result<(), SessionError> {
        let Some((mut asker, request)) = self.into_parts() else { unreachable!("it has not been polled") };
        asker.may_wait()?;
        let watched = Watched::now(asker.party(), &request);
        let acquired: Result<AnyGuard<L>, SetError<L::Name>> = match request {
            ByMode::Shared { it } => it.at_once().map(ByMode::shared),
            ByMode::Exclusive { it } => it.at_once().map(ByMode::exclusive),
        };
        DynAsker::answered(&mut Some(asker), acquired, watched)
    }
}

impl<H: Hierarchy, L: NotRoot> Asker for DynAsker<'_, H, L> {
    fn may_wait(&mut self) -> Result<(), SessionError> {
        self.order?;
        if !self.noted {
            self.session.claim.takes::<L>()?;
            self.noted = true;
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
        Party::new(|| self.session.claim.flow(), L::INDEX, self.place)
    }

    fn delay(&self, ticket: u64) -> Delay {
        Delay::begin(Arc::clone(&self.session.manager().locks) as _, L::INDEX, ticket)
    }

    fn in_the_way(&self, ticket: u64) -> Vec<Holder> {
        self.session.manager().in_the_way(L::INDEX, LockMode::Exclusive, ticket)
    }
}

impl<H: Hierarchy, L: NotRoot> Drop for DynAsker<'_, H, L> {
    fn drop(&mut self) {
        if self.noted {
            self.session.claim.returns::<L>();
        }
    }
}

/// The answer to a request for names: the session holds them now.
impl<H: Hierarchy, L: NotRoot, E: AtLevel<L>> Answer<Result<AnyGuard<L>, E>> for DynAsker<'_, H, L> {
    type Gain = ();

    fn answered(
        asker: &mut Option<Self>,
        acquired: Result<AnyGuard<L>, E>,
        watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        let Some(mut asker) = asker.take() else { unreachable!("it is there until it is told") };
        let guard = match acquired {
            Ok(guard) => guard,
            Err(error) => return watched.failed(error.at_level()),
        };
        (asker.keep)(asker.session, guard, asker.place, watched);
        asker.noted = false; // The level is held now: it stays on the record.
        Ok(())
    }
}

/// The answer to adding.
impl<H: Hierarchy, L: NotRoot, E: AtLevel<L>> Answer<Result<(), E>> for DynAsker<'_, H, L> {
    type Gain = ();

    fn answered(
        asker: &mut Option<Self>,
        added: Result<(), E>,
        mut watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        watched.ends(asker.as_ref().map(Asker::party), added.is_ok());
        *asker = None;
        added.or_else(|error| watched.failed(error.at_level()))
    }
}

/// The answer to removing.
impl<H: Hierarchy, L: NotRoot, E: AtLevel<L>> Answer<Result<Vec<L::Name>, E>> for DynAsker<'_, H, L> {
    type Gain = Vec<L::Name>;

    fn answered(
        asker: &mut Option<Self>,
        removed: Result<Vec<L::Name>, E>,
        mut watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        watched.ends(asker.as_ref().map(Asker::party), removed.is_ok());
        *asker = None;
        removed.or_else(|error| watched.failed(error.at_level()))
    }
}

impl<H: Hierarchy, L: NotRoot> fmt::Debug for DynAsker<'_, H, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynAsker").field("level", &L::NAME).field("session", &self.session).finish_non_exhaustive()
    }
}
