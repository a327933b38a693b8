//! The waiters, in the order of granting: a list through the waiting futures themselves.
//!
//! ```text
//!   first ──► s ⇄ s │ X ⇄ S ⇄ S ⇄ X │ S ⇄ S │ X ⇄ X        each node lives in the future that waits
//!                 ▲   └─── −5 ─────┘  └─ 0 ─┘  └─ 7 ─┘
//!                 │   ▲         │  ▲                          the first node of each priority, its *head*, knows the
//!         committed   head      │  last                       last one, and the first and the last of the open group
//!                               group
//! ```
//!
//! The queue is the fairness rule. Requests stand in the order of (priority, arrival). An exclusive request stands at
//! the end of its priority. A shared request joins the open **group** of its priority, which stands at the place of its
//! first member; if there is no open group, the request opens one at the end. A group is granted as a whole: once that
//! has begun, the group is **committed**. It then stands at the front, even before more urgent requests, and no request
//! joins it.
//!
//! Every operation takes constant time, plus one step for each priority that has waiters. The one exception is a change
//! of priority while a group is committed: it searches that group for the node.
//!
//! # Invariants
//!
//! 1. A node is linked from `push` until `pop` or `remove`, in one queue only. Its phase is `Waiting` exactly then.
//! 2. A linked node is pinned, and unlinked before it drops ([`Raw::cancel`](super::raw::Raw::cancel)).
//! 3. The links of a linked node are touched through `&mut Queue` only, and one node at a time.
//! 4. The nodes up to `committed` are sharers. Behind them, priorities do not decrease; the first node of each priority
//!    has its `class`, and no other linked node has one.
//! 5. `class.group`, if there is one, is the first and the last member of the open group of that priority. Its members
//!    stand side by side, and are all the sharers of that priority behind `committed`.
//! 6. The owner may free a node as soon as its phase has left `Waiting`: the queue does not touch the node after that.

#![allow(unsafe_code, reason = "the list goes through futures that others own: see the invariants")]

use super::fault;
use crate::mode::LockMode;
use crate::priority::Priority;
use crate::sync::{AtomicI8, AtomicU8, Ordering, UnsafeCell, const_unless_loom};
use std::marker::PhantomPinned;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::Waker;

/// The phase of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// The node is not linked: not pushed yet, or taken out by its owner. The request holds nothing.
    Idle,
    /// The node is linked; the request waits.
    Waiting,
    /// The node is unlinked; the request has a grant, claimed or not.
    Granted,
    /// The node is unlinked; the lock is deleted.
    Deleted,
}

/// The place of one request in the queue, inside the future that waits.
///
/// The fields that a leaving neighbour reads stand together at the front.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node {
    phase: AtomicU8,
    mode: LockMode,
    /// Changed only under the lock of the queue while the node is linked; so Relaxed is enough.
    priority: AtomicI8,
    /// Never dropped: the queue takes the waker out together with the node.
    links: UnsafeCell<ManuallyDrop<Links>>,
    _pinned: PhantomPinned,
}

#[derive(Debug)]
#[repr(C)]
struct Links {
    previous: Option<NonNull<Node>>,
    next: Option<NonNull<Node>>,
    waker: Option<Waker>,
    /// `Some` in the first node of each priority only (4).
    class: Option<Class>,
}

/// The requests that wait at one priority.
#[derive(Clone, Copy, Debug)]
struct Class {
    last: NonNull<Node>,
    /// The first and the last member of the open group, if there is one.
    group: Option<(NonNull<Node>, NonNull<Node>)>,
}

/// The place of a priority in the queue, whether requests wait at it or not.
struct Spot {
    /// The node before it: the last one of the priority before, or the last committed one.
    before: Option<NonNull<Node>>,
    /// Its first node, if there is one.
    head: Option<NonNull<Node>>,
}

// SAFETY: the thread that has the future moves or drops a node only while it is not linked (2), so no other thread
// knows it; a linked node is touched under the lock of its queue only (3). The waker in it is `Send` and `Sync` itself.
unsafe impl Send for Node {}
// SAFETY: `&Node` gives the phase, which is atomic; the links are reached through the queue only (3).
unsafe impl Sync for Node {}

