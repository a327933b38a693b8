//! The lock against a model of the fairness rule, in random stories that shrink to the shortest one that fails.
//!
//! After every step of a story, who holds, who waits and who has been woken must be the same on both sides.
//!
//! `PROPTEST_CASES=1000000` tells more stories, and `--nocapture` says how many operations they were.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod rule;
mod stage;
mod story;

use lockladder::LockMode::{Exclusive, Shared};
use lockladder::SharedLock;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use stage::{Stage, Standing};
use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use story::{Bell, Deed, Story, crowds, stories};

/// How often what befell whom.
type Seen = HashMap<(Standing, Discriminant<Deed>), u64>;

/// Plays stories of so many names on the lock and on the model, and counts.
fn tell(cases: u32, names: usize, stories: impl Strategy<Value = Story>) -> Seen {
    let config = Config { failure_persistence: None, ..Config::default() }; // The shortest story says it all.
    let cases = if env::var_os("PROPTEST_CASES").is_some() { cases.max(config.cases) } else { cases };
    let seen = RefCell::new(Seen::new());
    let told = TestRunner::new(Config { cases, ..config }).run(&stories, |Story(steps)| {
        let lock = Arc::new(SharedLock::new(()));
        let mut stage = Stage::new(&lock, names);
        for step in &steps {
            let standing = stage.standing(step.name);
            if stage.play(step) {
                *seen.borrow_mut().entry((standing, discriminant(&step.deed))).or_default() += 1;
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
        Standing::Unpolled,
        Standing::WaitsNext,
        Standing::WaitsBehind,
        Standing::Expired,
        Standing::Granted(Shared),
        Standing::Granted(Exclusive),
        Standing::Told,
    ];
    for standing in asks {
        for deed in [Deed::Leaves, Deed::Looks(Bell::Same), Deed::Moves(0)] {
            assert!(seen.contains_key(&(standing, discriminant(&deed))), "no story: {standing:?} {deed:?}");
        }
    }
    let (shares, owns) = (Standing::Holds(Shared), Standing::Holds(Exclusive));
    let holds = [
        (shares, Deed::Leaves),
        (shares, Deed::Upgrades),
        (owns, Deed::Leaves),
        (owns, Deed::Downgrades),
        (owns, Deed::Deletes),
    ];
    for (standing, deed) in holds {
        assert!(seen.contains_key(&(standing, discriminant(&deed))), "no story: {standing:?} {deed:?}");
    }
}

#[test]
fn crowds_of_sharers_do_as_the_rule_says() {
    let seen = tell(200, 90, crowds(90)); // More than are granted under one locking of the queue.
    for (standing, deed) in [(Standing::Granted(Shared), Deed::Leaves), (Standing::Holds(Exclusive), Deed::Downgrades)]
    {
        assert!(seen.contains_key(&(standing, discriminant(&deed))), "no story: {standing:?} {deed:?}");
    }
}
