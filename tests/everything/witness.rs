//! Where the holders of guards are, by their own account: an oracle that never asks the locks.
//!
//! Each value in a lock has a [room](lockladder_test_support::rooms) that only the holders of its lock enter, and so
//! has each name. Two holders of one name meet in the name's room, even if one holds a value that was removed, and the
//! other the value that came after it. And all holders of a name hold the same value.

use lockladder::LockMode;
use lockladder_test_support::rooms::Room;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// The records of one program.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// One for each place that can be locked.
    rooms: [Room; 20],
    /// By place: the number of the value that its holders have, and how many holders there are.
    held: Mutex<BTreeMap<u8, (u64, usize)>>,
    made: AtomicU64,
    alive: Mutex<BTreeSet<u64>>,
}

impl Ledger {
    /// The room of a name.
    pub(crate) fn room(&self, name: u8) -> &Room {
        &self.rooms[usize::from(name)]
    }

    /// A holder of a name enters its room, and that of its value.
    #[track_caller]
    pub(crate) fn enter(&self, name: u8, mode: LockMode, thing: &Thing) {
        self.room(name).enter(mode, "a name");
        thing.room.enter(mode, "a value");
        let mut held = self.held.lock().unwrap();
        let (value, holders) = held.entry(name).or_insert((thing.number, 0));
        assert_eq!(*value, thing.number, "{name} has two values");
        *holders += 1;
    }

    /// It leaves.
    #[track_caller]
    pub(crate) fn leave(&self, name: u8, mode: LockMode, thing: &Thing) {
        let mut held = self.held.lock().unwrap();
        if let Some((_, holders @ 2..)) = held.get_mut(&name) {
            *holders -= 1;
        } else {
            held.remove(&name);
        }
        drop(held);
        thing.room.leave(mode, "a value");
        self.room(name).leave(mode, "a name");
    }

    /// The owner of a name becomes a sharer.
    pub(crate) fn downgrade(&self, name: u8, thing: &Thing) {
        thing.room.downgrade("a value");
        self.room(name).downgrade("a name");
    }

    /// How many values there are.
    pub(crate) fn values(&self) -> usize {
        self.alive.lock().unwrap().len()
    }

    /// Asserts that all values have been dropped.
    pub(crate) fn assert_empty(&self) {
        let alive = self.alive.lock().unwrap();
        assert!(alive.is_empty(), "these values were neither returned nor dropped: {alive:?}");
    }
}

thread_local! {
    static LEDGER: RefCell<Arc<Ledger>> = RefCell::default();
}

/// Makes this thread work for a program: its new values belong to that ledger.
pub(crate) fn work_for(ledger: &Arc<Ledger>) {
    LEDGER.set(Arc::clone(ledger));
}

/// The value in a lock. Each has a number of its own, so a name that is removed and added again has another value.
#[derive(Debug)]
pub(crate) struct Thing {
    number: u64,
    ledger: Arc<Ledger>,
    pub(crate) room: Room,
    /// Changed by owners, without synchronization.
    pub(crate) count: u64,
    /// The same count, changed atomically.
    pub(crate) expected: AtomicU64,
}

impl Default for Thing {
    fn default() -> Self {
        let ledger = LEDGER.with_borrow(Arc::clone);
        let number = ledger.made.fetch_add(1, SeqCst);
        ledger.alive.lock().unwrap().insert(number);
        Self { number, ledger, room: Room::default(), count: 0, expected: AtomicU64::new(0) }
    }
}

impl Thing {
    /// The owner changes the value.
    pub(crate) fn change(&mut self) {
        self.assert_whole();
        self.count += 1;
        self.expected.fetch_add(1, SeqCst);
    }

    /// Asserts that no two owners have changed it at once.
    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.count, self.expected.load(SeqCst), "two have changed value {} at once", self.number);
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        let was_alive = self.ledger.alive.lock().unwrap().remove(&self.number);
        if !std::thread::panicking() {
            assert!(was_alive, "value {} is dropped twice", self.number);
            self.assert_whole();
            assert!(self.room.is_empty(), "value {} is dropped while somebody holds it", self.number);
        }
    }
}
