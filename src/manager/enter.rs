//! The ways into a session: the future that waits for the root, and the calls that do not wait.

use super::claim::Claim;
use super::dynamic::DynSession;
use super::error::{SessionError, at_root, now_at_root};
use super::hot::Delay;
use super::record::Place;
use super::request::{Answer, Asker, SessionRequest};
use super::session::Session;
use super::watch::{self, Party, Watched};
use super::{Entered, LockManager, scope};
use crate::by_mode::ByMode;
use crate::error::{AcquireError, TryAcquireError};
use crate::level::{AnyRoot, Hierarchy, Level, RootHeld};
use crate::lock::{Acquire, Guard, SharedLock};
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use crate::table::Holder;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

type RootAcquire<M> = Acquire<Arc<SharedLock>, M>;

type RootGuard<M> = Guard<Arc<SharedLock>, M>;

/// Waits for the root in mode `M`; resolves to a [`Session`].
///
/// Made by [`LockManager::shared`] and [`LockManager::exclusive`]. See [`LockManager`] for an example.
pub type Enter<H, M> = SessionRequest<Entrant<H>, RootAcquire<M>>;

/// Waits for the root in a mode known only at run time; resolves to a [`DynSession`].
///
/// Made by [`LockManager::dynamic`]. See [`DynSession`] for an example.
pub type EnterAny<H> = SessionRequest<Entrant<H>, ByMode<RootAcquire<Shared>, RootAcquire<Exclusive>>>;

/// A session that is about to begin: it has everything but the root.
pub struct Entrant<H: Hierarchy> {
    claim: Claim<H>,
    mode: LockMode,
    place: Place,
}

impl<H: Hierarchy> Entrant<H> {
    fn may_begin(&self) -> Result<(), SessionError> {
        scope::check(self.claim.manager(), self.claim.label())
    }

    /// The claim of the session, which holds the root now.
    #[inline]
    fn claim(self, watched: Watched) -> Claim<H> {
        self.claim.record().holds_root(self.mode, self.place);
        watch::held(self.party(), self.mode, watched);
        self.claim
    }

    #[inline]
    fn begin<M: Mode>(self, root: RootGuard<M>, watched: Watched) -> Entered<H, M> {
        Session::new(RootHeld::<H, M>::new(root, ()), self.claim(watched))
    }

    fn begin_any(self, root: AnyRoot, watched: Watched) -> DynSession<H> {
        DynSession::new(root, self.claim(watched))
    }
}

impl<H: Hierarchy> LockManager<H> {
    #[track_caller]
    fn entrant(&self, label: Cow<'static, str>, mode: LockMode) -> Entrant<H> {
        Entrant { claim: Claim::new(self.clone(), label), mode, place: Location::caller() }
    }

    /// Waits for the root, then begins a session.
    #[track_caller]
    pub(super) fn enter<M: Mode>(&self, label: Cow<'static, str>) -> Enter<H, M> {
        SessionRequest::new(self.entrant(label, M::MODE), Acquire::new(Arc::clone(&self.locks.root)))
    }

    /// As [`enter`](Self::enter), in a mode known at run time.
    #[track_caller]
    pub(super) fn enter_any(&self, label: Cow<'static, str>, mode: LockMode) -> EnterAny<H> {
        let root = Arc::clone(&self.locks.root);
        let request = match mode {
            LockMode::Shared => ByMode::shared(Acquire::new(root)),
            LockMode::Exclusive => ByMode::exclusive(Acquire::new(root)),
        };
        SessionRequest::new(self.entrant(label, mode), request)
    }

    /// Begins a session without waiting.
    #[track_caller]
    pub(super) fn enter_now<M: Mode>(
        &self,
        label: Cow<'static, str>,
        acquire: impl FnOnce(Arc<SharedLock>) -> Result<RootGuard<M>, TryAcquireError>,
    ) -> Result<Entered<H, M>, SessionError> {
        let entrant = self.entrant(label, M::MODE);
        entrant.may_begin()?;
        let watched = Watched::for_root(entrant.party(), M::MODE);
        match self.root_now(acquire) {
            Ok(root) => Ok(entrant.begin(root, watched)),
            Err(error) => watched.failed(error),
        }
    }

    /// As [`enter_now`](Self::enter_now), in a mode known at run time.
    #[track_caller]
    pub(super) fn enter_any_now(
        &self,
        label: Cow<'static, str>,
        mode: LockMode,
    ) -> Result<DynSession<H>, SessionError> {
        let entrant = self.entrant(label, mode);
        entrant.may_begin()?;
        let watched = Watched::for_root(entrant.party(), mode);
        let root = match mode {
            LockMode::Shared => self.root_now(SharedLock::try_shared_owned).map(ByMode::shared),
            LockMode::Exclusive => self.root_now(SharedLock::try_exclusive_owned).map(ByMode::exclusive),
        };
        match root {
            Ok(root) => Ok(entrant.begin_any(root, watched)),
            Err(error) => watched.failed(error),
        }
    }

    fn root_now<M: Mode>(
        &self,
        acquire: impl FnOnce(Arc<SharedLock>) -> Result<RootGuard<M>, TryAcquireError>,
    ) -> Result<RootGuard<M>, SessionError> {
        acquire(Arc::clone(&self.locks.root)).map_err(|error| now_at_root(H::Root::NAME, M::MODE, error))
    }
}

impl<H: Hierarchy> Asker for Entrant<H> {
    fn may_wait(&mut self) -> Result<(), SessionError> {
        self.may_begin()
    }

    fn waits(&mut self, ticket: u64) {
        self.claim.record().waits_for_root(self.mode, ticket, self.place);
    }

    fn moves(&self, ticket: u64) {
        self.claim.record().moves(ticket);
    }

    #[inline]
    fn party(&self) -> Party<'_> {
        Party::new(|| self.claim.flow(), 0, self.place)
    }

    fn delay(&self, ticket: u64) -> Delay {
        Delay::begin(Arc::clone(&self.claim.manager().locks) as _, H::Root::INDEX, ticket)
    }

    fn in_the_way(&self, ticket: u64) -> Vec<Holder> {
        self.claim.manager().in_the_way(H::Root::INDEX, self.mode, ticket)
    }
}

impl<H: Hierarchy, M: Mode> Answer<Result<RootGuard<M>, AcquireError>> for Entrant<H> {
    type Gain = Entered<H, M>;

    fn answered(
        asker: &mut Option<Self>,
        root: Result<RootGuard<M>, AcquireError>,
        watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        told(asker, root, watched, Self::begin)
    }
}

impl<H: Hierarchy> Answer<Result<AnyRoot, AcquireError>> for Entrant<H> {
    type Gain = DynSession<H>;

    fn answered(
        asker: &mut Option<Self>,
        root: Result<AnyRoot, AcquireError>,
        watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        told(asker, root, watched, Self::begin_any)
    }
}

/// Begins the session, or converts the error, once the root has answered.
fn told<H: Hierarchy, R, S>(
    asker: &mut Option<Entrant<H>>,
    root: Result<R, AcquireError>,
    watched: Watched,
    begin: impl FnOnce(Entrant<H>, R, Watched) -> S,
) -> Result<S, SessionError> {
    let Some(entrant) = asker.take() else { unreachable!("it is there until it is told") };
    match root {
        Ok(root) => Ok(begin(entrant, root, watched)),
        Err(error) => watched.failed(at_root(H::Root::NAME, entrant.mode, error)),
    }
}

impl<H: Hierarchy> fmt::Debug for Entrant<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrant").field("label", &self.claim.label()).field("mode", &self.mode).finish_non_exhaustive()
    }
}
