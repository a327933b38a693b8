//! What the sessions of one flow of work share, and where a manager keeps all flows.
//!
//! Sessions begin and end often, so a manager keeps some finished flows and uses them again. It also lists the flows
//! that go on, for a [`LockTable`](crate::LockTable). Both are in one place, behind one lock: a session takes a flow and
//! is listed in the same few instructions. There are several such places, so that threads seldom meet.

use super::record::Record;
use crate::clock::Moment;
use std::borrow::Cow;
use std::cell::Cell;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use tokio::task;

/// What the sessions of one flow share: the record, and the manager `M`.
pub(super) struct Flow<M> {
    pub(super) record: Record,
    pub(super) label: Cow<'static, str>,
    /// The number of the flow, unique in its manager.
    pub(super) id: u64,
    /// The task that began it.
    pub(super) task: Option<task::Id>,
    pub(super) began: Moment,
    /// How many claims there are. They are made and dropped one at a time: a nested session borrows the one around it.
    claims: AtomicUsize,
    /// `None` while the flow is finished, so that a manager does not keep itself alive.
    pub(super) manager: Option<M>,
    desk: u8,
    seat: u32,
}

impl<M> Flow<M> {
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
pub(super) struct Flows<M> {
    desks: [Mutex<Desk<M>>; DESKS],
}

struct Desk<M> {
    /// The flows that go on, each in its seat.
    seats: Vec<Option<Arc<Flow<M>>>>,
    /// Finished flows. Each keeps its seat. There is no other reference to them.
    finished: Vec<Arc<Flow<M>>>,
    /// Seats that no flow has.
    vacant: Vec<u32>,
    begun: u64,
}

impl<M> Default for Flows<M> {
    fn default() -> Self {
        let desk = || Mutex::new(Desk { seats: Vec::new(), finished: Vec::new(), vacant: Vec::new(), begun: 0 });
        Self { desks: [(); DESKS].map(|()| desk()) }
    }
}

impl<M> Flows<M> {
    /// Begins a flow, and lists it. Its root is awaited.
    #[inline]
    pub(super) fn begin(&self, manager: M, label: Cow<'static, str>, levels: usize) -> Arc<Flow<M>> {
        let (task, began) = (task::try_id(), Moment::now());
        let (at, mut desk) = self.desk();
        desk.begun += 1;
        let id = (desk.begun - 1) * DESKS as u64 + at as u64 + 1;
        let flow = match desk.finished.pop() {
            Some(mut flow) => {
                let Some(begins) = Arc::get_mut(&mut flow) else { unreachable!("only the desk has a finished flow") };
                begins.record.begin_again();
                (begins.label, begins.manager) = (label, Some(manager));
                (begins.id, begins.task, begins.began) = (id, task, began);
                *begins.claims.get_mut() = 1;
                flow
            }
            None => {
                let seat = desk.seat();
                let (record, claims) = (Record::new(levels), AtomicUsize::new(1));
                let (manager, desk) = (Some(manager), at as u8);
                Arc::new(Flow { record, label, id, task, began, claims, manager, desk, seat })
            }
        };
        desk.seats[flow.seat as usize] = Some(Arc::clone(&flow));
        flow
    }

    /// Ends a flow whose last claim has gone.
    #[inline]
    pub(super) fn end(&self, mut flow: Arc<Flow<M>>) {
        let mut desk = Self::lock(&self.desks[usize::from(flow.desk)]);
        let seat = flow.seat;
        drop(desk.seats[seat as usize].take()); // The caller has the flow, too: nothing is dropped here.
        match Arc::get_mut(&mut flow).filter(|_| desk.finished.len() < KEPT) {
            Some(ended) => {
                let left = (mem::take(&mut ended.label), ended.manager.take());
                desk.finished.push(flow);
                drop(desk);
                drop(left); // With the desk unlocked: the manager may go with it.
            }
            // There are enough, or a table is looking at it.
            None => {
                desk.vacant.push(seat);
                drop(desk);
                drop(flow);
            }
        }
    }

    /// All flows that go on, in the order of their numbers.
    pub(super) fn all(&self) -> Vec<Arc<Flow<M>>> {
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
    fn desk(&self) -> (usize, MutexGuard<'_, Desk<M>>) {
        let own = own_desk();
        for at in [own, own ^ 1, own ^ 2, own ^ 3] {
            match self.desks[at].try_lock() {
                Ok(desk) => return (at, desk),
                Err(TryLockError::Poisoned(poisoned)) => return (at, poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        (own, Self::lock(&self.desks[own]))
    }

    fn lock(desk: &Mutex<Desk<M>>) -> MutexGuard<'_, Desk<M>> {
        desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Desk<M> {
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
