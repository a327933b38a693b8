//! The real queue of named locks, in every state that small cases can reach.
//!
//! After each change the queue must have granted exactly what the rule grants, when it is read word by word and asked
//! about everybody until nothing changes. So nothing that can be granted is left waiting, nobody is passed more often than
//! the bounds say, holders exclude each other, and whoever waits holds nothing. If anybody waits, somebody runs.
//!
//! `EXPLORE=all cargo test --release --test explorer -- --nocapture` visits all cases; without it, a few of each kind, always the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the set uses all of it")]
#[path = "../../src/set/fault.rs"]
mod fault;
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the set uses all of it")]
#[path = "../../src/set/queue/mod.rs"]
mod queue;

/// What these need of the rest.
mod mode {
    pub(crate) use lockladder::LockMode;
}
mod priority {
    pub(crate) use lockladder::Priority;
}

mod cases;
mod explore;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../model/rule.rs"]
mod fairness;
mod one_name;
mod promises;
mod refuted;
mod rule;
mod stage;

use cases::{case, choices, jobs, others, plain, two_levels, with_priorities};
use explore::{Case, Scope, Tally};
use lockladder::LockMode::{Exclusive, Shared};
use refuted::{Refuted, Way};
use rule::{Ask, Limits, Names, What};
use std::env;

const ABC: Names = 0b111;
const AB: Names = 0b11;

/// Enough of both that they are not reached.
const LOOSE: Limits = Limits { passes: 16, ahead: 8 };
const TIGHT: [Limits; 3] =
    [Limits { passes: 1, ahead: 8 }, Limits { passes: 2, ahead: 1 }, Limits { passes: 1, ahead: 0 }];

fn is_thorough() -> bool {
    env::var_os("EXPLORE").is_some()
}

/// Explores all of the cases, or one of so many.
fn explore(name: &str, one_of: usize, cases: impl IntoIterator<Item = Case>) -> Tally {
    let one_of = if is_thorough() { 1 } else { one_of };
    let mut tally = Tally::default();
    for case in cases.into_iter().step_by(one_of) {
        case.explore(&mut tally);
    }
    println!("{name}: {tally}");
    tally
}

#[test]
fn three_requests_for_three_names_at_two_priorities() {
    let choices = choices(&jobs(plain(ABC)), 3).into_iter().flat_map(with_priorities);
    explore("3 requests, 3 names, 2 priorities", 37, choices.map(|jobs| case(jobs, ABC, LOOSE, Scope::Plain)));
}

#[test]
fn four_requests_for_three_names() {
    for limits in TIGHT {
        let choices = choices(&jobs(plain(ABC)), 4).into_iter();
        let name = format!("4 requests, 3 names, {limits:?}");
        let tally = explore(&name, 101, choices.map(|jobs| case(jobs, ABC, limits, Scope::Plain)));
        let reached = if limits.ahead == 0 { 0 } else { limits.passes };
        assert_eq!(tally.passed, reached, "somebody is passed as often as possible");
    }
}

#[test]
fn three_jobs_that_climb_two_levels_of_two_names() {
    let choices = choices(&two_levels(AB), 3);
    explore("3 jobs, 2 levels, 2 names", 199, choices.into_iter().map(|jobs| case(jobs, AB, TIGHT[0], Scope::Plain)));
}

#[test]
fn three_requests_of_all_kinds_do_everything() {
    let asks = [plain(ABC), others(ABC)].concat();
    let choices = choices(&jobs(asks), 3);
    let tally = explore(
        "3 requests of all kinds, 3 names",
        701,
        choices.into_iter().map(|jobs| case(jobs, ABC, TIGHT[0], Scope::Everything)),
    );
    assert_eq!(tally.passed, 1);
}

#[test]
fn four_requests_of_all_kinds_for_two_names_do_everything() {
    let asks = [plain(AB), others(AB)].concat();
    let choices = choices(&jobs(asks), 4);
    explore(
        "4 requests of all kinds, 2 names",
        1511,
        choices.into_iter().map(|jobs| case(jobs, AB, TIGHT[1], Scope::Everything)),
    );
}

/// How many cases of so many requests can deadlock, of all or of one of so many.
fn deadlocks(way: Way, requests: usize, one_of: usize) -> usize {
    let choices = choices(&jobs(plain(ABC)), requests).into_iter().step_by(if is_thorough() { 1 } else { one_of });
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
    let choices = |requests: usize| choices(&one_name, requests).into_iter();
    let asks = choices(if is_thorough() { 5 } else { 4 }).map(|jobs| jobs.into_iter().flatten().flatten().collect());
    let states: Vec<usize> = asks.map(|asks: Vec<Ask>| one_name::explore(&asks, LOOSE)).collect();
    println!("one name: {} cases, {} states", states.len(), states.iter().sum::<usize>());
    explore("4 requests, 1 name", 6, choices(4).map(|jobs| case(jobs, 1, LOOSE, Scope::Everything)));
}
