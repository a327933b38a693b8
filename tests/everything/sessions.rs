//! Sessions: some draw their levels as they go, beside some that are typed.
//!
//! Each task has one session at a time and only climbs. So no tasks wait in a circle, and a task that waits for ever
//! has been forgotten.

mod drawn;
mod typed;

use crate::witness::{Ledger, Thing, work_for};
use lockladder::{
    All, LockManager, LockMode, hierarchy,
    level::{Level, LevelOf, NotRoot},
};
use lockladder_test_support::dice::Dice;
use std::sync::Arc;

hierarchy! {
    struct Tower {
        root Gate,
        level Low: u8 => Thing,
        level High: u8 => Thing,
        open level Loft: u8 => Thing,
        fixed level Roof: u8 => Thing,
    }
}

/// The names that each level begins with, but the open one. A changing level may have one more, or fewer.
const AT_FIRST: [u8; 2] = [0, 1];

/// All names that a level may have.
const NAMES: [u8; 3] = [0, 1, 2];

/// A level above the root.
trait Floor: NotRoot + LevelOf<Tower> + Level<Name = u8, Value = Thing> {
    const OPEN: bool = false;

    /// The place of a name of this level.
    fn place(name: u8) -> u8 {
        u8::try_from(Self::INDEX).unwrap() * 4 + name
    }
}

impl Floor for Low {}
impl Floor for High {}
impl Floor for Loft {
    const OPEN: bool = true;
}
impl Floor for Roof {}

/// The place of the root.
const GATE: u8 = 0;

/// A task that works in a tower.
struct Worker {
    tower: LockManager<Tower>,
    ledger: Arc<Ledger>,
    dice: Dice,
}

impl Worker {
    async fn work(mut self) {
        for _ in 0..=self.dice.below(2) {
            if self.dice.once_in(3) {
                typed::work(&self.tower, &self.ledger, &mut self.dice).await;
            } else {
                drawn::work(&self.tower, &self.ledger, &mut self.dice).await;
            }
        }
    }
}

fn program(dice: &mut Dice) -> (Vec<Worker>, LockManager<Tower>, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::default());
    work_for(&ledger);
    let tower = LockManager::builder().names::<Low>(AT_FIRST).names::<High>(AT_FIRST).names::<Roof>(AT_FIRST).build();
    let workers = (0..2 + dice.below(4)).map(|_| Worker {
        tower: tower.clone(),
        ledger: Arc::clone(&ledger),
        dice: Dice::new(dice.number()),
    });
    (workers.collect(), tower, ledger)
}

/// Asserts that no name of the open level is in use, and that there is one value for each name of the others.
fn assert_unused(tower: &LockManager<Tower>, ledger: &Ledger) {
    assert_eq!(tower.names::<Loft>(), [0_u8; 0], "names that no session has");
    let names = tower.names::<Low>().len() + tower.names::<High>().len() + tower.names::<Roof>().len();
    assert_eq!(ledger.values(), names, "one value for each name");
}

/// Checks the end: everything is free, and each value is dropped once.
fn at_rest(tower: LockManager<Tower>, ledger: &Arc<Ledger>) {
    let alone = tower.try_exclusive("at rest").unwrap();
    assert_unused(&tower, ledger);
    let alone = alone.try_exclusive::<Low>(All).unwrap().try_exclusive::<High>(All).unwrap();
    let alone = alone.try_exclusive::<Loft>(NAMES).unwrap().release::<Loft>();
    assert_unused(&tower, ledger);
    let alone = alone.try_exclusive::<Roof>(All).unwrap();
    ledger.room(GATE).enter(LockMode::Exclusive, "the root");
    assert_eq!(alone.owned::<Roof>().names(), [&0, &1], "a fixed level has changed");
    alone.owned::<Low>().iter().for_each(|(_, thing)| thing.assert_whole());
    alone.owned::<High>().iter().for_each(|(_, thing)| thing.assert_whole());
    drop((alone, tower));
    ledger.assert_empty();
    work_for(&Arc::default());
}

fn mode(exclusive: bool) -> LockMode {
    if exclusive { LockMode::Exclusive } else { LockMode::Shared }
}

#[cfg(lockladder_shuttle)]
#[test]
fn sessions_keep_each_other_out_and_forget_nobody_in_any_schedule() {
    use shuttle::{future::block_on, thread};
    crate::by_shuttle::explore("sessions", |dice| {
        crate::pace::hurry(!dice.once_in(3));
        let (workers, tower, ledger) = program(dice);
        let tasks = workers.into_iter().map(|worker| thread::spawn(move || block_on(worker.work())));
        tasks.collect::<Vec<_>>().into_iter().for_each(|task| task.join().unwrap());
        at_rest(tower, &ledger);
    });
    crate::by_shuttle::assert_met(drawn::MET);
    crate::by_shuttle::assert_met(typed::MET);
}

#[cfg(not(lockladder_shuttle))]
#[test]
fn sessions_keep_each_other_out_and_forget_nobody_in_any_order_of_polls() {
    use crate::by_hand::{Task, explore, run};
    explore("sessions", &async |dice: &mut Dice| {
        crate::pace::hurry(dice.once_in(4));
        let (workers, tower, ledger) = program(dice);
        run(workers.into_iter().map(|worker| Box::pin(worker.work()) as Task).collect(), dice).await;
        at_rest(tower, &ledger);
    });
    crate::tally::assert_met(drawn::MET);
    crate::tally::assert_met(typed::MET);
    crate::tally::assert_met(&["typed: in a scope"]);
}

#[cfg(not(lockladder_shuttle))]
#[test]
fn sessions_keep_each_other_out_and_forget_nobody_on_threads() {
    crate::on_threads::explore("sessions", |dice| {
        let (workers, tower, ledger) = program(dice);
        let tasks = workers.into_iter().map(|worker| {
            Box::pin(async move {
                work_for(&worker.ledger);
                worker.work().await;
                work_for(&Arc::default());
            }) as crate::on_threads::Task
        });
        (tasks.collect(), Box::new(move || at_rest(tower, &ledger)))
    });
}
