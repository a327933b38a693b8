//! The future that waits for one lock, and the one that deletes it.

#![allow(unsafe_code, reason = "claims grants: see the invariants of `raw`")]

use super::guard::{Guard, LockPointer};
use super::queue::{Node, Phase};
use crate::error::AcquireError;
use crate::mode::{Exclusive, Mode};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Waits for a lock in mode `M`; resolves to its [`Guard`].
    ///
    /// Made by [`SharedLock::shared`](super::SharedLock::shared), [`SharedLock::exclusive`](super::SharedLock::exclusive) and their `_owned` forms. Nothing happens before the
    /// first poll, which takes the lock or a place in the queue. The future is not `Unpin`: that place is inside it,
    /// so that waiting allocates nothing.
    ///
    /// # Fairness
    ///
    /// See [`SharedLock`](super::SharedLock). The place counts from the first poll, not from the call.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is as if it had never asked, whether it was queued or already granted: the others keep
    /// their order, and whoever can run now is woken. A pinned future that is forgotten (`mem::forget`) without being
    /// dropped keeps its place, and in time the lock: that is sound, but blocks everybody.
    ///
    /// # Errors
    ///
    /// [`AcquireError::Deleted`] if the lock is deleted, before or while this waits.
    ///
    /// # Panics
    ///
    /// When polled again after it has resolved; [`FusedFuture::is_terminated`] tells.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Acquire<P: LockPointer, M: Mode> {
        // Taken when the future resolves.
        pointer: Option<P>,
        #[pin]
        node: Node,
        mode: PhantomData<M>,
    }

    impl<P: LockPointer, M: Mode> PinnedDrop for Acquire<P, M> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(pointer) = this.pointer {
                pointer.lock().raw.cancel(this.node.as_ref(), M::MODE);
            }
        }
    }
}

impl<P: LockPointer, M: Mode> Acquire<P, M> {
    pub(crate) fn new(pointer: P) -> Self {
        Self { pointer: Some(pointer), node: Node::new(M::MODE), mode: PhantomData }
    }
}

impl<P: LockPointer, M: Mode> Future for Acquire<P, M> {
    type Output = Result<Guard<P, M>, AcquireError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let node = this.node.as_ref();
        let Some(pointer) = this.pointer else { panic!("`Acquire` polled after it has resolved") };
        let raw = &pointer.lock().raw;
        let outcome = if node.phase() == Phase::Idle {
            // SAFETY: `node` is pinned in this future, whose drop cancels it unless the pointer is gone; that is taken
            // just below, with the grant.
            unsafe { raw.enter(node, M::MODE, context.waker()) }
        } else {
            raw.poll(node, context.waker())
        };
        let outcome = ready!(outcome);
        let Some(pointer) = this.pointer.take() else { unreachable!("it was there above") };
        Poll::Ready(outcome.map(|()| {
            // SAFETY: the lock was granted to this future, which gives the grant away here and is terminated.
            unsafe { Guard::new(pointer) }
        }))
    }
}

impl<P: LockPointer, M: Mode> FusedFuture for Acquire<P, M> {
    fn is_terminated(&self) -> bool {
        self.pointer.is_none()
    }
}

impl<P: LockPointer, M: Mode> fmt::Debug for Acquire<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("mode", &M::MODE).field("phase", &self.node.phase()).finish_non_exhaustive()
    }
}

pin_project! {
    /// Deletes a lock: waits for it exclusively, then for good. Made by [`SharedLock::delete`](super::SharedLock::delete).
    ///
    /// Fairness, cancel safety, errors and panics are those of [`Acquire`]; dropped before it resolves, it has
    /// deleted nothing.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Delete<P: LockPointer> {
        #[pin]
        acquire: Acquire<P, Exclusive>,
    }
}

impl<P: LockPointer> Delete<P> {
    pub(crate) fn new(pointer: P) -> Self {
        Self { acquire: Acquire::new(pointer) }
    }
}

impl<P: LockPointer> Future for Delete<P> {
    type Output = Result<(), AcquireError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let guard = ready!(self.project().acquire.poll(context));
        Poll::Ready(guard.map(Guard::delete))
    }
}

impl<P: LockPointer> FusedFuture for Delete<P> {
    fn is_terminated(&self) -> bool {
        self.acquire.is_terminated()
    }
}
