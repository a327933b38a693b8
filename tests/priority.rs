//! Priorities: the fairness rule between requests of different priorities, and requests that change theirs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{Exclusive, Mode, Priority, Shared, SharedLock, futures::Acquire};
use lockladder_test_support::requests::{granted, poll, poll_once, waiting};
use lockladder_test_support::wakers::on_wake;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok};

type Waiting<'l, M> = Spawn<Acquire<&'l SharedLock, M>>;

fn exclusive(lock: &SharedLock, priority: i8) -> Waiting<'_, Exclusive> {
    waiting(lock.exclusive().priority(Priority::new(priority)))
}

fn shared(lock: &SharedLock, priority: i8) -> Waiting<'_, Shared> {
    waiting(lock.shared().priority(Priority::new(priority)))
}

fn set_priority<M: Mode>(request: &mut Waiting<'_, M>, priority: i8) {
    request.enter(|_, request| request.set_priority(Priority::new(priority)));
}

#[test]
fn the_more_urgent_request_is_granted_first() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (late, default, urgent) = (exclusive(&lock, 19), exclusive(&lock, 0), exclusive(&lock, -20));
    drop(held);
    for request in [urgent, default, late] {
        drop(granted(request));
    }
}

#[test]
fn requests_of_one_priority_are_granted_in_order_of_arrival() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (b1, a1, b2, a2) = (exclusive(&lock, 5), exclusive(&lock, 3), exclusive(&lock, 5), exclusive(&lock, 3));
    drop(held);
    for request in [a1, a2, b1, b2] {
        drop(granted(request));
    }
}

#[test]
fn each_priority_has_its_own_group_of_sharers() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (s0, x0, s5, t0, t5) =
        (shared(&lock, 0), exclusive(&lock, 0), shared(&lock, 5), shared(&lock, 0), shared(&lock, 5));
    drop(held);
    let group = (granted(s0), granted(t0));
    assert!(!x0.is_woken() && !s5.is_woken() && !t5.is_woken());
    drop(group);
    let alone = granted(x0);
    assert!(!s5.is_woken());
    drop(alone);
    assert!(s5.is_woken() && t5.is_woken());
    drop(granted(s5));
}

#[test]
fn sharers_of_several_priorities_run_together_if_nothing_exclusive_stands_between() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (s0, s5, x7, s9) = (shared(&lock, 0), shared(&lock, 5), exclusive(&lock, 7), shared(&lock, 9));
    drop(held);
    let _both = (granted(s0), granted(s5));
    assert!(!x7.is_woken() && !s9.is_woken());
}

#[test]
fn a_newcomer_passes_those_who_are_less_urgent() {
    let lock = SharedLock::new(());
    let sharer = lock.try_shared().unwrap();
    let patient = exclusive(&lock, 1);
    let newcomer = assert_ready_ok!(task::spawn(lock.shared()).poll());
    assert!(lock.try_shared().is_ok(), "a `try_` asks with the default priority");
    assert_pending!(task::spawn(lock.shared().priority(Priority::new(1))).poll(), "equal priority waits");
    drop((sharer, newcomer));
    assert!(patient.is_woken());
}

#[test]
fn a_newcomer_waits_for_those_who_are_as_urgent() {
    let lock = SharedLock::new(());
    let _sharer = lock.try_shared().unwrap();
    let _waiting = exclusive(&lock, 0);
    assert!(lock.try_shared().is_err());
    assert_pending!(task::spawn(lock.shared()).poll());
    let _urgent = assert_ready_ok!(task::spawn(lock.shared().priority(Priority::new(-1))).poll());
}

#[test]
fn a_request_that_becomes_more_urgent_moves_at_once() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (first, second, mut third) = (exclusive(&lock, 0), exclusive(&lock, 0), exclusive(&lock, 0));
    set_priority(&mut third, -1);
    drop(held);
    for request in [third, first, second] {
        drop(granted(request));
    }
}

#[test]
fn the_same_priority_is_the_same_place() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (mut first, mut sharer, last) = (exclusive(&lock, 0), shared(&lock, 0), exclusive(&lock, 0));
    set_priority(&mut first, 0);
    set_priority(&mut sharer, 0);
    drop(held);
    drop(granted(first));
    drop(granted(sharer));
    drop(granted(last));
}

