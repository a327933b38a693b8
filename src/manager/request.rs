//! A request of a session, from the call to the answer: the one future of this layer.
//!
//! ```text
//!   SessionRequest ─┬─ request    the future of the lock or of the set, which waits; gone when it has answered
//!                   └─ asker      the session that asks, or what it lends
//!
//!   asker                     asks for                         gets
//!   Entrant    no session     the root                         the session
//!   Climber    owns it        names of a level                 the session, one level higher
//!   Changer    borrows it     to add or remove members         nothing, or the names removed
//!   DynAsker   borrows it     any of these, at run time        what the others get
//! ```

use super::error::SessionError;
use super::hot::Delay;
use crate::deadline::{Deadline, Limit, Timed};
use crate::panics::Panics;
use crate::priority::Priority;
use crate::set::{InPart, Want};
use crate::table::Holder;
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Waits for what a session has asked for: a future and its builder. Nothing happens before the first poll.
    ///
    /// Its aliases say what it asks for: [`Enter`](crate::futures::Enter) for the root,
    /// [`Climb`](crate::futures::Climb) for a level, [`Modify`](crate::futures::Modify) to add and remove members.
    /// [`EnterAny`](crate::futures::EnterAny) and [`DynRequest`](crate::futures::DynRequest) are their counterparts for
    /// sessions whose levels are known only at run time. See [`timeout`](Self::timeout) for an example.
    ///
    /// # Fairness
    ///
    /// That of [`SharedLock`](crate::SharedLock) at the root, and of [`LockSet`](crate::LockSet) above.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Nothing has been added or removed. A session that has been moved into the future is
    /// dropped with it: see [`Climb`](crate::futures::Climb) for how to keep it.
    ///
    /// # Errors
    ///
    /// A [`SessionError`](crate::SessionError) with the level and the names. Nothing that was asked for is held then,
    /// and nothing has changed.
    ///
    /// # Panics
    ///
    /// If it is polled again after it has resolved; see [`FusedFuture::is_terminated`].
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct SessionRequest<A, F> {
        // Declared before the asker, so that it is dropped first: the level is on the record as long as this waits.
        #[pin]
        request: Option<F>,
        // Ends after the request, with no place in a queue any more.
        delay: Option<Box<Delay>>,
        asker: Option<A>,
    }
}

/// The party that asks: a session, or what it lends.
pub trait Asker: Sized {
    /// Checks whether the request may wait, and puts it on the record. Called before each poll.
    fn may_wait(&mut self) -> Result<(), SessionError>;

    /// Notes that the request waits, under this ticket.
    fn waits(&mut self, ticket: u64);

    /// Notes that the request that waits has another ticket now.
    fn moves(&self, ticket: u64);

    /// The delay of a request that begins to wait.
    fn delay(&self, ticket: u64) -> Delay;

    /// The sessions that hold what the request of this ticket waits for, longest first: a few of them.
    fn in_the_way(&self, ticket: u64) -> Vec<Holder>;
}

/// An asker whose request is answered by `T`.
pub trait Answer<T>: Asker {
    /// What the future resolves to on success.
    type Gain;

    /// Turns the answer into the result. Takes the asker if the result needs it.
    fn answered(asker: &mut Option<Self>, answer: T) -> Result<Self::Gain, SessionError>;
}

impl<A, F> SessionRequest<A, F> {
    #[inline]
    pub(super) fn new(asker: A, request: F) -> Self {
        Self { request: Some(request), delay: None, asker: Some(asker) }
    }

    /// Gives up after this duration, counted from the first poll.
    ///
    /// One deadline covers everything that is asked for. See [`Deadline`] for the runtime that it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use lockladder::{LockManager, Priority, SessionError, ganeti::seed::Seed};
    /// use std::time::Duration;
    /// let manager: LockManager<Seed> = LockManager::builder().build();
    /// let _alone = manager.exclusive("rename").await.unwrap();
    /// let job = manager.shared("job").timeout(Duration::from_millis(50)).priority(Priority::new(-5));
    /// assert!(matches!(job.await, Err(SessionError::TimedOut { level: "Cluster", .. })));
    /// # }
    /// ```
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time. See [`timeout`](Self::timeout) for details and an example.
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    /// The asker and the request, before the first poll.
    pub(super) fn into_parts(self) -> Option<(A, F)> {
        self.asker.zip(self.request)
    }

    /// Stops waiting, and gives back the asker if it is there.
    pub(super) fn recall(self: Pin<&mut Self>) -> Option<A> {
        let mut this = self.project();
        this.request.set(None);
        *this.delay = None;
        this.asker.take()
    }

