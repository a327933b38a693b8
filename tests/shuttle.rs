//! The lock under shuttle: more tasks than loom can take, in schedules chosen at random.
//!
//! `RUSTFLAGS="--cfg lockladder_shuttle" cargo test --release -p lockladder --test shuttle`
//!
//! Each scenario runs under the random scheduler and under PCT, which needs few schedules to find what takes a few
//! preemptions in the right places. It runs 100,000 times under each, or `LOCKLADDER_SCHEDULES` times. All accesses are
//! sequentially consistent here; loom finds orderings that are too weak. A request that is never woken is a deadlock.

#![cfg(lockladder_shuttle)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{AcquireError, Priority, SharedLock};
use lockladder_test_support::hostile::{survive, throw};
use lockladder_test_support::requests::{poll, poll_once};
use lockladder_test_support::rooms::Room;
use lockladder_test_support::schedules::{Enter, explore, impatient, together};
use lockladder_test_support::wakers::on_wake;
use shuttle::future::block_on;
use shuttle::thread::yield_now;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

type Lock = Arc<SharedLock<Room>>;

fn assert_free(lock: &Lock) {
    lock.try_exclusive().unwrap().enter();
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
        match poll_once(request.as_mut()) {
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

#[test]
fn hostile_wakers_keep_nobody_from_the_lock() {
    fn is_hostile(lock: &Lock) {
        let used = Arc::clone(lock);
        let waker = on_wake(move || {
            drop(used.try_exclusive());
            drop(used.try_shared());
            throw();
        });
        let mut request = Box::pin(Arc::clone(lock).shared_owned());
        survive(|| drop(poll(request.as_mut(), &waker)));
        yield_now();
        survive(|| drop(request));
    }
    // Any task that works on the queue, even one that only asks, may grant the hostile request and wake it.
    fn bravely_shares(lock: &Lock) {
        survive(|| shares(lock));
    }
    fn bravely_owns(lock: &Lock) {
        survive(|| owns(lock));
    }
    fn bravely_gives_up(lock: &Lock) {
        survive(|| owns_impatiently(lock));
    }
    explore(|| {
        let lock = Lock::default();
        together(&lock, [bravely_owns, is_hostile, bravely_shares, is_hostile, bravely_gives_up, bravely_owns]);
        assert_free(&lock);
    });
}
