//! Sessions cannot deadlock: in every state that small cases can reach, a session can go on, or all have ended.
//!
//! Sessions whose levels are known at run time ask for levels in any order, right or wrong, and names in any order; they
//! release, downgrade, add and remove, go on or end when they are refused, and are dropped while they wait. The typed sessions
//! of `examples/cluster` are explored by the same [`steps`](lockladder_test_support::steps), there.
//!
//! `EXPLORE=all cargo test --release --test deadlock -- --nocapture` visits all pairs of small programs, and many of the other
//! cases; without it, a few of each kind, always the same.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

mod cases;
mod programs;
mod refuted;

use cases::{any, small};
use lockladder::LockMode::{Exclusive, Shared};
use lockladder_test_support::choices::choices;
use lockladder_test_support::environment::is_thorough;
use lockladder_test_support::states::{Findings, Scope, explore, story};
use lockladder_test_support::steps::Scene;
use programs::{Line, Program, Refused, Verb, Want, Which, real, tell};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use refuted::{ForgetsLevelOrder, InOrder, TakesOneByOne, under};
use std::cell::RefCell;
use std::time::Instant;

const AB: [char; 2] = ['a', 'b'];
const ABC: [char; 3] = ['a', 'b', 'c'];

const WITH_DROPS: Scope = Scope { with_drops: true, one_by_one: false };

/// The state space of a case is one thing, however it is come by.
type Begin<'c> = &'c dyn Fn(&[Program]) -> Scene;

/// Explores one of so many of the cases; the shortest story of a deadlock, if there is one.
fn survey(
    name: &str,
    [few, many]: [usize; 2],
    cases: impl Iterator<Item = Vec<Program>>,
    scope: Scope,
    begin: Begin<'_>,
) -> (Findings, Option<String>) {
    let (mut findings, mut shortest, clock) = (Findings::default(), None::<(usize, String)>, Instant::now());
    for programs in cases.step_by(if is_thorough() { many } else { few }) {
        let begin = || begin(&programs);
        let (found, deadlock) = explore(&begin, scope);
        findings.add(&found);
        if let Some(steps) = deadlock.filter(|steps| shortest.as_ref().is_none_or(|(length, _)| steps.len() < *length))
        {
            shortest = Some((steps.len(), format!("{}\n{}", tell(&programs), story(&begin, &steps))));
        }
    }
    println!("{name}: {findings}; {:.1?}", clock.elapsed());
    let shortest = shortest.map(|(_, told)| told);
    if let Some(told) = &shortest {
        println!("{told}");
    }
    (findings, shortest)
}

fn no_deadlock((findings, deadlock): (Findings, Option<String>)) -> Findings {
    assert_eq!(deadlock, None, "all of them wait");
    findings
}

/// Pairs of programs that ask for two levels, in any order, of two names, in any order.
fn small_pairs() -> impl Iterator<Item = Vec<Program>> {
    choices(small(&[Shared], &[Shared, Exclusive]), 2)
}

/// One of so many pairs is looked at, or each.
const PAIRS: [usize; 2] = [131, 1];

#[test]
fn two_sessions_that_ask_in_any_order_never_wait_for_each_other() {
    let findings = no_deadlock(survey("2 sessions", PAIRS, small_pairs(), WITH_DROPS, &|programs| real(programs, &AB)));
    assert_eq!(findings.most_waiting, 1);
}

#[test]
fn three_sessions_that_ask_in_any_order_never_wait_for_each_other() {
    let programs = small(&[Shared], &[Exclusive]);
    let findings = no_deadlock(survey("3 sessions", [2_503, 11], choices(programs, 3), WITH_DROPS, &|programs| {
        real(programs, &AB)
    }));
    assert_eq!(findings.most_waiting, 2);
}

#[test]
fn a_manager_that_takes_names_unsorted_would_deadlock() {
    let begin = |programs: &[Program]| under(TakesOneByOne::new(InOrder::AsGiven, &AB), programs);
    let (findings, told) = survey("names one by one, as given", PAIRS, small_pairs(), Scope::default(), &begin);
    assert!(findings.can_deadlock > 0 && findings.can_deadlock < findings.cases);
    assert!(told.is_some());
}

#[test]
fn a_manager_that_takes_names_one_by_one_but_sorted_would_not() {
    let begin = |programs: &[Program]| under(TakesOneByOne::new(InOrder::Sorted, &AB), programs);
    no_deadlock(survey("names one by one, sorted", PAIRS, small_pairs(), Scope::default(), &begin));
}

