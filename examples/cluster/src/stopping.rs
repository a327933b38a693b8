//! Stops each opcode at each of its steps: a job that is stopped has changed nothing, and keeps no lock.

use std::pin::pin;

use lockladder_test_support::wakers::Alarm;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::control::Control;
use crate::desk::{Pace, Site};
use crate::inventory::Store;
use crate::ledger::{Ledger, Violation};
use crate::opcodes::{Ladder, Sabotage};
use crate::queue::do_job;
use crate::refusal::Refusal;
use crate::retries::Patience;
use crate::run::{audited, resources};
use crate::schedules::{cluster, tasks};
use crate::task::Task;

/// Stops `task` after this many polls. Returns the result, or `None` if it has ended before.
fn stopped_after(polls: usize, task: &Task) -> Option<Result<(), Refusal>> {
    let before = cluster();
    let site = Site {
        ledger: Ledger::new(resources(&before)),
        store: Store::new(before.clone()),
        pace: Pace { step: Duration::ZERO, seed: 0 },
        patience: Patience::Endless,
    };
    let ladder = Ladder::new(&before, Sabotage::None);
    let (guarding, control) = (ladder.clone().into(), Control::new(false));
    let outcome = {
        let mut job = pin!(do_job(&site, &guarding, 1, task, Some(&control)));
        let waker = Alarm::ringing().waker();
        let mut context = Context::from_waker(&waker);
        for _ in 0..polls {
            if job.as_mut().poll(&mut context).is_ready() {
                return None;
            }
        }
        control.stop.cancel();
        // No other job is there: whatever it waits for comes at once.
        match job.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("{task} does not end though it is stopped"),
        }
    };
    let violations = audited(&site, Some(&ladder.names()));
    let told: Vec<_> = violations.first.iter().map(Violation::to_string).collect();
    assert_eq!(told, [""; 0], "{task}, stopped after {polls} polls");
    if outcome.result == Err(Refusal::Cancelled) {
        assert_eq!(site.store.read(resources), resources(&before), "{task}, stopped after {polls} polls");
    }
    assert!(ladder.is_free(), "{task}, stopped after {polls} polls");
    Some(outcome.result)
}

#[test]
fn a_job_that_is_stopped_at_any_step_adds_and_removes_nothing_and_keeps_no_lock() {
    for task in tasks() {
        let results: Vec<_> = (0..).map_while(|polls| stopped_after(polls, &task)).collect();
        assert!(results.len() >= 2, "{task} has steps");
        let cancelled = results.iter().filter(|result| **result == Err(Refusal::Cancelled)).count();
        // The last step of some comes to an end before it looks whether it is stopped.
        assert!(cancelled + 1 >= results.len(), "{task}: {results:?}");
    }
}
