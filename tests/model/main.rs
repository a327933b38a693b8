//! Plays random stories on the lock and by the [fairness rule](lockladder_test_support::lock_rule). A story that fails
//! shrinks to the shortest one that does.
//!
//! After every step of a story, both sides must agree on which requests hold, wait, and have been woken.
//!
//! `PROPTEST_CASES=1000000` plays more stories, and `--nocapture` shows how many operations they had.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod stage;
mod story;

use lockladder::LockMode::{Exclusive, Shared};
use lockladder::SharedLock;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use stage::{Situation, Stage};
use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use story::{Action, Bell, Story, crowds, stories};

/// How often each action happened in each situation.
type Seen = HashMap<(Situation, Discriminant<Action>), u64>;

/// Plays stories of this many names on the lock and by the rule, and counts.
fn tell(cases: u32, names: usize, stories: impl Strategy<Value = Story>) -> Seen {
    let config = Config { failure_persistence: None, ..Config::default() }; // The shortest story is enough.
    let cases = if env::var_os("PROPTEST_CASES").is_some() { cases.max(config.cases) } else { cases };
    let seen = RefCell::new(Seen::new());
    let told = TestRunner::new(Config { cases, ..config }).run(&stories, |Story(steps)| {
        let lock = Arc::new(SharedLock::new(()));
        let mut stage = Stage::new(&lock, names);
        for step in &steps {
            let situation = stage.situation(step.name);
            if stage.play(step) {
                *seen.borrow_mut().entry((situation, discriminant(&step.action))).or_default() += 1;
            }
        }
        stage.end();
        Ok(())
    });
    if let Err(failure) = told {
        panic!("{failure}");
    }
    let seen = seen.into_inner();
    println!("{} operations", seen.values().sum::<u64>());
    seen
}

#[test]
fn a_few_who_mix_everything_do_as_the_rule_says() {
    let seen = tell(1_000, 6, stories(6, 200));
    let asks = [
        Situation::Unpolled,
        Situation::WaitsNext,
        Situation::WaitsBehind,
        Situation::Expired,
        Situation::Granted(Shared),
        Situation::Granted(Exclusive),
        Situation::Told,
    ];
    for situation in asks {
        for action in [Action::Leaves, Action::Looks(Bell::Same), Action::Moves(0)] {
            assert!(seen.contains_key(&(situation, discriminant(&action))), "no story: {situation:?} {action:?}");
        }
    }
    let (shares, owns) = (Situation::Holds(Shared), Situation::Holds(Exclusive));
    let holds = [
        (shares, Action::Leaves),
        (shares, Action::Upgrades),
        (owns, Action::Leaves),
        (owns, Action::Downgrades),
        (owns, Action::Deletes),
    ];
    for (situation, action) in holds {
        assert!(seen.contains_key(&(situation, discriminant(&action))), "no story: {situation:?} {action:?}");
    }
}

#[test]
fn crowds_of_sharers_do_as_the_rule_says() {
    let seen = tell(200, 90, crowds(90)); // More than one locking of the queue grants.
    for (situation, action) in
        [(Situation::Granted(Shared), Action::Leaves), (Situation::Holds(Exclusive), Action::Downgrades)]
    {
        assert!(seen.contains_key(&(situation, discriminant(&action))), "no story: {situation:?} {action:?}");
    }
}
