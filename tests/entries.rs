//! The less common ways into a lock and out of it: blocking, upgrading, parts of the value, the task's budget.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{Guard, MappedGuard, SharedLock, TryAcquireError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use tokio::task::coop::has_budget_remaining;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};

#[test]
fn the_only_sharer_upgrades_at_once() {
    let lock = SharedLock::new(1);
    let mut owner = lock.try_shared().unwrap().try_upgrade().unwrap();
    *owner += 1;
    assert_eq!(lock.try_shared().unwrap_err(), TryAcquireError::WouldBlock);
    drop(owner);
    assert_eq!(*lock.try_shared().unwrap(), 2);
}

#[test]
fn a_sharer_among_others_gets_its_guard_back() {
    let lock = SharedLock::new(());
    let (one, other) = (lock.try_shared().unwrap(), lock.try_shared().unwrap());
    let one = one.try_upgrade().unwrap_err();
    drop(other);
    assert!(one.try_upgrade().is_ok());
}

#[test]
fn a_sharer_for_whom_somebody_waits_does_not_upgrade_past_them() {
    let lock = SharedLock::new(());
    let sharer = lock.try_shared().unwrap();
    let mut waiting = task::spawn(lock.exclusive());
    assert_pending!(waiting.poll());
    let sharer = sharer.try_upgrade().unwrap_err();
    drop(waiting);
    assert!(sharer.try_upgrade().is_ok(), "nobody waits any more");
}

#[test]
fn a_try_delete_takes_only_what_is_free() {
    let lock = SharedLock::new(());
    let held = lock.try_shared().unwrap();
    assert_eq!(lock.try_delete(), Err(TryAcquireError::WouldBlock));
    drop(held);
    assert_eq!(lock.try_delete(), Ok(()));
    assert_eq!(lock.try_delete(), Err(TryAcquireError::Deleted));
    assert_ready_err!(task::spawn(lock.shared()).poll());
}

#[test]
fn a_mapped_guard_holds_the_lock_and_shows_a_part() {
    let lock = Arc::new(SharedLock::new((1, [2, 3])));
    let part = Guard::map_mut(Arc::clone(&lock).try_exclusive_owned().unwrap(), |value| &mut value.1[..]);
    let mut last = MappedGuard::map_mut(part, |numbers| &mut numbers[1]);
    *last += 10;
    assert!(lock.try_shared().is_err());
    let last = std::thread::spawn(move || last).join().unwrap();
    assert_eq!((*last, format!("{last:?}"), format!("{last}")), (13, "13".to_owned(), "13".to_owned()));
    drop(last);
    let shared = Guard::map(lock.try_shared().unwrap(), |value| &value.1);
    let first = MappedGuard::map(shared, |numbers| &numbers[0]);
    assert_eq!((*first, lock.try_exclusive().is_err()), (2, true));
    drop(first);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn a_part_that_is_missing_gives_the_guard_back() {
    let lock = SharedLock::new(vec![1]);
    let guard = Guard::try_map(lock.try_shared().unwrap(), |numbers| numbers.get(7)).unwrap_err();
    assert_eq!(*Guard::try_map(guard, |numbers| numbers.first()).unwrap(), 1);
    let guard = Guard::try_map_mut(lock.try_exclusive().unwrap(), |numbers| numbers.get_mut(7)).unwrap_err();
    *Guard::try_map_mut(guard, |numbers| numbers.first_mut()).unwrap() += 1;
    assert_eq!(lock.into_inner(), [2]);
}

#[test]
fn a_part_of_a_part_that_is_missing_gives_the_part_back() {
    let lock = SharedLock::new(vec![vec![1], vec![]]);
    let part = Guard::map_mut(lock.try_exclusive().unwrap(), |rows| &mut rows[1]);
    let part = MappedGuard::try_map_mut(part, |row| row.first_mut()).unwrap_err();
    assert!(part.is_empty() && lock.try_shared().is_err());
    drop(part);
    let part = Guard::map(lock.try_shared().unwrap(), |rows| &rows[0]);
    let part = MappedGuard::try_map(part, |row| row.get(1)).unwrap_err();
    assert_eq!(*MappedGuard::try_map(part, |row| row.first()).unwrap(), 1);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn downgrading_to_a_part_lets_sharers_in_and_no_exclusive_holder_before() {
    let lock = SharedLock::new((1, 2));
    let owner = lock.try_exclusive().unwrap();
    let (mut sharer, mut writer) = (task::spawn(lock.shared()), task::spawn(lock.exclusive()));
    assert_pending!(writer.poll());
    assert_pending!(sharer.poll());

    let part = Guard::downgrade_map(owner, |pair| &pair.1);

    drop(assert_ready_ok!(sharer.poll()));
    assert_pending!(writer.poll());
    assert_eq!(*part, 2);
    drop(part);
    drop(assert_ready_ok!(writer.poll()));
}

#[test]
fn downgrading_to_a_part_that_is_missing_leaves_the_guard_exclusive() {
    let lock = SharedLock::new(vec![1]);
    let owner = Guard::try_downgrade_map(lock.try_exclusive().unwrap(), |numbers| numbers.get(7)).unwrap_err();
    assert!(lock.try_shared().is_err());
    let first = Guard::try_downgrade_map(owner, |numbers| numbers.first()).unwrap();
    assert_eq!((*first, lock.try_shared().is_ok(), lock.try_exclusive().is_ok()), (1, true, false));
}

#[test]
fn threads_that_are_not_asynchronous_wait_by_blocking() {
    let lock = SharedLock::from(0_u32);
    let held = lock.try_exclusive().unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| *lock.blocking_exclusive().unwrap() += 1)).collect();
        drop(held);
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(*lock.blocking_shared().unwrap(), 4);
    lock.try_delete().unwrap();
    assert!(lock.blocking_shared().is_err());
}

