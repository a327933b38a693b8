//! The future that waits for named locks.

use super::core::Holding;
use super::error::SetError;
use super::guard::SetGuard;
use super::names::{AsName, Names, NamesOrAll};
use super::pointer::HoldingOf;
use super::queue::{Reach, Waiter};
use super::request::{Asked, Request, Want};
use super::shards::Shards;
use super::{LockSetPointer, SetPointer};
use crate::abridged::Abridged;
use crate::deadline::{Deadline, Limit, Timed};
use crate::mode::{LockMode, Mode};
use crate::panics::Panics;
use crate::priority::Priority;
use crate::wants::{NamesWanted, Wants};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::task::coop::poll_proceed;
use tokio::time::Instant;

/// How far a request has come. Each result is stored here before foreign code runs, because that may panic.
enum Progress<P: SetPointer> {
    Asked(Request<P>),
    /// In the queue of the set, under this ticket.
    Waiting(u64),
    Granted(HoldingOf<P>),
    Refused(SetError<P::Name>),
    /// Resolved.
    Gone,
}

pin_project! {
    /// Waits for named locks in mode `M`; resolves to their [`SetGuard`].
    ///
    /// Made by [`LockSet::shared`](super::LockSet::shared), [`LockSet::exclusive`](super::LockSet::exclusive), those of
    /// [`OpenSet`](super::OpenSet), and their `_owned` forms; see these for examples. The request begins at the first
    /// poll.
    ///
    /// # Fairness
    ///
    /// See [`LockSet`](super::LockSet). The place in the queue counts from the first poll, not from the call.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. It holds nothing while it waits.
    ///
    /// # Errors
    ///
    /// [`SetError::Unknown`], [`SetError::Deleted`], and [`SetError::TooFew`] after [`at_least`](Self::at_least). In
    /// each case nothing is held. A request for [`All`](super::All) skips members that are removed meanwhile.
    ///
    /// # Panics
    ///
    /// If polled again after it has resolved; [`FusedFuture::is_terminated`] tells whether it has.
    #[must_use = "futures do nothing unless awaited"]
    pub struct SetAcquire<P: SetPointer, M: Mode> {
        // Taken when the future resolves.
        set: Option<P>,
        progress: Progress<P>,
        pub(super) want: Want,
        priority: Priority,
        mode: PhantomData<M>,
        // Not `Unpin`, like the futures of single locks, although the queue does not point into this one.
        #[pin]
        pinned: PhantomPinned,
    }

    impl<P: SetPointer, M: Mode> PinnedDrop for SetAcquire<P, M> {
        fn drop(this: Pin<&mut Self>) {
            if this.set.is_some() {
                drop(Panics::defer(|panics| this.withdraw(panics)));
            }
        }
    }
}

impl<P: SetPointer, M: Mode> SetAcquire<P, M> {
    /// A request for names, in any set. An open set takes no other, because it has no whole.
    #[expect(clippy::inline_always, reason = "see `Request::list`")]
    #[inline(always)]
    pub(crate) fn listed(set: P, names: impl Names<P::Name>, want: Want) -> Self {
        Self::new(set, Some(names.listed()), want)
    }

    /// A request for names or for the whole, in a set that has one.
    #[expect(clippy::inline_always, reason = "see `Request::list`")]
    #[inline(always)]
    pub(crate) fn of(set: P, names: impl NamesOrAll<P::Name>, want: Want) -> Self
    where
        P: LockSetPointer,
    {
        Self::new(set, names.requested(), want)
    }

    /// A request for the names; without names, for the whole of a set that has one.
    ///
    /// # Panics
    ///
    /// If an open set is asked for as a whole. Its names come and go past the queue, also while it would be held.
    #[expect(clippy::inline_always, reason = "see `Request::list`")]
    #[inline(always)]
    pub(crate) fn new(set: P, names: Option<impl Iterator<Item: AsName<P::Name>>>, want: Want) -> Self {
        assert!(names.is_some() || set.core().fresh.is_none(), "an open set has no whole");
        let (progress, priority) = (Progress::Asked(Request::new(names.is_none())), Priority::default());
        let mut this = Self { set: Some(set), progress, want, priority, mode: PhantomData, pinned: PhantomPinned };
        if let (Progress::Asked(request), Some(set), Some(names)) = (&mut this.progress, &this.set, names) {
            request.list(set.core(), names); // If foreign code panics here, `this` unpins what it has found.
        }
        this
    }

