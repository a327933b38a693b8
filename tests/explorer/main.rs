//! The real queue of named locks, in every state that small cases can reach.
//!
//! After each change the queue must have granted exactly what the rule grants, when it is read word by word and asked
//! about everybody until nothing changes. So nothing that can be granted is left waiting, nobody is passed more often than
//! the bounds say, holders exclude each other, and whoever waits holds nothing. If anybody waits, somebody runs.
//!
//! `EXPLORE=all cargo test --release --test explorer -- --nocapture` visits all cases; without it, a few of each kind, always the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

#[allow(dead_code, unreachable_pub, reason = "the set uses all of it")]
#[path = "../../src/set/policy.rs"]
mod policy;
#[allow(dead_code, unreachable_pub, reason = "the set uses all of it")]
#[path = "../../src/set/queue.rs"]
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
use rule::{Ask, Limits, Names};
use std::env;

const ABC: Names = 0b111;
const AB: Names = 0b11;

/// Enough of both that they are not reached.
const LOOSE: Limits = Limits { passes: 16, ahead: 8 };
const TIGHT: [Limits; 3] =
    [Limits { passes: 1, ahead: 8 }, Limits { passes: 2, ahead: 1 }, Limits { passes: 1, ahead: 0 }];

/// Explores all of the cases, or one of so many.
fn explore(name: &str, one_of: usize, cases: impl IntoIterator<Item = Case>) -> Tally {
    let one_of = if env::var_os("EXPLORE").is_some() { 1 } else { one_of };
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
        101,
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
        211,
        choices.into_iter().map(|jobs| case(jobs, AB, TIGHT[1], Scope::Everything)),
    );
}

/// How many cases of so many requests can deadlock, of all.
fn deadlocks(way: Way, requests: usize) -> usize {
    let choices = choices(&jobs(plain(ABC)), requests);
    let asks = choices.iter().map(|jobs| jobs.iter().flatten().copied().flatten().collect::<Vec<Ask>>());
    let found = asks.filter(|asks| Refuted { way, asks }.can_deadlock()).count();
    println!("{way:?}: {found} of {} cases of {requests} requests can deadlock", choices.len());
    found
}

#[test]
fn sharers_that_join_a_position_in_each_line_would_deadlock() {
    assert_eq!(deadlocks(Way::InOrder, 4), 0);
    assert!(deadlocks(Way::JoinsPositions, 4) > 0);
}

#[test]
fn requests_that_take_names_one_by_one_in_any_order_would_deadlock() {
    assert_eq!(deadlocks(Way::OneByOneSorted, 3), 0);
    assert!(deadlocks(Way::OneByOneUnsorted, 3) > 0);
}

#[test]
fn for_one_name_the_rule_is_the_fairness_rule_of_one_lock() {
    let asks_of_one =
        || [Shared, Exclusive].into_iter().flat_map(|mode| [0, 1].map(|priority| one_name::ask(mode, priority)));
    let choices = choices(&jobs(asks_of_one()), 5);
    let asks = choices.iter().map(|jobs| jobs.iter().flatten().copied().flatten().collect::<Vec<Ask>>());
    let one_of = if env::var_os("EXPLORE").is_some() { 1 } else { 8 };
    let states: usize = asks.step_by(one_of).map(|asks| one_name::explore(&asks, LOOSE)).sum();
    println!("5 requests for one name: {} cases, {states} states", choices.len().div_ceil(one_of));
    explore("4 requests, 1 name, 2 priorities", 2, {
        cases::choices(&jobs(asks_of_one()), 4).into_iter().map(|jobs| case(jobs, 1, LOOSE, Scope::Everything))
    });
}
