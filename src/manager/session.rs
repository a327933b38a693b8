//! What one flow of work holds: sessions, and how they climb.

use super::LockManager;
use super::claim::Claim;
use super::error::{AtLevel, SessionError};
use super::record::Record;
use super::request::{Answer, Asker, SessionRequest};
use crate::deadline::Deadline;
use crate::level::{
    CanAcquire, CanDowngrade, CanRelease, Held, HeldList, Hierarchy, Holds, HoldsExclusive, Level, LevelGuard, LevelOf,
    NotRoot, SetOf, checks,
};
use crate::lock::block_on;
use crate::mode::{Exclusive, Mode, Shared};
use crate::panics::Panics;
use crate::set::{AsName, NameArray, Names, NamesOrAll, SetAcquire, SetGuard, Want};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

/// What one flow of work holds of a [`LockManager`]; dropping it releases everything, highest level first.
///
/// `S` is the exact list of levels held, with modes, as [`held!`](crate::held) writes it:
/// `Session<Seed, held![shared Cluster, exclusive Instance]>`. A session is `Send + Sync + 'static` unless it is
/// [nested](Self::nest): store it in a struct, move it into `tokio::spawn`.
///
/// Climbing allocates nothing as long as all locks are free and each level is asked for at most four names, but for what
/// a manager keeps and uses again: the first session allocates, and so may one that lives beside more others than ever
/// before, or than 64, or that begins in the very moment in which another begins or ends.
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

    /// What the session is for, as given when it began.
    pub fn label(&self) -> &str {
        self.record().label()
    }

    /// The manager that it is a session of.
    pub fn manager(&self) -> &LockManager<H> {
        self.claim.manager()
    }

    pub(super) fn record(&self) -> &Record {
        self.claim.record()
    }

    pub(super) fn set<L: NotRoot + LevelOf<H>>(&self) -> SetOf<L> {
        Arc::clone(&L::set(&self.manager().locks.sets).0)
    }

    /// One level higher, for which it has waited.
    pub(super) fn climbed<L: Level, M: Mode>(self, guard: LevelGuard<L, M>) -> Session<H, Held<L, M, S>> {
        Session::new(Held::new(guard, self.held), self.claim)
    }
}

