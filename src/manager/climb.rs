//! How a session climbs to a level.

use super::error::{AtLevel, SessionError};
use super::request::{Answer, Asker, SessionRequest};
use super::session::Session;
use crate::deadline::Deadline;
use crate::level::{CanAcquire, Held, HeldList, Hierarchy, Level, LevelOf, NotRoot, SetOf, checks};
use crate::lock::block_on;
use crate::mode::{Exclusive, Mode, Shared};
use crate::set::{NamesOrAll, SetAcquire, SetGuard, Want};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

/// Waits for names of level `L` in mode `M`; resolves to the session that holds them on top of `S`.
///
/// Made by [`Session::shared`], [`Session::exclusive`], [`Session::add_exclusive`], [`Session::add_shared`] and those
/// that add entries.
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
        session.ticket.returns::<L>();
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
        self.ticket.takes::<L>()?;
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
}

impl<H: Hierarchy, S, L: Level, M> Asker for Climber<H, S, L, M> {
    fn may_wait(&mut self) -> Result<(), SessionError> {
        if !self.noted {
            self.session.ticket.takes::<L>()?;
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
    type Output = Result<Session<H, Held<L, M, S>>, SessionError>;

    fn refused(error: SessionError) -> Self::Output {
        Err(error)
    }

    #[expect(clippy::inline_always, reason = "see `SessionRequest::poll_by`")]
    #[inline(always)]
    fn answered(asker: &mut Option<Self>, acquired: Result<SetGuard<SetOf<L>, M>, E>) -> Self::Output {
        match acquired {
            Ok(guard) => {
                let Some(climber) = asker.take() else { unreachable!("it goes when the request does") };
                Ok(climber.session.climbed(L::level_guard(guard)))
            }
            Err(error) => {
                if let Some(climber) = asker {
                    climber.session.ticket.returns::<L>(); // And stays, for `reclaim`.
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
