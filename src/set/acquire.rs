//! The futures that wait for named locks: to hold, to add, to remove.

use super::directory::Member;
use super::error::{AddError, SetError};
use super::guard::{Held, Hold, SetGuard};
use super::names::{Names, Request};
use super::{SetPointer, sorted, unrepeated};
use crate::lock::{Acquire, Guard, SharedLock};
use crate::mode::{Exclusive, Mode, Shared};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

/// What becomes of a name that does not exist, or no longer when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Fails,
    Skipped,
}

pin_project! {
    /// Waits for named locks in mode `M`; resolves to their [`SetGuard`].
    ///
    /// Made by [`LockSet::shared`](super::LockSet::shared), [`LockSet::exclusive`](super::LockSet::exclusive) and their
    /// `_owned` forms. Nothing happens before the first poll.
    ///
    /// # Fairness
    ///
    /// The locks are taken one by one in name order, each by the fairness of [`SharedLock`]; with
    /// [`All`](super::All), the lock of the whole set comes first. The order is the same for everybody, so requests of
    /// one set cannot deadlock with each other.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked; what it held by then is released.
    ///
    /// # Errors
    ///
    /// [`SetError::Unknown`], [`SetError::Deleted`]: either way nothing is held any more when it resolves. With `All`,
    /// members that are removed meanwhile are skipped instead.
    ///
    /// # Panics
    ///
    /// When polled again after it has resolved; [`FusedFuture::is_terminated`] tells.
    #[must_use = "futures do nothing unless awaited"]
    pub struct SetAcquire<P: SetPointer, M: Mode> {
        // Taken when the future resolves.
        set: Option<P>,
        // Until the first poll.
        request: Option<Request<P::Name>>,
        missing: Missing,
        whole: Option<Guard<Arc<SharedLock>, M>>,
        held: Held<P::Name, M>,
        // Still to come, in name order.
        wanted: vec::IntoIter<Member<P::Name>>,
        // What `waiting` waits for: a member, or the whole set.
        next: Option<Arc<P::Name>>,
        #[pin]
        waiting: Option<Acquire<Arc<SharedLock>, M>>,
    }
}

impl<P: SetPointer, M: Mode> SetAcquire<P, M> {
    /// Asks for names that must all exist, or for the whole set.
    pub(crate) fn of(set: P, names: impl Names<P::Name>) -> Self {
        Self::new(set, names.into_request(), Missing::Fails)
    }

    fn new(set: P, request: Request<P::Name>, missing: Missing) -> Self {
        let (request, missing) = match request {
            Request::All => (Request::All, Missing::Skipped),
            Request::Names(names) => (Request::Names(sorted(names)), missing),
        };
        Self {
            set: Some(set),
            request: Some(request),
            missing,
            whole: None,
            held: Vec::new(),
            wanted: Vec::new().into_iter(),
            next: None,
            waiting: None,
        }
    }
}

impl<P: SetPointer, M: Mode> Future for SetAcquire<P, M> {
    type Output = Result<SetGuard<P, M>, SetError<P::Name>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.as_mut().advance(context));
        let this = self.project();
        let (whole, held) = (this.whole.take(), mem::take(this.held));
        let Some(set) = this.set.take() else { unreachable!("`advance` needed it") };
        // On failure the guard is dropped here: nothing is held once this has resolved.
        let guard = SetGuard { set, whole, held };
        Poll::Ready(outcome.map(|()| guard))
    }
}

impl<P: SetPointer, M: Mode> SetAcquire<P, M> {
    /// Acquires lock after lock, until all are held or one fails.
    fn advance(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SetError<P::Name>>> {
        let mut this = self.project();
        let Some(set) = this.set.as_ref().map(SetPointer::set) else {
            panic!("`SetAcquire` polled after it has resolved")
        };
        match this.request.take() {
            None => {}
            Some(Request::All) => this.waiting.set(Some(Acquire::new(Arc::clone(&set.whole)))),
            Some(Request::Names(names)) => *this.wanted = set.find(names, *this.missing)?.into_iter(),
        }
        loop {
            if let Some(waiting) = this.waiting.as_mut().as_pin_mut() {
                let acquired = ready!(waiting.poll(context));
                this.waiting.set(None);
                match (acquired, this.next.take()) {
                    (Ok(guard), Some(name)) => this.held.push(Hold { name, guard }),
                    (Ok(guard), None) => {
                        *this.whole = Some(guard);
                        *this.wanted = set.directory.all().into_iter();
                    }
                    (Err(_), Some(name)) if *this.missing == Missing::Fails => {
                        return Poll::Ready(Err(SetError::Deleted { name: (*name).clone() }));
                    }
                    // Gone meanwhile, and not missed. The lock of the whole set is never deleted.
                    (Err(_), _) => {}
                }
            }
            let Some(Member { name, lock }) = this.wanted.next() else { return Poll::Ready(Ok(())) };
            *this.next = Some(name);
            this.waiting.set(Some(Acquire::new(lock)));
        }
    }
}

impl<P: SetPointer, M: Mode> FusedFuture for SetAcquire<P, M> {
    fn is_terminated(&self) -> bool {
        self.set.is_none()
    }
}

impl<P: SetPointer<Name: fmt::Debug>, M: Mode> fmt::Debug for SetAcquire<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<_> = self.held.iter().map(|hold| &hold.name).collect();
        f.debug_struct("SetAcquire")
            .field("mode", &M::MODE)
            .field("held", &held)
            .field("waiting_for", &self.next)
            .finish_non_exhaustive()
    }
}

