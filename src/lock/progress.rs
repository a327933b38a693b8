//! The progress of one request, known to its owner alone.
//!
//! Most requests find the lock free and never queue. So the node is written only when it is needed.

#![allow(unsafe_code, reason = "queues nodes: see the invariants of `raw`")]

use super::queue::{Node, Phase};
use super::raw::Raw;
use crate::error::AcquireError;
use crate::mode::LockMode;
use crate::priority::Priority;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Poll, Waker};

pin_project! {
    /// A request, inside the future that waits. Its owner must [`cancel`](Progress::cancel) it before dropping it, unless
    /// its grant has been claimed.
    #[project = Projected]
    #[derive(Debug)]
    pub(super) enum Progress {
        /// The request has neither the lock nor a place in the queue.
        Idle { priority: Priority },
        /// The request has queued; the node knows the rest.
        Queued {
            #[pin]
            node: Node,
        },
        /// The request has been granted; the grant is not claimed yet.
        Granted,
    }
}

impl Progress {
    /// Queues the request, or returns what has become of it.
    ///
    /// # Safety
    ///
    /// The caller calls [`cancel`](Self::cancel) before it drops the progress, also after a panic, unless it has claimed
    /// the grant that this returns.
    #[inline]
    pub(super) unsafe fn poll(
        self: Pin<&mut Self>,
        raw: &Raw,
        mode: LockMode,
        waker: &Waker,
    ) -> Poll<Result<(), AcquireError>> {
        if self.phase() == Phase::Granted {
            return Poll::Ready(Ok(())); // First, because every request that has waited ends here.
        }
        // SAFETY: by the contract of this function, the request is cancelled before it is dropped (`raw`, 4).
        unsafe { self.wait(raw, mode, waker) }
    }

    /// # Safety
    ///
    /// That of [`poll`](Self::poll).
    #[inline(never)]
    unsafe fn wait(
        mut self: Pin<&mut Self>,
        raw: &Raw,
        mode: LockMode,
        waker: &Waker,
    ) -> Poll<Result<(), AcquireError>> {
        match self.as_mut().project() {
            Projected::Idle { priority } => {
                let priority = *priority;
                // SAFETY: as in `poll`.
                unsafe { self.queue(raw, mode, priority, waker) }
            }
            Projected::Queued { node } => raw.poll(node.as_ref(), waker),
            Projected::Granted => Poll::Ready(Ok(())),
        }
    }

    /// # Safety
    ///
    /// That of [`poll`](Self::poll).
    unsafe fn queue(
        mut self: Pin<&mut Self>,
        raw: &Raw,
        mode: LockMode,
        priority: Priority,
        waker: &Waker,
    ) -> Poll<Result<(), AcquireError>> {
        let state = raw.look();
        if state.is_deleted() {
            return Poll::Ready(Err(AcquireError::Deleted));
        }
        if mode == LockMode::Shared && state.is_full() {
            return Poll::Ready(Err(AcquireError::TooManySharers));
        }
        let waker = waker.clone(); // Foreign code: nothing has changed if it panics.
        self.set(Self::Queued { node: Node::new(mode, priority, waker) });
        let Projected::Queued { node } = self.project() else { unreachable!("it has just been set") };
        // SAFETY: the node is new, and the caller promises the rest.
        unsafe { raw.queue(node.as_ref()) }
    }

    /// The owner drops the request: it leaves the queue, or gives its grant back.
    pub(super) fn cancel(self: Pin<&mut Self>, raw: &Raw, mode: LockMode) {
        match self.project() {
            Projected::Idle { .. } => {}
            Projected::Queued { node } => raw.cancel(node.as_ref(), mode),
            // SAFETY: this grant was never claimed, and its owner gives it back here (4).
            Projected::Granted => unsafe { raw.release(mode) },
        }
    }

    /// The owner stops waiting. True if the request has been granted meanwhile: the grant is the owner's.
    pub(super) fn withdraw(self: Pin<&mut Self>, raw: &Raw) -> bool {
        match self.project() {
            Projected::Idle { .. } => false,
            Projected::Queued { node } => raw.withdraw(node.as_ref()),
            Projected::Granted => true,
        }
    }

    /// Changes the priority of the request.
    pub(super) fn set_priority(self: Pin<&mut Self>, raw: &Raw, new: Priority) {
        match self.project() {
            Projected::Idle { priority } => *priority = new,
            Projected::Queued { node } => raw.set_priority(node.as_ref(), new),
            Projected::Granted => {}
        }
    }

    /// What identifies the request among those that wait.
    pub(super) fn ticket(&self) -> Option<u64> {
        match self {
            Self::Queued { node } if node.phase() == Phase::Waiting => Some(node.ticket()),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Idle { .. } => Phase::Idle,
            Self::Queued { node } => node.phase(),
            Self::Granted => Phase::Granted,
        }
    }
}
