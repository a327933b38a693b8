//! Everything that one lock can do. A few tasks draw what they do next as they go.

mod ground;
mod hold;
mod pursuit;
mod rude;
mod section;
mod truth;
mod worker;

use ground::Ground;
use lockladder_test_support::dice::Dice;
use std::sync::Arc;
use worker::Worker;

/// A program: its tasks, and the ground that they share. In a hostile program, wakers may panic.
fn program(dice: &mut Dice, hostile: bool) -> (Vec<Worker>, Arc<Ground>) {
    let ground = Arc::new(Ground::new(hostile));
    let workers = (0..2 + dice.below(4)).map(|_| Worker::new(&ground, Dice::new(dice.number()))).collect();
    (workers, ground)
}

/// What the programs of a run must do and meet.
const MET: [&str; 29] = [
    "lock: ask beside",
    "lock: debug",
    "lock: delete by guard",
    "lock: deleted",
    "lock: downgrade",
    "lock: given up",
    "lock: granted",
    "lock: leave in queue",
    "lock: lost",
    "lock: map",
    "lock: map again",
    "lock: moved",
    "lock: moved before",
    "lock: not upgraded",
    "lock: poll threw",
    "lock: post hold",
    "lock: post request",
    "lock: queue twice",
    "lock: synchronized",
    "lock: timed out",
    "lock: told deleted",
    "lock: tried well",
    "lock: try beside owner",
    "lock: try deleted",
    "lock: try map",
    "lock: unpack hold",
    "lock: unpack request",
    "lock: upgraded",
    "lock: would block",
];

#[cfg(lockladder_shuttle)]
#[test]
fn one_lock_keeps_others_out_and_forgets_nobody_in_any_schedule() {
    use shuttle::{future::block_on, thread};
    crate::by_shuttle::explore("one lock", |dice| {
        crate::pace::hurry(!dice.once_in(3));
        let hostile = dice.once_in(6);
        let (workers, ground) = program(dice, hostile);
        let tasks = workers.into_iter().map(|worker| thread::spawn(move || block_on(worker.work())));
        tasks.collect::<Vec<_>>().into_iter().for_each(|task| task.join().unwrap());
        ground.at_rest();
    });
    crate::by_shuttle::assert_met(&MET);
}

#[cfg(not(lockladder_shuttle))]
#[test]
fn one_lock_keeps_others_out_and_forgets_nobody_in_any_order_of_polls() {
    use crate::by_hand::{Task, explore, run};
    explore("one lock", &async |dice: &mut Dice| {
        crate::pace::hurry(dice.once_in(4));
        let hostile = dice.once_in(6);
        let (workers, ground) = program(dice, hostile);
        run(workers.into_iter().map(|worker| Box::pin(worker.work()) as Task).collect(), dice).await;
        ground.at_rest();
    });
    crate::tally::assert_met(&MET);
}

#[cfg(not(lockladder_shuttle))]
#[test]
fn one_lock_keeps_others_out_and_forgets_nobody_on_threads() {
    crate::on_threads::explore("one lock", |dice| {
        // Wakers do not panic here: tokio's timers would wake them, and a runtime whose worker panics aborts the
        // process.
        let (workers, ground) = program(dice, false);
        let work = workers.into_iter().map(|worker| Box::pin(worker.work()) as crate::on_threads::Task);
        // A timer's thread may still run a waker that it took before the request was dropped.
        let rest = move || {
            crate::on_threads::wait_until("the timer lets go of its wakers", || Arc::strong_count(&ground) == 1);
            ground.at_rest();
        };
        (work.collect(), Box::new(rest))
    });
}
