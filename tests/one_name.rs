//! One name of a set, compared with one lock: the same rule, and the one promised difference.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{LockSet, Priority, SharedLock};
use lockladder_test_support::requests::{granted, waiting};
use tokio_test::assert_pending;

#[test]
fn of_one_lock_a_group_keeps_its_place_when_its_first_sharer_gives_up() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let first = waiting(lock.shared());
    let mut exclusive = waiting(lock.exclusive());
    let second = waiting(lock.shared());

    drop(first);

    drop(holder);
    let second = granted(second);
    assert_pending!(exclusive.poll());
    drop(second);
    drop(granted(exclusive));
}

#[test]
fn of_one_name_the_next_sharer_stands_at_its_own_place_when_the_first_of_its_group_gives_up() {
    let set: LockSet<String> = LockSet::new(["a"]);
    let holder = set.try_exclusive("a").unwrap();
    let first = waiting(set.shared("a"));
    let exclusive = waiting(set.exclusive("a"));
    let mut second = waiting(set.shared("a"));

    drop(first);

    drop(holder);
    let exclusive = granted(exclusive);
    assert_pending!(second.poll());
    drop(exclusive);
    drop(granted(second));
}

#[test]
fn of_one_lock_a_group_keeps_its_place_when_its_first_sharer_moves() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut first = waiting(lock.shared());
    let mut exclusive = waiting(lock.exclusive());
    let second = waiting(lock.shared());

    first.enter(|_, first| first.set_priority(Priority::new(5)));

    drop(holder);
    let second = granted(second);
    assert_pending!(exclusive.poll());
    assert_pending!(first.poll());
    drop(second);
    drop(granted(exclusive));
    drop(granted(first));
}

#[test]
fn of_one_name_the_next_sharer_stands_at_its_own_place_when_the_first_of_its_group_moves() {
    let set: LockSet<String> = LockSet::new(["a"]);
    let holder = set.try_exclusive("a").unwrap();
    let mut first = waiting(set.shared("a"));
    let exclusive = waiting(set.exclusive("a"));
    let mut second = waiting(set.shared("a"));

    first.enter(|_, first| first.set_priority(Priority::new(5)));

    drop(holder);
    let exclusive = granted(exclusive);
    assert_pending!(second.poll());
    drop(exclusive);
    drop((granted(second), granted(first)));
}

#[test]
fn of_both_a_sharer_that_arrives_joins_the_group_that_waits() {
    let (lock, set) = (SharedLock::new(()), LockSet::<String>::new(["a"]));
    let holders = (lock.try_exclusive().unwrap(), set.try_exclusive("a").unwrap());
    let first = (waiting(lock.shared()), waiting(set.shared("a")));
    let mut exclusive = (waiting(lock.exclusive()), waiting(set.exclusive("a")));
    let second = (waiting(lock.shared()), waiting(set.shared("a")));

    drop(holders);

    let held = (granted(first.0), granted(first.1), granted(second.0), granted(second.1));
    assert_pending!(exclusive.0.poll());
    assert_pending!(exclusive.1.poll());
    drop(held);
    drop((granted(exclusive.0), granted(exclusive.1)));
}
