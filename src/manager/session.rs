//! Sessions: what one flow of work holds, and how it climbs.

use super::LockManager;
use super::claim::Claim;
use super::error::{AtLevel, SessionError};
use super::hot::Delay;
use super::record::{Place, Record};
use super::request::{Answer, Asker, SessionRequest};
use super::watch::{self, Party, Watched};
use crate::deadline::Deadline;
use crate::level::{
    CanAcquire, CanDowngrade, CanRelease, Held, HeldList, Hierarchy, Holds, HoldsExclusive, Level, LevelGuard, LevelOf,
    NamesOf, NotRoot, SetOf, checks,
};
use crate::lock::block_on;
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use crate::panics::Panics;
use crate::set::{AsName, NameArray, Names, SetAcquire, SetGuard, Want};
use crate::table::Holder;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

/// The locks of a [`LockManager`] that one flow of work holds.
///
/// Dropping the session releases everything, highest level first.
///
/// `S` is the exact list of the levels held, with their modes, as [`held!`](crate::held) writes it:
/// `Session<Seed, held![shared Cluster, exclusive Instance]>`. A session is `Send + Sync + 'static` unless it is
/// [nested](Self::nest): it can be stored in a struct, or moved into `tokio::spawn`.
///
/// Climbing free locks with at most four names a level does not allocate. Beginning a session may: records are pooled
/// (up to 64), and a session allocates one when the pool is empty or contended.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
/// use lockladder::{All, LockManager, Session, held};
///
/// let manager: LockManager<Seed> =
///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1", "node2"]).build();
/// let job = manager.shared("verify").await?.shared::<Instance>(All).await?;
/// let mut job: Session<Seed, held![shared Cluster, shared Instance, exclusive Node]> =
///     job.exclusive::<Node>(All).await?;
/// job.release_names::<Node>("node2")?;         // a part of a level
/// let job = job.downgrade::<Node>();           // from exclusive to shared, in the type
/// let job = job.release::<Instance>();         // a level in the middle
/// assert_eq!(job.owned::<Node>().names(), ["node1"]);
/// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
/// ```
///
/// The wrong order does not compile:
///
/// ```compile_fail,E0277
/// # use lockladder::{LockManager, ganeti::seed::{Instance, Node, Seed}};
/// # async fn wrong(manager: LockManager<Seed>) -> Result<(), lockladder::SessionError> {
/// let job = manager.shared("job").await?.shared::<Node>("node1").await?;
/// let job = job.shared::<Instance>("web1").await?; // lock order violation: cannot acquire level `Instance` ...
/// # Ok(()) }
/// ```
#[must_use = "dropping a session releases every lock it holds"]
pub struct Session<H: Hierarchy, S> {
    pub(super) held: S,
    pub(super) claim: Claim<H>,
}

impl<H: Hierarchy, S> Session<H, S> {
    pub(super) fn new(held: S, claim: Claim<H>) -> Self {
        Self { held, claim }
    }

    /// The label that was given when the session began.
    ///
    /// See [`LockManager`] for an example of a session with a label.
    pub fn label(&self) -> &str {
        self.claim.label()
    }

    /// The manager of this session.
    ///
    /// See [`LockManager`] for an example.
    pub fn manager(&self) -> &LockManager<H> {
        self.claim.manager()
    }

    pub(super) fn record(&self) -> &Record {
        self.claim.record()
    }

    pub(super) fn set<L: NotRoot + LevelOf<H>>(&self) -> SetOf<L> {
        Arc::clone(&L::set(&self.manager().locks.sets).0)
    }

    /// The session one level higher, with the guard that it has acquired.
    pub(super) fn climbed<L: Level, M: Mode>(self, guard: LevelGuard<L, M>) -> Session<H, Held<L, M, S>> {
        Session::new(Held::new(guard, self.held), self.claim)
    }
}