#[tokio::test]
async fn blocking_is_allowed_where_the_runtime_allows_it() {
    let lock = Arc::new(SharedLock::new(0));
    let held = lock.exclusive().await.unwrap();
    let other = Arc::clone(&lock);
    let blocking = tokio::task::spawn_blocking(move || *other.blocking_shared().unwrap());
    drop(held);
    assert_eq!(blocking.await.unwrap(), 0);
}

#[tokio::test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
async fn blocking_within_a_task_panics_instead_of_stopping_the_runtime() {
    let _ = SharedLock::new(()).blocking_shared();
}

#[tokio::test]
async fn a_task_that_hammers_a_free_lock_still_yields() {
    let turns = Arc::new(AtomicU32::new(0));
    let other = Arc::clone(&turns);
    let watcher = tokio::spawn(async move {
        loop {
            other.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let lock = SharedLock::new(());
    for _ in 0..1_000 {
        drop(lock.exclusive().await.unwrap());
        drop(lock.shared().await.unwrap());
    }
    watcher.abort();
    assert!(turns.load(Ordering::Relaxed) >= 10, "the other task ran {turns:?} times");
}

#[tokio::test]
async fn a_task_without_budget_keeps_its_place() {
    let lock = Arc::new(SharedLock::new(()));
    let other = Arc::clone(&lock);
    tokio::spawn(async move {
        while has_budget_remaining() {
            tokio::task::consume_budget().await;
        }
        let mut first = std::pin::pin!(lock.exclusive());
        let looked = futures::poll!(first.as_mut());
        assert!(matches!(looked, Poll::Pending), "it must yield first");
        assert!(lock.try_shared().is_err(), "but the lock is its own already");
        drop(first.await.unwrap());
    })
    .await
    .unwrap();
    assert!(other.try_exclusive().is_ok());
}

#[tokio::test]
async fn a_grant_kept_for_want_of_budget_is_given_back_with_the_future() {
    let lock = Arc::new(SharedLock::new(()));
    let other = Arc::clone(&lock);
    tokio::spawn(async move {
        while has_budget_remaining() {
            tokio::task::consume_budget().await;
        }
        let mut request = Box::pin(lock.exclusive());
        assert!(futures::poll!(request.as_mut()).is_pending());
        drop(request);
        assert!(lock.try_exclusive().is_ok());
    })
    .await
    .unwrap();
    drop(assert_ready_ok!(task::spawn(other.exclusive()).poll()));
}
