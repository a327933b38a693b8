//! Deleting a lock takes an exclusive hold; every request, waiting or later, learns that the lock is gone.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{AcquireError, Exclusive, SharedLock, TryAcquireError};
use std::sync::Arc;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready, assert_ready_eq, assert_ready_err, assert_ready_ok};

const DELETED: Result<(), AcquireError> = Err(AcquireError::Deleted);

/// More requests than are told under one locking of the queue.
const CROWD: usize = 100;

#[test]
fn everyone_who_waits_for_a_guard_that_deletes_is_woken_and_learns_it() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let (mut sharer, mut exclusive) = (task::spawn(lock.shared()), task::spawn(lock.exclusive()));
    let mut delete = task::spawn(lock.delete());
    assert_pending!(sharer.poll());
    assert_pending!(exclusive.poll());
    assert_pending!(delete.poll());

    holder.delete();

    assert!(sharer.is_woken() && exclusive.is_woken() && delete.is_woken());
    assert_eq!(assert_ready_err!(sharer.poll()), AcquireError::Deleted);
    assert_eq!(assert_ready_err!(exclusive.poll()), AcquireError::Deleted);
    assert_ready_eq!(delete.poll(), DELETED);
}

#[test]
fn everyone_behind_a_delete_that_waits_learns_it_when_it_has_had_its_turn() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut before = task::spawn(lock.exclusive());
    assert_pending!(before.poll());
    let mut delete = task::spawn(lock.delete());
    assert_pending!(delete.poll());
    let mut behind = task::spawn(lock.shared());
    assert_pending!(behind.poll());

    drop(holder);
    drop(assert_ready_ok!(before.poll())); // It came first, so it still got the lock.
    assert_pending!(behind.poll());
    assert_ready_ok!(delete.poll());

    assert!(behind.is_woken());
    assert_eq!(assert_ready_err!(behind.poll()), AcquireError::Deleted);
}

#[test]
fn a_delete_waits_for_every_sharer() {
    let lock = SharedLock::new(());
    let sharers = (lock.try_shared().unwrap(), lock.try_shared().unwrap());
    let mut delete = task::spawn(lock.delete());
    assert_pending!(delete.poll());
    drop(sharers.0);
    assert!(!delete.is_woken());
    drop(sharers.1);
    assert!(delete.is_woken());
    assert_ready_ok!(delete.poll());
}

#[test]
fn a_crowd_that_waits_learns_of_the_deletion_as_a_whole() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut exclusive: Vec<_> = (0..CROWD).map(|_| task::spawn(lock.exclusive())).collect();
    let mut sharers: Vec<_> = (0..CROWD).map(|_| task::spawn(lock.shared())).collect();
    for (exclusive, sharer) in exclusive.iter_mut().zip(&mut sharers) {
        assert_pending!(exclusive.poll());
        assert_pending!(sharer.poll());
    }

    holder.delete();

    assert!(exclusive.iter().all(Spawn::is_woken) && sharers.iter().all(Spawn::is_woken));
    for (exclusive, sharer) in exclusive.iter_mut().zip(&mut sharers) {
        assert_eq!(assert_ready_err!(exclusive.poll()), AcquireError::Deleted);
        assert_eq!(assert_ready_err!(sharer.poll()), AcquireError::Deleted);
    }
}

#[test]
fn everyone_who_comes_later_is_refused_at_once() {
    let lock = Arc::new(SharedLock::new(()));
    assert_ready_ok!(task::spawn(lock.delete()).poll());

    assert_eq!(lock.try_shared().unwrap_err(), TryAcquireError::Deleted);
    assert_eq!(lock.try_exclusive().unwrap_err(), TryAcquireError::Deleted);
    assert_eq!(Arc::clone(&lock).try_shared_owned().unwrap_err(), TryAcquireError::Deleted);
    assert_eq!(assert_ready_err!(task::spawn(lock.shared()).poll()), AcquireError::Deleted);
    assert_eq!(assert_ready_err!(task::spawn(lock.exclusive()).poll()), AcquireError::Deleted);
    let mut work = task::spawn(lock.synchronized(Exclusive, async |()| unreachable!("there is no lock to hold")));
    assert_eq!(assert_ready!(work.poll()), DELETED);
}

#[test]
fn deleting_a_deleted_lock_says_that_it_is_deleted() {
    let lock = SharedLock::new(());
    assert_ready_ok!(task::spawn(lock.delete()).poll());
    assert_ready_eq!(task::spawn(lock.delete()).poll(), DELETED);
}

#[test]
fn a_delete_that_is_dropped_before_it_resolves_deletes_nothing() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut delete = task::spawn(lock.delete());
    assert_pending!(delete.poll());
    let mut behind = task::spawn(lock.shared());
    assert_pending!(behind.poll());

    drop(delete);

    let behind = assert_ready_ok!(behind.poll());
    drop((holder, behind));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn a_request_that_learned_of_the_deletion_can_be_dropped_instead_of_polled() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut told = task::spawn(lock.exclusive());
    assert_pending!(told.poll());
    holder.delete();
    drop(told); // It was granted nothing, so there is nothing to give back.
    assert_eq!(lock.try_exclusive().unwrap_err(), TryAcquireError::Deleted);
}

#[test]
fn the_value_of_a_deleted_lock_can_still_be_had_by_its_owner() {
    let mut lock = SharedLock::new(7);
    let mut guard = lock.try_exclusive().unwrap();
    *guard += 1;
    guard.delete();
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 9);
}

#[test]
fn the_message_says_that_waiting_longer_will_not_help() {
    let message = "the lock has been deleted: it can no longer be acquired; use another one";
    assert_eq!(AcquireError::Deleted.to_string(), message);
    assert_eq!(TryAcquireError::Deleted.to_string(), message);
}