/// Acquiring: upwards only.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Waits for names of level `L`, or [`All`](crate::All), and shares them.
    ///
    /// Nothing may be held at `L` or above. A level acquired with no names counts as held until it is released, so both
    /// branches of an `if` have one type. (The seed forgets such a level.) See [`Session`] for an example.
    ///
    /// # Fairness
    ///
    /// That of [`LockSet`](crate::LockSet).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up its place in the queue; a grant that it has not returned yet passes to the next
    /// request. The session in the future is dropped, too, and releases everything. To keep what was held before,
    /// acquire through [`nest`](Self::nest), or [`reclaim`](super::SessionRequest::reclaim) the session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Deleted`], [`SessionError::AlreadyHeld`].
    #[expect(clippy::inline_always, reason = "see `climb`")]
    #[inline(always)]
    #[track_caller]
    pub fn shared<L>(self, names: impl NamesOf<L>) -> Climb<H, S, L, Shared>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb(names)
    }

    /// Waits for names of level `L`, or [`All`](crate::All), and takes them exclusively.
    ///
    /// Otherwise as [`shared`](Self::shared), with the same fairness and cancel safety. See [`Session`] for an example.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Deleted`], [`SessionError::AlreadyHeld`].
    #[expect(clippy::inline_always, reason = "see `climb`")]
    #[inline(always)]
    #[track_caller]
    pub fn exclusive<L>(self, names: impl NamesOf<L>) -> Climb<H, S, L, Exclusive>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb(names)
    }

    // The future is built in place: moving it would load it in other widths than it was stored in, and stall store
    // forwarding.
    #[expect(
        clippy::inline_always,
        reason = "measured: with the answer to it, see `Climber`, a fifth of the time of a climb"
    )]
    #[inline(always)]
    #[track_caller]
    fn climb<L, M: Mode>(self, names: impl NamesOf<L>) -> Climb<H, S, L, M>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        const { checks::may_acquire::<S, L>() }
        let acquire = SetAcquire::new(self.set::<L>(), names.requested(), Want::All);
        Climb::up(self, acquire, Location::caller())
    }

    /// Shares names of level `L` without waiting: all of them now, or none.
    ///
    /// Nothing may be held at `L` or above. A try that fails drops the session: to keep it, try through
    /// [`nest`](Self::nest). See [`try_exclusive`](Self::try_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`] with the names that other sessions hold, and those of [`shared`](Self::shared).
    #[track_caller]
    pub fn try_shared<L>(self, names: impl NamesOf<L>) -> Result<Session<H, Held<L, Shared, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb_now(names)
    }

    /// Takes names of level `L` exclusively, without waiting: all of them now, or none.
    ///
    /// Nothing may be held at `L` or above. A try that fails drops the session: to keep it, try through
    /// [`nest`](Self::nest).
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`] with the names that other sessions hold, and those of
    /// [`exclusive`](Self::exclusive).
    ///
    /// # Examples
    ///
    /// ```
    /// use lockladder::{LockManager, SessionError, ganeti::seed::{Node, Seed}};
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1", "node2"]).build();
    /// let busy = manager.try_shared("busy")?.try_exclusive::<Node>("node1")?;
    /// let mut job = manager.try_shared("job")?;
    /// let error = job.nest().try_exclusive::<Node>(["node1", "node2"]).unwrap_err();
    /// assert!(matches!(error, SessionError::WouldBlock { names, .. } if names == ["node1"]));
    /// let job = job.try_exclusive::<Node>("node2")?;
    /// # Ok::<_, SessionError>(())
    /// ```
    #[track_caller]
    pub fn try_exclusive<L>(self, names: impl NamesOf<L>) -> Result<Session<H, Held<L, Exclusive, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb_now(names)
    }

    #[track_caller]
    fn climb_now<L, M: Mode>(mut self, names: impl NamesOf<L>) -> Result<Session<H, Held<L, M, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        const { checks::may_acquire::<S, L>() }
        self.claim.takes::<L>()?;
        let acquire = SetAcquire::new(self.set::<L>(), names.requested(), Want::All);
        let place = Location::caller();
        let watched = Watched::now(Party::new(|| self.claim.flow(), L::INDEX, place), &acquire);
        let guard = match acquire.at_once() {
            Ok(guard) => guard,
            Err(error) => return watched.failed(AtLevel::<L>::at_level(error)),
        };
        self.record().holds(L::INDEX, M::MODE, place, guard.held());
        watch::held(Party::new(|| self.claim.flow(), L::INDEX, place), M::MODE, watched);
        Ok(self.climbed(L::level_guard(guard)))
    }

    /// As [`shared`](Self::shared), for code that is not async: blocks the thread until it has the names.
    ///
    /// See [`LockManager::blocking_shared`] for an example.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    #[track_caller]
    pub fn blocking_shared<L>(self, names: impl NamesOf<L>) -> Result<Session<H, Held<L, Shared, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        block_on(self.shared::<L>(names))
    }

    /// As [`exclusive`](Self::exclusive), for code that is not async: blocks the thread until it has the names.
    ///
    /// See [`LockManager::blocking_shared`] for an example.
    ///
    /// # Errors
    ///
    /// Those of [`exclusive`](Self::exclusive).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    #[track_caller]
    pub fn blocking_exclusive<L>(
        self,
        names: impl NamesOf<L>,
    ) -> Result<Session<H, Held<L, Exclusive, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        block_on(self.exclusive::<L>(names))
    }

    /// Begins a nested session, which can use what this one holds, and climb on.
    ///
    /// A nested session releases, downgrades and removes only what it acquired itself. When it is dropped, it releases
    /// that, and this session holds what it held before, even if the nested one has failed or was dropped at an await.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockManager, ganeti::seed::{Instance, Node, Seed}};
    ///
    /// let manager: LockManager<Seed> =
    ///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1"]).build();
    /// let mut job = manager.shared("job").await?.exclusive::<Instance>("web1").await?;
    /// assert!(job.nest().shared::<Node>("node9").await.is_err());
    /// let inner = job.nest().shared::<Node>("node1").await?;
    /// assert_eq!(inner.owned::<Instance>().names(), ["web1"]);
    /// drop(inner);
    /// assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn nest(&mut self) -> Session<H, &mut S> {
        Session::new(&mut self.held, self.claim.nested())
    }
}