    /// Sets the priority of the request; without this it is the default, 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockSet, Priority};
    /// let nodes: LockSet<String> = LockSet::new(["node1"]);
    /// let _urgent = nodes.exclusive("node1").priority(Priority::new(-10)).await?;
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Changes the priority of the request, even while it waits.
    ///
    /// A waiting request moves at once, behind the requests that wait at its new priority; requests that can be granted
    /// then are granted. A granted request stays granted. See
    /// [`Acquire::set_priority`](crate::futures::Acquire::set_priority) for an example.
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        let this = self.project();
        *this.priority = priority;
        if let (Progress::Waiting(ticket), Some(set)) = (this.progress, this.set) {
            Panics::defer(|panics| {
                *ticket = set.core().change(panics, |queue| queue.set_priority(*ticket, priority));
            });
        }
    }

    /// Gives up after this long, counted from the first poll; nothing is held then.
    ///
    /// One deadline covers all names. See [`Deadline`] for the runtime that it needs.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use lockladder::LockSet;
    /// use std::time::Duration;
    /// let nodes: LockSet<String> = LockSet::new(["node1", "node2"]);
    /// let _held = nodes.exclusive("node2").await.unwrap();
    /// let error = nodes.shared(["node1", "node2"]).timeout(Duration::from_millis(50)).await.unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "gave up on shared locks after 50ms, blocked on [\"node2\"]: others hold them or come first; \
    ///      wait longer, or try again later"
    /// );
    /// # }
    /// ```
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time. See [`timeout`](Self::timeout) for an example.
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    /// Takes what the request asks for, or returns why it would have to wait.
    pub(crate) fn at_once(self) -> Result<SetGuard<P, M>, SetError<P::Name>> {
        let mut this = pin!(self);
        Panics::defer(|panics| {
            let (names, more) = this.as_mut().decide(panics);
            this.end(names, panics, |names| SetError::WouldBlock { names, more, mode: M::MODE })
        })
    }

    /// Goes as far as possible without waiting. Returns the names in the way, unless the request is granted or refused.
    fn decide(mut self: Pin<&mut Self>, panics: &mut Panics) -> (Vec<P::Name>, usize) {
        let this = self.as_mut().project();
        let is_for_whole = matches!(&*this.progress, Progress::Asked(request) if request.is_for_whole(*this.want));
        if let (true, Some(set)) = (is_for_whole, &*this.set) {
            // Without a place in the queue: to take one, it would look at every waiting request.
            if !set.core().try_whole(M::MODE, *this.priority, panics) {
                return set.core().obstacles_of_whole(M::MODE);
            }
            *this.progress = Progress::Granted(Holding::of_whole());
        }
        match self.as_mut().advance(panics, Waker::noop()) {
            Poll::Ready(()) => (Vec::new(), 0),
            Poll::Pending => self.obstacles(),
        }
    }

    /// The names in the way of a request that waits, in name order: all, or some and how many more.
    fn obstacles(&self) -> (Vec<P::Name>, usize) {
        let (Progress::Waiting(ticket), Some(set)) = (&self.progress, &self.set) else { return (Vec::new(), 0) };
        set.core().obstacles(*ticket)
    }

    /// As [`withdraw`](Self::withdraw); returns an error about these names if nothing has been decided.
    fn end(
        self: Pin<&mut Self>,
        names: Vec<P::Name>,
        panics: &mut Panics,
        error: impl FnOnce(Vec<P::Name>) -> SetError<P::Name>,
    ) -> <Self as Future>::Output {
        let Some(outcome) = self.withdraw(panics) else { return Err(error(names)) };
        panics.catch(|| drop(names)); // Foreign code: before the guard is returned.
        outcome
    }

    /// Stops waiting, and terminates the future. Returns what has been decided meanwhile, if anything.
    fn withdraw(self: Pin<&mut Self>, panics: &mut Panics) -> Option<<Self as Future>::Output> {
        let this = self.project();
        let set = this.set.take()?;
        let held = match mem::replace(this.progress, Progress::Gone) {
            Progress::Asked(mut request) => {
                let held = request.take_held();
                request.forget(panics);
                panics.catch(|| drop(request));
                held
            }
            Progress::Waiting(ticket) => set.core().withdraw(ticket, panics),
            Progress::Granted(held) => Some(held),
            Progress::Refused(error) => {
                panics.catch(|| drop(set));
                return Some(Err(error));
            }
            Progress::Gone => None,
        };
        held.map(|held| Ok(SetGuard::new(set, held)))
    }

    /// The fast path of nearly all requests: takes names that are found and free. Returns whether they are held.
    #[inline]
    fn hold_at_once(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let (Progress::Asked(request), Some(set), Want::All) = (this.progress, this.set, *this.want) else {
            return false;
        };
        Panics::defer(|panics| request.hold_known(set.core(), M::MODE, panics))
    }

    /// The slow path of [`poll`](Future::poll).
    fn poll_in_steps(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        assert!(!self.is_terminated(), "`SetAcquire` polled after it has resolved");
        ready!(Panics::defer(|panics| self.as_mut().advance(panics, context.waker())));
        if matches!(self.progress, Progress::Granted(_)) {
            // First the place in the queue, then the task's budget: see `Acquire`.
            ready!(poll_proceed(context)).made_progress();
        }
        match Panics::defer(|panics| self.withdraw(panics)) {
            Some(outcome) => Poll::Ready(outcome),
            None => unreachable!("it has just been decided"),
        }
    }

    /// Goes as far as possible without waiting. Ready once the request is granted or refused.
    fn advance(self: Pin<&mut Self>, panics: &mut Panics, waker: &Waker) -> Poll<()> {
        let this = self.project();
        let Some(core) = this.set.as_ref().map(SetPointer::core) else { unreachable!("the caller has checked that") };
        loop {
            *this.progress = match this.progress {
                Progress::Asked(request) if request.is_held() => Progress::Granted(request.take_known().into()),
                Progress::Asked(request)
                    if request.is_for_whole(*this.want) && core.try_whole(M::MODE, *this.priority, panics) =>
                {
                    Progress::Granted(Holding::of_whole())
                }
                Progress::Asked(request) => match request.resolve(core, *this.want, panics) {
                    Err(error) => Progress::Refused(error),
                    Ok(Asked::Free(members)) => Progress::Granted(core.seize(members, M::MODE, panics).into()),
                    Ok(Asked::For { reach, members, .. }) if reach == Reach::Names && members.is_empty() => {
                        Progress::Granted(members.into())
                    }
                    Ok(Asked::For { reach, members, .. })
                        if reach == Reach::Names && Shards::try_hold(&members, M::MODE) =>
                    {
                        Progress::Granted(members.into())
                    }
                    Ok(Asked::For { reach, members, enough, missing }) => {
                        let mut own = None;
                        panics.catch(|| own = Some(waker.clone()));
                        if own.is_none() {
                            *request = Request::again(members, reach);
                            return Poll::Pending; // The caller resumes the panic.
                        }
                        let waiter = Waiter::new(reach, M::MODE, *this.priority, members);
                        match core.enter(Waiter { enough, missing, waker: own, ..waiter }, panics) {
                            Ok(ticket) => Progress::Waiting(ticket),
                            Err(members) => Progress::Asked(Request::again(members, reach)),
                        }
                    }
                },
                Progress::Waiting(ticket) => match ready!(core.advance(*ticket, waker, panics)) {
                    Ok(held) => Progress::Granted(held),
                    Err(refusal) => {
                        *this.progress = Progress::Gone; // First: cloning the name for the error may panic.
                        Progress::Refused(refusal.into_error())
                    }
                },
                Progress::Granted(_) | Progress::Refused(_) => return Poll::Ready(()),
                Progress::Gone => unreachable!("the caller has checked that"),
            };
        }
    }
}