#[test]
fn a_manager_that_forgets_the_order_of_levels_would_deadlock() {
    let begin = |programs: &[Program]| under(ForgetsLevelOrder::new(&AB), programs);
    let (findings, told) = survey("levels in any order", PAIRS, small_pairs(), Scope::default(), &begin);
    assert!(findings.can_deadlock > 0 && findings.can_deadlock < findings.cases);
    assert!(told.is_some());
}

/// Explores so many cases at random, always the same; one that deadlocks shrinks.
fn explore_random(name: &str, sessions: usize, levels: usize, lines: usize, scope: Scope, [few, many]: [u32; 2]) {
    let (findings, clock) = (RefCell::new(Findings::default()), Instant::now());
    let cases = if is_thorough() { many } else { few };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&vec(any(levels, lines), sessions), |programs| {
        let begin = || real(&programs, &ABC);
        let (found, deadlock) = explore(&begin, scope);
        findings.borrow_mut().add(&found);
        prop_assert!(
            deadlock.is_none(),
            "all wait:\n{}\n{}",
            tell(&programs),
            story(&begin, &deadlock.unwrap_or_default())
        );
        Ok(())
    });
    println!("{name}: {}; {:.1?}", findings.borrow(), clock.elapsed());
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert_eq!(findings.borrow().most_waiting, sessions - 1, "all but one wait at times");
}

#[test]
fn three_sessions_that_do_everything_never_wait_for_each_other() {
    explore_random("3 sessions of all kinds, 3 levels, drops", 3, 2, 4, WITH_DROPS, [15, 10_000]);
}

#[test]
fn four_sessions_that_do_everything_never_wait_for_each_other() {
    explore_random("4 sessions of all kinds, 3 levels", 4, 2, 2, Scope::default(), [3, 200]);
}

#[test]
fn four_levels_deep_nobody_waits_for_each_other() {
    explore_random("3 sessions of all kinds, 4 levels", 3, 3, 4, Scope::default(), [12, 10_000]);
}

fn takes(name: char, want: Want) -> Verb {
    Verb::Acquire(Which::These(vec![name]), Exclusive, want)
}

/// At the lowest level.
fn acquires(name: char) -> Line {
    (1, takes(name, Want::Everything))
}

/// See [`states`](lockladder_test_support::states): one visit to each state sees as much as all schedules, one by one.
#[test]
fn states_that_are_taken_for_the_same_are_the_same() {
    let compare = |begin: &dyn Fn() -> Scene| {
        for with_drops in [false, true] {
            let (merged, _) = explore(begin, Scope { with_drops, one_by_one: false });
            let (single, _) = explore(begin, Scope { with_drops, one_by_one: true });
            assert_eq!((merged.schedules, merged.deadlocks), (single.schedules, single.deadlocks));
            assert!(merged.states <= single.states);
        }
    };
    // No two of them are alike, or what is wrong of one would make up for what is wrong of the other.
    let of_three = [
        // Two wait for the first, and who of them comes first makes a difference to the other: the order in the queue counts.
        [
            vec![acquires('a')],
            vec![acquires('a'), (1, Verb::RemoveHeld(vec!['a']))],
            vec![acquires('a'), (1, Verb::Release)],
        ],
        // What the second got, it may have had to leave to the others: what it was told counts.
        [vec![acquires('a')], vec![(1, takes('a', Want::Free))], vec![acquires('a'), (1, Verb::Release)]],
    ];
    for case in of_three {
        let program = |lines| Program { root: Shared, downgrades_root: false, lines, refused: Refused::Ends };
        let programs = case.map(program);
        compare(&|| real(&programs, &AB));
    }
    for programs in small_pairs().step_by(if is_thorough() { 97 } else { 1_999 }) {
        compare(&|| real(&programs, &AB));
        compare(&|| under(TakesOneByOne::new(InOrder::AsGiven, &AB), &programs));
        compare(&|| under(ForgetsLevelOrder::new(&AB), &programs));
    }
    let mut runner = TestRunner::deterministic();
    for _ in 0..if is_thorough() { 1_000 } else { 20 } {
        let programs = vec(any(2, 3), 2).new_tree(&mut runner).unwrap().current();
        compare(&|| real(&programs, &ABC));
    }
}