/// Giving back what this session acquired itself, and looking at what it holds.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Releases level `L`, even while higher levels are held.
    ///
    /// See [`Session`] for an example.
    pub fn release<L>(mut self) -> Session<H, S::Without>
    where
        L: NotRoot + LevelOf<H>,
        S: CanRelease<L>,
    {
        const { checks::is_own::<S, L>() }
        let (guard, held) = self.held.split();
        self.claim.returns::<L>();
        Panics::defer(|panics| {
            panics.catch(|| drop(guard));
            self.claim.settles();
            Session::new(held, self.claim)
        })
    }

    /// Releases some names of level `L`, and its hold on the whole level if it was acquired as [`All`](crate::All).
    ///
    /// The level counts as held until [`release`](Self::release), even with no names left. See [`Session`] for an
    /// example.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with the names that are not held; nothing is released then.
    pub fn release_names<L>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanRelease<L>,
    {
        const { checks::is_own::<S, L>() }
        let mut guard = self.claim.record().renaming(L::INDEX, self.held.own_guard());
        guard.release(names).map_err(AtLevel::<L>::at_level)
    }

    /// Turns an exclusive hold of level `L`, or of the root, into a shared one.
    ///
    /// See [`Guard::downgrade`](crate::Guard::downgrade) for its fairness, and [`Session`] for an example.
    pub fn downgrade<L>(self) -> Session<H, S::Downgraded>
    where
        L: LevelOf<H>,
        S: CanDowngrade<L>,
    {
        const { checks::is_own_exclusive::<S, L>() }
        self.record().downgrades(L::INDEX);
        watch::downgraded(|| self.claim.flow(), L::INDEX);
        Panics::defer(|panics| Session::new(self.held.downgrade(panics), self.claim))
    }

    /// The guard of level `L`: its names, in name order, and its mode.
    ///
    /// See [`Session`] for an example.
    pub fn owned<L>(&self) -> &LevelGuard<L, S::Mode>
    where
        L: NotRoot + LevelOf<H>,
        S: Holds<L>,
    {
        const { checks::is_held::<S, L>() }
        self.held.guard()
    }
}