impl<P: SetPointer, M: Mode> Future for SetAcquire<P, M> {
    type Output = Result<SetGuard<P, M>, SetError<P::Name>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.as_mut().hold_at_once() {
            return self.poll_in_steps(context);
        }
        // The request knows that it holds its members: this may clone a waker, which is foreign code and may panic.
        ready!(poll_proceed(context)).made_progress();
        let this = self.project();
        let (Progress::Asked(request), Some(set)) = (&mut *this.progress, this.set.take()) else {
            unreachable!("it has just been held, where it was asked for")
        };
        let guard = SetGuard::new(set, request.take_known().into());
        *this.progress = Progress::Gone;
        Poll::Ready(Ok(guard))
    }
}

impl<P: SetPointer, M: Mode> FusedFuture for SetAcquire<P, M> {
    fn is_terminated(&self) -> bool {
        matches!(self.progress, Progress::Gone)
    }
}

impl<P: SetPointer, M: Mode> Timed for SetAcquire<P, M> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    fn give_up(mut self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        Panics::defer(|panics| {
            let (names, more) = self.as_mut().decide(panics);
            self.end(names, panics, |names| SetError::TimedOut { names, more, mode: M::MODE, waited })
        })
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        let (Progress::Waiting(ticket), Some(set)) = (&self.progress, &self.set) else { return None };
        set.core().queue().watch(*ticket);
        Some(*ticket)
    }
}

impl<P: SetPointer<Name: fmt::Debug>, M: Mode> Wants for SetAcquire<P, M> {
    fn wants(&self) -> (LockMode, Priority) {
        (M::MODE, self.priority)
    }

    fn names_wanted(&self) -> Option<NamesWanted> {
        let Progress::Asked(request) = &self.progress else { return None };
        Some(request.names_wanted())
    }
}

/// Shows the names in the way of a request that waits.
impl<P: SetPointer<Name: fmt::Debug>, M: Mode> fmt::Debug for SetAcquire<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SetAcquire");
        out.field("mode", &M::MODE);
        match &self.progress {
            Progress::Waiting(_) => {
                let (names, more) = self.obstacles();
                out.field("waiting_for", &Abridged::beside(names, more)).finish_non_exhaustive()
            }
            Progress::Granted(_) => out.field("granted", &true).finish_non_exhaustive(),
            Progress::Asked(_) | Progress::Refused(_) | Progress::Gone => out.finish_non_exhaustive(),
        }
    }
}
