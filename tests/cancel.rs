//! Cancel safety of one lock: a future may be dropped at any moment. Its place is given up; a grant that it has not
//! returned yet passes to the next request.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use futures::FutureExt as _;
use futures::future::FusedFuture as _;
use lockladder::SharedLock;
use lockladder_test_support::requests::{granted, waiting};
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};

#[test]
fn a_future_does_nothing_before_its_first_poll() {
    let lock = SharedLock::new(());
    let unpolled = (lock.exclusive(), lock.shared(), lock.delete());
    assert!(lock.try_exclusive().is_ok());
    drop(unpolled);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn dropping_an_unpolled_future_leaves_the_holder_alone() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    drop((lock.exclusive(), lock.shared(), lock.delete()));
    assert!(lock.try_shared().is_err());
    drop(holder);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn the_others_keep_their_order_wherever_in_the_queue_one_gives_up() {
    for gives_up in 0..4 {
        let lock = SharedLock::new(());
        let holder = lock.try_exclusive().unwrap();
        let mut queue: Vec<_> = (0..4).map(|_| waiting(lock.exclusive())).collect();

        drop(queue.remove(gives_up));

        drop(holder);
        while !queue.is_empty() {
            let first = queue.remove(0);
            assert!(!queue.iter().any(Spawn::is_woken));
            drop(granted(first));
        }
        assert!(lock.try_exclusive().is_ok());
    }
}

#[test]
fn a_group_stays_a_group_whichever_member_gives_up() {
    for gives_up in 0..3 {
        let lock = SharedLock::new(());
        let holder = lock.try_exclusive().unwrap();
        let before = waiting(lock.exclusive());
        let mut group: Vec<_> = (0..3).map(|_| waiting(lock.shared())).collect();
        let after = waiting(lock.exclusive());

        drop(group.remove(gives_up));
        group.push(waiting(lock.shared())); // The place of the group is still the one to join.

        drop(holder);
        drop(granted(before));
        group.into_iter().map(granted).for_each(drop);
        drop(granted(after));
    }
}

#[test]
fn a_group_that_everybody_has_left_is_no_place_to_join() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let only = waiting(lock.shared());
    let exclusive = waiting(lock.exclusive());

    drop(only);
    let newcomer = waiting(lock.shared()); // Behind `exclusive`: no group stands ahead of it.

    drop(holder);
    assert!(!newcomer.is_woken());
    drop(granted(exclusive));
    drop(granted(newcomer));
}

/// L1: the lock of Ganeti's last version left the sharers asleep here until the holder released.
#[test]
fn sharers_behind_an_exclusive_request_that_gives_up_run_at_once_l1() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let exclusive = waiting(lock.exclusive());
    let sharers = [waiting(lock.shared()), waiting(lock.shared())];

    drop(exclusive);

    let sharers = sharers.map(granted);
    drop((holder, sharers));
}

/// L2: in that version, overlapping sharers kept the sleeping sharer and the next exclusive request asleep forever.
#[test]
fn an_exclusive_request_that_gives_up_leaves_nobody_behind_for_good_l2() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let gives_up = waiting(lock.exclusive());
    let sharer = waiting(lock.shared());
    let exclusive = waiting(lock.exclusive());

    drop(gives_up);
    let sharer = granted(sharer);
    let newcomer = waiting(lock.shared()); // It would overlap, but it has to queue behind `exclusive`.
    drop((holder, sharer));

    drop(granted(exclusive));
    drop(granted(newcomer));
}

#[test]
fn giving_up_at_the_head_grants_nothing_that_is_still_excluded() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let gives_up = waiting(lock.exclusive());
    let (sharer, exclusive) = (waiting(lock.shared()), waiting(lock.exclusive()));

    drop(gives_up);
    assert!(!sharer.is_woken() && !exclusive.is_woken());

    drop(holder);
    drop(granted(sharer));
    drop(granted(exclusive));
}

#[test]
fn giving_up_alone_lets_newcomers_in_again() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let exclusive = waiting(lock.exclusive());
    assert!(lock.try_shared().is_err());

    drop(exclusive);

    assert!(lock.try_shared().is_ok());
    drop(holder);
}

/// B10 of the seed: a waiter that died between its wake and taking the lock left it free while other waiters slept.
#[test]
fn dropping_a_future_that_was_granted_but_never_polled_passes_the_lock_on_b10() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let (first, second) = (waiting(lock.exclusive()), waiting(lock.exclusive()));
    drop(holder);
    assert!(first.is_woken());

    drop(first);

    drop(granted(second));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn a_sharer_that_was_granted_but_never_polled_gives_its_share_back() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let group = (waiting(lock.shared()), waiting(lock.shared()));
    let exclusive = waiting(lock.exclusive());
    drop(holder);

    drop(group.0);
    assert!(!exclusive.is_woken());
    drop(granted(group.1));

    drop(granted(exclusive));
}

#[test]
fn a_whole_group_that_was_granted_but_never_polled_passes_the_lock_on() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let group: Vec<_> = (0..100).map(|_| waiting(lock.shared())).collect();
    let exclusive = waiting(lock.exclusive());
    drop(holder);

    drop(group);

    drop(granted(exclusive));
}

#[test]
fn a_dropped_delete_that_was_granted_deletes_nothing_and_passes_the_lock_on() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut delete = task::spawn(lock.delete());
    assert_pending!(delete.poll());
    let sharer = waiting(lock.shared());
    drop(holder);
    assert!(delete.is_woken());

    drop(delete);

    drop(granted(sharer));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn losing_a_select_takes_the_request_out_of_the_queue() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut race = task::spawn(async {
        tokio::select! {
            biased;
            _ = lock.exclusive() => unreachable!("it is shared"),
            () = std::future::ready(()) => {}
        }
    });
    assert_ready!(race.poll());
    assert!(lock.try_shared().is_ok(), "nobody waits any more");
    drop(holder);
}

