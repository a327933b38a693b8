//! The lock under shuttle: more tasks than loom can take, in schedules chosen at random.
//!
//! `RUSTFLAGS="--cfg lockladder_shuttle" cargo test --release -p lockladder --test shuttle`
//!
//! Each scenario runs under the random scheduler and under PCT, which finds in few schedules what needs few preemptions
//! in the right places. `LOCKLADDER_SCHEDULES` says how often, if not 100,000 times each. All accesses are sequentially
//! consistent here: orderings that are too weak are loom's to find. A request that is never woken is a deadlock.

#![cfg(lockladder_shuttle)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{AcquireError, Exclusive, Guard, Mode, Priority, Shared, SharedLock, guards::LockPointer};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{self, yield_now};
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// What the lock protects: how many share it at this moment, or −1 if somebody owns it. The scheduler does not see it.
#[derive(Debug, Default)]
struct Room(AtomicIsize);

impl Room {
    fn share(&self) {
        assert!(self.0.fetch_add(1, Relaxed) >= 0, "shared beside an owner");
        yield_now();
        self.0.fetch_sub(1, Relaxed);
    }

    fn own(&self) {
        assert_eq!(self.0.swap(-1, Relaxed), 0, "owned beside others");
        yield_now();
        self.0.store(0, Relaxed);
    }
}

type Lock = Arc<SharedLock<Room>>;

/// What a guard allows.
trait Enter {
    fn enter(&self);
}

impl<P: LockPointer<Value = Room>> Enter for Guard<P, Shared> {
    fn enter(&self) {
        self.share();
    }
}

impl<P: LockPointer<Value = Room>> Enter for Guard<P, Exclusive> {
    fn enter(&self) {
        self.own();
    }
}

/// Tells a scenario many times, in other schedules each time.
fn explore(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    let schedules = env::var("LOCKLADDER_SCHEDULES").map_or(100_000, |schedules| schedules.parse().unwrap());
    shuttle::check_random(scenario, schedules);
    shuttle::check_pct(scenario, schedules, 3);
}

/// All of this at the same time, to its end.
fn together<const N: usize>(lock: &Lock, work: [fn(&Lock); N]) {
    let threads = work.map(|work| {
        let lock = Arc::clone(lock);
        thread::spawn(move || work(&lock))
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn assert_free(lock: &Lock) {
    lock.try_exclusive().unwrap().own();
}

fn look<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Looks a few times, then gives up, unless it has been granted by then.
fn impatient<M: Mode, F>(request: F)
where
    F: Future<Output = Result<Guard<Lock, M>, AcquireError>>,
    Guard<Lock, M>: Enter,
{
    let mut request = Box::pin(request);
    for _ in 0..thread_rng().gen_range(1..4) {
        if let Poll::Ready(outcome) = look(request.as_mut(), Waker::noop()) {
            outcome.inspect(Guard::<Lock, M>::enter).ok();
            return;
        }
        yield_now();
    }
}

fn shares(lock: &Lock) {
    block_on(lock.shared()).unwrap().enter();
}

fn owns(lock: &Lock) {
    block_on(lock.exclusive()).unwrap().enter();
}

fn shares_impatiently(lock: &Lock) {
    impatient(Arc::clone(lock).shared_owned());
}

fn owns_impatiently(lock: &Lock) {
    impatient(Arc::clone(lock).exclusive_owned());
}

#[test]
fn six_who_mix_both_modes_and_give_up_all_get_their_turn() {
    explore(|| {
        let lock = Lock::default();
        together(&lock, [shares, owns, shares_impatiently, owns_impatiently, owns, shares]);
        assert_free(&lock);
    });
}

#[test]
fn of_a_storm_of_deletes_one_deletes_and_everybody_ends() {
    static DELETED: AtomicUsize = AtomicUsize::new(0);
    fn deletes(lock: &Lock) {
        match block_on(lock.delete()) {
            Ok(()) => {
                DELETED.fetch_add(1, Relaxed);
            }
            Err(error) => assert_eq!(error, AcquireError::Deleted),
        }
    }
    fn comes_or_learns(lock: &Lock) {
        match block_on(lock.shared()) {
            Ok(guard) => guard.enter(),
            Err(error) => assert_eq!(error, AcquireError::Deleted),
        }
    }
    explore(|| {
        DELETED.store(0, Relaxed);
        let lock = Lock::default();
        together(&lock, [deletes, comes_or_learns, deletes, owns_impatiently, comes_or_learns, deletes]);
        assert_eq!(DELETED.load(Relaxed), 1);
        assert!(lock.try_shared().is_err());
    });
}

#[test]
fn those_who_move_downgrade_and_upgrade_keep_each_other_out() {
    fn downgrades_and_upgrades(lock: &Lock) {
        let owner = block_on(lock.exclusive()).unwrap();
        owner.enter();
        let sharer = owner.downgrade();
        sharer.enter();
        match sharer.try_upgrade() {
            Ok(owner) => owner.enter(),
            Err(sharer) => sharer.enter(),
        }
    }
    fn moves(lock: &Lock) {
        let mut request = Box::pin(lock.exclusive().priority(Priority::LOWEST));
        match look(request.as_mut(), Waker::noop()) {
            Poll::Ready(owner) => owner.unwrap().enter(),
            Poll::Pending => {
                request.as_mut().set_priority(Priority::HIGHEST);
                block_on(request).unwrap().enter();
            }
        }
    }
    fn shares_urgently(lock: &Lock) {
        block_on(lock.shared().priority(Priority::new(-1))).unwrap().enter();
    }
    explore(|| {
        let lock = Lock::default();
        let work = [downgrades_and_upgrades, moves, shares_urgently, shares, downgrades_and_upgrades, owns_impatiently];
        together(&lock, work);
        assert_free(&lock);
    });
}

/// A waker that is no friend: it uses the lock, then panics.
struct Hostile(Lock);

impl Wake for Hostile {
    fn wake(self: Arc<Self>) {
        drop(self.0.try_exclusive());
        drop(self.0.try_shared());
        resume_unwind(Box::new("hostile")); // Without the message that `panic!` prints each time.
    }
}

/// Survives what wakers throw at whoever wakes them.
fn bravely(work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        if panic.downcast_ref() != Some(&"hostile") {
            resume_unwind(panic);
        }
    }
}

#[test]
fn hostile_wakers_keep_nobody_from_the_lock() {
    fn is_hostile(lock: &Lock) {
        let waker = Waker::from(Arc::new(Hostile(Arc::clone(lock))));
        let mut request = Box::pin(Arc::clone(lock).shared_owned());
        bravely(|| {
            let _guard = look(request.as_mut(), &waker);
        });
        yield_now();
        bravely(|| drop(request));
    }
    // Whoever works on the queue may grant and wake the hostile one: whoever asks, too.
    fn bravely_shares(lock: &Lock) {
        bravely(|| shares(lock));
    }
    fn bravely_owns(lock: &Lock) {
        bravely(|| owns(lock));
    }
    fn bravely_gives_up(lock: &Lock) {
        bravely(|| owns_impatiently(lock));
    }
    explore(|| {
        let lock = Lock::default();
        together(&lock, [bravely_owns, is_hostile, bravely_shares, is_hostile, bravely_gives_up, bravely_owns]);
        assert_free(&lock);
    });
}
