//! What the sessions of one flow of work share: the record. And where a manager keeps all flows.
//!
//! Sessions begin and end often, so a manager keeps some finished flows and uses them again. It also lists the flows
//! that go on, for a [`LockTable`](crate::LockTable). Both are in one place, behind one lock: a session takes a flow and
//! is listed in the same few instructions. There are several such places, so that threads seldom meet.

use super::record::Record;
use super::watch;
use std::borrow::Cow;
use std::cell::Cell;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task;

/// What the sessions of one flow share.
pub(super) struct Flow {
    pub(super) record: Record,
    pub(super) label: Cow<'static, str>,
    /// The number of the flow, unique in its manager.
    pub(super) id: u64,
    /// The task that began it.
    pub(super) task: Option<task::Id>,
    /// What those who watch know of its manager.
    #[allow(dead_code, reason = "empty if no party watches")]
    pub(super) home: watch::Home,
    /// What those who watch know of what it holds.
    #[allow(dead_code, reason = "empty if no party watches")]
    pub(super) holds: watch::Holds,
    /// How many claims there are. They are made and dropped one at a time: a nested session borrows the one around it.
    claims: AtomicUsize,
    desk: usize,
    seat: u32,
}

impl Flow {
    /// Counts one more claim.
    pub(super) fn claimed(&self) {
        self.claims.store(self.claims.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Counts one claim less. True if it was the last one.
    #[inline]
    pub(super) fn unclaimed(&self) -> bool {
        let left = self.claims.load(Ordering::Relaxed) - 1;
        self.claims.store(left, Ordering::Relaxed);
        left == 0
    }
}

/// How many places there are.
const DESKS: usize = 4;

/// How many finished flows each place keeps.
const KEPT: usize = 64;

/// All flows of a manager.
pub(super) struct Flows {
    desks: [Mutex<Desk>; DESKS],
    /// What those who watch know of the manager.
    pub(super) home: watch::Home,
}

#[derive(Default)]
struct Desk {
    /// The flows that go on, each in its seat.
    seats: Vec<Option<Arc<Flow>>>,
    /// Finished flows. Each keeps its seat. There is no other reference to them.
    finished: Vec<Arc<Flow>>,
    /// Seats that no flow has.
    vacant: Vec<u32>,
    begun: u64,
}

impl Flows {
    pub(super) fn new(home: watch::Home) -> Self {
        Self { desks: Default::default(), home }
    }

    /// Begins a flow, and lists it. It holds and awaits nothing yet.
    #[inline]
    pub(super) fn begin(&self, label: Cow<'static, str>, levels: usize) -> Arc<Flow> {
        let task = task::try_id();
        let (at, mut desk) = self.desk();
        desk.begun += 1;
        let id = (desk.begun - 1) * DESKS as u64 + at as u64 + 1;
        let flow = if let Some(mut flow) = desk.finished.pop() {
            let Some(begins) = Arc::get_mut(&mut flow) else { unreachable!("only the desk has a finished flow") };
            begins.record.begin_again();
            (begins.label, begins.id, begins.task) = (label, id, task);
            *begins.claims.get_mut() = 1;
            flow
        } else {
            let seat = desk.seat();
            let (record, claims) = (Record::new(levels), AtomicUsize::new(1));
            let (home, holds) = (self.home.clone(), watch::Holds::default());
            Arc::new(Flow { record, label, id, task, home, holds, claims, desk: at, seat })
        };
        desk.seats[flow.seat as usize] = Some(Arc::clone(&flow));
        flow
    }

    /// Ends a flow whose last claim has gone.
    #[inline]
    pub(super) fn end(&self, mut flow: Arc<Flow>) {
        let mut desk = Self::lock(&self.desks[flow.desk]);
        let seat = flow.seat;
        drop(desk.seats[seat as usize].take()); // The caller has the flow, too: nothing is dropped here.
        if let Some(ended) = Arc::get_mut(&mut flow).filter(|_| desk.finished.len() < KEPT) {
            let label = mem::take(&mut ended.label);
            desk.finished.push(flow);
            drop(desk);
            drop(label); // With the desk unlocked.
        } else {
            // There are enough, or a table is looking at it.
            desk.vacant.push(seat);
            drop(desk);
            drop(flow);
        }
    }

    /// All flows that go on, in the order of their numbers.
    pub(super) fn all(&self) -> Vec<Arc<Flow>> {
        /// How many seats are looked at together: it takes some microseconds.
        const TOGETHER: usize = 256;
        let mut all = Vec::new();
        for desk in &self.desks {
            for first in (0..).step_by(TOGETHER) {
                let desk = Self::lock(desk);
                let seats = desk.seats.iter().skip(first).take(TOGETHER);
                all.extend(seats.flatten().cloned());
                if desk.seats.len() <= first + TOGETHER {
                    break;
                }
            }
        }
        all.sort_unstable_by_key(|flow| flow.id);
        all
    }

    /// A place that no other thread has locked, if there is one.
    #[inline]
    fn desk(&self) -> (usize, MutexGuard<'_, Desk>) {
        let own = own_desk();
        match self.desks[own].try_lock() {
            Ok(desk) => (own, desk),
            Err(_) => self.other_desk(own),
        }
    }

    #[cold]
    fn other_desk(&self, own: usize) -> (usize, MutexGuard<'_, Desk>) {
        let free = (1..DESKS).find_map(|step| {
            let at = (own + step) % DESKS;
            self.desks[at].try_lock().ok().map(|desk| (at, desk))
        });
        free.unwrap_or_else(|| (own, Self::lock(&self.desks[own])))
    }

    fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
        desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    #[cold]
    fn seat(&mut self) -> u32 {
        if let Some(seat) = self.vacant.pop() {
            return seat;
        }
        let Ok(seat) = u32::try_from(self.seats.len()) else { unreachable!("more sessions than memory has room for") };
        self.seats.push(None);
        seat
    }
}

/// The place where a thread looks first.
#[inline]
fn own_desk() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % DESKS);
    }
    OWN.try_with(Cell::get).unwrap_or(0) // While the thread ends, any will do.
}
