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
    /// Finished flows. Each keeps its seat, and, until it is used again, its label.
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
        let (mut finished, mut old_label) = (desk.finished.pop(), Cow::default());
        // A flow that has just ended, or that a table looks at, is not free yet.
        if let Some(begins) = finished.as_mut().and_then(Arc::get_mut) {
            begins.record.begin_again();
            old_label = mem::replace(&mut begins.label, label);
            (begins.id, begins.task) = (id, task);
            *begins.claims.get_mut() = 1;
        } else {
            finished = Some(desk.new_flow(at, finished, (label, id, task), levels, &self.home));
        }
        let Some(flow) = finished else { unreachable!("it was made above") };
        desk.seats[flow.seat as usize] = Some(Arc::clone(&flow));
        drop(desk);
        drop(old_label);
        flow
    }

    /// Ends a flow whose last claim is about to go.
    #[inline]
    pub(super) fn end(&self, flow: &Flow) {
        let mut desk = Self::lock(&self.desks[flow.desk]);
        let Some(listed) = desk.seats[flow.seat as usize].take() else { unreachable!("it is listed while it goes on") };
        if desk.finished.len() < KEPT {
            desk.finished.push(listed);
        } else {
            desk.vacant.push(flow.seat);
            drop(desk);
            drop(listed);
        }
    }

    /// All flows that go on, in the order of their numbers.
    pub(super) fn all(&self) -> Vec<Arc<Flow>> {
        self.those(|_| true)
    }

    /// Those flows that `are_meant`, in the order of their numbers.
    pub(super) fn those(&self, are_meant: impl Fn(&Record) -> bool) -> Vec<Arc<Flow>> {
        /// How many seats are looked at together: it takes some microseconds.
        const TOGETHER: usize = 256;
        let mut all = Vec::new();
        for desk in &self.desks {
            for first in (0..).step_by(TOGETHER) {
                let desk = Self::lock(desk);
                let seats = desk.seats.iter().skip(first).take(TOGETHER);
                all.extend(seats.flatten().filter(|flow| are_meant(&flow.record)).cloned());
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

    #[inline]
    fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
        desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// A flow for which memory is allocated, in place of one that is not free.
    #[cold]
    fn new_flow(
        &mut self,
        desk: usize,
        taken: Option<Arc<Flow>>,
        (label, id, task): (Cow<'static, str>, u64, Option<task::Id>),
        levels: usize,
        home: &watch::Home,
    ) -> Arc<Flow> {
        let seat = taken.map_or_else(|| self.seat(), |taken| taken.seat);
        let (record, claims) = (Record::new(levels), AtomicUsize::new(1));
        let (home, holds) = (home.clone(), watch::Holds::default());
        Arc::new(Flow { record, label, id, task, home, holds, claims, desk, seat })
    }

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
        static OWN: Cell<usize> = const { Cell::new(DESKS) };
    }
    let own = OWN.get();
    if own < DESKS {
        return own;
    }
    let own = THREADS.fetch_add(1, Ordering::Relaxed) % DESKS;
    OWN.set(own);
    own
}
