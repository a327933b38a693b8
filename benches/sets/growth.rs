//! How long a thread is stopped while a set grows.
//!
//! On a shared machine the system stops any thread for milliseconds now and then, whatever the set does. So besides the
//! longest stop in wall time, there is the longest time that one `add` *works*, in CPU time of its thread: that is how
//! long it can have kept a part of the set locked, unless the system stopped it meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::names;
use crate::verbs::Changing;

/// The longest of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stops {
    /// Wall time of an acquisition and release by another thread.
    pub(crate) acquisition: Duration,
    /// Wall time of an `add`.
    pub(crate) add: Duration,
    /// CPU time of an `add`.
    pub(crate) work: Duration,
}

/// Grows a set from one member to `members`, one `add` at a time, while another thread acquires the first member again
/// and again.
pub(crate) fn grow<L: Changing>(stage: &Stage, members: usize) -> Stops {
    let locks = L::of(names::of(1));
    let first = names::name(0);
    let (begun, over) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let acquiring = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            stage.runtime(Flavor::TwoWorkers).block_on(async {
                while !over.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    drop(locks.exclusive(&first).await);
                    longest = longest.max(asked.elapsed());
                    begun.store(true, Ordering::Relaxed);
                }
            });
            longest
        });
        while !begun.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let [mut add, mut work] = [Duration::ZERO; 2];
        stage.runtime(Flavor::CurrentThread).block_on(async {
            for number in 1..members {
                let name = names::name(number);
                let (asked, clock) = (Instant::now(), Clock::start(Flavor::CurrentThread));
                locks.add(name).await;
                work = work.max(clock.elapsed());
                add = add.max(asked.elapsed());
            }
        });
        over.store(true, Ordering::Relaxed);
        let acquisition = acquiring.join().expect("the thread does not panic");
        Stops { acquisition, add, work }
    })
}
