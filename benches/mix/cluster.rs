//! 25 workers run jobs, one after the other, and always have one to run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use lockladder::SharedLock;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use crate::jobs::{INSTANCES, Job, Level, NODES};
use crate::schemes::{Scheme, one};

pub(crate) const WORKERS: usize = 25;

/// How the jobs fared.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// From the first to the last.
    pub(crate) took: Duration,
    /// From when a worker took up a job until the job had all its locks, in ascending order.
    pub(crate) waits: Vec<Duration>,
}

/// All locks of a cluster.
struct Cluster<S> {
    whole: SharedLock,
    instances: S,
    nodes: S,
}

impl<S: Scheme> Cluster<S> {
    fn new() -> Self {
        let names = |kind: &'static str, count| (0..count).map(move |number| format!("{kind}{number:03}"));
        Self {
            whole: SharedLock::new(()),
            instances: S::new(names("instance", INSTANCES)),
            nodes: S::new(names("node", NODES)),
        }
    }

    fn level(&self, level: Level) -> &S {
        match level {
            Level::Instances => &self.instances,
            Level::Nodes => &self.nodes,
        }
    }

    /// Returns how long the job waited.
    async fn run(&self, job: &Job) -> Duration {
        let begun = Instant::now();
        let _cluster = one(&self.whole, job.cluster).await;
        let mut held = Vec::new();
        for claim in &job.claims {
            held.push((claim.level, self.level(claim.level).acquire(&claim.which, claim.how).await));
        }
        let waited = begun.elapsed();
        sleep(job.work).await;
        if !job.afterwards.is_zero() {
            held.retain(|(level, _)| *level != Level::Nodes);
            sleep(job.afterwards).await;
        }
        waited
    }
}

/// Runs all jobs, in paused time.
pub(crate) fn run<S: Scheme>(jobs: &[Job]) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime on this thread needs nothing of the system");
    let jobs: Rc<[Job]> = jobs.into();
    let (cluster, next) = (Rc::new(Cluster::<S>::new()), Rc::new(Cell::new(0)));
    let waits = Rc::new(RefCell::new(Vec::with_capacity(jobs.len())));
    let local = LocalSet::new();
    for _ in 0..WORKERS {
        let (jobs, cluster, next, waits) = (jobs.clone(), Rc::clone(&cluster), Rc::clone(&next), Rc::clone(&waits));
        local.spawn_local(async move {
            while let Some(job) = jobs.get(next.replace(next.get() + 1)) {
                let waited = cluster.run(job).await;
                waits.borrow_mut().push(waited);
            }
        });
    }
    let took = runtime.block_on(async {
        let begun = Instant::now();
        local.await;
        begun.elapsed()
    });
    let mut waits = waits.take();
    waits.sort_unstable();
    Outcome { took, waits }
}
