//! Who waits, in the order of granting: a list through the waiting futures themselves.
//!
//! ```text
//!   first ──► X ⇄ S ⇄ S ⇄ S ⇄ X ⇄ X ◄── last       each node lives in the future that waits
//!                         ▲
//!                         └── group: where the next sharer joins
//! ```
//!
//! The queue is the fairness rule at one priority. An exclusive request stands at the end. A shared one joins the
//! **group** of the sharers that wait already, at the place of its first member; if there is none, it opens one at the
//! end. Once granting of a group has begun, the group is closed: a later sharer opens a new one, behind whoever waits.
//!
//! # Invariants
//!
//! 1. A node is linked from `push` until `pop` or `remove`, in one queue only. Its phase is `Waiting` exactly then.
//! 2. A linked node is pinned, and unlinked before it drops ([`Raw::cancel`](super::raw::Raw::cancel)).
//! 3. The links of a node that is linked are touched through `&mut Queue` only, and one node at a time.
//! 4. `group`, if there is one, is the last member of the only open group; its members stand side by side, and the
//!    first of them has `opens` set, and no other node of the queue.
//! 5. A node whose phase has left `Waiting` may be freed by its owner at once: nobody touches it after that.

#![allow(unsafe_code, reason = "the list goes through futures that others own: see the invariants")]

use crate::mode::LockMode;
use crate::sync::{AtomicU8, Ordering, UnsafeCell, const_unless_loom};
use std::marker::PhantomPinned;
use std::mem;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Waker;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Not asked yet: not linked, holds nothing.
    Idle,
    /// Linked, waits.
    Waiting,
    /// Unlinked; the lock is its own, claimed or not.
    Granted,
    /// Unlinked; the lock is gone.
    Deleted,
}

/// The place of one request in the queue, inside the future that waits.
#[derive(Debug)]
pub(crate) struct Node {
    phase: AtomicU8,
    links: UnsafeCell<Links>,
    _pinned: PhantomPinned,
}

#[derive(Debug)]
struct Links {
    previous: Option<NonNull<Node>>,
    next: Option<NonNull<Node>>,
    waker: Option<Waker>,
    mode: LockMode,
    /// The first of its group.
    opens: bool,
}

// SAFETY: whatever thread has the future moves or drops a node that is not linked, so that nobody else knows it; a
// linked one is touched under the lock of its queue only (3). The waker in it is `Send` and `Sync` itself.
unsafe impl Send for Node {}
// SAFETY: `&Node` gives the phase, which is atomic; the links are reached through the queue only (3).
unsafe impl Sync for Node {}

impl Node {
    pub(crate) fn new(mode: LockMode) -> Self {
        let links = Links { previous: None, next: None, waker: None, mode, opens: false };
        Self { phase: AtomicU8::new(Phase::Idle as u8), links: UnsafeCell::new(links), _pinned: PhantomPinned }
    }

    /// Where the request stands. `Granted` is seen together with all that earlier holders did.
    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Idle,
            1 => Phase::Waiting,
            2 => Phase::Granted,
            _ => Phase::Deleted,
        }
    }
}

/// The requests that wait for one lock.
#[derive(Debug)]
pub(crate) struct Queue {
    first: Option<NonNull<Node>>,
    last: Option<NonNull<Node>>,
    group: Option<NonNull<Node>>,
}

// SAFETY: the nodes it points to may be used from any thread that has `&mut Queue` (3), and are `Send`.
unsafe impl Send for Queue {}

impl Queue {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { first: None, last: None, group: None }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The mode of the request that is next.
    pub(crate) fn first_mode(&mut self) -> Option<LockMode> {
        let first = self.first?;
        Some(self.at(first, |links| links.mode))
    }

    /// How many sharers stand side by side at the front, counted up to `limit`.
    pub(crate) fn sharers_in_front(&mut self, limit: usize) -> usize {
        let mut count = 0;
        let mut place = self.first;
        while let Some(node) = place.filter(|_| count < limit) {
            let (mode, next) = self.at(node, |links| (links.mode, links.next));
            if mode == LockMode::Exclusive {
                break;
            }
            count += 1;
            place = next;
        }
        count
    }

    /// Gives a request its place, by the fairness rule.
    pub(crate) fn push(&mut self, node: Pin<&Node>, waker: Waker) {
        let node = NonNull::from(node.get_ref());
        let mode = self.at(node, |links| {
            links.waker = Some(waker);
            links.opens = false;
            links.mode
        });
        let joined = self.group.filter(|_| mode == LockMode::Shared);
        self.link(node, joined.or(self.last));
        if mode == LockMode::Shared {
            self.at(node, |links| links.opens = joined.is_none());
            self.group = Some(node);
        }
        Self::tell(node, Phase::Waiting);
    }

