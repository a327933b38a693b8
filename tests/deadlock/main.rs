//! Sessions cannot deadlock: in every state that small cases can reach, a session can go on, or all have ended.
//!
//! The sessions here know their levels at run time only. They ask for levels in any order, right or wrong, and for
//! names in any order. They release, downgrade, add and remove; a refused session goes on or ends; a waiting one may be
//! dropped. The typed sessions of `examples/cluster` are explored there, by the same
//! [`steps`](lockladder_test_support::steps).
//!
//! `EXPLORE=all cargo test --release --test deadlock -- --nocapture` visits all pairs of small programs, and many of
//! the other cases. Without `EXPLORE`, a run visits a few cases of each kind, always the same ones.

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
use programs::{CLOSED, Line, OPEN, Program, Refused, Verb, Want, Which, real, tell};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use refuted::{ForgetsLevelOrder, InOrder, TakesOneByOne, under};
use std::cell::RefCell;
use std::time::Instant;

const AB: [char; 2] = ['a', 'b'];
const ABC: [char; 3] = ['a', 'b', 'c'];

const ALL: [usize; 3] = [1, 2, 3];

const WITH_DROPS: Scope = Scope { with_drops: true, one_by_one: false };

/// Begins a case, under the real manager or under a refuted one.
type Begin<'c> = &'c dyn Fn(&[Program]) -> Scene;

/// Explores every `few`-th case, or every `many`-th in a thorough run. Returns the shortest story of a deadlock.
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

/// The lower of the closed levels, with the open one.
const WITH_OPEN: [usize; 2] = [CLOSED[0], OPEN];

/// Pairs of programs that ask for two names at two levels, both in any order.
fn small_pairs(levels: [usize; 2]) -> impl Iterator<Item = Vec<Program>> {
    choices(small(levels, &[Shared], &[Shared, Exclusive]), 2)
}

/// Explores every 131st pair, or each pair in a thorough run.
const PAIRS: [usize; 2] = [131, 1];

#[test]
fn two_sessions_that_ask_in_any_order_never_wait_for_each_other() {
    let findings =
        no_deadlock(survey("2 sessions", PAIRS, small_pairs(CLOSED), WITH_DROPS, &|programs| real(programs, &AB)));
    assert_eq!(findings.most_waiting, 1);
}

#[test]
fn two_sessions_that_ask_an_open_level_in_any_order_never_wait_for_each_other() {
    let findings = no_deadlock(survey("2 sessions, open", PAIRS, small_pairs(WITH_OPEN), WITH_DROPS, &|programs| {
        real(programs, &AB)
    }));
    assert_eq!(findings.most_waiting, 1);
}

#[test]
fn three_sessions_that_ask_in_any_order_never_wait_for_each_other() {
    let programs = small(CLOSED, &[Shared], &[Exclusive]);
    let findings = no_deadlock(survey("3 sessions", [2_503, 11], choices(programs, 3), WITH_DROPS, &|programs| {
        real(programs, &AB)
    }));
    assert_eq!(findings.most_waiting, 2);
}

#[test]
fn a_manager_that_takes_names_unsorted_would_deadlock() {
    let begin = |programs: &[Program]| under(TakesOneByOne::new(InOrder::AsGiven, &AB), programs);
    let (findings, told) = survey("names one by one, as given", PAIRS, small_pairs(CLOSED), Scope::default(), &begin);
    assert!(findings.can_deadlock > 0 && findings.can_deadlock < findings.cases);
    assert!(told.is_some());
}

#[test]
fn a_manager_that_takes_names_one_by_one_but_sorted_would_not() {
    let begin = |programs: &[Program]| under(TakesOneByOne::new(InOrder::Sorted, &AB), programs);
    no_deadlock(survey("names one by one, sorted", PAIRS, small_pairs(CLOSED), Scope::default(), &begin));
}

#[test]
fn a_manager_that_forgets_the_order_of_levels_would_deadlock() {
    let begin = |programs: &[Program]| under(ForgetsLevelOrder::new(&AB), programs);
    for levels in [CLOSED, WITH_OPEN] {
        let (findings, told) = survey("levels in any order", PAIRS, small_pairs(levels), Scope::default(), &begin);
        assert!(findings.can_deadlock > 0 && findings.can_deadlock < findings.cases);
        assert!(told.is_some());
    }
}

/// Explores this many random cases, always the same ones. A case that deadlocks shrinks.
fn explore_random(name: &str, sessions: usize, levels: &[usize], lines: usize, scope: Scope, [few, many]: [u32; 2]) {
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
    explore_random("3 sessions of all kinds, 3 levels, drops", 3, &CLOSED, 4, WITH_DROPS, [15, 10_000]);
}

#[test]
fn four_sessions_that_do_everything_never_wait_for_each_other() {
    explore_random("4 sessions of all kinds, 3 levels", 4, &CLOSED, 2, Scope::default(), [3, 200]);
}

#[test]
fn three_sessions_that_do_everything_to_an_open_level_never_wait_for_each_other() {
    explore_random("3 sessions of all kinds, an open level, drops", 3, &WITH_OPEN, 4, WITH_DROPS, [15, 10_000]);
}

#[test]
fn four_levels_deep_nobody_waits_for_each_other() {
    explore_random("3 sessions of all kinds, 4 levels", 3, &ALL, 4, Scope::default(), [12, 10_000]);
}

fn takes(name: char, want: Want) -> Verb {
    Verb::Acquire(Which::These(vec![name]), Exclusive, want)
}

/// Takes a name at the lowest level above the root.
fn acquires(name: char) -> Line {
    (1, takes(name, Want::Everything))
}

/// One visit to each state sees as much as all schedules do; see [`states`](lockladder_test_support::states).
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
    // The programs of a case all differ: with two alike, an error about one could cancel an error about the other.
    let of_three = [
        // Two wait for the first. Which of them queues first matters to the other: the order in the queue counts.
        [
            vec![acquires('a')],
            vec![acquires('a'), (1, Verb::RemoveHeld(vec!['a']))],
            vec![acquires('a'), (1, Verb::Release)],
        ],
        // The second takes `a` only if it is free: what it was told counts.
        [vec![acquires('a')], vec![(1, takes('a', Want::Free))], vec![acquires('a'), (1, Verb::Release)]],
    ];
    for case in of_three {
        let program = |lines| Program { root: Shared, downgrades_root: false, lines, refused: Refused::Ends };
        let programs = case.map(program);
        compare(&|| real(&programs, &AB));
    }
    for programs in small_pairs(CLOSED).chain(small_pairs(WITH_OPEN)).step_by(if is_thorough() { 97 } else { 3_999 }) {
        compare(&|| real(&programs, &AB));
        compare(&|| under(TakesOneByOne::new(InOrder::AsGiven, &AB), &programs));
        compare(&|| under(ForgetsLevelOrder::new(&AB), &programs));
    }
    let mut runner = TestRunner::deterministic();
    for _ in 0..if is_thorough() { 1_000 } else { 20 } {
        let programs = vec(any(&ALL, 3), 2).new_tree(&mut runner).unwrap().current();
        compare(&|| real(&programs, &ABC));
    }
}
