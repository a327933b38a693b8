//! `All` of a large set, and `All` with many waiters. No peer has anything like it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lockladder::All;

use crate::comparison::allocated;
use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::names;
use crate::verbs::Set;

/// What it costs to acquire everything once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    /// Including the release.
    pub(crate) acquisition: Duration,
    pub(crate) allocations: usize,
    /// From the release of the last of 25 held names to the guard.
    pub(crate) after_the_last: Duration,
}

/// Acquires and releases all members: when they are free, and when some are held.
pub(crate) fn acquire(stage: &Stage, set: &Set) -> Whole {
    const HOLDERS: usize = 25;
    let runtime = stage.runtime(Flavor::CurrentThread);
    let (acquisition, allocations) = runtime.block_on(async {
        let (clock, before) = (Clock::start(Flavor::CurrentThread), allocated::count());
        drop(set.exclusive(All).await.expect("waiting for all members cannot fail"));
        (clock.elapsed(), allocated::count() - before)
    });
    let mut holders: Vec<_> =
        names::of(HOLDERS).map(|name| set.try_exclusive(name).expect("it is free, and exists")).collect();
    let mut all = Box::pin(set.exclusive(All));
    assert!(look(all.as_mut()).is_pending());
    let last = holders.pop();
    drop(holders);
    let clock = Clock::start(Flavor::CurrentThread);
    drop(last);
    let granted = look(all.as_mut());
    let after_the_last = clock.elapsed();
    assert!(granted.is_ready());
    Whole { acquisition, allocations, after_the_last }
}

/// How long each of many waiters for everything takes from the grant to the release, and how long a try takes that
/// fails while many requests wait for a name.
pub(crate) fn awaited() -> [Duration; 2] {
    const MEMBERS: usize = 64;
    const WHOLES: u32 = 4_000;
    const NAMED: usize = 16_000;
    let set: Set = names::of(MEMBERS).collect();
    let name = names::name(1);
    let holder = set.try_exclusive(&name).expect("it is free");
    let mut waiting: Vec<_> = (0..WHOLES).map(|_| Box::pin(set.exclusive(All))).collect();
    assert!(waiting.iter_mut().all(|request| look(request.as_mut()).is_pending()));
    let clock = Clock::start(Flavor::CurrentThread);
    drop(holder);
    for request in &mut waiting {
        assert!(look(request.as_mut()).is_ready(), "it is next");
    }
    let each = clock.elapsed() / WHOLES;
    drop(waiting);

    let holder = set.try_exclusive(&name).expect("it is free");
    let mut waiting: Vec<_> = (0..NAMED).map(|_| Box::pin(set.exclusive(&name))).collect();
    assert!(waiting.iter_mut().all(|request| look(request.as_mut()).is_pending()));
    let clock = Clock::start(Flavor::CurrentThread);
    let refused = set.try_shared(All).is_err();
    let attempt = clock.elapsed();
    assert!(refused);
    drop(waiting);
    drop(holder);
    [each, attempt]
}

fn look<F: Future>(request: Pin<&mut F>) -> Poll<F::Output> {
    request.poll(&mut Context::from_waker(Waker::noop()))
}
