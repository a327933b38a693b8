//! Stories of wakers that panic, each by its name. Something was lost once in each.

use crate::story::{Value, values};
use futures::future::FusedFuture;
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{All, Exclusive, LockManager, LockMode, LockSet, OpenSet, SharedLock};
use lockladder_test_support::hostile::throw;
use lockladder_test_support::requests::{poll, poll_once};
use lockladder_test_support::wakers::{on_clone, on_drop, on_wake};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready_ok};

fn panics(act: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(act)).is_err(), "nothing has panicked");
}

#[test]
fn a_downgrade_that_panics_releases_the_names() {
    let set: LockSet<u32> = LockSet::new([1_u32]);
    let guard = set.try_exclusive(1).unwrap();
    let mut sharer = Box::pin(set.shared(1));
    assert_pending!(poll(sharer.as_mut(), &on_wake(throw)));
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
    assert_pending!(poll(other.as_mut(), &on_wake(throw)));
    panics(|| job.downgrade::<Node>().unwrap());
    drop(other);
    assert_eq!(job.mode::<Node>(), None);
    let again = job.try_acquire::<Node>("a", LockMode::Exclusive);
    assert!(again.is_ok(), "no session has it, and none ever can: {again:?}");
}

#[test]
fn a_removal_that_panics_leaks_no_value() {
    let set: LockSet<u32, Value> = LockSet::new([1_u32]);
    let mut guard = set.try_exclusive(1).unwrap();
    let mut waiter = Box::pin(set.shared(1));
    assert_pending!(poll(waiter.as_mut(), &on_wake(throw)));
    panics(|| drop(guard.remove(1)));
    assert_eq!(values(), 0, "neither returned nor dropped");
}

/// A task without budget yields, and the runtime clones its waker for that. For one lock, see `tests/wakers.rs`.
#[tokio::test]
async fn a_waker_that_panics_as_a_task_without_budget_yields_loses_no_names() {
    let set: LockSet<u32> = LockSet::new([1_u32, 2]);
    while poll_once(pin!(tokio::task::coop::consume_budget())).is_ready() {}
    let mut request = Box::pin(set.exclusive([1, 2]));
    panics(|| drop(poll(request.as_mut(), &on_clone(throw))));
    drop(request);
    assert!(set.try_exclusive([1, 2]).is_ok(), "held for ever: {set:?}");
}

/// Two additions wait. When the first has added, it grants the second, whose waker panics.
#[test]
fn an_addition_whose_poll_panicked_says_whether_it_has_added() {
    let set: LockSet<u32> = LockSet::new([1_u32]);
    let whole = set.try_shared(All).unwrap();
    let (mut first, mut second) = (Box::pin(set.add(2)), Box::pin(set.add_exclusive(3)));
    assert_pending!(poll_once(first.as_mut()));
    panics(|| drop(poll(second.as_mut(), &on_clone(throw))));
    assert!(!second.is_terminated(), "it waits, and goes on when it is polled");
    assert_pending!(poll(second.as_mut(), &on_wake(throw)));
    drop(whole);
    panics(|| drop(poll_once(first.as_mut())));
    assert!(first.is_terminated() && !second.is_terminated());
    assert_eq!(set.names(), [1, 2], "what says that it has resolved has added, and nothing else");

    let held = assert_ready_ok!(poll_once(second.as_mut()));
    assert_eq!((held.names(), set.names()), (vec![&3], vec![1, 2, 3]));
}

