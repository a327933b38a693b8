//! How a session climbs to a level.

use super::error::{AtLevel, SessionError};
use super::request::{Answer, Asker, SessionRequest};
use super::session::Session;
use crate::deadline::Deadline;
use crate::level::{Held, HeldList, Hierarchy, Level, SetOf};
use crate::mode::Mode;
use crate::set::{SetAcquire, SetGuard};
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