#[test]
fn a_request_that_changes_its_priority_stands_behind_those_of_the_new_one() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (mut first, second, third) = (exclusive(&lock, 0), exclusive(&lock, 5), exclusive(&lock, 0));
    set_priority(&mut first, 5);
    drop(held);
    for request in [third, second, first] {
        drop(granted(request));
    }
}

#[test]
fn an_exclusive_request_that_becomes_less_urgent_lets_the_sharers_behind_it_run() {
    let lock = SharedLock::new(());
    let _sharer = lock.try_shared().unwrap();
    let mut head = exclusive(&lock, 0);
    let behind = shared(&lock, 0);
    set_priority(&mut head, 1);
    let _runs = granted(behind);
    assert!(!head.is_woken());
}

#[test]
fn a_sharer_that_changes_its_priority_joins_the_group_there() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (s0, x0, mut s5) = (shared(&lock, 0), exclusive(&lock, 0), shared(&lock, 5));
    set_priority(&mut s5, 0);
    drop(held);
    let group = (granted(s0), granted(s5));
    assert!(!x0.is_woken());
    drop(group);
    drop(granted(x0));
}

#[test]
fn a_priority_set_before_the_first_poll_counts() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let default = exclusive(&lock, 0);
    let mut urgent = task::spawn(lock.exclusive());
    set_priority(&mut urgent, -5);
    assert_pending!(urgent.poll());
    drop(held);
    drop(granted(urgent));
    assert!(default.is_woken());
}

#[test]
fn a_granted_request_keeps_its_grant_whatever_its_priority_becomes() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (mut granted, other) = (exclusive(&lock, 0), exclusive(&lock, 0));
    drop(held);
    set_priority(&mut granted, 19);
    assert!(!other.is_woken());
    let _guard = assert_ready_ok!(granted.poll());
}

#[test]
fn setting_a_priority_after_the_end_does_nothing() {
    let lock = SharedLock::new(());
    let mut request = pin!(lock.exclusive());
    let _guard = poll_once(request.as_mut());
    request.as_mut().set_priority(Priority::LOWEST);
}

#[test]
fn a_downgrade_takes_the_group_of_the_most_urgent_priority_along() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (x0, s0, s5) = (exclusive(&lock, 0), shared(&lock, 0), shared(&lock, 5));
    let _held = held.downgrade();
    let _along = granted(s0);
    assert!(!x0.is_woken() && !s5.is_woken());
}

#[test]
fn an_urgent_request_does_not_split_a_group_that_is_being_granted() {
    let lock = Arc::new(SharedLock::new(()));
    let urgent = Arc::new(Mutex::new(Box::pin(Arc::clone(&lock).exclusive_owned().priority(Priority::HIGHEST))));
    // The group is granted in batches: when its first member is woken, most members have not been granted yet.
    let queue_urgently = {
        let urgent = Arc::clone(&urgent);
        move || assert_pending!(poll_once(urgent.lock().unwrap().as_mut()))
    };
    let held = lock.try_exclusive().unwrap();
    let mut first = pin!(lock.shared());
    assert_pending!(poll(first.as_mut(), &on_wake(queue_urgently)));
    let members: Vec<_> = (0..100).map(|_| shared(&lock, 0)).collect();
    drop(held);
    assert!(members.iter().all(Spawn::is_woken), "the group passes as a whole");
    let mut newcomer = task::spawn(lock.shared());
    assert_pending!(newcomer.poll(), "and whoever comes now waits for the urgent one");
}

#[test]
fn an_urgent_delete_goes_first() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let mut other = exclusive(&lock, 0);
    let mut delete = task::spawn(lock.delete().priority(Priority::new(-1)));
    assert_pending!(delete.poll());
    drop(held);
    assert_ready_ok!(delete.poll());
    assert_ready_err!(other.poll());
}

#[test]
#[should_panic(expected = "a priority is outside of -20..=19")]
fn a_priority_that_is_none_panics() {
    let _ = Priority::new(20);
}

#[test]
fn priorities_convert_with_an_error_that_names_the_number() {
    assert_eq!(Priority::try_from(-20), Ok(Priority::HIGHEST));
    assert_eq!(i8::from(Priority::LOWEST), 19);
    for number in [-21, 20, 1_000, i64::MIN] {
        assert_eq!(Priority::try_from(number).unwrap_err().0, number);
    }
}
