//! Everything that one lock can do.

mod ground;
mod hold;
mod pursuit;
mod rude;
mod section;
mod tally;
mod truth;
mod worker;

use crate::dice::Dice;
use crate::drive::{self, Clock, Task};
use ground::Ground;
use std::sync::Arc;
use worker::Worker;

fn program(dice: &mut Dice, clock: Clock) -> (Vec<Task>, Box<dyn FnOnce() + Send>) {
    let ground = Arc::new(Ground::new(dice.chance(6)));
    let tasks = (0..dice.between(2, 5)).map(|_| {
        let worker = Worker { ground: Arc::clone(&ground), dice: dice.fork(), clock };
        Box::pin(worker.work()) as Task
    });
    (tasks.collect(), Box::new(move || ground.at_rest()))
}

#[cfg(lockladder_shuttle)]
#[test]
fn whatever_is_done_with_one_lock_in_any_schedule_it_excludes_and_forgets_nobody() {
    drive::shuttle(program);
    tally::assert_all_done();
}

#[cfg(not(lockladder_shuttle))]
#[test]
fn whatever_is_done_with_one_lock_on_threads_it_excludes_and_forgets_nobody() {
    drive::threads(program);
}

#[cfg(not(lockladder_shuttle))]
#[test]
fn whatever_is_done_with_one_lock_by_hand_it_excludes_and_forgets_nobody() {
    drive::by_hand(program);
}
