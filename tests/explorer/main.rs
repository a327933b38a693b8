//! The real queue of named locks, in every state that small cases can reach.
//!
//! After each change, the queue must have granted exactly what the [rule](lockladder_test_support::set_rule) grants.
//! The rule follows its text word by word, and asks about all waiters until nothing changes. So every request that can
//! be granted is granted, no request is passed more often than the bounds say, holders exclude each other, and a waiter
//! holds nothing. If a job waits, another runs.
//!
//! `EXPLORE=all cargo test --release --test explorer -- --nocapture` visits all cases. Without `EXPLORE`, a run visits
//! a few cases of each kind, always the same ones.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the set uses all of it")]
#[path = "../../src/set/fault.rs"]
mod fault;
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the set uses all of it")]
#[path = "../../src/set/queue/mod.rs"]
mod queue;

/// What the included files import from the crate. No request here is watched, so the clock is never read.
mod clock {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Moment;

    impl Moment {
        pub(crate) fn now() -> Self {
            Self
        }
    }
}
mod mode {
    pub(crate) use lockladder::LockMode;
}
mod priority {
    pub(crate) use lockladder::Priority;
}

mod cases;
mod explore;
mod one_name;
mod promises;
mod refuted;
mod stage;

use cases::{case, jobs, others, plain, two_levels, with_priorities};
use explore::{Case, Conduct, Explored};
use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::choices::choices;
use lockladder_test_support::environment::is_thorough;
use lockladder_test_support::set_rule::{Ask, Limits, Names, What};
use refuted::{Refuted, Way};

const ABC: Names = 0b111;
const AB: Names = 0b11;

/// So large that no case reaches either bound.
const LOOSE: Limits = Limits { passes: 16, ahead: 8 };
const TIGHT: [Limits; 3] =
    [Limits { passes: 1, ahead: 8 }, Limits { passes: 2, ahead: 1 }, Limits { passes: 1, ahead: 0 }];

/// Explores every `one_of`-th case, or each case in a thorough run.
fn explore(name: &str, one_of: usize, cases: impl IntoIterator<Item = Case>) -> Explored {
    let one_of = if is_thorough() { 1 } else { one_of };
    let mut explored = Explored::default();
    for case in cases.into_iter().step_by(one_of) {
        case.explore(&mut explored);
    }
    println!("{name}: {explored}");
    explored
}

#[test]
fn three_requests_for_three_names_at_two_priorities() {
    let choices = choices(jobs(plain(ABC)), 3).flat_map(with_priorities);
    explore("3 requests, 3 names, 2 priorities", 37, choices.map(|jobs| case(jobs, ABC, LOOSE, Conduct::Plain)));
}

#[test]
fn four_requests_for_three_names() {
    for limits in TIGHT {
        let choices = choices(jobs(plain(ABC)), 4);
        let name = format!("4 requests, 3 names, {limits:?}");
        let explored = explore(&name, 101, choices.map(|jobs| case(jobs, ABC, limits, Conduct::Plain)));
        let reached = if limits.ahead == 0 { 0 } else { limits.passes };
        assert_eq!(explored.passed, reached, "somebody is passed as often as possible");
    }
}

#[test]
fn three_jobs_that_climb_two_levels_of_two_names() {
    let choices = choices(two_levels(AB), 3);
    explore("3 jobs, 2 levels, 2 names", 199, choices.map(|jobs| case(jobs, AB, TIGHT[0], Conduct::Plain)));
}

#[test]
fn three_requests_of_all_kinds_do_everything() {
    let asks = [plain(ABC), others(ABC)].concat();
    let choices = choices(jobs(asks), 3);
    let explored = explore(
        "3 requests of all kinds, 3 names",
        701,
        choices.map(|jobs| case(jobs, ABC, TIGHT[0], Conduct::Everything)),
    );
    assert_eq!(explored.passed, 1);
}

#[test]
fn four_requests_of_all_kinds_for_two_names_do_everything() {
    let asks = [plain(AB), others(AB)].concat();
    let choices = choices(jobs(asks), 4);
    explore(
        "4 requests of all kinds, 2 names",
        1511,
        choices.map(|jobs| case(jobs, AB, TIGHT[1], Conduct::Everything)),
    );
}

/// Counts the cases of this many requests that can deadlock, among every `one_of`-th case, or all in a thorough run.
fn deadlocks(way: Way, requests: usize, one_of: usize) -> usize {
    let choices = choices(jobs(plain(ABC)), requests).step_by(if is_thorough() { 1 } else { one_of });
    let asks = choices.map(|jobs| jobs.into_iter().flatten().flatten().collect());
    let found: Vec<bool> = asks.map(|asks: Vec<Ask>| Refuted { way, asks: &asks }.can_deadlock()).collect();
    let deadlocks = found.iter().filter(|found| **found).count();
    println!("{way:?}: {deadlocks} of {} cases of {requests} requests can deadlock", found.len());
    deadlocks
}

#[test]
fn sharers_that_join_a_position_in_each_line_would_deadlock() {
    assert_eq!(deadlocks(Way::InOrder, 4, 11), 0);
    assert!(deadlocks(Way::JoinsPositions, 4, 11) > 0);
}

#[test]
fn requests_that_take_names_one_by_one_in_any_order_would_deadlock() {
    assert_eq!(deadlocks(Way::OneByOneSorted, 3, 1), 0);
    assert!(deadlocks(Way::OneByOneUnsorted, 3, 1) > 0);
}

#[test]
fn for_one_name_the_rule_is_the_fairness_rule_of_one_lock() {
    let one = |mode| [0, 1].map(|priority| Ask { what: What::Names, mode, names: 1, priority });
    let one_name = jobs([one(Shared), one(Exclusive)].concat());
    let choices = |requests: usize| choices(one_name.clone(), requests);
    let asks = choices(if is_thorough() { 5 } else { 4 }).map(|jobs| jobs.into_iter().flatten().flatten().collect());
    let states: Vec<usize> = asks.map(|asks: Vec<Ask>| one_name::explore(&asks, LOOSE)).collect();
    println!("one name: {} cases, {} states", states.len(), states.iter().sum::<usize>());
    explore("4 requests, 1 name", 6, choices(4).map(|jobs| case(jobs, 1, LOOSE, Conduct::Everything)));
}
