//! The board: all jobs that have been posted, and the queue of those that no worker has taken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::job::{Job, State, Times};
use crate::tally::Outcome;
use crate::task::Task;
use crate::timeline::Lane;

/// The most ended jobs that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 10_000;

/// Why jobs were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// So many jobs more would fit.
    Full { room: usize },
    /// The service stops.
    Closed,
}

/// What came of cancelling a job.
#[derive(Debug)]
pub(crate) enum Cancelling {
    Cancelled(Arc<Job>),
    /// It ended before it could be stopped.
    HasEnded(Arc<Job>),
}

/// All jobs by number.
#[derive(Debug)]
pub(crate) struct Board {
    list: Mutex<List>,
    /// One permit for each queued job, or more: a job that is cancelled leaves its permit behind.
    arrivals: Semaphore,
    queue_limit: usize,
    /// How many of the first jobs have a lane in the timeline.
    lanes: usize,
}

#[derive(Debug, Default)]
struct List {
    jobs: BTreeMap<usize, Arc<Job>>,
    queued: VecDeque<Arc<Job>>,
    /// The numbers of ended jobs, the oldest end first.
    ended: VecDeque<usize>,
    posted: usize,
    /// Those that have a lane in the timeline, also when they are forgotten.
    first: Vec<Arc<Job>>,
    closed: bool,
}

impl Board {
    /// A board with room for this many queued jobs.
    pub(crate) fn new(queue_limit: usize, lanes: usize) -> Self {
        Self { list: Mutex::default(), arrivals: Semaphore::new(0), queue_limit, lanes }
    }

    /// Queues all of these jobs, or none.
    pub(crate) fn post(&self, tasks: Vec<Task>) -> Result<Vec<Arc<Job>>, NotTaken> {
        let mut list = self.list();
        if list.closed {
            return Err(NotTaken::Closed);
        }
        let room = self.queue_limit.saturating_sub(list.queued.len());
        if tasks.len() > room {
            return Err(NotTaken::Full { room });
        }
        let jobs: Vec<_> = (list.posted + 1..)
            .zip(tasks)
            .map(|(number, task)| Arc::new(Job::new(number, task, number <= self.lanes)))
            .collect();
        list.posted += jobs.len();
        list.first.extend(jobs.iter().filter(|job| job.number <= self.lanes).cloned());
        list.jobs.extend(jobs.iter().map(|job| (job.number, Arc::clone(job))));
        list.queued.extend(jobs.iter().cloned());
        self.arrivals.add_permits(jobs.len());
        Ok(jobs)
    }

    /// How many jobs have been posted so far.
    pub(crate) fn posted(&self) -> usize {
        self.list().posted
    }

    /// The lanes of the first jobs.
    pub(crate) fn lanes(&self) -> Vec<Lane> {
        self.list().first.iter().map(|job| Lane::of(job.number, &job.task, &job.control)).collect()
    }

    pub(crate) fn job(&self, number: usize) -> Option<Arc<Job>> {
        self.list().jobs.get(&number).cloned()
    }

    /// All jobs that are remembered, in the order of their numbers.
    pub(crate) fn jobs(&self) -> Vec<Arc<Job>> {
        self.list().jobs.values().cloned().collect()
    }

    /// The next job for a worker; `None` once the board is closed.
    pub(crate) async fn take(&self) -> Option<Arc<Job>> {
        while let Ok(arrival) = self.arrivals.acquire().await {
            arrival.forget();
            let job = self.list().queued.pop_front();
            if let Some(job) = job {
                job.state.send_replace(State::Running);
                return Some(job);
            }
        }
        None
    }

    /// A worker has ended this job.
    pub(crate) fn ended(&self, job: &Job, outcome: Outcome) {
        self.list().end(job, Job::state_after(outcome));
    }

    /// Cancels a job, and waits until it has ended; `None` if there is no such job. A running job gives up its waits
    /// and its locks first.
    pub(crate) async fn cancel(&self, number: usize) -> Option<Cancelling> {
        let job = self.job(number)?;
        let mut states = job.state.subscribe();
        if states.borrow().has_ended() {
            return Some(Cancelling::HasEnded(job));
        }
        job.control.stop.cancel();
        self.list().unqueue(&job, "a client cancelled it before it began");
        let cancelled = match states.wait_for(State::has_ended).await {
            Ok(state) => matches!(*state, State::Cancelled(..)),
            Err(_) => unreachable!("the job, which has the sender, is here"),
        };
        Some(if cancelled { Cancelling::Cancelled(job) } else { Cancelling::HasEnded(job) })
    }

    /// Takes no more jobs, and cancels those that have not begun. Workers end once they have ended their jobs.
    pub(crate) fn close(&self) {
        let mut list = self.list();
        list.closed = true;
        while let Some(job) = list.queued.front().cloned() {
            list.unqueue(&job, "the service stopped before it began");
        }
        self.arrivals.close();
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    /// Cancels a job if it is still queued.
    fn unqueue(&mut self, job: &Arc<Job>, reason: &'static str) {
        if let Some(place) = self.queued.iter().position(|queued| Arc::ptr_eq(queued, job)) {
            self.queued.remove(place);
            self.end(job, State::Cancelled(Times::default(), reason));
        }
    }

    fn end(&mut self, job: &Job, state: State) {
        job.state.send_replace(state);
        self.ended.push_back(job.number);
        while self.ended.len() > REMEMBERED {
            let oldest = self.ended.pop_front();
            oldest.and_then(|number| self.jobs.remove(&number));
        }
    }
}

#[cfg(test)]
mod tests;