impl Node {
    /// Makes a node to be pushed: only the queue takes its waker out, so without a push the waker leaks.
    pub(crate) fn new(mode: LockMode, priority: Priority, waker: Waker) -> Self {
        let links = Links { previous: None, next: None, waker: Some(waker), class: None };
        Self {
            phase: AtomicU8::new(Phase::Idle as u8),
            mode,
            priority: AtomicI8::new(priority.get()),
            links: UnsafeCell::new(ManuallyDrop::new(links)),
            _pinned: PhantomPinned,
        }
    }

    /// The phase of the request. A thread that sees `Granted` also sees all that earlier holders did.
    #[inline]
    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Idle,
            1 => Phase::Waiting,
            2 => Phase::Granted,
            _ => Phase::Deleted,
        }
    }
}

impl Node {
    /// What identifies the request while the node is linked: its address.
    pub(crate) fn ticket(&self) -> u64 {
        ptr::from_ref(self).addr() as u64
    }
}

/// A copy of a request that waits: its ticket, its mode and its priority.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeCopy {
    pub(crate) ticket: u64,
    pub(crate) mode: LockMode,
    pub(crate) priority: Priority,
}

/// The requests that wait for one lock.
#[derive(Debug)]
pub(crate) struct Queue {
    first: Option<NonNull<Node>>,
    /// The last member of a group whose granting has begun.
    committed: Option<NonNull<Node>>,
}

// SAFETY: the nodes that it points to may be used by any thread that has `&mut Queue` (3), and are `Send`.
unsafe impl Send for Queue {}

impl Queue {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { first: None, committed: None }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The mode of the first request.
    pub(crate) fn first_mode(&self) -> Option<LockMode> {
        self.first.map(|first| self.node(first).mode)
    }

    /// Whether a new request of this priority would be the first in the queue.
    pub(crate) fn yields_to(&self, priority: Priority) -> bool {
        match (self.committed, self.first) {
            (None, Some(first)) => priority.get() < self.priority(first),
            (committed, _) => committed.is_none(),
        }
    }

    /// Gives a request its place, by the fairness rule.
    pub(crate) fn push(&mut self, node: Pin<&Node>) {
        let node = NonNull::from(node.get_ref());
        self.enlist(node);
        Self::tell(node, Phase::Waiting);
    }

    /// Takes a waiting request out, because its owner gives up, and returns its waker.
    pub(crate) fn remove(&mut self, node: Pin<&Node>) -> Option<Waker> {
        let node = NonNull::from(node.get_ref());
        if !fault::NODE_NOT_UNLINKED {
            self.delist(node);
        }
        let waker = self.at(node, |links| links.waker.take());
        Self::tell(node, Phase::Idle);
        waker
    }

    /// Takes the first request out, tells it how it ended, and returns its waker.
    ///
    /// The waker is taken before the phase is set, because the owner may free the node right after (6).
    pub(crate) fn pop(&mut self, phase: Phase) -> Option<Waker> {
        let first = self.first?;
        self.delist(first);
        let waker = self.at(first, |links| links.waker.take());
        Self::tell(first, phase);
        waker
    }

    /// Changes the priority of a waiting request: it moves to where a new request of that priority would stand. It
    /// stays if it has that priority already, or if its group is committed.
    pub(crate) fn set_priority(&mut self, node: Pin<&Node>, priority: Priority) {
        let waits = node.phase() == Phase::Waiting;
        let node = NonNull::from(node.get_ref());
        if waits && self.priority(node) != priority.get() && !self.is_committed(node) {
            self.delist(node);
            self.node(node).priority.store(priority.get(), Ordering::Relaxed);
            self.enlist(node);
        }
    }

    /// Begins to grant the group of the first request, which must be shared. Returns the number of committed requests,
    /// counted up to `limit`.
    pub(crate) fn commit_sharers(&mut self, limit: usize) -> usize {
        if self.committed.is_none() {
            self.commit_group();
        }
        let (mut count, mut place) = (0, self.first);
        while let Some(node) = place.filter(|_| count < limit) {
            count += 1;
            place = if Some(node) == self.committed { None } else { self.at(node, |links| links.next) };
        }
        count
    }

