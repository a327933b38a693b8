//! The jobs of the small cases.

use crate::explore::{Case, Conduct, Job};
use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::set_rule::{Ask, Limits, Names, What};

/// Requests for each choice of these names, in both modes.
pub(crate) fn plain(names: Names) -> Vec<Ask> {
    let some = (1..=names).filter(|some| some & !names == 0);
    some.flat_map(|names| [Shared, Exclusive].map(|mode| Ask { what: What::Names, mode, names, priority: 0 })).collect()
}

/// Requests of all other kinds.
pub(crate) fn others(names: Names) -> Vec<Ask> {
    let whole = |what| [Shared, Exclusive].map(|mode| Ask { what, mode, names: 0, priority: 0 });
    let mut asks = whole(What::Every).to_vec();
    asks.push(Ask { what: What::Addition, mode: Exclusive, names: 0, priority: 0 });
    for ask in plain(names) {
        asks.extend((0..ask.names.count_ones()).map(|enough| Ask { what: What::AtLeast(enough), ..ask }));
        if ask.mode == Exclusive {
            asks.push(Ask { what: What::Existing, ..ask });
        }
        if ask.names == names {
            asks.push(Ask { what: What::Free, ..ask });
        }
    }
    asks
}

/// A job of one level for each request.
pub(crate) fn jobs(asks: impl IntoIterator<Item = Ask>) -> Vec<Job> {
    asks.into_iter().map(|ask| vec![Some(ask)]).collect()
}

/// Jobs that ask for something at one of two levels, or at both.
pub(crate) fn two_levels(names: Names) -> Vec<Job> {
    let some: Vec<Option<Ask>> = std::iter::once(None).chain(plain(names).into_iter().map(Some)).collect();
    let all = some.iter().flat_map(|lower| some.iter().map(|upper| vec![*lower, *upper]));
    all.filter(|job| job.iter().any(Option::is_some)).collect()
}

/// The same jobs, with each way to give them two priorities.
pub(crate) fn with_priorities(jobs: Vec<Job>) -> impl Iterator<Item = Vec<Job>> {
    let at = |priorities: usize, index: usize| i8::from(priorities >> index & 1 == 1);
    (0..1 << jobs.len()).map(move |priorities| {
        let asks = |(index, job): (usize, &Job)| {
            let asks = job.iter().map(|ask| ask.map(|ask| Ask { priority: at(priorities, index), ..ask }));
            asks.collect()
        };
        jobs.iter().enumerate().map(asks).collect()
    })
}

pub(crate) fn case(jobs: Vec<Job>, names: Names, limits: Limits, conduct: Conduct) -> Case {
    Case { jobs, names, limits, conduct }
}
