//! The bugs of the locks that these descend from; a test named after each shows that it is absent.
//!
//! `B` numbers are bugs of the seed, Ganeti's locking library of December 2008. `L` numbers are bugs that its last
//! version still has. Those without numbers came later and were fixed; only the convoy never was.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Instance, Seed};
use lockladder::{AddError, All, LockManager, LockSet, SessionError, SetError, SharedLock};
use lockladder_test_support::small::abc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, block_on, task};

/// The seed sorted the caller's own list.
#[test]
fn b1_the_callers_list_keeps_its_order() {
    let names = vec!["c", "a", "b", "a"];
    let set = abc();
    let guard = block_on(set.exclusive(&names)).unwrap();
    assert_eq!(guard.names(), ["a", "b", "c"]);
    assert_eq!(names, ["c", "a", "b", "a"]);
}

/// The seed could swallow the error of one member and return the others as a success.
#[test]
fn b3_one_member_that_fails_fails_the_whole_request() {
    let set = abc();
    let mut b = block_on(set.exclusive("b")).unwrap();
    let mut request = task::spawn(set.shared(["a", "b", "c"]));
    assert_pending!(request.poll());
    b.remove("b").unwrap();
    assert_eq!(assert_ready_err!(request.poll()), SetError::Deleted { name: "b".to_owned() });
}

/// In the seed, members acquired before a failure could stay locked.
#[test]
fn b4_nothing_stays_locked_after_a_failure() {
    let set = abc();
    let mut c = block_on(set.exclusive("c")).unwrap();
    let mut request = task::spawn(set.exclusive(["a", "b", "c"]));
    assert_pending!(request.poll());
    c.remove("c").unwrap();
    assert_ready_err!(request.poll());
    drop(assert_ready_ok!(task::spawn(set.exclusive(["a", "b"])).poll()));
}

/// In the seed, a failed acquisition of the whole set left its owner marked: `add` and a second try failed an assertion.
#[test]
fn b5_a_whole_set_acquisition_that_ends_early_leaves_no_trace() {
    let set = abc();
    let b = block_on(set.exclusive("b")).unwrap();
    let mut whole = task::spawn(set.exclusive(All));
    assert_pending!(whole.poll());
    drop(whole);
    assert_ready_ok!(task::spawn(set.add("x")).poll());
    drop(b);
    let again = assert_ready_ok!(task::spawn(set.exclusive(All)).poll());
    assert_eq!(again.names(), ["a", "b", "c", "x"]);
}

/// The seed removed names one by one, and failed at the second `a`, because the first had removed it.
#[test]
fn b6_a_name_repeated_in_a_removal_is_removed_once() {
    let set = abc();
    let mut guard = block_on(set.exclusive(["a", "b"])).unwrap();
    guard.remove(["a", "a", "b"]).unwrap();
    assert_eq!(set.names(), ["c"]);
    drop(guard);
    assert_eq!(block_on(set.remove(["c", "c", "nope"])).unwrap(), ["c"]);
}

/// The seed asked `BGL in names`, which searches a string for a substring. Here the root is a type, and has no name
/// that another name could contain.
#[test]
fn b7_a_name_is_compared_as_a_whole_and_none_means_the_root() {
    let manager: LockManager<Seed> = LockManager::builder().names::<Instance>(["BGL", "BGL-mirror", "Cluster"]).build();
    block_on(async {
        let job = manager.shared("job").await.unwrap().exclusive::<Instance>("BGL").await.unwrap();
        assert_eq!(job.owned::<Instance>().names(), ["BGL"]);
        let other = manager.shared("other").await.unwrap().exclusive::<Instance>("BGL-mirror").await;
        assert_eq!(other.unwrap().owned::<Instance>().names(), ["BGL-mirror"]);
        let part = manager.shared("part").await.unwrap().shared::<Instance>("BG").await;
        assert_eq!(part.unwrap_err(), SessionError::Unknown { level: "Instance", name: "BG".to_owned() });
        let _another_root = manager.shared("a job that named its instance `Cluster`").await.unwrap();
    });
}

/// In the seed, a waiter that died between its wake and taking the lock left it free while other waiters slept.
#[test]
fn b10_a_request_dropped_after_it_was_woken_wakes_the_next() {
    let lock = SharedLock::new(());
    let guard = block_on(lock.exclusive()).unwrap();
    let (mut first, mut second) = (task::spawn(lock.exclusive()), task::spawn(lock.shared()));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(guard);
    assert!(first.is_woken() && !second.is_woken());
    drop(first);
    assert!(second.is_woken());
    drop(assert_ready_ok!(second.poll()));
}

/// The seed accepted the repetition, and made two locks for one name.
#[test]
fn b11_a_name_repeated_in_an_addition_is_refused() {
    let set = abc();
    let repeated = AddError::Repeated { names: vec!["x".to_owned()] };
    assert_eq!(block_on(set.add(["x", "y", "x", "x"])).unwrap_err(), repeated);
    assert_eq!(block_on(set.add_exclusive(["x", "x"])).unwrap_err(), repeated);
    let mut whole = block_on(set.exclusive(All)).unwrap();
    assert_eq!(whole.add_held(["x", "x"]).unwrap_err(), repeated);
    assert_eq!(set.names(), ["a", "b", "c"]);
}