    /// Commits the open group of the most urgent priority, if it has one: moves it to the front and closes it. Does
    /// nothing while another group is committed.
    pub(crate) fn commit_group(&mut self) {
        let Some(head) = self.first.filter(|_| self.committed.is_none()) else { return };
        let Some(mut class) = self.at(head, |links| links.class) else { unreachable!("it is the first (4)") };
        let Some((opener, last)) = class.group.take() else { return };
        let (before, after) = (self.at(opener, |links| links.previous), self.at(last, |links| links.next));
        let heir = if opener == head { after.filter(|_| class.last != last) } else { Some(head) };
        if let (true, Some(before)) = (class.last == last, before) {
            class.last = before;
        }
        self.at(head, |links| links.class = None);
        if let Some(heir) = heir {
            self.at(heir, |links| links.class = Some(class));
        }
        if before.is_some() {
            self.connect(before, after);
            self.connect(Some(last), Some(head));
            self.connect(None, Some(opener));
        }
        self.committed = Some(last);
    }

    /// Copies the first requests into a list, as many as it has room for, in the order in which they stand.
    pub(crate) fn copy(&mut self, list: &mut Vec<NodeCopy>) {
        let mut place = self.first;
        while let Some(node) = place.filter(|_| list.len() < list.capacity()) {
            let (known, priority) = (self.node(node), Priority::new(self.priority(node)));
            list.push(NodeCopy { ticket: known.ticket(), mode: known.mode, priority });
            place = self.at(node, |links| links.next);
        }
    }

    /// Whether the waker of the request wakes this task already.
    pub(crate) fn wakes(&mut self, node: Pin<&Node>, waker: &Waker) -> bool {
        let node = NonNull::from(node.get_ref());
        self.at(node, |links| links.waker.as_ref().is_some_and(|own| own.will_wake(waker)))
    }

    /// Sets the waker of a waiting request, and returns the previous one.
    pub(crate) fn set_waker(&mut self, node: Pin<&Node>, waker: Waker) -> Option<Waker> {
        let node = NonNull::from(node.get_ref());
        self.at(node, |links| links.waker.replace(waker))
    }

    /// Links a node at its place by mode and priority.
    fn enlist(&mut self, node: NonNull<Node>) {
        let shared = self.node(node).mode == LockMode::Shared;
        let Spot { before, head } = self.place(self.priority(node));
        let Some(head) = head else {
            let class = Class { last: node, group: shared.then_some((node, node)) };
            self.at(node, |links| links.class = Some(class));
            return self.link(node, before);
        };
        let Some(mut class) = self.at(head, |links| links.class) else { unreachable!("it is a head (4)") };
        let joined = class.group.filter(|_| shared);
        let before = joined.map_or(class.last, |(_, last)| last);
        self.at(node, |links| links.class = None);
        self.link(node, Some(before));
        if before == class.last {
            class.last = node;
        }
        if shared {
            class.group = Some((joined.map_or(node, |(opener, _)| opener), node));
        }
        self.at(head, |links| links.class = Some(class));
    }

    /// Unlinks a node, and takes it out of its class and its group.
    #[inline]
    fn delist(&mut self, node: NonNull<Node>) {
        let (previous, next, class) = self.at(node, |links| (links.previous, links.next, links.class));
        // A head has its class itself, which saves the search.
        if let Some(class) = class {
            self.leave_class(node, node, class);
        } else if !self.is_inside(node, previous, next) {
            let head = self.place(self.priority(node)).head;
            if let Some((head, class)) = head.and_then(|head| Some((head, self.at(head, |links| links.class)?))) {
                self.leave_class(node, head, class);
            }
        }
        if self.committed == Some(node) {
            self.committed = previous;
        }
        self.connect(previous, next);
    }

