//! Futures of a session whose mode is known at run time only.

use super::dynamic::DynSession;
use super::error::{AtLevel, OrderError, SessionError};
use crate::deadline::{Deadline, Limit, Timed};
use crate::level::{AnyGuard, Hierarchy, LevelOf, NotRoot, SetOf};
use crate::mode::{Exclusive, Shared};
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
    /// A request for level `L`: one that is shared, or one that is exclusive.
    #[doc(hidden)]
    #[derive(Debug)]
    pub struct ByMode<L, S, X> {
        #[pin]
        request: Either<S, X>,
        level: PhantomData<fn() -> L>,
    }
}

pin_project! {
    #[project = EitherProjected]
    #[derive(Debug)]
    enum Either<S, X> {
        Shared { #[pin] request: S },
        Exclusive { #[pin] request: X },
    }
}

impl<L, S, X> ByMode<L, S, X> {
    pub(super) fn shared(request: S) -> Self {
        Self { request: Either::Shared { request }, level: PhantomData }
    }

    pub(super) fn exclusive(request: X) -> Self {
        Self { request: Either::Exclusive { request }, level: PhantomData }
    }

    fn map(self, shared: impl FnOnce(S) -> S, exclusive: impl FnOnce(X) -> X) -> Self {
        match self.request {
            Either::Shared { request } => Self::shared(shared(request)),
            Either::Exclusive { request } => Self::exclusive(exclusive(request)),
        }
    }
}

impl<L, S, X, E> Future for ByMode<L, S, X>
where
    L: NotRoot,
    S: Future<Output = Result<SetGuard<SetOf<L>, Shared>, E>>,
    X: Future<Output = Result<SetGuard<SetOf<L>, Exclusive>, E>>,
{
    type Output = Result<AnyGuard<L>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().request.project() {
            EitherProjected::Shared { request } => request.poll(context).map_ok(AnyGuard::Shared),
            EitherProjected::Exclusive { request } => request.poll(context).map_ok(AnyGuard::Exclusive),
        }
    }
}

impl<L, S, X> FusedFuture for ByMode<L, S, X>
where
    Self: Future,
    S: FusedFuture,
    X: FusedFuture,
{
    fn is_terminated(&self) -> bool {
        match &self.request {
            Either::Shared { request } => request.is_terminated(),
            Either::Exclusive { request } => request.is_terminated(),
        }
    }
}

impl<L, S, X, E> Timed for ByMode<L, S, X>
where
    L: NotRoot,
    S: Timed<Output = Result<SetGuard<SetOf<L>, Shared>, E>, Timed = Result<SetGuard<SetOf<L>, Shared>, E>>,
    X: Timed<Output = Result<SetGuard<SetOf<L>, Exclusive>, E>, Timed = Result<SetGuard<SetOf<L>, Exclusive>, E>>,
{
    fn with_priority(self, priority: Priority) -> Self {
        self.map(|shared| shared.with_priority(priority), |alone| alone.with_priority(priority))
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        match self.project().request.project() {
            EitherProjected::Shared { request } => request.move_to(priority),
            EitherProjected::Exclusive { request } => request.move_to(priority),
        }
    }

    type Timed = Self::Output;

    fn in_time(output: Self::Output) -> Self::Timed {
        output
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Timed {
        match self.project().request.project() {
            EitherProjected::Shared { request } => request.give_up(waited).map(AnyGuard::Shared),
            EitherProjected::Exclusive { request } => request.give_up(waited).map(AnyGuard::Exclusive),
        }
    }
}

/// To hold names.
type Acquiring<L> = ByMode<L, SetAcquire<SetOf<L>, Shared>, SetAcquire<SetOf<L>, Exclusive>>;

pin_project! {
    /// Waits for names of level `L`, in a mode known at run time, while the session is borrowed. Made by
    /// [`DynSession::acquire`] and [`DynSession::add_acquired`].
    ///
    /// # Fairness
    ///
    /// That of [`SetAcquire`], and of [`Add`](crate::Add).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked, and the session keeps what it held before.
    ///
    /// # Errors
    ///
    /// [`SessionError::Order`], at the first poll; else those of [`Session::shared`](super::Session::shared).
    ///
    /// # Panics
    ///
    /// When polled again after it has resolved; [`FusedFuture::is_terminated`] tells.
    #[must_use = "futures do nothing unless awaited"]
    pub struct DynClimb<'s, H: Hierarchy, L: NotRoot, F = Acquiring<L>> {
        session: &'s mut DynSession<H>,
        order: Result<(), OrderError>,
        // Gone when it has resolved.
        #[pin]
        request: Option<F>,
        // Whether the level is on the record of the session as awaited.
        noted: bool,
        level: PhantomData<fn() -> L>,
    }

    impl<H: Hierarchy, L: NotRoot, F> PinnedDrop for DynClimb<'_, H, L, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.request.set(None);
            if *this.noted {
                this.session.record().end_of::<L>();
            }
        }
    }
}

