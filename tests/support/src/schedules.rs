//! Scenarios under shuttle: a few tasks that run at the same time, in schedules chosen at random.

use crate::environment::schedules;
use crate::requests::poll_once;
use crate::rooms::Room;
use lockladder::{Guard, Mode, SetGuard, guards::LockPointer, guards::SetPointer};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{self, yield_now};
use std::sync::Arc;
use std::task::Poll;

/// How often each scheduler runs each scenario, unless `LOCKLADDER_SCHEDULES` says otherwise.
const TIMES: usize = 100_000;

/// Runs a scenario many times, each time in another schedule.
pub fn explore(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(scenario, schedules(TIMES));
    shuttle::check_pct(scenario, schedules(TIMES), 3);
}

/// Runs a scenario that depends on the order of a few steps, under PCT with greater depths than [`explore`] uses.
pub fn explore_deeply(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    for depth in [4, 5, 6] {
        shuttle::check_pct(scenario, schedules(TIMES), depth);
    }
}

/// Does all this work at the same time, each in a thread of its own, and waits for all of it.
pub fn together<S: Send + Sync + 'static, const N: usize>(shared: &Arc<S>, work: [fn(&Arc<S>); N]) {
    let threads = work.map(|work| {
        let shared = Arc::clone(shared);
        thread::spawn(move || work(&shared))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A guard whose holder can be in all its rooms at once while other tasks run.
pub trait Enter {
    /// Enters, lets other tasks run, and leaves.
    fn enter(&self);
}

impl<P: LockPointer<Value = Room>, M: Mode> Enter for Guard<P, M> {
    fn enter(&self) {
        Room::enter(self, M::MODE, "the value");
        yield_now();
        Room::leave(self, M::MODE, "the value");
    }
}

impl<P: SetPointer<Value = Room>, M: Mode> Enter for SetGuard<P, M> {
    fn enter(&self) {
        self.iter().for_each(|(_, room)| room.enter(M::MODE, "a value"));
        yield_now();
        self.iter().for_each(|(_, room)| room.leave(M::MODE, "a value"));
    }
}

/// Polls a request up to three times, then gives up; enters if it is granted before.
pub fn impatient<G: Enter, E>(request: impl Future<Output = Result<G, E>>) {
    let mut request = Box::pin(request);
    for _ in 0..thread_rng().gen_range(1..4) {
        if let Poll::Ready(outcome) = poll_once(request.as_mut()) {
            outcome.inspect(Enter::enter).ok();
            return;
        }
        yield_now();
    }
}
