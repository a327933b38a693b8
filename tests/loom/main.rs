//! The lock, and sets of locks, under loom. Loom runs a few threads in many interleavings, with every value that a load
//! may see. It leaves out interleavings that it takes for equal to others (see `docs/PROOFS.md`), so other tests run
//! what passes here, too.
//!
//! `RUSTFLAGS="--cfg lockladder_loom" cargo test --release -p lockladder --test loom -- --nocapture`
//!
//! Models of two threads are explored without a bound where that ends. The other models go up to the number of
//! preemptions that each states, or that `LOOM_MAX_PREEMPTIONS` gives. The value in the lock is loom's own cell, so an
//! access that is not ordered after the one before it fails the model. A request that is never woken fails it as a
//! deadlock.

#![cfg(lockladder_loom)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]
#![allow(unsafe_code, reason = "loom's cell gives raw pointers only")]

mod batches;
mod changes;
mod sets;

use lockladder::{AcquireError, Guard, Mode, SharedLock, guards::LockPointer};
use lockladder_test_support::requests::poll_once;
use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::model::Builder;
use loom::thread::{self, JoinHandle};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Instant;

/// A number that loom watches.
struct Number(UnsafeCell<usize>);

// SAFETY: none. The models are to show that the lock orders the accesses.
unsafe impl Sync for Number {}

impl Number {
    fn read(&self) -> usize {
        // SAFETY: loom fails the model if another thread may write meanwhile.
        self.0.with(|number| unsafe { *number })
    }

    fn increment(&self) {
        // SAFETY: loom fails the model if another thread may read or write meanwhile.
        self.0.with_mut(|number| unsafe { *number += 1 });
    }
}

type Lock = Arc<SharedLock<Number>>;

fn lock() -> Lock {
    Arc::new(SharedLock::new(Number(UnsafeCell::new(0))))
}

fn write(lock: &SharedLock<Number>) {
    block_on(lock.exclusive()).unwrap().increment();
}

fn read(lock: &SharedLock<Number>) -> usize {
    block_on(lock.shared()).unwrap().read()
}

/// Polls once, and gives up what the request is by then: queued, granted or held.
fn look_once<M: Mode, P: LockPointer<Value = Number>>(
    request: impl Future<Output = Result<Guard<P, M>, AcquireError>>,
) {
    if let Poll::Ready(guard) = poll_once(pin!(request)) {
        guard.unwrap().read();
    }
}

/// Asserts that the lock is free, that no request waits, and that there were this many writes.
fn assert_free_after(lock: &SharedLock<Number>, writes: usize) {
    assert_eq!(lock.try_exclusive().unwrap().read(), writes);
}

/// Explores a model without a bound on preemptions.
fn in_full(name: &str, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = None;
    explore(name, &builder, model);
}

/// Explores a model with at most this many preemptions, unless the environment gives another number.
fn within(preemptions: usize, name: &str, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    explore(name, &builder, model);
}

