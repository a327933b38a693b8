//! Rooms, an oracle of exclusion that never asks the locks.
//!
//! Each holder of a lock enters the room that the lock protects. If the lock fails, two holders that should exclude
//! each other meet there, and a check fails. Loom and shuttle do not see a room, so it does not order what the locks
//! should.

use lockladder::LockMode::{self, Exclusive, Shared};
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};

/// The number of sharers inside, or −1 for an owner.
#[derive(Debug, Default)]
pub struct Room(AtomicIsize);

impl Room {
    /// A holder enters. If it meets a holder that it excludes, the panic names the room by `what`.
    #[track_caller]
    pub fn enter(&self, mode: LockMode, what: &str) {
        match mode {
            Shared => assert!(self.0.fetch_add(1, SeqCst) >= 0, "{what} is shared beside an owner"),
            Exclusive => assert_eq!(self.0.swap(-1, SeqCst), 0, "{what} is owned beside others"),
        }
    }

    /// A holder leaves.
    #[track_caller]
    pub fn leave(&self, mode: LockMode, what: &str) {
        match mode {
            Shared => assert!(self.0.fetch_sub(1, SeqCst) > 0, "{what} was owned beside its sharers"),
            Exclusive => assert_eq!(self.0.swap(0, SeqCst), -1, "{what} was shared beside its owner"),
        }
    }

    /// The owner becomes a sharer.
    #[track_caller]
    pub fn downgrade(&self, what: &str) {
        assert_eq!(self.0.swap(1, SeqCst), -1, "{what} was shared beside its owner");
    }

    /// The only sharer becomes the owner.
    #[track_caller]
    pub fn upgrade(&self, what: &str) {
        assert_eq!(self.0.swap(-1, SeqCst), 1, "{what} is upgraded beside others");
    }

    /// Whether no holder is inside.
    pub fn is_empty(&self) -> bool {
        self.0.load(SeqCst) == 0
    }
}
