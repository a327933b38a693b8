//! The future that adds members to a set.

use super::core::{Holding, WholeHold};
use super::error::AddError;
use super::guard::SetGuard;
use super::names::IntoEntries;
use super::queue::{Members, Reach, Waiter};
use super::shards::forget;
use super::snapshot::text;
use super::{LockSetPointer, SetPointer};
use crate::abridged::Abridged;
use crate::deadline::{Deadline, Limit, Timed};
use crate::mode::{Exclusive, LockMode, Shared};
use crate::panics::Panics;
use crate::priority::Priority;
use crate::wants::{NamesWanted, Wants};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// How new names are held from the start: [`Unheld`], [`Shared`] or [`Exclusive`]. Sealed.
///
/// See [`LockSet::add_exclusive`](super::LockSet::add_exclusive) for an example.
pub trait Added<P: SetPointer>: sealed::Sealed {
    /// What adding resolves to: nothing, or the guard of the new names.
    type Output;

    #[doc(hidden)]
    const HELD: Option<LockMode>;

    #[doc(hidden)]
    fn added(set: P, held: Holding<P::Name, P::Value>) -> Self::Output;
}

/// Not held: how [`LockSet::add`](super::LockSet::add) leaves the names it adds. See there for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Unheld;

impl<P: SetPointer> Added<P> for Unheld {
    type Output = ();

    const HELD: Option<LockMode> = None;

    fn added(_set: P, held: Holding<P::Name, P::Value>) {
        Panics::defer(|panics| forget(held.members, panics)); // They stay in the set.
    }
}

impl<P: SetPointer> Added<P> for Shared {
    type Output = SetGuard<P, Shared>;

    const HELD: Option<LockMode> = Some(LockMode::Shared);

    fn added(set: P, held: Holding<P::Name, P::Value>) -> Self::Output {
        SetGuard::new(set, held)
    }
}

impl<P: SetPointer> Added<P> for Exclusive {
    type Output = SetGuard<P, Exclusive>;

    const HELD: Option<LockMode> = Some(LockMode::Exclusive);

    fn added(set: P, held: Holding<P::Name, P::Value>) -> Self::Output {
        SetGuard::new(set, held)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Unheld {}
    impl Sealed for super::Shared {}
    impl Sealed for super::Exclusive {}
}

pin_project! {
    /// Adds names to a set, held as `A` says: [`Unheld`], or in a mode.
    ///
    /// Made by [`LockSet::add`](super::LockSet::add) and its `_exclusive`, `_shared` and `_owned` forms; see these for
    /// examples.
    ///
    /// # Fairness
    ///
    /// Waits until the set is not held as a whole. It stands behind earlier requests to add, and behind earlier
    /// requests for the whole that it may not pass by the rule of [`LockSet`](super::LockSet).
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`AddError::Repeated`], [`AddError::Exists`]: nothing was added.
    ///
    /// # Panics
    ///
    /// If polled again after it has resolved; [`FusedFuture::is_terminated`] tells whether it has.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Add<P: SetPointer, A: Added<P>> {
        // Taken when the future resolves.
        set: Option<P>,
        entries: Vec<(P::Name, P::Value)>,
        priority: Priority,
        ticket: Option<u64>,
        added: PhantomData<fn() -> A>,
        #[pin]
        pinned: PhantomPinned,
    }

    impl<P: SetPointer, A: Added<P>> PinnedDrop for Add<P, A> {
        fn drop(this: Pin<&mut Self>) {
            drop(Panics::defer(|panics| this.withdraw(panics)));
        }
    }
}

impl<P: SetPointer, A: Added<P>> Add<P, A> {
    // This bound is here, and not on the type: so adding to an open level is one compiler error and not three.
    pub(crate) fn new(set: P, entries: impl IntoEntries<P::Name, P::Value>) -> Self
    where
        P: LockSetPointer,
    {
        let (entries, ticket, priority) = (entries.into_entries(), None, Priority::default());
        Self { set: Some(set), entries, priority, ticket, added: PhantomData, pinned: PhantomPinned }
    }

    /// Sets the priority of the request; without this it is the default, 0.
    ///
    /// See [`SetAcquire::priority`](super::SetAcquire::priority) for an example.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// As [`SetAcquire::set_priority`](super::SetAcquire::set_priority); see there for an example.
    pub fn set_priority(self: Pin<&mut Self>, priority: Priority) {
        let this = self.project();
        *this.priority = priority;
        if let (Some(ticket), Some(set)) = (this.ticket, this.set) {
            Panics::defer(|panics| {
                *ticket = set.core().change(panics, |queue| queue.set_priority(*ticket, priority));
            });
        }
    }

