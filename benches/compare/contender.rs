//! Which rows each kind of peer can answer, and by which work.

use crate::comparison::contender::{self, Sampler};
use crate::comparison::row::{number, per_one};
use crate::comparison::stage::Stage;
use crate::rows::{RELAY, Row, SEED, Scale, Verb, WAITS};
use crate::verbs::{Exclusive, Lock, Shared, Sharing};
use crate::{crowd, space, workloads};

pub(crate) type Contender = contender::Contender<Row>;

impl Contender {
    /// A lock that can be shared and waited for, with an exclusive guard `G`.
    pub(crate) fn rwlock<L: Sharing, G: 'static>(name: &'static str, package: &'static str) -> Self {
        Self { name, package, prepare: |row, stage, _| sampler(row, stage, run_rwlock::<L, G>) }
    }

    /// A lock that can be waited for, with a guard `G`.
    pub(crate) fn mutex<L: Lock, G: 'static>(name: &'static str, package: &'static str) -> Self {
        Self { name, package, prepare: |row, stage, _| sampler(row, stage, run_mutex::<L, G>) }
    }

    /// A lock that no task can wait for.
    pub(crate) fn floor<L: Sharing>(name: &'static str, package: &'static str) -> Self {
        Self { name, package, prepare: |row, stage, _| sampler(row, stage, run_floor::<L>) }
    }
}

/// Each sample makes a lock of its own, so there is nothing to prepare.
#[expect(clippy::unnecessary_wraps, reason = "as the comparison asks for it")]
fn sampler(row: Row, stage: &Stage, run: fn(Row, &Stage, &Scale) -> Option<Vec<f64>>) -> Option<Sampler<'_, Scale>> {
    Some(Box::new(move |scale| run(row, stage, scale)))
}

fn run_floor<L: Sharing>(row: Row, stage: &Stage, scale: &Scale) -> Option<Vec<f64>> {
    let time = match row {
        Row::Uncontended(Verb::Exclusive, flavor) => {
            workloads::uncontended::<L, Exclusive>(stage, flavor, scale.cycles)
        }
        Row::Uncontended(Verb::Shared, flavor) => workloads::uncontended::<L, Shared>(stage, flavor, scale.cycles),
        _ => return None,
    };
    Some(vec![per_one(time, scale.cycles)])
}

fn run_rwlock<L: Sharing, G>(row: Row, stage: &Stage, scale: &Scale) -> Option<Vec<f64>> {
    match row {
        Row::Uncontended(Verb::Shared, _) => run_floor::<L>(row, stage, scale),
        Row::Drain(Verb::Shared) => {
            let time = workloads::drain::<L, Shared>(scale.waiters)?;
            Some(vec![per_one(time, scale.waiters)])
        }
        other => run_mutex::<L, G>(other, stage, scale),
    }
}

fn run_mutex<L: Lock, G>(row: Row, stage: &Stage, scale: &Scale) -> Option<Vec<f64>> {
    let (time, count) = match row {
        Row::Uncontended(Verb::Exclusive, flavor) => {
            (workloads::uncontended::<L, Exclusive>(stage, flavor, scale.cycles), scale.cycles)
        }
        Row::HandOver(flavor) => (workloads::hand_over::<L>(stage, flavor, RELAY, scale.relays)?, RELAY * scale.relays),
        Row::Drain(Verb::Exclusive) => (workloads::drain::<L, Exclusive>(scale.waiters)?, scale.waiters),
        Row::Cancel => (workloads::cancel::<L>(scale.cancels, SEED)?, scale.cancels),
        Row::Contended(tasks) => {
            let contention = crowd::contend::<L>(stage, tasks, scale.time);
            return Some(vec![contention.cpu, contention.wall]);
        }
        Row::Shares(tasks) => return Some(vec![crowd::contend::<L>(stage, tasks, scale.time / 5).spread]),
        Row::Allocations => return Some(vec![number(space::allocations::<L>(WAITS)?) / number(WAITS)]),
        Row::Sizes => return Some(space::sizes::<L, G>().map(number).to_vec()),
        Row::Uncontended(Verb::Shared, _) | Row::Drain(Verb::Shared) => return None,
    };
    Some(vec![per_one(time, count)])
}
