//! Which rows each kind of peer can answer, and by which work.

use std::sync::Arc;
use std::time::Duration;

use crate::comparison::allocated;
use crate::comparison::contender::{self, Sampler};
use crate::comparison::row::{number, per_one};
use crate::comparison::stage::Stage;
use crate::crowd::{self, Throughput};
use crate::growth::{self, Stops};
use crate::names::{self, LENGTH, Walk};
use crate::rows::{COUNTED, Members, Row, Scale, TASKS};
use crate::verbs::{Changing, Named, Open, Set, Several};
use crate::whole::{self, Whole};
use crate::workloads;

pub(crate) type Contender = contender::Contender<Row>;
type Samples<'a> = Option<Sampler<'a, Scale>>;

impl Contender {
    /// Our two kinds of sets, each in the rows that it suits.
    pub(crate) fn ours(name: &'static str, package: &'static str) -> Self {
        fn prepare<'a>(row: Row, stage: &'a Stage, scale: &Scale) -> Samples<'a> {
            match row {
                Row::One(Members::OnDemand(_)) | Row::Crowd(Members::OnDemand(_)) => single::<Open>(row, stage, scale),
                Row::All(members) => {
                    let members = members.min(scale.members);
                    let set = Set::of(names::of(members));
                    Some(Box::new(move |scale| Some(sweep(stage, &set, scale.sweeps))))
                }
                Row::AwaitAll => Some(Box::new(|_| Some(whole::awaited().map(|time| per_one(time, 1) / 1e3).to_vec()))),
                other => resident::<Set>(other, stage, scale),
            }
        }
        Self { name, package, prepare }
    }

    /// Locks that are all there from the start.
    pub(crate) fn resident<L: Several + Changing>(name: &'static str, package: &'static str) -> Self {
        Self { name, package, prepare: resident::<L> }
    }

    /// Locks that are made on demand, so that none are resident.
    pub(crate) fn pool<L: Named>(name: &'static str, package: &'static str) -> Self {
        fn prepare<'a, L: Named>(row: Row, stage: &'a Stage, scale: &Scale) -> Samples<'a> {
            match row {
                Row::One(Members::OnDemand(_)) | Row::Crowd(Members::OnDemand(_)) => single::<L>(row, stage, scale),
                _ => None,
            }
        }
        Self { name, package, prepare: prepare::<L> }
    }

    /// Locks that no task can wait for.
    pub(crate) fn floor<L: Named>(name: &'static str, package: &'static str) -> Self {
        fn prepare<'a, L: Named>(row: Row, stage: &'a Stage, scale: &Scale) -> Samples<'a> {
            match row {
                Row::One(Members::Resident(_)) => single::<L>(row, stage, scale),
                _ => None,
            }
        }
        Self { name, package, prepare: prepare::<L> }
    }
}

/// The rows that ask for one name at a time.
fn single<'a, L: Named>(row: Row, stage: &'a Stage, scale: &Scale) -> Samples<'a> {
    let (Row::One(members) | Row::Crowd(members)) = row else { return None };
    let (Members::Resident(count) | Members::OnDemand(count)) = members;
    let count = count.min(scale.members);
    let locks = Arc::new(L::of(names::of(count)));
    let mut walk = Walk::new(count);
    if let Row::One(_) = row {
        return Some(Box::new(move |scale| {
            let time = workloads::one_by_one(stage, &*locks, &mut walk, scale.acquisitions);
            Some(vec![per_one(time, scale.acquisitions)])
        }));
    }
    Some(Box::new(move |scale| {
        let Throughput { rate, cpu } = crowd::throughput(stage, &locks, &walk, TASKS, scale.time);
        Some(vec![rate, cpu])
    }))
}

fn resident<'a, L: Several + Changing>(row: Row, stage: &'a Stage, scale: &Scale) -> Samples<'a> {
    let set = |members: usize| {
        let members = members.min(scale.members);
        (L::of(names::of(members)), Walk::new(members))
    };
    match row {
        Row::One(Members::Resident(_)) | Row::Crowd(Members::Resident(_)) => single::<L>(row, stage, scale),
        Row::Several { count, of } => {
            let (locks, mut walk) = set(of);
            Some(Box::new(move |scale| {
                let times = (scale.acquisitions / count).max(1);
                let time = workloads::several(stage, &locks, &mut walk, count, times);
                Some(vec![per_one(time, times) / 1e3])
            }))
        }
        Row::Change(members) => {
            let (locks, mut walk) = set(members);
            Some(Box::new(move |scale| {
                let times = workloads::change(stage, &locks, &mut walk, scale.changes);
                Some(times.map(|time| per_one(time, scale.changes)).to_vec())
            }))
        }
        Row::Growth(_) => Some(Box::new(move |scale| {
            let Stops { acquisition, add, work } = growth::grow::<L>(stage, scale.growth);
            Some([acquisition, add, work].map(|time| per_one(time, 1) / 1e3).to_vec())
        })),
        Row::Bytes(members) => {
            let members = members.min(scale.members);
            let (bytes, _locks) = allocated::bytes(|| L::of(names::of(members)));
            let beside = number(bytes) / number(members) - number(size_of::<String>() + LENGTH);
            Some(Box::new(move |_| Some(vec![beside])))
        }
        Row::Allocations(count) => {
            let (locks, mut walk) = set(1_000);
            Some(Box::new(move |_| {
                let total = workloads::allocations(stage, &locks, &mut walk, count, COUNTED);
                Some(vec![number(total) / number(COUNTED)])
            }))
        }
        Row::One(_) | Row::Crowd(_) | Row::All(_) | Row::AwaitAll => None,
    }
}

/// A value per column of [`Row::All`].
fn sweep(stage: &Stage, set: &Set, times: usize) -> Vec<f64> {
    let sweeps: Vec<_> = (0..times).map(|_| whole::acquire(stage, set)).collect();
    let total = |part: fn(&Whole) -> Duration| sweeps.iter().map(part).sum();
    let allocations = sweeps.iter().map(|whole| whole.allocations).max().unwrap_or(0);
    vec![
        per_one(total(|whole| whole.acquisition), times) / 1e3,
        number(allocations),
        per_one(total(|whole| whole.after_the_last), times) / 1e3,
    ]
}
