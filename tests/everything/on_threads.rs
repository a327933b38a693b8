//! Programs on the threads of this machine, under its own memory model. A watchdog finds a task that waits for ever.

use crate::pace::hurry;
use crate::program::{Program, Shape};
use crate::sets::{Closed, Open, assert_rest, task};
use crate::witness::{Ledger, Thing, work_for};
use lockladder_test_support::dice::Dice;
use lockladder_test_support::environment::{only_program, schedules, seed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than any program takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs each on a thread of its own. All begin at the same moment.
pub(crate) fn together(work: Vec<Box<dyn FnOnce() + Send>>, what: &str) {
    let (start, (done, ended)) = (Arc::new(Barrier::new(work.len())), channel());
    let threads: Vec<_> = work
        .into_iter()
        .map(|work| {
            let (start, done) = (Arc::clone(&start), done.clone());
            thread::spawn(move || {
                let _done = done; // Dropped when the work ends, also by a panic.
                start.wait();
                work();
            })
        })
        .collect();
    drop(done);
    match ended.recv_timeout(PATIENCE) {
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
        Err(RecvTimeoutError::Timeout) => panic!("somebody waits for ever: {what}"),
    }
    for thread in threads {
        if let Err(panic) = thread.join() {
            println!("{what}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Waits for what another thread is about to do. Panics if it never does.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        thread::yield_now();
    }
}

/// One task of a program.
pub(crate) type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Draws programs and runs them: their tasks, each on a thread of its own, and then the check at the end.
pub(crate) fn explore(name: &str, tell: impl Fn(&mut Dice) -> (Vec<Task>, Box<dyn FnOnce()>)) {
    let programs = schedules(1_500);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let (seed, only) = (seed(), only_program());
    println!("{name}: LOCKLADDER_SEED={seed}");
    let mut dice = Dice::new(seed);
    for _ in 0..programs {
        let drawn = dice.number();
        let label = format!("{name}/{drawn}");
        if only.as_ref().is_some_and(|only| *only != label) {
            continue;
        }
        let (tasks, rest) = tell(&mut Dice::new(drawn));
        let work = tasks.into_iter().map(|task| {
            let handle = runtime.handle().clone();
            let work: Box<dyn FnOnce() + Send> = Box::new(move || handle.block_on(task));
            work
        });
        together(work.collect(), &format!("LOCKLADDER_SEED={seed} LOCKLADDER_PROGRAM={label}"));
        rest();
    }
    println!("{name}: {programs} programs on threads");
}

#[test]
fn programs_over_named_locks_hold_on_threads() {
    let programs = schedules(300);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let seed = seed();
    println!("LOCKLADDER_SEED={seed}");
    let mut dice = Dice::new(seed);
    for at in 0..programs {
        for shape in [Shape::WholeAndFast, Shape::ComeAndGo, Shape::Crowd, Shape::Parts, Shape::Everything] {
            let ledger = Arc::new(Ledger::default());
            work_for(&ledger);
            let (hurries, is_open) = (dice.once_in(2), dice.once_in(4));
            let Program { names, tasks } = Program::draw(shape, &mut dice);
            let closed: Arc<Closed> = Arc::new(names.iter().map(|name| (*name, Thing::default())).collect());
            let open: Arc<Open> = Arc::default();
            let work = tasks.into_iter().map(|errands| {
                let (ledger, closed, open) = (Arc::clone(&ledger), Arc::clone(&closed), Arc::clone(&open));
                let handle = runtime.handle().clone();
                let work: Box<dyn FnOnce() + Send> = Box::new(move || {
                    work_for(&ledger);
                    hurry(hurries);
                    if is_open {
                        handle.block_on(task(&ledger, open, &errands));
                    } else {
                        handle.block_on(task(&ledger, closed, &errands));
                    }
                    work_for(&Arc::default());
                });
                work
            });
            together(work.collect(), &format!("program {at} of {shape:?} by LOCKLADDER_SEED={seed}"));
            assert_rest(&ledger, closed, open);
            work_for(&Arc::default());
        }
    }
}