/// The values in the locks.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// The value of a name of level `L`, if this session holds the name.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// lockladder::hierarchy! {
    ///     struct Farm { root Gate, level Node: String => u64 }
    /// }
    /// let farm: lockladder::LockManager<Farm> = lockladder::LockManager::builder().names::<Node>(["node1"]).build();
    /// let mut job = farm.shared("count").await?.exclusive::<Node>("node1").await?;
    /// if let Some(count) = job.get_mut::<Node>("node1") {
    ///     *count += 1;
    /// }
    /// assert_eq!((job.get::<Node>("node1"), job.get::<Node>("node2")), (Some(&1), None));
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn get<L>(&self, name: impl AsName<L::Name>) -> Option<&L::Value>
    where
        L: NotRoot + LevelOf<H>,
        S: Holds<L>,
    {
        const { checks::is_held::<S, L>() }
        self.held.guard().get(name)
    }

    /// The value of a name of level `L`, mutably, if this session holds the name.
    ///
    /// The level must be held exclusively. See [`get`](Self::get) for an example.
    pub fn get_mut<L>(&mut self, name: impl AsName<L::Name>) -> Option<&mut L::Value>
    where
        L: NotRoot + LevelOf<H>,
        S: HoldsExclusive<L>,
    {
        const { checks::is_exclusive::<S, L>() }
        self.held.exclusive_guard().get_mut(name)
    }

    /// The values of an array of names of level `L`, mutably, in the order of the names given.
    ///
    /// The level must be held exclusively. See [`Builder::entries`](super::Builder::entries) for an example.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with the names that this session does not hold; [`SessionError::Repeated`] if a name
    /// is given twice.
    pub fn get_disjoint_mut<L, A>(&mut self, names: A) -> Result<A::Each<&mut L::Value>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: HoldsExclusive<L>,
        A: NameArray<L::Name>,
    {
        const { checks::is_exclusive::<S, L>() }
        names.values(self.held.exclusive_guard()).map_err(AtLevel::<L>::at_level)
    }
}

impl<H: Hierarchy, S: HeldList> fmt::Debug for Session<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("label", &self.label());
        self.held.show(&mut out);
        out.finish_non_exhaustive()
    }
}

/// Waits for names of level `L` in mode `M`; resolves to the session that holds them on top of `S`.
///
/// Made by [`Session::shared`], [`Session::exclusive`], [`Session::add_exclusive`] and [`Session::add_shared`]. See
/// [`Session`] for an example.
///
/// # Cancel safety
///
/// Dropping the future gives up its place in the queue; a grant that it has not returned yet passes to the next
/// request, and nothing has been added. The session in the future is dropped, too, and releases everything. To keep
/// what was held before, acquire through [`Session::nest`], or pin the future and [`reclaim`](SessionRequest::reclaim)
/// the session from it.
pub type Climb<H, S, L, M, F = SetAcquire<SetOf<L>, M>> = SessionRequest<Climber<H, S, L, M>, F>;

/// The session that climbs to level `L`.
pub struct Climber<H: Hierarchy, S, L, M> {
    session: Session<H, S>,
    /// Whether the session's record has the level.
    noted: bool,
    place: Place,
    level: PhantomData<fn() -> (L, M)>,
}