    /// Gives up after this long, counted from the first poll; nothing is added then.
    ///
    /// See [`Deadline`] for the runtime that it needs, and [`Remove::timeout`](super::Remove::timeout) for an example.
    pub fn timeout(self, duration: Duration) -> Deadline<Self> {
        Deadline::new(self, Limit::After(duration))
    }

    /// Gives up at this time. See [`timeout`](Self::timeout), and [`Remove::timeout`](super::Remove::timeout) for an example.
    pub fn deadline(self, instant: Instant) -> Deadline<Self> {
        Deadline::new(self, Limit::At(instant))
    }

    /// Stops waiting, and terminates the future. If it was granted in time, returns the right to add.
    fn withdraw(self: Pin<&mut Self>, panics: &mut Panics) -> Option<Granted<P>> {
        let this = self.project();
        let (set, ticket) = (this.set.take()?, this.ticket.take()?);
        set.core().withdraw(ticket, panics)?;
        Some(Granted { set })
    }
}

impl<P: SetPointer, A: Added<P>> Future for Add<P, A> {
    type Output = Result<A::Output, AddError<P::Name>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Panics::defer(|panics| {
            let Some(core) = this.set.as_ref().map(SetPointer::core) else {
                panic!("`Add` polled after it has resolved")
            };
            if this.ticket.is_some() || !core.try_addition() {
                let ticket = this.ticket.get_or_insert_with(|| {
                    let waiter = Waiter::new(Reach::Addition, LockMode::Exclusive, *this.priority, Members::new());
                    let Ok(ticket) = core.enter(waiter, panics) else {
                        unreachable!("it has no members that could be removed")
                    };
                    ticket
                });
                let Ok(_whole) = ready!(core.advance(*ticket, context.waker(), panics)) else {
                    unreachable!("it has no members that could be removed")
                };
                *this.ticket = None;
            }
            let Some(set) = this.set.take() else { unreachable!("it was there above") };
            Poll::Ready(Granted { set }.add::<A>(mem::take(this.entries), panics))
        })
    }
}

/// The right to add: a hold on the whole, without the members, for a moment.
struct Granted<P: SetPointer> {
    set: P,
}

impl<P: SetPointer> Granted<P> {
    /// Adds the entries, then releases the whole. Comparing names is foreign code; if it panics, nothing has been
    /// added.
    fn add<A: Added<P>>(
        self,
        entries: Vec<(P::Name, P::Value)>,
        panics: &mut Panics,
    ) -> Result<A::Output, AddError<P::Name>> {
        let set = self.set.clone();
        let added = set.core().add(entries, A::HELD, panics).map(|members| A::added(set, members.into()));
        panics.catch(|| drop(self));
        added
    }
}

impl<P: SetPointer> Drop for Granted<P> {
    fn drop(&mut self) {
        Panics::defer(|panics| self.set.core().release_whole(WholeHold::Alone, LockMode::Exclusive, panics));
    }
}

impl<P: SetPointer, A: Added<P>> FusedFuture for Add<P, A> {
    fn is_terminated(&self) -> bool {
        self.set.is_none()
    }
}

impl<P: SetPointer, A: Added<P>> Timed for Add<P, A> {
    fn with_priority(self, priority: Priority) -> Self {
        self.priority(priority)
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        self.set_priority(priority);
    }

    fn give_up(mut self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        Panics::defer(|panics| match self.as_mut().withdraw(panics) {
            Some(granted) => granted.add::<A>(mem::take(self.project().entries), panics),
            None => Err(AddError::TimedOut { waited }),
        })
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        let (ticket, set) = (self.ticket?, self.set.as_ref()?);
        set.core().queue().watch(ticket);
        Some(ticket)
    }
}

impl<P: SetPointer<Name: fmt::Debug>, A: Added<P>> Wants for Add<P, A> {
    fn wants(&self) -> (LockMode, Priority) {
        (LockMode::Exclusive, self.priority)
    }

    fn names_wanted(&self) -> Option<NamesWanted> {
        Some(NamesWanted::these(self.entries.iter().map(|(name, _)| text(name)), self.entries.len()))
    }
}

impl<P: SetPointer<Name: fmt::Debug>, A: Added<P>> fmt::Debug for Add<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Abridged::of(self.entries.iter().map(|(name, _)| name));
        f.debug_struct("Add").field("names", &names).finish_non_exhaustive()
    }
}
