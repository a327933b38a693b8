//! `All` of a large set. No peer has anything like it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lockladder::All;

use crate::comparison::allocated;
use crate::stage::{Clock, Flavor, Stage};
use crate::verbs::Set;

/// What it takes to have everything once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) acquisition: Duration,
    pub(crate) release: Duration,
    pub(crate) allocations: usize,
    /// How often another task ran meanwhile.
    pub(crate) rests: usize,
}

/// Acquires and releases all members, which are free: once alone, and once beside a task that counts its turns.
pub(crate) fn acquire(stage: &Stage, set: &Set) -> Whole {
    let runtime = stage.runtime(Flavor::CurrentThread);
    runtime.block_on(async {
        let (clock, before) = (Clock::start(Flavor::CurrentThread), allocated::count());
        let all = set.exclusive(All).await.expect("waiting for all members cannot fail");
        let (acquisition, allocations) = (clock.elapsed(), allocated::count() - before);
        let clock = Clock::start(Flavor::CurrentThread);
        drop(all);
        let release = clock.elapsed();

        let (turns, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let counting = tokio::spawn({
            let (turns, over) = (Arc::clone(&turns), Arc::clone(&over));
            async move {
                while !over.load(Ordering::Relaxed) {
                    turns.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            }
        });
        let before = turns.load(Ordering::Relaxed);
        drop(set.exclusive(All).await);
        let rests = turns.load(Ordering::Relaxed) - before;
        over.store(true, Ordering::Relaxed);
        counting.await.expect("the task does not panic");
        Whole { acquisition, release, allocations, rests }
    })
}