impl<H: Hierarchy, S, L: Level, M: Mode, F> Climb<H, S, L, M, F> {
    #[inline]
    pub(super) fn up(session: Session<H, S>, acquire: F, place: Place) -> Self {
        Self::new(Climber { session, noted: false, place, level: PhantomData }, acquire)
    }

    /// Stops waiting and takes the session back, with everything that it held before.
    ///
    /// Returns `None` if the future has resolved to the new session, or if the session has been taken back already. A
    /// future that has failed gives the session back, too.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockManager, ganeti::seed::{Instance, Node, Seed}};
    /// use std::pin::pin;
    ///
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Instance>(["web1"]).build();
    /// let job = manager.shared("job").await?.exclusive::<Instance>("web1").await?;
    /// let mut nodes = pin!(job.exclusive::<Node>("node1"));
    /// assert!(nodes.as_mut().await.is_err(), "there is no node1");
    /// let job = nodes.as_mut().reclaim().expect("the acquisition has failed");
    /// assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn reclaim(self: Pin<&mut Self>) -> Option<Session<H, S>> {
        let mut session = self.recall()?.session;
        session.claim.returns::<L>();
        Some(session)
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode, F> Deadline<Climb<H, S, L, M, F>> {
    /// Stops waiting and takes the session back, as [`SessionRequest::reclaim`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), lockladder::SessionError> {
    /// use lockladder::{LockManager, SessionError, ganeti::seed::{Instance, Node, Seed}};
    /// use std::{pin::pin, time::Duration};
    ///
    /// let manager: LockManager<Seed> =
    ///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1"]).build();
    /// let _busy = manager.shared("busy").await?.exclusive::<Node>("node1").await?;
    /// let job = manager.shared("job").await?.exclusive::<Instance>("web1").await?;
    /// let mut nodes = pin!(job.exclusive::<Node>("node1").timeout(Duration::from_millis(50)));
    /// assert!(matches!(nodes.as_mut().await, Err(SessionError::TimedOut { level: "Node", .. })));
    /// let job = nodes.as_mut().reclaim().expect("the acquisition has failed");
    /// assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    /// # Ok(()) }
    /// ```
    pub fn reclaim(self: Pin<&mut Self>) -> Option<Session<H, S>> {
        self.request().reclaim()
    }
}

impl<H: Hierarchy, S, L: Level, M> Asker for Climber<H, S, L, M> {
    fn may_wait(&mut self) -> Result<(), SessionError> {
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

impl<H, S, L, M, E> Answer<Result<SetGuard<SetOf<L>, M>, E>> for Climber<H, S, L, M>
where
    H: Hierarchy,
    L: Level,
    M: Mode,
    E: AtLevel<L>,
{
    type Gain = Session<H, Held<L, M, S>>;

    #[expect(clippy::inline_always, reason = "see `SessionRequest::poll_by`")]
    #[inline(always)]
    fn answered(
        asker: &mut Option<Self>,
        acquired: Result<SetGuard<SetOf<L>, M>, E>,
        watched: Watched,
    ) -> Result<Self::Gain, SessionError> {
        match acquired {
            Ok(guard) => {
                let Some(climber) = asker.take() else { unreachable!("it goes when the request does") };
                climber.session.record().holds(L::INDEX, M::MODE, climber.place, guard.held());
                watch::held(climber.party(), M::MODE, watched);
                Ok(climber.session.climbed(L::level_guard(guard)))
            }
            Err(error) => {
                if let Some(climber) = asker {
                    climber.session.claim.returns::<L>(); // The climber stays, for `reclaim`.
                }
                watched.failed(error.at_level())
            }
        }
    }
}

impl<H: Hierarchy, S: HeldList, L: Level, M: Mode> fmt::Debug for Climber<H, S, L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Climber");
        out.field("level", &L::NAME).field("mode", &M::MODE).field("session", &self.session).finish_non_exhaustive()
    }
}