/// A decision: a request means the lock that the name had when it asked. A lock added later under the same name is
/// another lock, for another thing. The waiter learns that its own lock is gone, and can look again.
#[test]
fn b14_a_waiter_on_a_name_that_is_removed_and_added_again_learns_that_its_lock_is_gone() {
    let set = abc();
    let mut a = block_on(set.exclusive("a")).unwrap();
    let mut waiter = task::spawn(set.shared("a"));
    assert_pending!(waiter.poll());
    a.remove("a").unwrap();
    assert_ready_ok!(task::spawn(set.add("a")).poll());
    assert_eq!(assert_ready_err!(waiter.poll()), SetError::Deleted { name: "a".to_owned() });
    drop(assert_ready_ok!(task::spawn(set.shared("a")).poll()));
}

/// L1: an exclusive request that timed out woke no other. A sharer behind it slept on, although it could have run.
#[tokio::test(start_paused = true)]
async fn l1_a_sharer_behind_an_exclusive_request_that_times_out_runs_at_once() {
    let lock = SharedLock::new(());
    let begin = Instant::now();
    let at = |tenths: u32| begin + Duration::from_millis(100) * tenths;
    let first_sharer = async {
        let _s0 = lock.shared().await.unwrap();
        sleep_until(at(22)).await;
    };
    let exclusive = lock.exclusive().deadline(at(5));
    let second_sharer = async {
        let _s1 = lock.shared().await.unwrap();
        Instant::now()
    };
    let ((), timed_out, ran) = tokio::join!(first_sharer, exclusive, second_sharer);
    assert!(timed_out.is_err());
    assert_eq!(ran, at(5), "not only when the first sharer leaves, after 2.2 s");
}

/// L2: overlapping sharers starved a sharer and an exclusive request behind a request that had timed out.
#[tokio::test(start_paused = true)]
async fn l2_overlapping_sharers_starve_nobody_behind_a_request_that_timed_out() {
    let lock = SharedLock::new(());
    let mut sharers = vec![lock.shared().await.unwrap()];
    let mut timing_out = task::spawn(lock.exclusive().timeout(Duration::from_millis(500)));
    assert_pending!(timing_out.poll());
    let (mut sharer, mut exclusive) = (task::spawn(lock.shared()), task::spawn(lock.exclusive()));
    assert_pending!(sharer.poll());
    assert_pending!(exclusive.poll());
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_ready_err!(timing_out.poll());
    sharers.push(assert_ready_ok!(sharer.poll()));
    for _ in 0..100 {
        let mut newcomer = task::spawn(lock.shared());
        assert_pending!(newcomer.poll(), "a newcomer passes the exclusive request: sharers without end keep it out");
    }
    drop(sharers);
    drop(assert_ready_ok!(exclusive.poll()));
}

/// The timeout of a set did not apply to the lock of the whole set, so a request could wait forever for that.
#[tokio::test(start_paused = true)]
async fn later_a_deadline_counts_for_the_lock_of_the_whole_set_too() {
    let set = abc();
    let _whole = set.exclusive(All).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_secs(1), set.shared(All));
    assert!(waiting.await.is_err());
}

/// The whole set was locked in the order of a hash table, which deadlocked with other requests. Here it is granted at
/// once, and its request holds nothing while it waits.
#[test]
fn later_the_whole_set_holds_nothing_while_it_waits() {
    let set = abc();
    let b = block_on(set.exclusive("b")).unwrap();
    let mut whole = task::spawn(set.exclusive(All));
    assert_pending!(whole.poll());
    drop(assert_ready_ok!(task::spawn(set.exclusive(["a", "c"])).poll()));
    drop(b);
    assert_eq!(assert_ready_ok!(whole.poll()).names(), ["a", "b", "c"]);
}

/// Never solved: B holds 1 to 3 while it waits for 4, so C, which needs only 1, waits for the holder of 4.
#[test]
fn the_convoy_c_runs_while_b_waits() {
    let set: LockSet<u32> = (1..=4).collect();
    let a = block_on(set.exclusive(4)).unwrap();
    let mut b = task::spawn(set.exclusive([1, 2, 3, 4]));
    assert_pending!(b.poll());
    let c = assert_ready_ok!(task::spawn(set.exclusive(1)).poll());
    drop((a, c));
    assert!(b.is_woken());
    drop(assert_ready_ok!(b.poll()));
}

/// A sharer could join a group that had already been granted, so an endless stream of sharers kept other requests out.
#[test]
fn later_nobody_joins_a_group_that_has_been_granted() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let (mut member, mut behind) = (task::spawn(lock.shared()), task::spawn(lock.exclusive()));
    assert_pending!(member.poll());
    assert_pending!(behind.poll());
    drop(held);
    let mut newcomer = task::spawn(lock.shared());
    assert_pending!(newcomer.poll());
    drop(assert_ready_ok!(member.poll()));
    drop(assert_ready_ok!(behind.poll()));
    drop(assert_ready_ok!(newcomer.poll()));
}

/// An acquisition that was woken without cause failed early.
#[tokio::test(start_paused = true)]
async fn later_a_spurious_wake_up_neither_fails_nor_grants() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let mut request = task::spawn(lock.shared().timeout(Duration::from_secs(1)));
    for _ in 0..10 {
        assert_pending!(request.poll());
    }
    drop(held);
    drop(assert_ready_ok!(request.poll()));
}