#[test]
fn a_lock_that_is_released_to_a_panicking_waker_drops_what_the_work_returned() {
    let lock = SharedLock::new(());
    let (open, gate) = tokio::sync::oneshot::channel::<()>();
    let mut work = Box::pin(lock.synchronized(Exclusive, async |()| {
        let _ = gate.await;
        Value::default()
    }));
    assert_pending!(poll_once(work.as_mut()));
    let mut waiter = Box::pin(lock.exclusive());
    assert_pending!(poll(waiter.as_mut(), &on_wake(throw)));
    drop(open);
    panics(|| drop(poll_once(work.as_mut())));
    assert_eq!(values(), 0, "neither returned nor dropped");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_whose_waker_panics_as_it_is_dropped_survives_another_that_panics_as_it_is_woken() {
    let lock = SharedLock::new(());
    let sharer = lock.try_shared().unwrap();
    let mut request = Box::pin(lock.exclusive().timeout(Duration::from_secs(1)));
    assert_pending!(poll(request.as_mut(), &on_drop(throw)));
    let mut behind = Box::pin(lock.shared());
    assert_pending!(poll(behind.as_mut(), &on_wake(throw)));
    panics(|| drop(request)); // Does not abort.
    drop((behind, sharer));
    assert!(lock.try_exclusive().is_ok());
}

/// A request for the root finds the levels free when it is woken.
#[test]
fn a_session_whose_downgrade_of_the_root_panicked_gives_back_the_root_last() {
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["a"]).build();
    let job = manager.try_exclusive("job").unwrap().try_exclusive::<Node>("a").unwrap();
    let free = is_free_when_the_root_is(&manager);
    panics(|| drop(job.downgrade::<Cluster>()));
    assert_eq!(free.lock().unwrap().take(), Some(true));

    let mut job = manager.try_dynamic("job", LockMode::Exclusive).unwrap();
    job.try_acquire::<Node>("a", LockMode::Exclusive).unwrap();
    let free = is_free_when_the_root_is(&manager);
    panics(|| drop(job.downgrade_root()));
    assert_eq!(free.lock().unwrap().take(), Some(true));
}

/// Queues a sharer for the root, whose waker gives up its request and panics, and behind it an exclusive request, whose
/// waker records whether a level is free.
fn is_free_when_the_root_is(manager: &LockManager<Seed>) -> Arc<Mutex<Option<bool>>> {
    let sharer = Arc::new(Mutex::new(Some(Box::pin(manager.shared("sharer")))));
    let leaves = Arc::clone(&sharer);
    let waker = on_wake(move || {
        let sharer = leaves.lock().unwrap().take();
        drop(sharer);
        throw();
    });
    assert_pending!(poll(sharer.lock().unwrap().as_mut().unwrap().as_mut(), &waker));

    let alone = Arc::new(Mutex::new(Some(Box::pin(manager.exclusive("alone")))));
    let free = Arc::new(Mutex::new(None));
    let (comes, finds) = (Arc::clone(&alone), Arc::clone(&free));
    let waker = on_wake(move || {
        let mut alone = comes.lock().unwrap().take().unwrap();
        let job = assert_ready_ok!(poll_once(alone.as_mut()));
        *finds.lock().unwrap() = Some(job.try_exclusive::<Node>("a").is_ok());
    });
    assert_pending!(poll(alone.lock().unwrap().as_mut().unwrap().as_mut(), &waker));
    free
}

thread_local! {
    /// What a name does when it is copied.
    static ON_COPY: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// The last holder of a name leaves while the name is copied, so the copier drops its value.
#[test]
fn names_that_are_copied_while_the_last_holder_leaves_are_not_lost() {
    #[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    struct Name(Arc<()>);
    impl Clone for Name {
        fn clone(&self) -> Self {
            if let Some(act) = ON_COPY.take() {
                act();
            }
            Self(Arc::clone(&self.0))
        }
    }
    #[derive(Debug, Default)]
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            throw();
        }
    }
    let name = Arc::new(());
    let set: Arc<OpenSet<Name, PanicsOnDrop>> = Arc::default();
    let guard = Arc::clone(&set).try_exclusive_owned([Name(Arc::clone(&name))]).unwrap();
    ON_COPY.set(Some(Box::new(move || drop(guard))));
    panics(|| drop(set.names()));
    drop(set);
    assert_eq!(Arc::strong_count(&name), 1, "a copy is left");
}

#[test]
fn a_guard_that_adds_a_name_holds_it_though_a_waker_panics_that_is_woken_by_that() {
    let set: LockSet<u32> = LockSet::default();
    let mut guard = set.try_exclusive(All).unwrap();
    guard.add(1).unwrap(); // From now on the guard holds the right to add, and no names.
    let (mut whole, mut named) = (Box::pin(set.exclusive(All)), Box::pin(set.exclusive(1)));
    assert!(poll_once(whole.as_mut()).is_pending());
    assert!(poll(named.as_mut(), &on_wake(throw)).is_pending());
    panics(|| guard.add_held(2).unwrap());
    assert_eq!(guard.names(), [&2], "it is held by who has added it");
    drop((guard, whole, named));
    drop(set.try_exclusive(All).expect("nobody holds any of it"));
}