    /// Takes a waiting request out: its owner has given up.
    pub(crate) fn remove(&mut self, node: Pin<&Node>) -> Option<Waker> {
        let node = NonNull::from(node.get_ref());
        let waker = self.unlink(node);
        Self::tell(node, Phase::Idle);
        waker
    }

    /// Takes the first request out and tells it how it ended. If it opened a group, this closes it: granting of the
    /// group has begun, and whoever comes now opens a new one.
    ///
    /// The waker is taken before the phase is set, because the node may be gone right after (5).
    pub(crate) fn pop(&mut self, phase: Phase) -> Option<Waker> {
        let first = self.first?;
        if self.at(first, |links| mem::take(&mut links.opens)) {
            self.group = None;
        }
        let waker = self.unlink(first);
        Self::tell(first, phase);
        waker
    }

    /// Moves the waiting group to the front and closes it, for a `downgrade` to take along.
    pub(crate) fn advance_group(&mut self) {
        let Some(last) = self.group.take() else { return };
        let mut opener = last;
        while let (false, Some(previous)) = self.at(opener, |links| (links.opens, links.previous)) {
            opener = previous;
        }
        self.at(opener, |links| links.opens = false);
        let Some(before) = self.at(opener, |links| links.previous.take()) else { return };
        let after = self.at(last, |links| links.next.take());
        self.at(before, |links| links.next = after);
        self.set_previous(after, Some(before));
        let front = self.first.replace(opener);
        self.at(last, |links| links.next = front);
        self.set_previous(front, Some(last));
    }

    /// Whether the request would wake this task already.
    pub(crate) fn wakes(&mut self, node: Pin<&Node>, waker: &Waker) -> bool {
        let node = NonNull::from(node.get_ref());
        self.at(node, |links| links.waker.as_ref().is_some_and(|own| own.will_wake(waker)))
    }

    /// Sets whom a waiting request wakes, and returns whom it would have woken.
    pub(crate) fn set_waker(&mut self, node: Pin<&Node>, waker: Waker) -> Option<Waker> {
        let node = NonNull::from(node.get_ref());
        self.at(node, |links| links.waker.replace(waker))
    }

    /// Links `node` behind `previous`, or in front of all.
    fn link(&mut self, node: NonNull<Node>, previous: Option<NonNull<Node>>) {
        let next = match previous {
            Some(previous) => self.at(previous, |links| links.next.replace(node)),
            None => self.first.replace(node),
        };
        self.at(node, |links| (links.previous, links.next) = (previous, next));
        self.set_previous(next, Some(node));
    }

    fn unlink(&mut self, node: NonNull<Node>) -> Option<Waker> {
        let (previous, next, opens, waker) = self.at(node, |links| {
            (links.previous.take(), links.next.take(), mem::take(&mut links.opens), links.waker.take())
        });
        if self.group == Some(node) {
            self.group = previous.filter(|_| !opens);
        } else if let (true, Some(next)) = (opens, next) {
            // The open group stands side by side (4), and `node` was not its last: the next one is its first now.
            self.at(next, |links| links.opens = true);
        }
        match previous {
            Some(previous) => self.at(previous, |links| links.next = next),
            None => self.first = next,
        }
        self.set_previous(next, previous);
        waker
    }

    /// Sets what stands before `node`, or what stands at the end of the queue.
    fn set_previous(&mut self, node: Option<NonNull<Node>>, previous: Option<NonNull<Node>>) {
        match node {
            Some(node) => self.at(node, |links| links.previous = previous),
            None => self.last = previous,
        }
    }

    #[expect(clippy::unused_self, reason = "`&mut self` is what makes the access the only one (3)")]
    fn at<R>(&mut self, node: NonNull<Node>, f: impl FnOnce(&mut Links) -> R) -> R {
        // SAFETY: `node` is linked, or about to be by its owner, so it is alive (2).
        let node = unsafe { node.as_ref() };
        node.links.with_mut(|links| {
            // SAFETY: `&mut self` makes this the only access to the links of any node of this queue (3), and `f`,
            // which gets no queue, cannot start another.
            let links = unsafe { &mut *links };
            f(links)
        })
    }

    /// Tells a request where it stands.
    fn tell(node: NonNull<Node>, phase: Phase) {
        // SAFETY: the phase is still `Waiting`, or set by the owner's own call, so the node is alive (2, 5). The
        // reference is to the phase only: the node around it may go while the store is still under way.
        let told = unsafe { &(*node.as_ptr()).phase };
        told.store(phase as u8, Ordering::Release);
    }
}

#[cfg(all(test, not(lockladder_loom)))]
mod tests;
