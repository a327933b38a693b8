//! Scenarios under shuttle: what a few tasks do at the same time, in schedules chosen at random.

use crate::environment::schedules;
use crate::requests::poll_once;
use crate::rooms::Room;
use lockladder::{Guard, Mode, SetGuard, guards::LockPointer, guards::SetPointer};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{self, yield_now};
use std::sync::Arc;
use std::task::Poll;

/// How often each scenario is told by each scheduler, if `LOCKLADDER_SCHEDULES` does not say.
const TIMES: usize = 100_000;

/// Tells a scenario many times, in other schedules each time.
pub fn explore(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(scenario, schedules(TIMES));
    shuttle::check_pct(scenario, schedules(TIMES), 3);
}

/// Tells a scenario that depends on the order of a few steps, by PCT with more of them ordered.
pub fn explore_deeply(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    for depth in [4, 5, 6] {
        shuttle::check_pct(scenario, schedules(TIMES), depth);
    }
}

/// All of this at the same time, to its end.
pub fn together<S: Send + Sync + 'static, const N: usize>(shared: &Arc<S>, work: [fn(&Arc<S>); N]) {
    let threads = work.map(|work| {
        let shared = Arc::clone(shared);
        thread::spawn(move || work(&shared))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// What a guard allows: to be in all the rooms it holds at once, while others may run.
pub trait Enter {
    /// Comes in, lets others run, and goes.
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

/// Polls a request a few times, then gives up, unless it has been granted by then.
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
