//! Open sets: a name exists while it is held or waited for, never twice, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{OpenSet, SetError};
use lockladder_test_support::requests::poll_once;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use tokio::task::yield_now;
use tokio_test::{assert_pending, assert_ready_ok, block_on, task};

#[test]
fn a_name_exists_while_it_is_held_or_waited_for() {
    let set: OpenSet<String> = OpenSet::new();
    let unpolled = set.exclusive("a");
    assert!(set.names().is_empty(), "nothing before the first poll");
    let guard = block_on(set.exclusive(["b", "a", "b"])).unwrap();
    assert_eq!((guard.len(), set.names()), (2, vec!["a".to_owned(), "b".to_owned()]));
    let mut waiter = task::spawn(set.shared(["b", "c"]));
    assert_pending!(waiter.poll());
    assert_eq!(set.names(), ["a", "b", "c"]);
    drop(guard);
    assert_eq!(set.names(), ["b", "c"]);
    drop(assert_ready_ok!(waiter.poll()));
    drop(unpolled);
    assert!(set.names().is_empty());
    assert_eq!(format!("{set:?}"), "{}");
}

#[test]
fn two_of_one_name_exclude_each_other_and_others_do_not() {
    let set: Arc<OpenSet<u64>> = Arc::default();
    let one = block_on(Arc::clone(&set).exclusive_owned(1)).unwrap();
    assert!(matches!(set.try_shared(1), Err(SetError::WouldBlock { names, .. }) if names == [1]));
    drop(set.try_exclusive([2, 3]).unwrap());
    assert_eq!(set.names(), [1], "a try that fails leaves no name");
    let mut part = one;
    part.release(1).unwrap();
    assert!(set.names().is_empty(), "nor does a part that is given back");
    drop(part);
    let sharers = (set.try_shared(1).unwrap(), Arc::clone(&set).try_shared_owned([1, 2]).unwrap());
    assert!(Arc::clone(&set).try_exclusive_owned(2).is_err());
    drop(sharers);
    assert!(set.names().is_empty());
}

#[test]
fn a_value_lives_as_long_as_its_name_is_in_use() {
    let set: OpenSet<&'static str, u32> = OpenSet::new();
    let mut guard = block_on(set.exclusive(["a"])).unwrap();
    guard[&"a"] = 7;
    let mut next = task::spawn(set.shared(["a"]));
    assert_pending!(next.poll());
    drop(guard);
    let next = assert_ready_ok!(next.poll());
    assert_eq!(next[&"a"], 7);
    drop(next);
    assert_eq!(block_on(set.shared(["a"])).unwrap()[&"a"], 0);
}

#[test]
fn part_of_the_names_and_at_least_so_many_leave_none_behind() {
    let set: OpenSet<u8> = OpenSet::new();
    let held = block_on(set.exclusive([1, 2])).unwrap();
    let free = block_on(set.exclusive([1, 2, 3]).opportunistic()).unwrap();
    assert_eq!(free.names(), [&3]);
    let mut some = task::spawn(set.exclusive([1, 2, 3, 4]).at_least(2));
    assert_pending!(some.poll());
    assert_eq!(set.names(), [1, 2, 3, 4]);
    drop(free);
    let some = assert_ready_ok!(some.poll());
    assert_eq!(some.names(), [&3, &4]);
    drop((held, some));
    assert!(set.names().is_empty());
}

/// Polls a future up to `polls` times, then drops it in the state it is in.
fn dropped_after<F: Future>(future: F, polls: usize) {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        if poll_once(future.as_mut()).is_ready() {
            break;
        }
    }
}

#[test]
fn a_storm_of_a_million_names_leaves_nothing_behind() {
    let set: OpenSet<u32> = OpenSet::new();
    let held = block_on(set.exclusive([0, 1])).unwrap();
    for round in 0..50_000_u32 {
        let new = 2 + 20 * round..22 + 20 * round;
        let names: Vec<u32> = new.clone().collect();
        match round % 5 {
            0 => drop(block_on(set.exclusive(names)).unwrap()),
            1 => dropped_after(set.shared(names), 0), // unpolled
            2 => dropped_after(set.exclusive(new.chain([0]).collect::<Vec<_>>()), 2), // queued
            3 => dropped_after(set.shared(new.chain([1]).collect::<Vec<_>>()).at_least(21), 1),
            _ => {
                let holder = block_on(set.exclusive(names[7])).unwrap();
                let mut waiter = task::spawn(set.exclusive(&names));
                assert_pending!(waiter.poll());
                drop(holder);
                drop(waiter); // granted, and never claimed
            }
        }
    }
    assert_eq!(set.names(), [0, 1]);
    drop(held);
    assert!(set.names().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_never_has_two_holders_though_it_comes_and_goes() {
    const NAMES: usize = 4;
    let set: Arc<OpenSet<usize, AtomicIsize>> = Arc::default();
    let inside: Arc<[AtomicUsize; NAMES]> = Arc::default();
    let tasks = (0..8_usize).map(|mut dice| {
        let (set, inside) = (Arc::clone(&set), Arc::clone(&inside));
        tokio::spawn(async move {
            for round in 0..4_000_usize {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (one, other) = ((dice >> 33) % NAMES, (dice >> 40) % NAMES);
                if round % 7 == 0 {
                    dropped_after(set.exclusive([one, other]), round % 3);
                    continue;
                }
                let guard = set.exclusive([one, other]).await.unwrap();
                for name in guard.names() {
                    assert_eq!(inside[*name].fetch_add(1, Ordering::Relaxed), 0, "two holders of {name}");
                }
                if round % 3 == 0 {
                    yield_now().await;
                }
                for name in guard.names() {
                    inside[*name].fetch_sub(1, Ordering::Relaxed);
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert!(set.names().is_empty());
}
