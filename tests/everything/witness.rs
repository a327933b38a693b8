//! Who is where, as those know it who have a guard: an oracle that never asks the locks.
//!
//! Each value in a lock carries flags that only the holder of its lock touches, and so does each name: two exclusive
//! holders of one name, of a value that was removed and of the one that came after it too, see each other there. The
//! schedulers of the tests do not see these flags, so that they do not order what the locks should.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicIsize, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Who is in a place at this moment: so many sharers, or −1 for an owner.
#[derive(Debug, Default)]
pub(crate) struct Room(AtomicIsize);

impl Room {
    pub(crate) fn enter(&self, exclusive: bool, what: &str) {
        if exclusive {
            let before = self.0.swap(-1, SeqCst);
            assert_eq!(before, 0, "{what} is owned beside others");
        } else {
            let before = self.0.fetch_add(1, SeqCst);
            assert!(before >= 0, "{what} is shared beside an owner");
        }
    }

    pub(crate) fn leave(&self, exclusive: bool, what: &str) {
        if exclusive {
            assert_eq!(self.0.swap(0, SeqCst), -1, "{what} was shared beside its owner");
        } else {
            assert!(self.0.fetch_sub(1, SeqCst) > 0, "{what} was owned beside its sharers");
        }
    }

    /// Nobody is in.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(SeqCst) == 0
    }

    /// An owner shares from now on.
    pub(crate) fn downgrade(&self, what: &str) {
        assert_eq!(self.0.swap(1, SeqCst), -1, "{what} was shared beside its owner");
    }
}

/// What one program does.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// By the place that is locked.
    rooms: [Room; 16],
    made: AtomicU64,
    alive: Mutex<BTreeSet<u64>>,
}

impl Ledger {
    /// The place that a name stands for.
    pub(crate) fn room(&self, name: u8) -> &Room {
        &self.rooms[usize::from(name)]
    }

    /// All values have been dropped.
    pub(crate) fn assert_empty(&self) {
        let alive = self.alive.lock().unwrap();
        assert!(alive.is_empty(), "these values were neither returned nor dropped: {alive:?}");
    }
}

thread_local! {
    static LEDGER: RefCell<Arc<Ledger>> = RefCell::default();
}

/// From now on, this thread works for a program.
pub(crate) fn work_for(ledger: &Arc<Ledger>) {
    LEDGER.set(Arc::clone(ledger));
}

/// What is in a lock. Each has a number of its own, so that a name that has been removed and added again is another.
#[derive(Debug)]
pub(crate) struct Thing {
    number: u64,
    ledger: Arc<Ledger>,
    pub(crate) room: Room,
    /// Changed by owners, without care.
    pub(crate) count: u64,
    /// The same, changed with care.
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
    /// Its owner changes it.
    pub(crate) fn change(&mut self) {
        self.assert_whole();
        self.count += 1;
        self.expected.fetch_add(1, SeqCst);
    }

    /// Nobody has changed it past the others.
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
            assert_eq!(self.room.0.load(SeqCst), 0, "value {} is dropped while somebody holds it", self.number);
        }
    }
}
