//! The limit that no program reaches: the most sharers that a lock can count.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::queue::{Node, Phase};
use super::state::MAX_SHARERS;
use super::*;
use crate::mode::LockMode;
use crate::priority::Priority;
use std::task::Waker;
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

#[test]
fn room_that_a_sharer_makes_before_a_batch_is_counted_is_used_up() {
    let lock = shared_by(MAX_SHARERS - 2);
    let leaves = lock.try_shared().unwrap();
    let node = || Box::pin(Node::new(LockMode::Shared, Priority::default(), Waker::noop().clone()));
    let (first, second) = (node(), node());
    let mut section = lock.raw.inner.enter();
    section.queue(|queue| queue.push(first.as_ref()));
    section.queue(|queue| queue.push(second.as_ref()));

    drop(leaves); // The section cannot see this, and has room for one request only.
    section.settle();

    assert_eq!((first.phase(), second.phase()), (Phase::Granted, Phase::Granted));
    assert!(lock.raw.look().is_full() && !lock.raw.look().is_queued());
}

#[test]
fn room_that_a_sharer_makes_before_a_request_is_seen_to_wait_is_used_up() {
    let lock = shared_by(MAX_SHARERS - 1);
    let leaves = lock.try_shared().unwrap();
    let node = Box::pin(Node::new(LockMode::Shared, Priority::default(), Waker::noop().clone()));
    let mut section = lock.raw.inner.enter(); // The request found room, and comes to the queue of a full lock.
    section.queue(|queue| queue.push(node.as_ref()));

    drop(leaves); // It sees no request that waits, and the section does not see it leave.
    section.settle();

    assert_eq!(node.phase(), Phase::Granted);
}