impl<'s, H: Hierarchy, L: NotRoot + LevelOf<H>, F> DynClimb<'s, H, L, F> {
    pub(super) fn new(session: &'s mut DynSession<H>, order: Result<(), OrderError>, request: F) -> Self {
        Self { session, order, request: Some(request), noted: false, level: PhantomData }
    }

    /// Gives up after so long, counted from the first poll: one deadline over all names. See [`Deadline`] for the runtime
    /// that it needs.
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time; see [`timeout`](Self::timeout).
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    fn finish<E: AtLevel<L>>(self: Pin<&mut Self>, acquired: Result<AnyGuard<L>, E>) -> Result<(), SessionError> {
        let mut this = self.project();
        this.request.set(None);
        *this.noted = false;
        match acquired {
            Ok(guard) => {
                this.session.keep::<L>(guard);
                Ok(())
            }
            Err(error) => {
                this.session.record().end_of::<L>();
                Err(error.at_level())
            }
        }
    }
}

impl<H: Hierarchy, L: NotRoot, F: Timed> DynClimb<'_, H, L, F> {
    /// Asks with this priority. Without it, with the default, 0.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.request = self.request.take().map(|request| request.with_priority(priority));
        self
    }

    /// Changes the priority of a request that may wait already; see [`SetAcquire::set_priority`].
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        if let Some(request) = self.project().request.as_pin_mut() {
            request.move_to(priority);
        }
    }
}

impl<H: Hierarchy, L: NotRoot> DynClimb<'_, H, L> {
    /// Takes whichever of the names are free now, maybe none; see [`SetAcquire::opportunistic`].
    pub fn opportunistic(self) -> Self {
        self.tell(|request| request.map(SetAcquire::opportunistic, SetAcquire::opportunistic))
    }

    /// Waits until at least so many of the names are free; see [`SetAcquire::at_least`].
    pub fn at_least(self, names: usize) -> Self {
        self.tell(|request| request.map(|shared| shared.at_least(names), |alone| alone.at_least(names)))
    }

    fn tell(mut self, tell: impl FnOnce(Acquiring<L>) -> Acquiring<L>) -> Self {
        self.request = self.request.take().map(tell);
        self
    }
}

impl<H, L, F, E> Future for DynClimb<'_, H, L, F>
where
    H: Hierarchy,
    L: NotRoot + LevelOf<H>,
    F: Future<Output = Result<AnyGuard<L>, E>>,
    E: AtLevel<L>,
{
    type Output = Result<(), SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        let Some(request) = this.request.as_mut().as_pin_mut() else {
            panic!("`DynClimb` polled after it has resolved")
        };
        if !*this.noted {
            let order = (*this.order).map_err(SessionError::from);
            if let Err(error) = order.and_then(|()| this.session.record().begin::<L>()) {
                this.request.set(None);
                return Poll::Ready(Err(error));
            }
            *this.noted = true;
        }
        let acquired = ready!(request.poll(context));
        Poll::Ready(self.finish(acquired))
    }
}

impl<H: Hierarchy, L: NotRoot, F> FusedFuture for DynClimb<'_, H, L, F>
where
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        self.request.is_none()
    }
}

impl<H, L, F, E> Timed for DynClimb<'_, H, L, F>
where
    H: Hierarchy,
    L: NotRoot + LevelOf<H>,
    F: Timed<Output = Result<AnyGuard<L>, E>, Timed = Result<AnyGuard<L>, E>>,
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
        let Some(request) = self.as_mut().project().request.as_pin_mut() else {
            unreachable!("it has just been waiting")
        };
        let acquired = request.give_up(waited);
        self.finish(acquired)
    }
}

impl<H: Hierarchy, L: NotRoot> Deadline<DynClimb<'_, H, L>> {
    /// As [`DynClimb::opportunistic`].
    pub fn opportunistic(self) -> Self {
        self.map(DynClimb::opportunistic)
    }

    /// As [`DynClimb::at_least`].
    pub fn at_least(self, names: usize) -> Self {
        self.map(|climb| climb.at_least(names))
    }
}

impl<H: Hierarchy, L: NotRoot, F: fmt::Debug> fmt::Debug for DynClimb<'_, H, L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynClimb").field("level", &L::NAME).field("request", &self.request).finish_non_exhaustive()
    }
}
