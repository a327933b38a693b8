//! The truth about one lock, as flags and counts that only its holders touch. It never asks the lock.

use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::rooms::Room;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

/// How often owners have written, twice. An owner writes one half after the other.
pub(crate) type Halves = [u64; 2];

/// What the lock protects.
#[derive(Debug)]
pub(crate) struct Cargo {
    pub(crate) halves: Halves,
    drops: Arc<AtomicUsize>,
}

impl Drop for Cargo {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
    }
}

/// Which holders are inside, and whether the lock can still be granted.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Entered by each holder of the lock.
    inside: Room,
    /// How often the value was written under the lock.
    writes: AtomicU64,
    /// An owner is about to delete the lock, or has deleted it. It is never granted again.
    closed: AtomicBool,
    /// The lock is deleted for certain. From now on, each request is told so at once.
    gone: AtomicBool,
    /// Requests to delete that may succeed at any time.
    deleting: AtomicUsize,
    drops: Arc<AtomicUsize>,
}

impl Truth {
    pub(crate) fn cargo(&self) -> Cargo {
        Cargo { halves: [0; 2], drops: Arc::clone(&self.drops) }
    }

    pub(crate) fn share(&self) {
        assert!(!self.closed.load(SeqCst), "shared after it was deleted");
        self.inside.enter(Shared, "the lock");
    }

    pub(crate) fn unshare(&self) {
        self.inside.leave(Shared, "the lock");
    }

    pub(crate) fn own(&self) {
        assert!(!self.closed.load(SeqCst), "owned after it was deleted");
        self.inside.enter(Exclusive, "the lock");
    }

    pub(crate) fn disown(&self) {
        self.inside.leave(Exclusive, "the lock");
    }

    /// An owner is about to downgrade, which lets other sharers in.
    pub(crate) fn lower(&self) {
        self.inside.downgrade("the lock");
    }

    /// A sharer has become the owner.
    pub(crate) fn raise(&self) {
        self.inside.upgrade("the lock");
    }

    pub(crate) fn write(&self, [left, right]: &mut Halves) {
        assert_eq!(left, right, "an owner sees a half written value");
        *left += 1;
        self.writes.fetch_add(1, SeqCst);
        *right += 1;
    }

    pub(crate) fn read(&self, halves: &Halves) {
        assert_eq!(*halves, [self.writes.load(SeqCst); 2], "a sharer sees another value than the last written");
    }

    /// An owner that has left the room is about to delete the lock.
    pub(crate) fn close(&self) {
        assert!(!self.closed.swap(true, SeqCst), "deleted twice");
    }

    /// The lock has been deleted.
    pub(crate) fn went(&self) {
        self.gone.store(true, SeqCst);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(SeqCst)
    }

    /// A request to delete may succeed, until the returned value is dropped.
    pub(crate) fn deleting(self: &Arc<Self>) -> Deleting {
        self.deleting.fetch_add(1, SeqCst);
        Deleting(Arc::clone(self))
    }

    /// A request was told that the lock is deleted.
    pub(crate) fn told_deleted(&self) {
        let perhaps = self.deleting.load(SeqCst) > 0; // Loaded first: a deleter closes before it is done.
        assert!(self.closed.load(SeqCst) || perhaps, "told that it is deleted, which nobody has done");
    }

    /// Checks the end: no holder is left, and the value is still there and whole.
    pub(crate) fn at_rest(&self, cargo: Cargo) {
        assert!(self.inside.is_empty(), "somebody is still inside");
        assert_eq!(self.deleting.load(SeqCst), 0, "somebody still deletes");
        self.read(&cargo.halves);
        assert_eq!(self.drops.load(SeqCst), 0, "the value was dropped though it is still there");
        drop(cargo);
        assert_eq!(self.drops.load(SeqCst), 1, "the value was not dropped once");
    }
}

/// A request to delete, while it may succeed.
pub(crate) struct Deleting(Arc<Truth>);

impl Deleting {
    /// The request has deleted the lock.
    pub(crate) fn done(&self) {
        self.0.close();
        self.0.went();
    }
}

impl Drop for Deleting {
    fn drop(&mut self) {
        self.0.deleting.fetch_sub(1, SeqCst);
    }
}
