//! Many tasks on two threads: what an operation costs, and whether each task gets its share.
//!
//! Shares need an explanation. The system may stop a worker in the short moment in which its task has released the lock
//! and not yet queued again. All other tasks then have their turns without it: on a busy machine some task loses a few
//! milliseconds' worth of turns now and then, whatever the lock. So shares are measured over short times, and the least
//! disturbed of them counts: an unfair lock is unfair in that one too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::verbs::Lock;
use crate::workloads::queue_tasks;

/// How a crowd fared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contention {
    /// CPU time per operation, in nanoseconds.
    pub(crate) cpu: f64,
    /// Wall time per operation, in nanoseconds.
    pub(crate) wall: f64,
    /// The most operations that one task did over the fewest.
    pub(crate) spread: f64,
}

/// Tasks on two workers want the same lock, over and over, for a while.
pub(crate) fn contend<L: Lock>(stage: &Stage, tasks: usize, time: Duration) -> Contention {
    let runtime = stage.runtime(Flavor::TwoWorkers);
    let lock = Arc::new(L::new());
    let held = runtime.block_on(lock.exclusive());
    let over = Arc::new(AtomicBool::new(false));
    let crowd = runtime.block_on(queue_tasks(&lock, tasks, |lock| {
        let over = Arc::clone(&over);
        async move {
            let mut operations = 0_u32;
            while !over.load(Ordering::Relaxed) {
                drop(lock.exclusive().await);
                operations += 1;
            }
            f64::from(operations)
        }
    }));
    let (clock, begun) = (Clock::start(Flavor::TwoWorkers), Instant::now());
    drop(held);
    thread::sleep(time);
    over.store(true, Ordering::Relaxed);
    let done = crowd.into_iter().map(|task| runtime.block_on(task).expect("the task does not panic"));
    let done: Vec<f64> = done.collect();
    let (cpu, wall) = (clock.elapsed(), begun.elapsed());
    let operations: f64 = done.iter().sum();
    let (most, fewest) = (done.iter().copied().fold(0.0, f64::max), done.iter().copied().fold(f64::INFINITY, f64::min));
    let per_operation = |time: Duration| time.as_secs_f64() * 1e9 / operations;
    Contention { cpu: per_operation(cpu), wall: per_operation(wall), spread: most / fewest }
}