/// Acquiring: upwards only.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Waits for names of level `L`, or [`All`](crate::All), to share them. Nothing may be held at `L` or above.
    ///
    /// A level acquired with no names still counts as held until it is released: both branches of an `if` have one
    /// type. (The seed forgets such a level.)
    ///
    /// # Fairness
    ///
    /// That of [`LockSet`](crate::LockSet).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the session in it, which releases everything; what it waited for leaves nothing behind.
    /// To keep what was held before, acquire through [`nest`](Self::nest), or
    /// [`reclaim`](super::SessionRequest::reclaim) the session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Deleted`], [`SessionError::AlreadyHeld`].
    #[expect(clippy::inline_always, reason = "see `climb`")]
    #[inline(always)]
    pub fn shared<L>(self, names: impl NamesOrAll<L::Name>) -> Climb<H, S, L, Shared>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb(names)
    }

    /// Waits for names of level `L`, or [`All`](crate::All), to have them alone. Nothing may be held at `L` or above.
    ///
    /// Otherwise as [`shared`](Self::shared).
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Deleted`], [`SessionError::AlreadyHeld`].
    #[expect(clippy::inline_always, reason = "see `climb`")]
    #[inline(always)]
    pub fn exclusive<L>(self, names: impl NamesOrAll<L::Name>) -> Climb<H, S, L, Exclusive>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb(names)
    }

    // The future is made where it stays: moved once it is made, it would be read in pieces other than it was written in.
    #[expect(
        clippy::inline_always,
        reason = "measured: with the answer to it, see `Climber`, a fifth of the time of a climb"
    )]
    #[inline(always)]
    fn climb<L, M: Mode>(self, names: impl NamesOrAll<L::Name>) -> Climb<H, S, L, M>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        const { checks::may_acquire::<S, L>() }
        let acquire = SetAcquire::of(self.set::<L>(), names, Want::All);
        Climb::up(self, acquire)
    }

    /// Shares names of level `L` if that is possible without waiting: all of them now, or none. Nothing may be held at
    /// `L` or above.
    ///
    /// A try that fails drops the session: to keep it, try through [`nest`](Self::nest).
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`] with the names that others hold, and those of [`shared`](Self::shared).
    pub fn try_shared<L>(self, names: impl NamesOrAll<L::Name>) -> Result<Session<H, Held<L, Shared, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb_now(names)
    }

    /// Takes names of level `L` alone if that is possible without waiting: all of them now, or none. Nothing may be held
    /// at `L` or above.
    ///
    /// A try that fails drops the session: to keep it, try through [`nest`](Self::nest).
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`] with the names that others hold, and those of [`exclusive`](Self::exclusive).
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
    pub fn try_exclusive<L>(
        self,
        names: impl NamesOrAll<L::Name>,
    ) -> Result<Session<H, Held<L, Exclusive, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        self.climb_now(names)
    }

    fn climb_now<L, M: Mode>(
        mut self,
        names: impl NamesOrAll<L::Name>,
    ) -> Result<Session<H, Held<L, M, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        const { checks::may_acquire::<S, L>() }
        self.claim.takes::<L>()?;
        let guard = SetAcquire::of(self.set::<L>(), names, Want::All).at_once().map_err(AtLevel::<L>::at_level)?;
        Ok(self.climbed(L::level_guard(guard)))
    }

    /// As [`shared`](Self::shared), for threads that are not asynchronous: blocks this one until it has the names.
    ///
    /// # Errors
    ///
    /// Those of [`shared`](Self::shared).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
    pub fn blocking_shared<L>(
        self,
        names: impl NamesOrAll<L::Name>,
    ) -> Result<Session<H, Held<L, Shared, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        block_on(self.shared::<L>(names))
    }

    /// As [`exclusive`](Self::exclusive), for threads that are not asynchronous: blocks this one until it has the names.
    ///
    /// # Errors
    ///
    /// Those of [`exclusive`](Self::exclusive).
    ///
    /// # Panics
    ///
    /// Within an asynchronous task, which must not block; it may be called in `spawn_blocking`.
    pub fn blocking_exclusive<L>(
        self,
        names: impl NamesOrAll<L::Name>,
    ) -> Result<Session<H, Held<L, Exclusive, S>>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanAcquire<L>,
    {
        block_on(self.exclusive::<L>(names))
    }

    /// A session inside this one. It may use what this one holds and climb on; what it acquires ends with it, and this
    /// one is as before, also if the nested one fails or is dropped at an await.
    ///
    /// A nested session releases, downgrades and removes only what it acquired itself.
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

/// Giving back what this session acquired itself.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Releases level `L`, whether or not higher levels are held.
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
            Session::new(held, self.claim)
        })
    }

    /// Releases some names of level `L`, and the whole-set lock if the level is held as [`All`](crate::All).
    ///
    /// The level counts as held, even if nothing of it is left, until [`release`](Self::release).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with those names that are not held; nothing is released then.
    pub fn release_names<L>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError>
    where
        L: NotRoot + LevelOf<H>,
        S: CanRelease<L>,
    {
        const { checks::is_own::<S, L>() }
        self.held.own_guard().release(names).map_err(AtLevel::<L>::at_level)
    }

    /// Turns an exclusive hold of level `L`, or of the root, into a shared one; see
    /// [`Guard::downgrade`](crate::Guard::downgrade).
    pub fn downgrade<L>(self) -> Session<H, S::Downgraded>
    where
        L: LevelOf<H>,
        S: CanDowngrade<L>,
    {
        const { checks::is_own_exclusive::<S, L>() }
        Panics::defer(|panics| Session::new(self.held.downgrade(panics), self.claim))
    }

    /// What this session holds of level `L`: its names, in name order, and the mode.
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
    /// The value of a name of level `L`, if this session holds that.
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

    /// The value of a name of level `L`, to be changed, if this session holds that. The level must be held exclusively.
    pub fn get_mut<L>(&mut self, name: impl AsName<L::Name>) -> Option<&mut L::Value>
    where
        L: NotRoot + LevelOf<H>,
        S: HoldsExclusive<L>,
    {
        const { checks::is_exclusive::<S, L>() }
        self.held.exclusive_guard().get_mut(name)
    }

    /// The values of an array of names of level `L`, to be changed side by side, in the order of the names given. The
    /// level must be held exclusively.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with those names that this session does not hold; [`SessionError::Repeated`] if a name
    /// stands there twice.
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
/// Made by [`Session::shared`], [`Session::exclusive`], [`Session::add_exclusive`] and [`Session::add_shared`].
///
/// # Cancel safety
///
/// Dropping the future drops the session in it, which releases everything. To keep what was held before, acquire
/// through [`Session::nest`], or pin the future and [`reclaim`](SessionRequest::reclaim) the session from it.
pub type Climb<H, S, L, M, F = SetAcquire<SetOf<L>, M>> = SessionRequest<Climber<H, S, L, M>, F>;

/// The session that climbs to level `L`.
pub struct Climber<H: Hierarchy, S, L, M> {
    session: Session<H, S>,
    /// Whether the level is on the record of the session.
    noted: bool,
    level: PhantomData<fn() -> (L, M)>,
}

impl<H: Hierarchy, S, L: Level, M: Mode, F> Climb<H, S, L, M, F> {
    #[inline]
    pub(super) fn up(session: Session<H, S>, acquire: F) -> Self {
        Self::new(Climber { session, noted: false, level: PhantomData }, acquire)
    }

    /// Gives up waiting and takes the session back, with all that it held before.
    ///
    /// `None` if the future has resolved to the new session, or the session was taken back before. One that has failed
    /// gives it back, too.
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
    /// As [`SessionRequest::reclaim`].
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
    ) -> Result<Self::Gain, SessionError> {
        match acquired {
            Ok(guard) => {
                let Some(climber) = asker.take() else { unreachable!("it goes when the request does") };
                Ok(climber.session.climbed(L::level_guard(guard)))
            }
            Err(error) => {
                if let Some(climber) = asker {
                    climber.session.claim.returns::<L>(); // And stays, for `reclaim`.
                }
                Err(error.at_level())
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
