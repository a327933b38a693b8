//! The futures of a session: one that climbs to a level, and one that adds to a level or removes from it.

use super::error::{AtLevel, SessionError};
use super::session::Session;
use crate::level::{Held, Hierarchy, Level};
use crate::mode::Mode;
use crate::set::{LockSet, SetAcquire, SetGuard};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Waits for names of level `L` in mode `M`; resolves to the session that holds them on top of `S`.
    ///
    /// Made by [`Session::shared`], [`Session::exclusive`], [`Session::add_exclusive`] and [`Session::add_shared`].
    /// Nothing happens before the first poll.
    ///
    /// # Fairness
    ///
    /// That of [`SetAcquire`], and of [`Add`](crate::Add).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the session in it, which releases everything. To keep what was held before, acquire
    /// through [`Session::nest`], or pin the future and [`reclaim`](Self::reclaim) the session from it.
    ///
    /// # Errors
    ///
    /// A [`SessionError`] that names the level and the names; nothing of level `L` is held then.
    ///
    /// # Panics
    ///
    /// When polled again after it has resolved; [`FusedFuture::is_terminated`] tells.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Climb<H: Hierarchy, S, L: Level, M: Mode, F = SetAcquire<Arc<LockSet<<L as Level>::Name>>, M>> {
        session: Option<Session<H, S>>,
        // Gone when it has resolved.
        #[pin]
        acquire: Option<F>,
        level: PhantomData<fn() -> (L, M)>,
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode, F> Climb<H, S, L, M, F> {
    pub(super) fn new(session: Session<H, S>, acquire: F) -> Self {
        Self { session: Some(session), acquire: Some(acquire), level: PhantomData }
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
        let mut this = self.project();
        this.acquire.set(None);
        this.session.take()
    }
}

impl<H, S, L, M, F, E> Future for Climb<H, S, L, M, F>
where
    H: Hierarchy,
    L: Level,
    M: Mode,
    F: Future<Output = Result<SetGuard<Arc<LockSet<L::Name>>, M>, E>>,
    E: AtLevel<L>,
{
    type Output = Result<Session<H, Held<L, M, S>>, SessionError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(acquire) = this.acquire.as_mut().as_pin_mut() else { panic!("`Climb` polled after it has resolved") };
        let acquired = ready!(acquire.poll(context));
        this.acquire.set(None);
        Poll::Ready(match (acquired, this.session.take()) {
            (Ok(guard), Some(session)) => Ok(session.climbed(L::level_guard(guard))),
            (Err(error), session) => {
                *this.session = session; // For `reclaim`.
                Err(error.at_level())
            }
            (Ok(_), None) => unreachable!("the session goes when the acquisition does"),
        })
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode, F> FusedFuture for Climb<H, S, L, M, F>
where
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        self.acquire.is_none()
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode, F: fmt::Debug> fmt::Debug for Climb<H, S, L, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Climb")
            .field("level", &L::NAME)
            .field("mode", &M::MODE)
            .field("acquire", &self.acquire)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// Adds to a level, or removes from it, while the session is borrowed. Made by [`Session::add`] and
    /// [`Session::remove`].
    ///
    /// Cancel safe: dropped before it resolves, it has changed nothing. Panics when polled after it has resolved.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Modify<'s, L: Level, F> {
        #[pin]
        change: F,
        session: PhantomData<&'s mut ()>,
        level: PhantomData<fn() -> L>,
    }
}

impl<L: Level, F> Modify<'_, L, F> {
    pub(super) fn new(change: F) -> Self {
        Self { change, session: PhantomData, level: PhantomData }
    }
}

impl<L: Level, F: Future<Output: Changed<L>>> Future for Modify<'_, L, F> {
    type Output = <F::Output as Changed<L>>::Told;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().change.poll(context).map(Changed::told)
    }
}

impl<L: Level, F: FusedFuture<Output: Changed<L>>> FusedFuture for Modify<'_, L, F> {
    fn is_terminated(&self) -> bool {
        self.change.is_terminated()
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
}

impl<L: Level, T, E: AtLevel<L>> Changed<L> for Result<T, E> {
    type Told = Result<T, SessionError>;

    fn told(self) -> Self::Told {
        self.map_err(AtLevel::at_level)
    }
}

impl<L: Level> Changed<L> for Vec<L::Name> {
    type Told = Self;

    fn told(self) -> Self {
        self
    }
}
