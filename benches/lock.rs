//! Our lock alone, for day-to-day work: `cargo bench -p lockladder-benches --bench lock`.
//!
//! The work is that of `compare`, and so is the clock: CPU time. Times of two runs on a shared machine differ; whether a
//! change helps, `compare` says by its ratios.

#[path = "comparison/stage.rs"]
mod stage;
#[path = "compare/verbs.rs"]
mod verbs;
#[path = "compare/workloads.rs"]
mod workloads;

use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use lockladder::SharedLock;

use crate::stage::{Flavor, Stage};
use crate::verbs::{Exclusive, Shared, Value};
use crate::workloads::{Taken, cancel, drain, hand_over, uncontended};

type Ours = SharedLock<Value>;

/// Tasks that pass a lock round.
const RELAY: usize = 8;
const WAITERS: usize = 10_000;
const SEED: u64 = 20_26;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let stage = Stage::new();
    for (flavor, name) in [(Flavor::CurrentThread, "current thread"), (Flavor::TwoWorkers, "two workers")] {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("exclusive", |bencher| {
            bencher.iter_custom(|times| uncontended::<Ours, Exclusive>(&stage, flavor, count(times)));
        });
        group.bench_function("shared", |bencher| {
            bencher.iter_custom(|times| uncontended::<Ours, Shared>(&stage, flavor, count(times)));
        });
        group.bench_function("hand over", |bencher| {
            bencher.iter_custom(|times| relay(&stage, flavor, times));
        });
    }
    queue(&mut criterion);
    criterion.final_summary();
}

/// Of as many hand-overs as asked for, of eight times as many made.
fn relay(stage: &Stage, flavor: Flavor, times: u64) -> Duration {
    hand_over::<Ours>(stage, flavor, RELAY, count(times)).expect("ours hands over") / 8
}

fn queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue of 10,000");
    group.throughput(Throughput::Elements(WAITERS as u64));
    each(&mut group, "drain, exclusive", || drain::<Ours, Exclusive>(WAITERS));
    each(&mut group, "drain, shared", || drain::<Ours, Shared>(WAITERS));
    each(&mut group, "cancel", || cancel::<Ours>(WAITERS, SEED));
}

fn each(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, work: impl Fn() -> Taken) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| work().expect("ours can do it")).sum::<Duration>());
    });
}

fn count(times: u64) -> usize {
    times.try_into().expect("nobody asks for more than fits")
}