/// How new names are held when they have been added: [`Free`], [`Shared`] or [`Exclusive`]. Sealed.
pub trait Added<P: SetPointer>: sealed::Sealed {
    /// What adding resolves to: nothing, or the guard of the new names.
    type Output;

    #[doc(hidden)]
    fn added(guard: SetGuard<P, Exclusive>) -> Self::Output;
}

/// Held by nobody: how [`LockSet::add`](super::LockSet::add) leaves the names it adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Free;

impl<P: SetPointer> Added<P> for Free {
    type Output = ();

    fn added(guard: SetGuard<P, Exclusive>) {
        drop(guard);
    }
}

impl<P: SetPointer> Added<P> for Shared {
    type Output = SetGuard<P, Shared>;

    fn added(guard: SetGuard<P, Exclusive>) -> Self::Output {
        guard.downgrade()
    }
}

impl<P: SetPointer> Added<P> for Exclusive {
    type Output = SetGuard<P, Exclusive>;

    fn added(guard: SetGuard<P, Exclusive>) -> Self::Output {
        guard
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Free {}
    impl Sealed for super::Shared {}
    impl Sealed for super::Exclusive {}
}

pin_project! {
    /// Adds names to a set, held as `A` says: [`Free`], or in a mode.
    ///
    /// Made by [`LockSet::add`](super::LockSet::add), [`LockSet::add_exclusive`](super::LockSet::add_exclusive) and
    /// [`LockSet::add_shared`](super::LockSet::add_shared).
    ///
    /// # Fairness
    ///
    /// Waits until nobody holds the set as a whole, by the fairness of [`SharedLock`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`AddError::Repeated`], [`AddError::Exists`]: nothing was added.
    ///
    /// # Panics
    ///
    /// When polled again after it has resolved; [`FusedFuture::is_terminated`] tells.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Add<P: SetPointer, A: Added<P>> {
        // Taken when the future resolves.
        set: Option<P>,
        names: Vec<P::Name>,
        #[pin]
        whole: Acquire<Arc<SharedLock>, Exclusive>,
        added: PhantomData<fn() -> A>,
    }
}

impl<P: SetPointer, A: Added<P>> Add<P, A> {
    pub(crate) fn new(set: P, names: Vec<P::Name>) -> Self {
        let whole = Acquire::new(Arc::clone(&set.set().whole));
        Self { set: Some(set), names, whole, added: PhantomData }
    }
}

impl<P: SetPointer, A: Added<P>> Future for Add<P, A> {
    type Output = Result<A::Output, AddError<P::Name>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        assert!(this.set.is_some(), "`Add` polled after it has resolved");
        let Ok(whole) = ready!(this.whole.poll(context)) else { unreachable!("a whole set is never deleted") };
        let Some(set) = this.set.take() else { unreachable!("it was there above") };
        let held = unrepeated(mem::take(this.names)).and_then(|names| set.set().insert_held(names));
        drop(whole);
        Poll::Ready(held.map(|held| A::added(SetGuard { set, whole: None, held })))
    }
}

impl<P: SetPointer, A: Added<P>> FusedFuture for Add<P, A> {
    fn is_terminated(&self) -> bool {
        self.set.is_none()
    }
}

impl<P: SetPointer<Name: fmt::Debug>, A: Added<P>> fmt::Debug for Add<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Add").field("names", &self.names).finish_non_exhaustive()
    }
}

pin_project! {
    /// Removes names from a set; resolves to those that it removed itself, in name order. Made by
    /// [`LockSet::remove`](super::LockSet::remove).
    ///
    /// # Fairness
    ///
    /// Waits for all of its names exclusively, as [`SetAcquire`] does, then removes them in one step.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has removed nothing.
    ///
    /// # Panics
    ///
    /// When polled again after it has resolved; [`FusedFuture::is_terminated`] tells.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Remove<P: SetPointer> {
        #[pin]
        acquire: SetAcquire<P, Exclusive>,
    }
}

impl<P: SetPointer> Remove<P> {
    pub(crate) fn new(set: P, names: Vec<P::Name>) -> Self {
        Self { acquire: SetAcquire::new(set, Request::Names(names), Missing::Skipped) }
    }
}

impl<P: SetPointer> Future for Remove<P> {
    type Output = Vec<P::Name>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(guard) = ready!(self.project().acquire.poll(context)) else { unreachable!("missing names are skipped") };
        let names = guard.names().into_iter().cloned().collect();
        guard.set.set().retire(guard.held);
        Poll::Ready(names)
    }
}

impl<P: SetPointer> FusedFuture for Remove<P> {
    fn is_terminated(&self) -> bool {
        self.acquire.is_terminated()
    }
}

impl<P: SetPointer<Name: fmt::Debug>> fmt::Debug for Remove<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remove").field("acquire", &self.acquire).finish()
    }
}
