//! The future by which a session climbs to a level.

use super::error::{AtLevel, SessionError};
use super::session::Session;
use crate::deadline::{Deadline, Limit, Timed};
use crate::level::{Held, Hierarchy, Level, SetOf};
use crate::mode::Mode;
use crate::priority::Priority;
use crate::set::{SetAcquire, SetGuard};
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
    /// Waits for names of level `L` in mode `M`; resolves to the session that holds them on top of `S`.
    ///
    /// Made by [`Session::shared`], [`Session::exclusive`], [`Session::add_exclusive`], [`Session::add_shared`] and those
    /// that add entries. Nothing happens before the first poll.
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
    pub struct Climb<H: Hierarchy, S, L: Level, M: Mode, F = SetAcquire<SetOf<L>, M>> {
        session: Option<Session<H, S>>,
        // Gone when it has resolved.
        #[pin]
        acquire: Option<F>,
        // Whether the level is on the record of the session.
        noted: bool,
        level: PhantomData<fn() -> (L, M)>,
    }

    impl<H: Hierarchy, S, L: Level, M: Mode, F> PinnedDrop for Climb<H, S, L, M, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.acquire.set(None);
            unnote::<H, S, L>(this.session.as_ref(), this.noted);
        }
    }
}

/// Takes the level off the record, if it is there.
fn unnote<H: Hierarchy, S, L: Level>(session: Option<&Session<H, S>>, noted: &mut bool) {
    if let (true, Some(session)) = (std::mem::take(noted), session) {
        session.record().end_of::<L>();
    }
}

/// What a climb comes to.
type Climbed<H, S, L, M> = Result<Session<H, Held<L, M, S>>, SessionError>;

impl<H: Hierarchy, S, L: Level, M: Mode, F> Climb<H, S, L, M, F> {
    pub(super) fn new(session: Session<H, S>, acquire: F) -> Self {
        Self { session: Some(session), acquire: Some(acquire), noted: false, level: PhantomData }
    }

    /// Tells the acquisition, before anything is polled, something more.
    fn tell(&mut self, tell: impl FnOnce(F) -> F) {
        self.acquire = self.acquire.take().map(tell);
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
        unnote::<H, S, L>(this.session.as_ref(), this.noted);
        this.session.take()
    }

