//! The edge that no program reaches: as many sharers as a lock can count.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::state::MAX_SHARERS;
use super::*;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};

fn shared_by(sharers: usize) -> SharedLock {
    SharedLock { raw: Raw::shared_by(sharers), value: UnsafeCell::new(()) }
}

#[test]
fn one_sharer_too_many_is_an_error_and_nothing_wraps() {
    let lock = shared_by(MAX_SHARERS - 1);
    let last = lock.try_shared().unwrap();
    assert_eq!(lock.try_shared().unwrap_err(), TryAcquireError::TooManySharers);
    assert_eq!(assert_ready_err!(task::spawn(lock.shared()).poll()), AcquireError::TooManySharers);
    assert_eq!(lock.try_exclusive().unwrap_err(), TryAcquireError::WouldBlock);
    drop(last);
    assert!(lock.try_shared().is_ok());
    assert_eq!(lock.raw.look().sharers(), MAX_SHARERS - 1);
}

#[test]
fn a_group_that_does_not_fit_is_granted_as_sharers_leave() {
    let lock = shared_by(MAX_SHARERS - 1);
    let mut head = task::spawn(lock.exclusive());
    assert_pending!(head.poll());
    let (mut first, mut second) = (task::spawn(lock.shared()), task::spawn(lock.shared()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(head);
    assert!(first.is_woken() && !second.is_woken());
    drop(assert_ready_ok!(first.poll()));
    assert!(second.is_woken());
    drop(assert_ready_ok!(second.poll()));
    assert_eq!(lock.raw.look().sharers(), MAX_SHARERS - 1);
}
