//! The job queue: workers take the jobs in order; each worker does one job at a time.
//!
//! ```text
//!   tasks  1 2 3 4 5 6 7 ...       taken in order, until none is left or the run is stopped
//!          │ │ │
//!          w w w  workers          each: open a desk, do the task, clear the desk, record
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::control::Control;
use crate::desk::{Desk, Site};
use crate::ledger::Resource;
use crate::one_by_one::{self, OneByOne};
use crate::one_mutex;
use crate::opcodes::Ladder;
use crate::retries;
use crate::tally::{Outcome, Tally};
use crate::task::Task;
use crate::timeline::Lane;

/// What keeps the jobs out of each other's way.
#[derive(Debug)]
pub(crate) enum Guarding {
    /// The library's locks, as the table in `opcodes.rs` says.
    Ladder(Ladder),
    /// A lock for each name, taken one by one.
    OneByOne(Box<OneByOne>),
    /// One mutex around everything.
    OneMutex(Mutex<()>),
}

impl From<Ladder> for Guarding {
    fn from(ladder: Ladder) -> Self {
        Self::Ladder(ladder)
    }
}

impl Guarding {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ladder(_) => "the lock ladder",
            Self::OneByOne(_) => "locks taken one by one",
            Self::OneMutex(_) => "one global mutex",
        }
    }

    /// The resources that have locks of their own; `None` for one mutex.
    pub(crate) fn names(&self) -> Option<BTreeSet<Resource>> {
        match self {
            Self::Ladder(ladder) => Some(ladder.names()),
            Self::OneByOne(locks) => Some(locks.names()),
            Self::OneMutex(_) => None,
        }
    }
}

/// The jobs of one pass, and how many of them are taken and finished.
#[derive(Debug)]
pub(crate) struct Queue {
    tasks: Arc<[Task]>,
    next: AtomicUsize,
    finished: AtomicUsize,
    stopped: Arc<AtomicBool>,
    /// Those of the first jobs, for a timeline.
    controls: Vec<Control>,
}

impl Queue {
    /// A queue that hands out no more jobs once `stopped` is set, and notes when the first of them have their locks.
    pub(crate) fn new(tasks: Arc<[Task]>, stopped: Arc<AtomicBool>, lanes: usize) -> Self {
        let controls = (0..lanes.min(tasks.len())).map(|_| Control::new(true)).collect();
        Self { tasks, next: AtomicUsize::new(0), finished: AtomicUsize::new(0), stopped, controls }
    }

    /// The lanes of the first jobs.
    pub(crate) fn lanes(&self) -> Vec<Lane> {
        let jobs = self.tasks.iter().zip(&self.controls).enumerate();
        jobs.map(|(index, (task, control))| Lane::of(index + 1, task, control)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn finished(&self) -> usize {
        self.finished.load(Relaxed)
    }

    /// The next task and its number, from 1.
    fn take(&self) -> Option<(usize, &Task)> {
        if self.stopped.load(Relaxed) {
            return None;
        }
        let index = self.next.fetch_add(1, Relaxed);
        self.tasks.get(index).map(|task| (index + 1, task))
    }
}

/// Runs the queue with `workers` workers, until it is empty or stopped. A worker always finishes a job that it has
/// begun.
pub(crate) async fn run(queue: &Arc<Queue>, workers: usize, site: &Arc<Site>, guarding: &Arc<Guarding>) -> Tally {
    let mut crew = JoinSet::new();
    for _ in 0..workers {
        crew.spawn(work(Arc::clone(queue), Arc::clone(site), Arc::clone(guarding)));
    }
    let mut tally = Tally::default();
    while let Some(worker) = crew.join_next().await {
        match worker {
            Ok(theirs) => tally.merge(theirs),
            // No worker is ever aborted, so a worker that failed has panicked.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    tally
}

async fn work(queue: Arc<Queue>, site: Arc<Site>, guarding: Arc<Guarding>) -> Tally {
    let mut tally = Tally::default();
    while let Some((number, task)) = queue.take() {
        let outcome = do_job(&site, &guarding, number, task, queue.controls.get(number - 1)).await;
        tally.record(number, task, &outcome);
        queue.finished.fetch_add(1, Relaxed);
    }
    tally
}

/// Does one job to its end, or until its control stops it.
pub(crate) async fn do_job(
    site: &Site,
    guarding: &Guarding,
    number: usize,
    task: &Task,
    control: Option<&Control>,
) -> Outcome {
    let mut desk = Desk::new(site, number, task.to_string(), control);
    let result = match guarding {
        Guarding::Ladder(ladder) => {
            let attempts = desk.attempts_of(number);
            retries::run(&mut desk, ladder, task, attempts).await
        }
        Guarding::OneByOne(locks) => one_by_one::run(&mut desk, locks, task).await,
        Guarding::OneMutex(mutex) => one_mutex::run(&mut desk, mutex, task).await,
    };
    let (account, service) = desk.clear();
    if let (Some(control), Err(refusal)) = (control, &result) {
        control.fails(refusal.to_string());
    }
    account.close(result.is_ok(), task.effect());
    Outcome { result, service }
}
