//! Rooms, an oracle of exclusion that never asks the locks.
//!
//! Each holder of a lock enters the room that the lock protects. Two holders that exclude each other meet there, and a
//! check fails. The schedulers of loom and shuttle do not see a room, so that it does not order what the locks should.

use lockladder::LockMode::{self, Exclusive, Shared};
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};

/// How many share a place at this moment, or −1 for an owner.
#[derive(Debug, Default)]
pub struct Room(AtomicIsize);

impl Room {
    /// A holder comes in. `what` names the place if the holder meets others.
    #[track_caller]
    pub fn enter(&self, mode: LockMode, what: &str) {
        match mode {
            Shared => assert!(self.0.fetch_add(1, SeqCst) >= 0, "{what} is shared beside an owner"),
            Exclusive => assert_eq!(self.0.swap(-1, SeqCst), 0, "{what} is owned beside others"),
        }
    }

    /// A holder goes.
    #[track_caller]
    pub fn leave(&self, mode: LockMode, what: &str) {
        match mode {
            Shared => assert!(self.0.fetch_sub(1, SeqCst) > 0, "{what} was owned beside its sharers"),
            Exclusive => assert_eq!(self.0.swap(0, SeqCst), -1, "{what} was shared beside its owner"),
        }
    }

    /// An owner shares from now on.
    #[track_caller]
    pub fn downgrade(&self, what: &str) {
        assert_eq!(self.0.swap(1, SeqCst), -1, "{what} was shared beside its owner");
    }

    /// The only sharer owns from now on.
    #[track_caller]
    pub fn upgrade(&self, what: &str) {
        assert_eq!(self.0.swap(-1, SeqCst), 1, "{what} is upgraded beside others");
    }

    /// Whether the room has nobody in it.
    pub fn is_empty(&self) -> bool {
        self.0.load(SeqCst) == 0
    }
}
