//! Requests and holds that change while other threads act: priorities, deadlines, upgrades, neighbours that give up.

use super::{assert_free_after, in_full, join, lock, look_once, read, together, within, write};
use lockladder::{AcquireError, Priority};
use lockladder_test_support::requests::poll_once;
use loom::future::block_on;
use loom::thread;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// A clock that stands still. All threads of a model run on one system thread, so entering it once is enough.
fn stopped_clock() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_request_that_moves_against_its_grant_is_granted_once() {
    within(3, "set priority against grant", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let mut moves = Box::pin(Arc::clone(&lock).exclusive_owned());
        let mut stays = Box::pin(lock.exclusive());
        assert!(poll_once(moves.as_mut()).is_pending() && poll_once(stays.as_mut()).is_pending());
        let mover = thread::spawn(move || {
            moves.as_mut().set_priority(Priority::LOWEST);
            block_on(moves).unwrap().increment();
        });
        holder.increment();
        drop(holder);
        block_on(stays).unwrap().increment();
        mover.join().unwrap();
        assert_free_after(&lock, 3);
    });
}

#[test]
fn a_request_that_moves_against_the_head_giving_up_keeps_nobody_waiting() {
    within(3, "set priority against giving up", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap(); // Held to the end: only moving and giving up let the sharer in.
        let mut head = Box::pin(Arc::clone(&lock).exclusive_owned());
        let mut moves = Box::pin(lock.exclusive().priority(Priority::HIGHEST));
        let mut sharer = Box::pin(lock.shared());
        assert!(poll_once(head.as_mut()).is_pending() && poll_once(moves.as_mut()).is_pending());
        assert!(poll_once(sharer.as_mut()).is_pending());
        let gives_up = thread::spawn(move || drop(head));
        moves.as_mut().set_priority(Priority::LOWEST);
        assert_eq!(block_on(sharer).unwrap().read(), 0);
        gives_up.join().unwrap();
        drop(holder);
        block_on(moves).unwrap().increment();
        assert_free_after(&lock, 1);
    });
}

#[test]
fn a_head_that_becomes_less_urgent_against_an_arrival_lets_the_sharer_in() {
    in_full("set priority against an arrival", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap(); // Held to the end: only moving lets the sharer in.
        let mut head = Box::pin(lock.exclusive());
        assert!(poll_once(head.as_mut()).is_pending());
        let behind = together(&lock, [|lock| assert_eq!(read(lock), 0)]);
        head.as_mut().set_priority(Priority::LOWEST);
        join(behind);
        drop(holder);
        block_on(head).unwrap().increment();
        assert_free_after(&lock, 1);
    });
}

#[test]
fn a_deadline_that_passes_against_the_grant_takes_the_lock_or_passes_it_on() {
    let clock = stopped_clock();
    let _timers = clock.enter();
    in_full("deadline against grant", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let written = Arc::new(AtomicUsize::new(1));
        let waiter = thread::spawn({
            let (lock, written) = (Arc::clone(&lock), Arc::clone(&written));
            move || match poll_once(pin!(lock.exclusive().deadline(Instant::now()))) {
                Poll::Ready(Ok(guard)) => {
                    guard.increment();
                    written.fetch_add(1, Ordering::Relaxed);
                }
                Poll::Ready(Err(error)) => assert!(matches!(error, AcquireError::TimedOut { .. })),
                Poll::Pending => panic!("its time is up"),
            }
        });
        holder.increment();
        drop(holder);
        waiter.join().unwrap();
        assert_free_after(&lock, written.load(Ordering::Relaxed));
    });
}

#[test]
fn whoever_stands_behind_gets_the_lock_when_a_deadline_passes_against_the_grant() {
    let clock = stopped_clock();
    let _timers = clock.enter();
    within(2, "deadline against grant, another waits", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let waiters = together(
            &lock,
            [|lock| {
                let request = pin!(lock.shared().priority(Priority::HIGHEST).deadline(Instant::now()));
                assert!(poll_once(request).is_ready());
            }],
        );
        let mut behind = pin!(lock.exclusive());
        assert!(poll_once(behind.as_mut()).is_pending());
        drop(holder);
        block_on(behind).unwrap().increment();
        join(waiters);
        assert_free_after(&lock, 1);
    });
}

