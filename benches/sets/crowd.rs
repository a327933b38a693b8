//! Many tasks on two threads; each acquires one random name after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::names::Walk;
use crate::verbs::Named;

/// How a crowd fared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throughput {
    /// Millions of operations in a second.
    pub(crate) rate: f64,
    /// CPU time per operation, in nanoseconds.
    pub(crate) cpu: f64,
}

/// Tasks on two workers acquire and release names for a while.
pub(crate) fn throughput<L: Named>(
    stage: &Stage,
    locks: &Arc<L>,
    walk: &Walk,
    tasks: usize,
    time: Duration,
) -> Throughput {
    let runtime = stage.runtime(Flavor::TwoWorkers);
    let over = Arc::new(AtomicBool::new(false));
    let (clock, begun) = (Clock::start(Flavor::TwoWorkers), Instant::now());
    let crowd: Vec<_> = (0..tasks)
        .map(|task| {
            let (locks, over, mut walk) = (Arc::clone(locks), Arc::clone(&over), walk.from(task));
            runtime.spawn(async move {
                let mut operations = 0_u32;
                while !over.load(Ordering::Relaxed) {
                    drop(locks.exclusive(walk.next()).await);
                    operations += 1;
                }
                f64::from(operations)
            })
        })
        .collect();
    thread::sleep(time);
    over.store(true, Ordering::Relaxed);
    let operations: f64 = crowd.into_iter().map(|task| runtime.block_on(task).expect("the task does not panic")).sum();
    let (cpu, elapsed) = (clock.elapsed(), begun.elapsed());
    Throughput { rate: operations / elapsed.as_secs_f64() / 1e6, cpu: cpu.as_secs_f64() * 1e9 / operations }
}
