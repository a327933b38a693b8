//! The work that is measured. Each function makes a lock of its own, does the work, and returns how long it took,
//! without the preparations.
//!
//! The functions that drain or cancel a queue poll futures by hand, outside any runtime, so that the time is the lock's
//! and not a scheduler's.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::task::JoinHandle;

use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::verbs::{Access, Exclusive, Lock};

/// The time that a peer took for its work, or `None` if it cannot do it.
pub(crate) type Taken = Option<Duration>;

/// Acquires and releases, again and again, as a user does.
async fn cycle<L: Lock, A: Access<L>>(lock: &L, times: usize) {
    for _ in 0..times {
        drop(A::acquire(lock).await);
    }
}

/// One task acquires and releases a lock that no other task wants.
pub(crate) fn uncontended<L: Lock, A: Access<L>>(stage: &Stage, flavor: Flavor, times: usize) -> Duration {
    let runtime = stage.runtime(flavor);
    let lock = Arc::new(L::new());
    let clock = Clock::start(flavor);
    match flavor {
        Flavor::CurrentThread => runtime.block_on(cycle::<L, A>(black_box(&lock), times)),
        Flavor::TwoWorkers => {
            let task = runtime.spawn(async move { cycle::<L, A>(black_box(&lock), times).await });
            runtime.block_on(task).expect("the task does not panic");
        }
    }
    clock.elapsed()
}

/// Tasks hand the lock round: each holder releases it to the next task and queues behind the others, so that every
/// acquisition waits. `None` if newcomers pass waiters, since then no task hands the lock over.
pub(crate) fn hand_over<L: Lock>(stage: &Stage, flavor: Flavor, tasks: usize, times: usize) -> Taken {
    if barges::<L>() {
        return None;
    }
    let runtime = stage.runtime(flavor);
    let lock = Arc::new(L::new());
    let held = runtime.block_on(lock.exclusive());
    let queue = runtime.block_on(queue_tasks(&lock, tasks, |lock| async move {
        cycle::<L, Exclusive>(&lock, times).await;
    }));
    let clock = Clock::start(flavor);
    drop(held);
    for task in queue {
        runtime.block_on(task).expect("the task does not panic");
    }
    Some(clock.elapsed())
}

/// Spawns tasks, and returns once each of them has begun.
pub(crate) async fn queue_tasks<L, F, W>(lock: &Arc<L>, tasks: usize, work: W) -> Vec<JoinHandle<F::Output>>
where
    F: Future<Output: Send> + Send + 'static,
    W: Fn(Arc<L>) -> F,
{
    let begun = Arc::new(AtomicUsize::new(0));
    let spawned = (0..tasks).map(|_| {
        let (begun, work) = (Arc::clone(&begun), work(Arc::clone(lock)));
        tokio::spawn(async move {
            begun.fetch_add(1, Ordering::Relaxed);
            work.await
        })
    });
    let spawned = spawned.collect();
    while begun.load(Ordering::Relaxed) < tasks {
        tokio::task::yield_now().await;
    }
    spawned
}

/// Whether a newcomer gets a lock that has just been released while a request waits for it.
fn barges<L: Lock>() -> bool {
    let lock = L::new();
    let mut first = Box::pin(lock.exclusive());
    let Poll::Ready(held) = poll(&mut first) else { return true };
    let mut waiting = Box::pin(lock.exclusive());
    let must_wait = poll(&mut waiting).is_pending();
    drop(held);
    let mut newcomer = Box::pin(lock.exclusive());
    !must_wait || poll(&mut newcomer).is_ready()
}

/// Releases a lock for which `waiters` requests wait, and lets each of them claim it and release it again.
pub(crate) fn drain<L: Lock, A: Access<L>>(waiters: usize) -> Taken {
    let lock = L::new();
    let held = held(&lock)?;
    let mut queue: Vec<_> = (0..waiters).map(|_| Box::pin(A::acquire(&lock))).collect();
    if queue.iter_mut().any(|request| poll(request).is_ready()) {
        return None;
    }
    let clock = Clock::start(Flavor::CurrentThread);
    drop(held);
    for request in &mut queue {
        match poll(request) {
            Poll::Ready(guard) => drop(guard),
            Poll::Pending => return None,
        }
    }
    Some(clock.elapsed())
}

/// Drops `waiters` queued requests in random order, while the lock stays held. Their memory is freed later.
pub(crate) fn cancel<L: Lock>(waiters: usize, seed: u64) -> Taken {
    let lock = L::new();
    let _held = held(&lock)?;
    let mut queue: Vec<_> = (0..waiters).map(|_| Box::pin(Some(lock.exclusive()))).collect();
    for request in &mut queue {
        let request = request.as_mut().as_pin_mut()?;
        if request.poll(&mut idle()).is_ready() {
            return None;
        }
    }
    queue.shuffle(&mut StdRng::seed_from_u64(seed));
    let clock = Clock::start(Flavor::CurrentThread);
    for request in &mut queue {
        request.set(None);
    }
    Some(clock.elapsed())
}

/// Acquires a free lock, polling by hand.
pub(crate) fn held<L: Lock>(lock: &L) -> Option<impl Send> {
    match pin!(lock.exclusive()).poll(&mut idle()) {
        Poll::Ready(guard) => Some(guard),
        Poll::Pending => None,
    }
}

fn poll<F: Future>(request: &mut Pin<Box<F>>) -> Poll<F::Output> {
    request.as_mut().poll(&mut idle())
}

pub(crate) fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