    /// Whether no class refers to a node that is not a head (4, 5). True of the first committed node, and of a node
    /// that stands between two others of its priority; a sharer must stand between two sharers.
    fn is_inside(&self, node: NonNull<Node>, previous: Option<NonNull<Node>>, next: Option<NonNull<Node>>) -> bool {
        let is_shared = |node| self.node(node).mode == LockMode::Shared;
        match (previous, next) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(previous), Some(next)) => {
                self.priority(next) == self.priority(node)
                    && (!is_shared(node) || is_shared(previous) && is_shared(next))
            }
        }
    }

    /// Takes a node, which is still linked, out of its class.
    #[inline]
    fn leave_class(&mut self, node: NonNull<Node>, head: NonNull<Node>, mut class: Class) {
        let (previous, next) = self.at(node, |links| (links.previous, links.next));
        // The members of the open group stand side by side (5), so the next node inside either end is a member.
        class.group = match class.group {
            Some((opener, last)) if opener == last && opener == node => None,
            Some((opener, last)) if opener == node => next.map(|next| (next, last)),
            Some((opener, last)) if last == node => previous.map(|previous| (opener, previous)),
            group => group,
        };
        let heir = if head == node { next.filter(|_| class.last != node) } else { Some(head) };
        if let (true, Some(previous)) = (class.last == node, previous) {
            class.last = previous;
        }
        if let Some(heir) = heir {
            self.at(heir, |links| links.class = Some(class));
        }
    }

    /// Finds the place of a priority behind the committed nodes.
    fn place(&mut self, priority: i8) -> Spot {
        let mut before = self.committed;
        let mut head = before.map_or(self.first, |last| self.at(last, |links| links.next));
        while let Some(node) = head {
            let (own, class) = (self.priority(node), self.at(node, |links| links.class));
            let Some(class) = class else { unreachable!("it is a head (4)") };
            if priority <= own {
                return Spot { before, head: head.filter(|_| priority == own) };
            }
            before = Some(class.last);
            head = self.at(class.last, |links| links.next);
        }
        Spot { before, head: None }
    }

    fn is_committed(&mut self, node: NonNull<Node>) -> bool {
        let mut place = self.committed;
        while let Some(committed) = place.filter(|committed| *committed != node) {
            place = self.at(committed, |links| links.previous);
        }
        place.is_some()
    }

    /// Links `node` right behind `before`; `None` stands for the front of the queue.
    fn link(&mut self, node: NonNull<Node>, before: Option<NonNull<Node>>) {
        let after = before.map_or(self.first, |before| self.at(before, |links| links.next));
        self.connect(before, Some(node));
        self.connect(Some(node), after);
    }

    /// Links `before` to `after`; `None` stands for the end of the list on that side.
    fn connect(&mut self, before: Option<NonNull<Node>>, after: Option<NonNull<Node>>) {
        match before {
            Some(before) => self.at(before, |links| links.next = after),
            None => self.first = after,
        }
        if let Some(after) = after {
            self.at(after, |links| links.previous = before);
        }
    }

    fn priority(&self, node: NonNull<Node>) -> i8 {
        self.node(node).priority.load(Ordering::Relaxed)
    }

    #[expect(clippy::unused_self, reason = "the node is borrowed no longer than its queue")]
    fn node(&self, node: NonNull<Node>) -> &Node {
        // SAFETY: `node` is linked, or its owner is about to link it, so it is alive (2).
        unsafe { node.as_ref() }
    }

    fn at<R>(&mut self, node: NonNull<Node>, f: impl FnOnce(&mut Links) -> R) -> R {
        self.node(node).links.with_mut(|links| {
            // SAFETY: `&mut self` makes this the only access to the links of any node of this queue (3), and `f` gets
            // no queue, so it cannot start another.
            f(unsafe { &mut *links })
        })
    }

    /// Tells a request its phase.
    fn tell(node: NonNull<Node>, phase: Phase) {
        // SAFETY: the phase is still `Waiting`, or the owner itself makes this call, so the node is alive (2, 6). The
        // reference is to the phase only: the owner may free the node while the store is still under way.
        let told = unsafe { &(*node.as_ptr()).phase };
        told.store(phase as u8, Ordering::Release);
    }
}

#[cfg(all(test, not(lockladder_loom)))]
mod tests;