    /// Changes the request before the first poll.
    fn tell(self, tell: impl FnOnce(F) -> F) -> Self {
        Self { request: self.request.map(tell), ..self }
    }

    #[expect(
        clippy::inline_always,
        reason = "else what it resolves to, a session, is moved once more: 15 % of a climb"
    )]
    #[inline(always)]
    fn poll_by<T>(
        self: Pin<&mut Self>,
        poll: impl FnOnce(Pin<&mut F>) -> Poll<T>,
    ) -> Poll<Result<A::Gain, SessionError>>
    where
        A: Answer<T>,
        F: Timed,
    {
        let mut this = self.project();
        let (Some(mut request), Some(asker)) = (this.request.as_mut().as_pin_mut(), this.asker.as_mut()) else {
            panic!("`SessionRequest` polled after it has resolved")
        };
        if let Err(refusal) = asker.may_wait() {
            this.request.set(None);
            return Poll::Ready(Err(refusal));
        }
        let Poll::Ready(answer) = poll(request.as_mut()) else {
            Self::pending(request, asker, this.delay);
            return Poll::Pending;
        };
        this.request.set(None);
        if this.delay.is_some() {
            *this.delay = None;
        }
        Poll::Ready(A::answered(this.asker, answer))
    }
}

impl<A: Asker, F: Timed> SessionRequest<A, F> {
    /// The slow path of a poll.
    #[cold]
    fn pending(request: Pin<&mut F>, asker: &mut A, delay: &mut Option<Box<Delay>>) {
        if let Some(ticket) = request.watch() {
            asker.waits(ticket);
            delay.get_or_insert_with(|| Box::new(asker.delay(ticket)));
        }
    }

    /// Sets the priority of the request; the default is 0.
    ///
    /// See [`timeout`](Self::timeout) for an example.
    pub fn priority(self, priority: Priority) -> Self {
        self.tell(|request| request.with_priority(priority))
    }

    /// Changes the priority of a request, which may already wait.
    ///
    /// The request moves at once, behind those that wait at its new priority, and every request that can be granted
    /// then is granted. A granted request stays granted. See
    /// [`Acquire::set_priority`](crate::futures::Acquire::set_priority) for an example.
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        let this = self.project();
        let (Some(mut request), Some(asker)) = (this.request.as_pin_mut(), this.asker) else { return };
        Panics::defer(|panics| {
            panics.catch(|| request.as_mut().move_to(priority)); // Wakes others, once the request has moved.
            if let Some(ticket) = request.watch() {
                asker.moves(ticket);
            }
        });
    }
}

impl<A, F: InPart> SessionRequest<A, F> {
    /// Takes those of the names that are free now, maybe none.
    ///
    /// See [`SetAcquire::opportunistic`](crate::futures::SetAcquire::opportunistic) for details and an example.
    pub fn opportunistic(self) -> Self {
        self.wanting(Want::Free)
    }

    /// Waits until at least this many of the names are free, and takes all that are free then.
    ///
    /// See [`SetAcquire::at_least`](crate::futures::SetAcquire::at_least) for details.
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
    pub fn at_least(self, names: usize) -> Self {
        self.wanting(Want::AtLeast(names))
    }
}

impl<A, F: InPart> InPart for SessionRequest<A, F> {
    fn wanting(self, want: Want) -> Self {
        self.tell(|request| request.wanting(want))
    }
}

impl<A: Answer<F::Output>, F: Timed> Future for SessionRequest<A, F> {
    type Output = Result<A::Gain, SessionError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_by(|request| request.poll(context))
    }
}

impl<A: Answer<F::Output>, F: Timed> FusedFuture for SessionRequest<A, F> {
    fn is_terminated(&self) -> bool {
        self.request.as_ref().is_none_or(F::is_terminated) // It may have resolved, and then panicked.
    }
}

impl<A: Answer<F::Output>, F: Timed> Timed for SessionRequest<A, F> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    fn give_up(mut self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        let this = self.as_mut().project();
        let ticket = this.request.as_pin_mut().and_then(F::watch);
        let holders = ticket.zip(this.asker.as_ref()).map(|(ticket, asker)| asker.in_the_way(ticket));
        match self.poll_by(|request| Poll::Ready(request.give_up(waited))) {
            Poll::Ready(answer) => answer.map_err(|error| error.with_holders(holders.unwrap_or_default())),
            Poll::Pending => unreachable!("a request that gives up has resolved"),
        }
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        self.project().request.as_pin_mut()?.watch()
    }
}