fn explore(name: &str, builder: &Builder, model: impl Fn() + Sync + Send + 'static) {
    let (executions, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let counted = {
        let executions = Arc::clone(&executions);
        move || {
            executions.fetch_add(1, Ordering::Relaxed);
            model();
        }
    };
    builder.check(counted);
    println!("{name}: {} executions in {:?}", executions.load(Ordering::Relaxed), start.elapsed());
}

/// Spawns threads that do this with the lock at the same time.
fn together<const N: usize>(lock: &Lock, work: [fn(&SharedLock<Number>); N]) -> [JoinHandle<()>; N] {
    work.map(|work| {
        let lock = Arc::clone(lock);
        thread::spawn(move || work(&lock))
    })
}

fn join<const N: usize>(threads: [JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn two_writers_are_never_together() {
    in_full("two writers", || {
        let lock = lock();
        let other = together(&lock, [write]);
        write(&lock);
        join(other);
        assert_free_after(&lock, 2);
    });
}

#[test]
fn a_reader_sees_a_write_as_a_whole_or_not_at_all() {
    in_full("a writer and a reader", || {
        let lock = lock();
        let other = together(&lock, [write]);
        assert!(read(&lock) <= 1);
        join(other);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn whoever_waits_is_handed_the_lock() {
    in_full("hand-over to one", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let waiter = together(&lock, [write]);
        holder.increment();
        drop(holder);
        join(waiter);
        assert_free_after(&lock, 2);
    });
}

#[test]
fn a_writer_and_a_reader_that_wait_are_both_handed_the_lock() {
    within(2, "hand-over to two", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let waiters = together(&lock, [write, |lock| assert!(read(lock) >= 1)]);
        holder.increment();
        drop(holder);
        join(waiters);
        assert_free_after(&lock, 2);
    });
}

#[test]
fn three_that_wait_are_all_handed_the_lock() {
    within(1, "hand-over to three", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap();
        let waiters = together(&lock, [write, |lock| assert!(read(lock) <= 1), |lock| assert!(read(lock) <= 1)]);
        assert_eq!(holder.read(), 0);
        drop(holder);
        join(waiters);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn giving_up_against_the_grant_of_the_same_request_loses_nothing() {
    in_full("give up against grant", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let gives_up = together(&lock, [|lock| look_once(lock.exclusive())]);
        holder.increment();
        drop(holder);
        join(gives_up);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn a_third_gets_the_lock_when_one_gives_up_against_its_grant() {
    within(2, "give up against grant, a third waits", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let mut head = Box::pin(Arc::clone(&lock).exclusive_owned());
        assert!(poll_once(head.as_mut()).is_pending());
        let third = together(&lock, [write]);
        let gives_up = thread::spawn(move || drop(head));
        holder.increment();
        drop(holder);
        gives_up.join().unwrap();
        join(third);
        assert_free_after(&lock, 2);
    });
}

#[test]
fn a_sharer_runs_when_the_exclusive_head_gives_up_against_a_release() {
    within(2, "head gives up against a shared release", || {
        let lock = lock();
        let holder = Arc::clone(&lock).try_shared_owned().unwrap();
        let mut head = Box::pin(lock.exclusive());
        assert!(poll_once(head.as_mut()).is_pending());
        let behind = together(&lock, [|lock| assert_eq!(read(lock), 0)]);
        let releases = thread::spawn(move || drop(holder));
        drop(head);
        join(behind);
        releases.join().unwrap();
        assert_free_after(&lock, 0);
    });
}

#[test]
fn a_sharer_runs_when_the_exclusive_head_gives_up_against_its_arrival() {
    in_full("head gives up against an arrival", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap(); // Held to the end: only giving up lets the sharer in.
        let mut head = Box::pin(lock.exclusive());
        assert!(poll_once(head.as_mut()).is_pending());
        let behind = together(&lock, [|lock| assert_eq!(read(lock), 0)]);
        drop(head);
        join(behind);
        drop(holder);
        assert_free_after(&lock, 0);
    });
}

#[test]
fn a_new_waker_against_the_grant_is_not_left_asleep() {
    within(6, "another waker against grant", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let waiter = together(
            &lock,
            [|lock| {
                let mut request = pin!(lock.exclusive());
                match poll_once(request.as_mut()) {
                    Poll::Ready(guard) => guard.unwrap().increment(),
                    Poll::Pending => block_on(request).unwrap().increment(),
                }
            }],
        );
        drop(holder);
        join(waiter);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn whoever_comes_as_the_lock_is_deleted_learns_it() {
    in_full("delete against enqueue", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let comes = together(&lock, [|lock| assert!(matches!(block_on(lock.shared()), Err(AcquireError::Deleted)))]);
        holder.increment();
        holder.delete();
        join(comes);
        assert!(lock.try_shared().is_err());
    });
}

#[test]
fn a_delete_that_waits_and_a_writer_that_waits_both_end() {
    within(2, "delete against waiting", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap();
        let waiters = together(
            &lock,
            [
                |lock| block_on(lock.delete()).unwrap(),
                |lock| match block_on(lock.exclusive()) {
                    Ok(guard) => guard.increment(),
                    Err(error) => assert_eq!(error, AcquireError::Deleted),
                },
            ],
        );
        drop(holder);
        join(waiters);
        assert!(lock.try_shared().is_err());
    });
}

#[test]
fn one_of_two_deletes_deletes() {
    in_full("delete against delete", || {
        let lock = lock();
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || block_on(lock.delete())
        });
        let own = block_on(lock.delete());
        assert!(own.is_ok() != other.join().unwrap().is_ok());
    });
}

#[test]
fn a_downgrade_takes_a_sharer_along_and_orders_its_reading() {
    in_full("downgrade against a sharer", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let sharer = together(&lock, [|lock| assert_eq!(read(lock), 1)]);
        holder.increment();
        let holder = holder.downgrade();
        assert_eq!(holder.read(), 1);
        join(sharer); // While the holder still shares.
        drop(holder);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn a_downgrade_keeps_a_writer_out_and_takes_a_sharer_along() {
    within(2, "downgrade against a sharer and a writer", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let waiters = together(&lock, [write, |lock| assert!(read(lock) >= 1)]);
        holder.increment();
        let holder = holder.downgrade();
        assert_eq!(holder.read(), 1);
        drop(holder);
        join(waiters);
        assert_free_after(&lock, 2);
    });
}

#[test]
fn the_last_sharer_leaves_while_a_writer_queues() {
    in_full("last sharer against enqueue", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap();
        let writer = together(&lock, [write]);
        assert_eq!(holder.read(), 0);
        drop(holder);
        join(writer);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn two_last_sharers_leave_at_once_and_a_writer_gets_in() {
    within(4, "two last sharers against enqueue", || {
        let lock = lock();
        let (one, other) = (Arc::clone(&lock).try_shared_owned().unwrap(), lock.try_shared().unwrap());
        let writer = together(&lock, [write]);
        let leaves = thread::spawn(move || assert_eq!(one.read(), 0));
        assert_eq!(other.read(), 0);
        drop(other);
        leaves.join().unwrap();
        join(writer);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn the_last_sharer_leaves_while_somebody_gives_up() {
    within(5, "last sharer against giving up, a writer waits", || {
        let lock = lock();
        let holder = Arc::clone(&lock).try_shared_owned().unwrap();
        let mut head = Box::pin(lock.exclusive());
        let mut next = Box::pin(lock.exclusive());
        assert!(poll_once(head.as_mut()).is_pending() && poll_once(next.as_mut()).is_pending());
        let leaves = thread::spawn(move || drop(holder));
        drop(head);
        block_on(next).unwrap().increment();
        leaves.join().unwrap();
        assert_free_after(&lock, 1);
    });
}

#[test]
fn members_leave_while_their_group_is_being_granted() {
    within(2, "members leave in mid-grant", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let mut group = [(); 2].map(|()| Box::pin(Arc::clone(&lock).shared_owned()));
        for member in &mut group {
            assert!(poll_once(member.as_mut()).is_pending());
        }
        let leave = group.map(|member| thread::spawn(move || look_once(member)));
        holder.increment();
        drop(holder);
        join(leave);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn a_try_against_a_release_takes_nothing_from_whoever_waits() {
    in_full("try against release", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let mut waiter = Box::pin(lock.exclusive());
        assert!(poll_once(waiter.as_mut()).is_pending());
        let tries = together(&lock, [|lock| assert!(lock.try_exclusive().is_err() && lock.try_shared().is_err())]);
        drop(holder);
        join(tries);
        block_on(waiter).unwrap().increment();
        assert_free_after(&lock, 1);
    });
}

#[test]
fn a_try_against_somebody_who_gives_up_finds_the_lock_free_or_taken() {
    in_full("try against giving up", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap();
        let tries = together(
            &lock,
            [|lock| {
                if let Ok(guard) = lock.try_shared() {
                    assert_eq!(guard.read(), 0);
                }
            }],
        );
        look_once(lock.exclusive());
        drop(holder);
        join(tries);
        assert_free_after(&lock, 0);
    });
}