#[test]
fn losing_a_select_after_the_grant_passes_the_lock_on() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let (say_stop, stop) = tokio::sync::oneshot::channel();
    let mut race = task::spawn(async {
        tokio::select! {
            biased;
            _ = stop => {}
            _ = lock.exclusive() => unreachable!("`stop` is looked at first"),
        }
    });
    assert_pending!(race.poll());
    let second = waiting(lock.exclusive());
    drop(holder);
    say_stop.send(()).unwrap();

    assert_ready!(race.poll());

    drop(granted(second));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_times_out_has_never_asked() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let gives_up = tokio::time::timeout(Duration::from_millis(5), lock.exclusive());
    let (timed_out, sharer) = tokio::join!(gives_up, lock.shared());
    assert!(timed_out.is_err());
    drop((holder, sharer.unwrap()));
    assert!(lock.try_exclusive().is_ok());
}

#[tokio::test]
async fn aborting_a_task_takes_its_request_out_of_the_queue() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_shared().unwrap();
    let queued = tokio::spawn(Arc::clone(&lock).exclusive_owned());
    tokio::task::yield_now().await;
    assert!(lock.try_shared().is_err());

    queued.abort();

    assert!(queued.await.unwrap_err().is_cancelled());
    assert!(lock.try_shared().is_ok());
    drop(holder);
}

#[tokio::test]
async fn aborting_a_task_that_has_been_granted_the_lock_passes_it_on() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_exclusive().unwrap();
    let aborted = tokio::spawn(Arc::clone(&lock).exclusive_owned());
    tokio::task::yield_now().await;
    let next = waiting(lock.exclusive());
    drop(holder);

    aborted.abort(); // Before the task runs again.

    assert!(aborted.await.unwrap_err().is_cancelled());
    drop(granted(next));
}

#[test]
fn dropping_the_task_that_works_under_synchronized_releases_the_lock() {
    let lock = SharedLock::new(0);
    let mut task = task::spawn(lock.synchronized(lockladder::Exclusive, async |value| {
        *value = 1;
        std::future::pending::<()>().await;
    }));
    assert_pending!(task.poll());
    assert!(lock.try_shared().is_err());
    drop(task);
    assert_eq!(*lock.try_shared().unwrap(), 1);
}

#[test]
fn forgetting_a_boxed_queued_future_is_sound_but_blocks() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut forgotten = Box::pin(lock.exclusive());
    assert!(forgotten.as_mut().now_or_never().is_none());
    let mut behind = waiting(lock.exclusive());

    mem::forget(forgotten); // Pinning guarantees that its memory stays, so the queue may still lead through it.

    drop(holder);
    assert_pending!(behind.poll());
    drop(behind);
    assert!(lock.try_shared().is_err(), "the forgotten future has been granted the lock");
    lock.into_inner(); // The forgotten grant is never given back.
}

#[test]
fn a_lock_may_drop_with_a_forgotten_request_still_queued() {
    let mut lock = SharedLock::new(7);
    mem::forget(lock.try_exclusive().unwrap());
    let mut forgotten = Box::pin(lock.exclusive());
    assert!(forgotten.as_mut().now_or_never().is_none());
    mem::forget(forgotten);
    assert_eq!(*lock.get_mut(), 7);
    assert_eq!(lock.into_inner(), 7);
}

#[test]
#[should_panic(expected = "`Acquire` polled after it has resolved")]
fn polling_after_the_grant_panics() {
    let lock = SharedLock::new(());
    let mut request = task::spawn(lock.shared());
    drop(assert_ready_ok!(request.poll()));
    let _ = request.poll();
}

#[test]
#[should_panic(expected = "`Acquire` polled after it has resolved")]
fn polling_after_an_error_panics() {
    let lock = SharedLock::new(());
    lock.try_exclusive().unwrap().delete();
    let mut request = task::spawn(lock.shared());
    assert!(assert_ready!(request.poll()).is_err());
    let _ = request.poll();
}

#[test]
#[should_panic(expected = "polled after it has resolved")]
fn polling_delete_after_it_has_resolved_panics() {
    let lock = SharedLock::new(());
    let mut delete = task::spawn(lock.delete());
    assert_ready_ok!(delete.poll());
    let _ = delete.poll();
}

#[test]
fn dropping_a_future_that_has_resolved_gives_nothing_back() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut request = waiting(lock.exclusive());
    drop(holder);
    let guard = assert_ready_ok!(request.poll());

    drop(request);

    assert!(lock.try_shared().is_err(), "the guard has the lock, not the future");
    drop(guard);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn a_future_is_terminated_exactly_when_it_has_resolved() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let (mut request, mut delete) = (task::spawn(Box::pin(lock.shared())), task::spawn(Box::pin(lock.delete())));
    assert!(!request.is_terminated() && !delete.is_terminated());
    assert_pending!(request.poll());
    assert_pending!(delete.poll());
    assert!(!request.is_terminated() && !delete.is_terminated());
    drop(holder);
    assert!(!request.is_terminated(), "granted, but not resolved");
    drop(assert_ready_ok!(request.poll()));
    assert_ready_ok!(delete.poll());
    assert!(request.is_terminated() && delete.is_terminated());
}
