//! What was once lost when a waker panicked, by name.

use crate::story::poll;
use crate::wakers::{on_clone, on_wake, panics_on_drop};
use futures::future::FusedFuture;
use lockladder::ganeti::seed::{Node, Seed};
use lockladder::{All, LockManager, LockMode, LockSet, SharedLock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Waker;

fn bad() -> Waker {
    on_wake(|| panic!("bad waker"))
}

fn panics(act: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "nothing has panicked");
}

#[test]
fn a_downgrade_that_panics_releases_the_names() {
    let set: LockSet<u32> = LockSet::new([1_u32]);
    let guard = set.try_exclusive(1).unwrap();
    let mut sharer = Box::pin(set.shared(1));
    assert!(poll(sharer.as_mut(), &bad()).is_pending());
    panics(|| drop(guard.downgrade()));
    drop(sharer);
    assert!(set.try_exclusive(1).is_ok(), "shared for ever: {set:?}");
}

#[test]
fn a_session_whose_downgrade_panicked_does_not_wait_for_itself() {
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["a"]).build();
    let mut job = manager.try_dynamic("job", LockMode::Shared).unwrap();
    job.try_acquire::<Node>("a", LockMode::Exclusive).unwrap();
    let mut other = Box::pin(manager.try_shared("other").unwrap().shared::<Node>("a"));
    assert!(poll(other.as_mut(), &bad()).is_pending());
    panics(|| job.downgrade::<Node>().unwrap());
    drop(other);
    assert_eq!(job.mode::<Node>(), None);
    job.try_acquire::<Node>("a", LockMode::Exclusive).expect("no session has it, so this one may");
}

#[test]
fn a_removal_that_panics_drops_the_values() {
    let set: LockSet<u32, Arc<()>> = LockSet::default();
    let value = Arc::new(());
    let mut whole = set.try_exclusive(All).unwrap();
    whole.add_entries([(1_u32, Arc::clone(&value))]).unwrap();
    drop(whole);
    let mut guard = set.try_exclusive(1).unwrap();
    let mut waiter = Box::pin(set.shared(1));
    assert!(poll(waiter.as_mut(), &bad()).is_pending());
    panics(|| drop(guard.remove(1)));
    assert_eq!(Arc::strong_count(&value), 1, "neither returned nor dropped");
}

/// Does something as a task that has used up its budget.
async fn without_budget(work: impl FnOnce() + Send + 'static) {
    let task = async move {
        while poll(pin!(tokio::task::coop::consume_budget()), Waker::noop()).is_ready() {}
        work();
    };
    tokio::spawn(task).await.unwrap();
}

#[tokio::test]
async fn a_waker_that_cannot_be_cloned_as_a_task_without_budget_yields_loses_no_lock() {
    let (lock, set) = (Arc::new(SharedLock::new(())), Arc::new(LockSet::<u32>::new([1_u32, 2])));
    let (ours, names) = (Arc::clone(&lock), Arc::clone(&set));
    without_budget(move || {
        let waker = on_clone(|| panic!("clone"));
        panics(|| drop(poll(Box::pin(ours.exclusive()).as_mut(), &waker)));
        panics(|| drop(poll(Box::pin(names.exclusive([1, 2])).as_mut(), &waker)));
    })
    .await;
    assert!(lock.try_exclusive().is_ok() && set.try_exclusive([1, 2]).is_ok(), "held for ever: {set:?}");
}

#[test]
fn an_addition_whose_poll_panicked_says_whether_it_has_added() {
    let set: LockSet<u32> = LockSet::new([1_u32]);
    let whole = set.try_shared(All).unwrap();
    let (mut first, mut second) = (Box::pin(set.add(2)), Box::pin(set.add(3)));
    assert!(poll(first.as_mut(), Waker::noop()).is_pending());
    assert!(poll(second.as_mut(), &bad()).is_pending());
    drop(whole); // Grants the first, which grants the second when it has added.
    panics(|| drop(poll(first.as_mut(), Waker::noop())));
    assert!(first.is_terminated() && set.names() == [1, 2], "it has resolved, and has added");
    assert!(!second.is_terminated(), "it has been granted, and has not been polled");
    drop((first, second));
    assert_eq!(set.names(), [1, 2], "dropped before it resolved, the second has added nothing");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_dropped_while_its_wakers_panic_does_not_abort() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut owner = Box::pin(lock.exclusive().timeout(std::time::Duration::from_secs(1)));
    {
        let waker = panics_on_drop();
        assert!(poll(owner.as_mut(), &waker).is_pending());
        std::mem::forget(waker); // What the request and the timer keep are the last but one.
    }
    let mut sharer = Box::pin(lock.shared());
    assert!(poll(sharer.as_mut(), &bad()).is_pending());
    panics(|| drop(owner)); // Lets the sharer in, whose waker panics.
    drop(sharer);
    drop(holder);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn what_the_work_on_a_lock_returned_is_dropped_if_the_release_panics() {
    let (lock, result) = (SharedLock::new(()), Arc::new(()));
    let given = Arc::clone(&result);
    let mut sharer = Box::pin(lock.shared());
    let mut work = Box::pin(lock.synchronized(lockladder::Exclusive, async move |()| {
        tokio::task::yield_now().await;
        given
    }));
    assert!(poll(work.as_mut(), Waker::noop()).is_pending());
    assert!(poll(sharer.as_mut(), &bad()).is_pending());
    panics(|| drop(poll(work.as_mut(), Waker::noop())));
    drop(work);
    assert_eq!(Arc::strong_count(&result), 1, "neither returned nor dropped");
}
