//! Programs under shuttle. Each runs in several schedules.

use crate::pace::hurry;
use crate::program::{Program, Shape};
use crate::sets::{Closed, Open, assert_rest, task};
use crate::tally;
use crate::witness::{Ledger, Thing, work_for};
use lockladder_test_support::dice::Dice;
use lockladder_test_support::environment::{only_program, schedules, seed};
use lockladder_test_support::failures::explained;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, future::block_on, thread};
use std::sync::Arc;

/// How the next task is chosen: at random (0), or by PCT with this many ordered steps.
const DEPTHS: [usize; 6] = [0, 3, 4, 5, 6, 7];

/// The number of schedules of each program.
const SCHEDULES: usize = 100;

/// Draws programs and runs them, until there have been enough schedules.
pub(crate) fn explore(name: &str, tell: impl Fn(&mut Dice) + Copy + Send + Sync + 'static) {
    let all = schedules(6_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _within = runtime.enter();
    let (seed, only) = (seed(), only_program());
    println!("{name}: LOCKLADDER_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut programs = 0;
    for at in 0..all.div_ceil(SCHEDULES) {
        let (depth, drawn) = (DEPTHS[at % DEPTHS.len()], dice.number());
        let label = format!("{name}/{depth}/{drawn}");
        if only.as_ref().is_some_and(|only| *only != label) {
            continue;
        }
        programs += 1;
        let work = || schedule(depth, drawn, tell);
        explained(work, || println!("it fails again by LOCKLADDER_SEED={seed} LOCKLADDER_PROGRAM={label}"));
    }
    println!("{name}: {programs} programs, {} schedules", programs * SCHEDULES);
    tally::print();
}

/// Asserts that all of this has happened, if the run asks for the schedules of 500 programs or more.
pub(crate) fn assert_met(all: &[&'static str]) {
    if schedules(0) >= 500 * SCHEDULES {
        tally::assert_met(all);
    }
}

fn schedule(depth: usize, drawn: u64, tell: impl Fn(&mut Dice) + Send + Sync + 'static) {
    let program = move || tell(&mut Dice::new(drawn));
    let mut config = Config::new();
    config.silence_warnings = true;
    if depth == 0 {
        Runner::new(RandomScheduler::new_from_seed(drawn, SCHEDULES), config).run(program);
    } else {
        Runner::new(PctScheduler::new_from_seed(drawn, depth, SCHEDULES), config).run(program);
    }
}

fn tell(shape: Shape, dice: &mut Dice) {
    let ledger = Arc::new(Ledger::default());
    work_for(&ledger);
    hurry(!dice.once_in(3));
    let (is_open, Program { names, tasks }) = (dice.once_in(6), Program::draw(shape, dice));
    let closed: Arc<Closed> = Arc::new(names.iter().map(|name| (*name, Thing::default())).collect());
    let open: Arc<Open> = Arc::default();
    let tasks = tasks.into_iter().map(|errands| {
        let (ledger, closed, open) = (Arc::clone(&ledger), Arc::clone(&closed), Arc::clone(&open));
        thread::spawn(move || {
            if is_open {
                block_on(task(&ledger, open, &errands));
            } else {
                block_on(task(&ledger, closed, &errands));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.join().unwrap();
    }
    assert_rest(&ledger, closed, open);
    work_for(&Arc::default());
}

/// A test for each shape.
macro_rules! shapes {
    ($($name:ident: $shape:ident,)+) => {$(
        #[test]
        fn $name() {
            explore(stringify!($name), |dice| tell(Shape::$shape, dice));
        }
    )+};
}

shapes! {
    nobody_is_in_the_way_of_the_whole_or_it_of_them: WholeAndFast,
    what_comes_and_goes_is_had_by_one_at_a_time: ComeAndGo,
    a_crowd_that_moves_and_gives_up_gets_its_turn: Crowd,
    parts_of_guards_are_guards: Parts,
    everything_at_once_holds: Everything,
}
