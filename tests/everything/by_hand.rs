//! Programs on futures that are polled by hand, on one thread. The dice choose the next task among those that were
//! woken.
//!
//! A task that was not woken is not polled. So a task that sleeps though its way is free stays asleep, and the test
//! fails.

use crate::pace::hurry;
use crate::program::{Program, Shape};
use crate::sets::{Closed, Open, assert_rest, task};
use crate::tally;
use crate::witness::{Ledger, Thing, work_for};
use lockladder_test_support::dice::Dice;
use lockladder_test_support::environment::{only_program, schedules, seed};
use lockladder_test_support::failures::explained;
use lockladder_test_support::requests::poll;
use lockladder_test_support::wakers::Alarm;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// One task of a program.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks to their end. While no task is woken, time passes; if that wakes no task, they wait for ever.
pub(crate) async fn run(tasks: Vec<Task>, dice: &mut Dice) {
    let mut tasks: Vec<_> = tasks.into_iter().map(|task| (task, Alarm::ringing())).collect();
    let mut hours = 0;
    while !tasks.is_empty() {
        let woken: Vec<usize> = (0..tasks.len()).filter(|at| tasks[*at].1.rings()).collect();
        if woken.is_empty() {
            hours += 1;
            assert!(hours < 100, "{} tasks wait for ever", tasks.len());
            tokio::time::advance(Duration::from_millis(1)).await;
            continue;
        }
        let at = dice.pick(&woken);
        let (task, alarm) = &mut tasks[at];
        alarm.hush();
        let waker = alarm.waker();
        // Unconstrained, because otherwise all tasks would share the budget of one tokio task.
        let polled =
            tokio::task::coop::unconstrained(std::future::poll_fn(|_| Poll::Ready(poll(task.as_mut(), &waker))));
        if polled.await.is_ready() {
            drop(tasks.swap_remove(at));
        }
    }
}

/// Draws programs and runs them by hand.
pub(crate) fn explore(name: &str, tell: &impl AsyncFn(&mut Dice)) {
    let programs = schedules(1_500);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (seed, only) = (seed(), only_program());
    println!("{name}: LOCKLADDER_SEED={seed}");
    let mut dice = Dice::new(seed);
    for _ in 0..programs {
        let drawn = dice.number();
        let label = format!("{name}/{drawn}");
        if only.as_ref().is_some_and(|only| *only != label) {
            continue;
        }
        let work = || runtime.block_on(tell(&mut Dice::new(drawn)));
        explained(work, || println!("it fails again by LOCKLADDER_SEED={seed} LOCKLADDER_PROGRAM={label}"));
    }
    println!("{name}: {programs} programs");
    tally::print();
}

async fn tell(shape: Shape, dice: &mut Dice) {
    let ledger = Arc::new(Ledger::default());
    work_for(&ledger);
    hurry(dice.once_in(2));
    let (is_open, Program { names, tasks }) = (dice.once_in(4), Program::draw(shape, dice));
    let closed: Arc<Closed> = Arc::new(names.iter().map(|name| (*name, Thing::default())).collect());
    let open: Arc<Open> = Arc::default();
    let tasks = tasks.into_iter().map(|errands| {
        let (ledger, closed, open) = (Arc::clone(&ledger), Arc::clone(&closed), Arc::clone(&open));
        let task: Task = if is_open {
            Box::pin(async move { task(&ledger, open, &errands).await })
        } else {
            Box::pin(async move { task(&ledger, closed, &errands).await })
        };
        task
    });
    run(tasks.collect(), dice).await;
    assert_rest(&ledger, closed, open);
    work_for(&Arc::default());
}

#[test]
fn programs_over_named_locks_hold_in_every_order_of_polls() {
    for (name, shape) in [
        ("the whole and who is fast", Shape::WholeAndFast),
        ("names that come and go", Shape::ComeAndGo),
        ("a crowd", Shape::Crowd),
        ("parts", Shape::Parts),
        ("everything", Shape::Everything),
    ] {
        explore(name, &async |dice: &mut Dice| tell(shape, dice).await);
    }
    tally::assert_met(&[
        "added",
        "added free by the whole",
        "added held by the whole",
        "deleted",
        "downgraded",
        "exists",
        "given up",
        "got enough",
        "got more",
        "got names",
        "got the whole",
        "moved",
        "released a part",
        "removed",
        "removed by its owner",
        "removed by the whole",
        "repeated",
        "seized",
        "split",
        "timed out",
        "too few",
        "unknown",
        "would block",
    ]);
}