    /// Gives up after so long, counted from the first poll: one deadline over all names. The session can be taken back
    /// from the [`Deadline`], by its `reclaim`. It needs a tokio runtime with timers.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), lockladder::SessionError> {
    /// use lockladder::{LockManager, Priority, SessionError, ganeti::seed::{Instance, Node, Seed}};
    /// use std::{pin::pin, time::Duration};
    ///
    /// let manager: LockManager<Seed> =
    ///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1"]).build();
    /// let _busy = manager.shared("busy").await?.exclusive::<Node>("node1").await?;
    /// let job = manager.shared("job").await?.exclusive::<Instance>("web1").await?;
    /// let nodes = job.exclusive::<Node>("node1").timeout(Duration::from_millis(50)).priority(Priority::new(-5));
    /// let mut nodes = pin!(nodes);
    /// assert!(matches!(nodes.as_mut().await, Err(SessionError::TimedOut { level: "Node", .. })));
    /// let job = nodes.as_mut().reclaim().expect("the acquisition has failed");
    /// assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    /// # Ok(()) }
    /// ```
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time; see [`timeout`](Self::timeout).
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    /// The acquisition has come to this.
    fn finish<E: AtLevel<L>>(self: Pin<&mut Self>, acquired: Result<SetGuard<SetOf<L>, M>, E>) -> Climbed<H, S, L, M> {
        let mut this = self.project();
        this.acquire.set(None);
        match (acquired, &mut *this.session) {
            (Ok(guard), session) => {
                *this.noted = false; // The session has it on its list now.
                let Some(session) = session.take() else { unreachable!("the session goes when the acquisition does") };
                Ok(session.climbed(L::level_guard(guard)))
            }
            (Err(error), session) => {
                unnote::<H, S, L>(session.as_ref(), this.noted); // The session stays, for `reclaim`.
                Err(error.at_level())
            }
        }
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode, F: Timed> Climb<H, S, L, M, F> {
    /// Asks with this priority. Without it, with the default, 0.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.tell(|acquire| acquire.with_priority(priority));
        self
    }

    /// Changes the priority of a request that may wait already; see [`SetAcquire::set_priority`].
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        if let Some(acquire) = self.project().acquire.as_pin_mut() {
            acquire.move_to(priority);
        }
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode> Climb<H, S, L, M> {
    /// Takes whichever of the names are free now, maybe none; see [`SetAcquire::opportunistic`].
    pub fn opportunistic(mut self) -> Self {
        self.tell(SetAcquire::opportunistic);
        self
    }

    /// Waits until at least so many of the names are free, and takes all that are free then; see
    /// [`SetAcquire::at_least`].
    ///
    /// # Errors
    ///
    /// [`SessionError::TooFew`] if fewer of the names exist.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockManager, ganeti::seed::{Node, Seed}};
    ///
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1", "node2", "node3"]).build();
    /// let _busy = manager.shared("busy").await?.shared::<Node>("node2").await?;
    /// let job = manager.shared("allocate").await?.exclusive::<Node>(All).at_least(2).await?;
    /// assert_eq!(job.owned::<Node>().names(), ["node1", "node3"]);
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn at_least(mut self, names: usize) -> Self {
        self.tell(|acquire| acquire.at_least(names));
        self
    }
}

impl<H, S, L, M, F, E> Future for Climb<H, S, L, M, F>
where
    H: Hierarchy,
    L: Level,
    M: Mode,
    F: Future<Output = Result<SetGuard<SetOf<L>, M>, E>>,
    E: AtLevel<L>,
{
    type Output = Climbed<H, S, L, M>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        let Some(acquire) = this.acquire.as_mut().as_pin_mut() else { panic!("`Climb` polled after it has resolved") };
        if !*this.noted {
            let Some(session) = &*this.session else { unreachable!("the session goes when the acquisition does") };
            if let Err(already) = session.record().begin::<L>() {
                this.acquire.set(None);
                return Poll::Ready(Err(already));
            }
            *this.noted = true;
        }
        let acquired = ready!(acquire.poll(context));
        Poll::Ready(self.finish(acquired))
    }
}

impl<H, S, L, M, F> FusedFuture for Climb<H, S, L, M, F>
where
    H: Hierarchy,
    L: Level,
    M: Mode,
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        self.acquire.is_none()
    }
}

impl<H, S, L, M, F, E> Timed for Climb<H, S, L, M, F>
where
    H: Hierarchy,
    L: Level,
    M: Mode,
    F: Timed<Output = Result<SetGuard<SetOf<L>, M>, E>, Timed = Result<SetGuard<SetOf<L>, M>, E>>,
    E: AtLevel<L>,
{
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

    fn give_up(mut self: Pin<&mut Self>, waited: Duration) -> Self::Timed {
        let Some(acquire) = self.as_mut().project().acquire.as_pin_mut() else {
            unreachable!("it has just been waiting")
        };
        let acquired = acquire.give_up(waited);
        self.finish(acquired)
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode, F> Deadline<Climb<H, S, L, M, F>> {
    /// As [`Climb::reclaim`].
    pub fn reclaim(self: Pin<&mut Self>) -> Option<Session<H, S>> {
        self.request().reclaim()
    }
}

impl<H: Hierarchy, S, L: Level, M: Mode> Deadline<Climb<H, S, L, M>> {
    /// As [`Climb::opportunistic`].
    pub fn opportunistic(self) -> Self {
        self.map(Climb::opportunistic)
    }

    /// As [`Climb::at_least`].
    pub fn at_least(self, names: usize) -> Self {
        self.map(|climb| climb.at_least(names))
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