#[test]
fn an_upgrade_against_a_writer_that_arrives_is_before_or_behind_it() {
    within(3, "upgrade against an arriving writer", || {
        let lock = lock();
        let sharer = lock.try_shared().unwrap();
        let writer = together(&lock, [write]);
        let upgraded = match sharer.try_upgrade() {
            Ok(owner) => {
                owner.increment();
                1
            }
            Err(sharer) => sharer.read(), // 0: the writer waits for this sharer.
        };
        join(writer);
        assert_free_after(&lock, upgraded + 1);
    });
}

#[test]
fn an_upgrade_against_a_sharer_that_leaves_is_ordered_after_its_reading() {
    in_full("upgrade against a leaving sharer", || {
        let lock = lock();
        let other = Arc::clone(&lock).try_shared_owned().unwrap();
        let sharer = lock.try_shared().unwrap();
        let leaves = thread::spawn(move || {
            other.read();
            drop(other);
        });
        let upgraded = match sharer.try_upgrade() {
            Ok(owner) => {
                owner.increment();
                1
            }
            Err(sharer) => sharer.read(),
        };
        leaves.join().unwrap();
        assert_free_after(&lock, upgraded);
    });
}

#[test]
fn an_upgrade_against_a_waiter_that_changes_its_waker_does_not_pass_it() {
    within(4, "upgrade against another waker", || {
        let lock = lock();
        let sharer = lock.try_shared().unwrap();
        let mut waiter = Box::pin(Arc::clone(&lock).exclusive_owned());
        assert!(poll_once(waiter.as_mut()).is_pending());
        let waits = thread::spawn(move || {
            block_on(std::future::poll_fn(|context: &mut Context<'_>| {
                assert!(waiter.as_mut().poll(context).is_pending(), "the sharer does not leave before this is over");
                Poll::Ready(())
            }));
            waiter
        });
        let Err(sharer) = sharer.try_upgrade() else { panic!("it went past the waiter") };
        let waiter = waits.join().unwrap();
        assert_eq!(sharer.read(), 0);
        drop(sharer);
        block_on(waiter).unwrap().increment();
        assert_free_after(&lock, 1);
    });
}

#[test]
fn neighbours_that_give_up_at_once_leave_the_third_its_turn() {
    within(3, "give up against giving up", || {
        let lock = lock();
        let holder = lock.try_shared().unwrap(); // Held to the end: only giving up lets the sharer in.
        let (mut one, mut other) = (Box::pin(Arc::clone(&lock).exclusive_owned()), Box::pin(lock.exclusive()));
        let mut sharer = Box::pin(lock.shared());
        assert!(poll_once(one.as_mut()).is_pending() && poll_once(other.as_mut()).is_pending());
        assert!(poll_once(sharer.as_mut()).is_pending());
        let gives_up = thread::spawn(move || drop(one));
        drop(other);
        assert_eq!(block_on(sharer).unwrap().read(), 0);
        gives_up.join().unwrap();
        drop(holder);
        assert_free_after(&lock, 0);
    });
}

#[test]
fn giving_up_against_a_deletion_leaves_the_lock_deleted() {
    in_full("give up against delete", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let gives_up = together(
            &lock,
            [|lock| {
                let mut request = Box::pin(lock.shared());
                if let Poll::Ready(outcome) = poll_once(request.as_mut()) {
                    assert_eq!(outcome.err(), Some(AcquireError::Deleted));
                }
            }],
        );
        holder.delete();
        join(gives_up);
        assert!(lock.try_shared().is_err());
    });
}

#[test]
fn a_sharer_that_leaves_and_comes_back_as_it_is_granted_is_counted_right() {
    within(3, "leave and come back in mid-grant", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let mut member = Box::pin(Arc::clone(&lock).shared_owned());
        assert!(poll_once(member.as_mut()).is_pending());
        let comes_back = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                look_once(member);
                assert_eq!(read(&lock), 1);
            }
        });
        holder.increment();
        drop(holder);
        comes_back.join().unwrap();
        assert_free_after(&lock, 1);
    });
}
