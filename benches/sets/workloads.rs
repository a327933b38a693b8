//! The work of one task, on one thread.

use std::hint::black_box;
use std::time::Duration;

use crate::comparison::allocated;
use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::names::Walk;
use crate::verbs::{Changing, Named, Several};

/// Acquires and releases one name after the other.
pub(crate) fn one_by_one<L: Named>(stage: &Stage, locks: &L, walk: &mut Walk, times: usize) -> Duration {
    let runtime = stage.runtime(Flavor::CurrentThread);
    let clock = Clock::start(Flavor::CurrentThread);
    runtime.block_on(async {
        for _ in 0..times {
            drop(black_box(locks).exclusive(walk.next()).await);
        }
    });
    clock.elapsed()
}

/// Acquires and releases `count` names at once, `times` times.
pub(crate) fn several<L: Several>(stage: &Stage, locks: &L, walk: &mut Walk, count: usize, times: usize) -> Duration {
    let runtime = stage.runtime(Flavor::CurrentThread);
    let mut elapsed = Duration::ZERO;
    for _ in 0..times {
        let names = walk.next_of(count);
        let clock = Clock::start(Flavor::CurrentThread);
        runtime.block_on(async { drop(black_box(locks).several(&names).await) });
        elapsed += clock.elapsed();
    }
    elapsed
}

/// The number of allocations in `times` acquisitions of `count` free names.
pub(crate) fn allocations<L: Several>(stage: &Stage, locks: &L, walk: &mut Walk, count: usize, times: usize) -> usize {
    let runtime = stage.runtime(Flavor::CurrentThread);
    (0..times)
        .map(|_| {
            let names = walk.next_of(count);
            runtime.block_on(async {
                // What a runtime or a lock allocates once in its life is not counted.
                drop(locks.several(&names).await);
                let (before, held) = (allocated::count(), locks.several(&names).await);
                drop(held);
                allocated::count() - before
            })
        })
        .sum()
}

/// Removes `times` members one by one, then adds them again. Returns the total times of adding and of removing.
pub(crate) fn change<L: Changing>(stage: &Stage, locks: &L, walk: &mut Walk, times: usize) -> [Duration; 2] {
    let runtime = stage.runtime(Flavor::CurrentThread);
    let names: Vec<_> = walk.next_of(times).into_iter().map(str::to_owned).collect();
    let clock = Clock::start(Flavor::CurrentThread);
    runtime.block_on(async {
        for name in &names {
            locks.remove(name).await;
        }
    });
    let removed = clock.elapsed();
    let clock = Clock::start(Flavor::CurrentThread);
    runtime.block_on(async {
        for name in names {
            locks.add(name).await;
        }
    });
    [clock.elapsed(), removed]
}
