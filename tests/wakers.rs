//! Wakers are foreign code: they may panic, re-enter the lock, or drop other requests.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{Mode, SharedLock, futures::Acquire};
use lockladder_test_support::requests::{granted, poll, poll_once, waiting};
use lockladder_test_support::wakers::{Count, on_clone, on_drop, on_wake, panics_on_drop};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::{mem, thread};
use tokio_test::task::Spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};

/// More requests than are granted under one locking of the queue.
const CROWD: usize = 100;

#[test]
fn a_panicking_waker_keeps_nobody_asleep_and_its_panic_arrives_afterwards() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut hostile = Box::pin(lock.shared());
    assert_pending!(poll(hostile.as_mut(), &on_wake(|| panic!("hostile waker"))));
    let group: Vec<_> = (0..CROWD).map(|_| waiting(lock.shared())).collect();

    assert_eq!(panic_of(|| drop(holder)), "hostile waker");

    assert!(group.iter().all(Spawn::is_woken));
    drop(assert_ready_ok!(poll_once(hostile.as_mut())));
}

#[test]
fn of_several_panics_the_first_arrives() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut hostile: Vec<_> = (0..CROWD).map(|_| Box::pin(lock.shared())).collect();
    for (number, request) in hostile.iter_mut().enumerate() {
        assert_pending!(poll(request.as_mut(), &on_wake(move || panic!("waker {number}"))));
    }
    assert_eq!(panic_of(|| drop(holder)), "waker 0");
}

/// Everything that grants must survive: release in both modes, downgrade, delete, and both ways to give up.
#[test]
fn every_way_to_grant_survives_a_panicking_waker() {
    type Story = fn(&SharedLock);
    let stories: [(&str, Story); 6] = [
        ("exclusive release", |lock| {
            let holder = lock.try_exclusive().unwrap();
            grants_a_hostile_sharer_and_a_friendly_one(lock, || drop(holder));
        }),
        ("shared release", |lock| {
            let holder = lock.try_shared().unwrap();
            let exclusive = waiting(lock.exclusive());
            let mut exclusive = Some(exclusive);
            grants_a_hostile_sharer_and_a_friendly_one(lock, || {
                drop(holder);
                exclusive = None; // It was granted and never polled.
            });
        }),
        ("downgrade", |lock| {
            let holder = lock.try_exclusive().unwrap();
            grants_a_hostile_sharer_and_a_friendly_one(lock, || drop(holder.downgrade()));
        }),
        ("delete", |lock| {
            let holder = lock.try_exclusive().unwrap();
            grants_a_hostile_sharer_and_a_friendly_one(lock, || holder.delete());
        }),
        ("giving up in the queue", |lock| {
            let _holder = lock.try_shared().unwrap();
            let exclusive = waiting(lock.exclusive());
            grants_a_hostile_sharer_and_a_friendly_one(lock, || drop(exclusive));
        }),
        ("giving up what was granted", |lock| {
            let holder = lock.try_exclusive().unwrap();
            let exclusive = waiting(lock.exclusive());
            drop(holder);
            grants_a_hostile_sharer_and_a_friendly_one(lock, || drop(exclusive));
        }),
    ];
    for (name, story) in stories {
        println!("{name}");
        let lock = SharedLock::new(());
        story(&lock);
        assert!(lock.try_exclusive().is_ok() || name == "delete", "somebody's hold was lost");
    }
}

fn grants_a_hostile_sharer_and_a_friendly_one(lock: &SharedLock, grant: impl FnOnce()) {
    let mut hostile = Box::pin(lock.shared());
    assert_pending!(poll(hostile.as_mut(), &on_wake(|| panic!("hostile waker"))));
    let mut friendly = waiting(lock.shared());
    assert_eq!(panic_of(grant), "hostile waker");
    assert!(friendly.is_woken());
    assert!(friendly.poll().is_ready());
}

#[test]
fn a_waker_that_panics_while_the_thread_unwinds_does_not_abort() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut hostile = Box::pin(lock.shared());
    assert_pending!(poll(hostile.as_mut(), &on_wake(|| panic!("hostile waker"))));
    let friendly = waiting(lock.shared());

    let panic = panic_of(|| {
        let _holder = holder;
        panic!("the holder's own");
    });

    assert_eq!(panic, "the holder's own");
    assert!(friendly.is_woken());
}

#[test]
fn the_payload_of_a_panic_is_foreign_code_too() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("hostile payload");
        }
    }
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut hostile: [_; 2] = std::array::from_fn(|_| Box::pin(lock.shared()));
    for request in &mut hostile {
        assert_pending!(poll(request.as_mut(), &on_wake(|| panic_any(PanicsOnDrop))));
    }
    let friendly = waiting(lock.shared());

    mem::forget(catch_unwind(AssertUnwindSafe(|| drop(holder))).unwrap_err());

    assert!(friendly.is_woken());
}

#[test]
fn a_waker_that_panics_as_it_is_cloned_leaves_nothing_queued() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut request = Box::pin(lock.exclusive());

    assert_eq!(panic_of(|| drop(poll(request.as_mut(), &on_clone(|| panic!("hostile clone"))))), "hostile clone");

    assert!(lock.try_shared().is_ok(), "nobody waits");
    assert_pending!(poll_once(request.as_mut()));
    assert!(lock.try_shared().is_err(), "somebody does now");
    drop(holder);
    drop(assert_ready_ok!(poll_once(request.as_mut())));
}

#[test]
fn a_second_waker_that_panics_as_it_is_cloned_leaves_the_first_in_place() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut request = Box::pin(lock.exclusive());
    let woken = Count::new();
    assert_pending!(poll(request.as_mut(), &woken.waker()));

    assert_eq!(panic_of(|| drop(poll(request.as_mut(), &on_clone(|| panic!("hostile clone"))))), "hostile clone");

    drop(holder);
    assert_eq!(woken.get(), 1);
    drop(assert_ready_ok!(poll_once(request.as_mut())));
}

#[test]
fn a_waker_that_panics_as_it_is_dropped_is_survived_by_whoever_gives_up() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut hostile = Box::pin(lock.exclusive());
    assert_pending!(poll(hostile.as_mut(), &panics_on_drop()));
    let friendly = waiting(lock.shared());

    assert_eq!(panic_of(|| drop(hostile)), "hostile drop");

    assert!(friendly.is_woken());
    drop((holder, friendly));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn a_waker_that_panics_as_it_is_replaced_has_been_replaced() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut request = Box::pin(lock.exclusive());
    assert_pending!(poll(request.as_mut(), &panics_on_drop()));
    let woken = Count::new();

    assert_eq!(panic_of(|| drop(poll(request.as_mut(), &woken.waker()))), "hostile drop");

    drop(holder);
    assert_eq!(woken.get(), 1);
    drop(assert_ready_ok!(poll_once(request.as_mut())));
}

#[test]
fn a_waker_may_use_the_lock_as_it_is_cloned_woken_and_dropped() {
    let lock = Arc::new(SharedLock::new(7));
    let uses_it = {
        let lock = Arc::clone(&lock);
        move || {
            drop(lock.try_shared());
            drop(lock.try_exclusive());
            let mut newcomer = Box::pin(lock.exclusive());
            drop(poll_once(newcomer.as_mut()));
            assert!(format!("{lock:?}").contains("SharedLock"));
        }
    };
    let holder = lock.try_exclusive().unwrap();
    let mut woken = Box::pin(lock.shared());
    assert_pending!(poll(woken.as_mut(), &on_wake(uses_it.clone())));
    let mut cloned = Box::pin(lock.shared());
    assert_pending!(poll(cloned.as_mut(), &on_clone(uses_it.clone())));
    let mut gives_up = Box::pin(lock.shared());
    assert_pending!(poll(gives_up.as_mut(), &on_drop(uses_it.clone())));
    let mut replaced = Box::pin(lock.shared());
    assert_pending!(poll(replaced.as_mut(), &on_drop(uses_it)));

    drop(gives_up);
    assert_pending!(poll_once(replaced.as_mut()));
    drop(holder);
    let group = (
        assert_ready_ok!(poll_once(woken.as_mut())),
        assert_ready_ok!(poll_once(cloned.as_mut())),
        assert_ready_ok!(poll_once(replaced.as_mut())),
    );
    drop(group);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn those_who_are_granted_together_are_woken_in_the_order_in_which_they_came() {
    let lock = SharedLock::new(());
    let held = lock.try_exclusive().unwrap();
    let woken = Arc::new(Mutex::new(Vec::new()));
    let mut crowd: Vec<_> = (0..100).map(|_| Box::pin(lock.shared())).collect();
    for (name, member) in crowd.iter_mut().enumerate() {
        let woken = Arc::clone(&woken);
        assert_pending!(poll(member.as_mut(), &on_wake(move || woken.lock().unwrap().push(name))));
    }
    drop(held);
    assert!(woken.lock().unwrap().iter().copied().eq(0..100), "{woken:?}");
}

#[test]
fn a_waker_that_takes_the_lock_gets_only_what_is_its_turn() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_exclusive().unwrap();
    let mut first = Box::pin(lock.exclusive());
    let barges = {
        let lock = Arc::clone(&lock);
        move || assert!(lock.try_shared().is_err() && lock.try_exclusive().is_err(), "barged in")
    };
    assert_pending!(poll(first.as_mut(), &on_wake(barges)));
    let second = waiting(lock.exclusive());

    drop(holder);

    drop(assert_ready_ok!(poll_once(first.as_mut())));
    drop(granted(second));
}

#[test]
fn a_waker_may_drop_a_request_that_was_granted_along_with_its_own() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_exclusive().unwrap();
    let victim = Victim::new(Arc::clone(&lock).shared_owned());
    let mut killer = Box::pin(lock.shared());
    assert_pending!(poll(killer.as_mut(), &victim.killer()));
    victim.assert_pending();
    let exclusive = waiting(lock.exclusive());

    drop(holder); // The victim's own waker has been taken out already, and is woken for nothing.

    drop(assert_ready_ok!(poll_once(killer.as_mut())));
    drop(granted(exclusive));
}

#[test]
fn a_waker_may_drop_a_request_that_still_waits() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_exclusive().unwrap();
    let victim = Victim::new(Arc::clone(&lock).exclusive_owned());
    let mut killer = Box::pin(lock.shared());
    assert_pending!(poll(killer.as_mut(), &victim.killer()));
    let mut member = waiting(lock.shared());
    victim.assert_pending();
    let exclusive = waiting(lock.exclusive());

    drop(holder);

    drop(assert_ready_ok!(poll_once(killer.as_mut())));
    assert!(!exclusive.is_woken());
    drop(assert_ready_ok!(member.poll()));
    drop(granted(exclusive));
}

#[test]
fn the_waker_of_the_last_poll_is_woken_and_no_other() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut request = Box::pin(lock.exclusive());
    let (old, new) = (Count::new(), Count::new());
    assert_pending!(poll(request.as_mut(), &old.waker()));
    assert_pending!(poll(request.as_mut(), &new.waker()));
    assert!(!old.is_kept(), "nothing keeps the old waker");
    drop(holder);
    assert_eq!((old.get(), new.get()), (0, 1));
}

#[test]
fn a_waker_that_would_wake_the_same_task_is_not_cloned_again() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut request = Box::pin(lock.exclusive());
    let clones = Arc::new(AtomicUsize::new(0));
    let waker = on_clone({
        let clones = Arc::clone(&clones);
        move || {
            clones.fetch_add(1, Relaxed);
        }
    });
    for _ in 0..3 {
        assert_pending!(poll(request.as_mut(), &waker));
    }
    assert_eq!(clones.load(Relaxed), 1);
    drop(holder);
}

#[test]
fn a_request_that_is_granted_at_once_clones_no_waker() {
    let lock = SharedLock::new(());
    let waker = on_clone(|| unreachable!("there is nothing to wait for"));
    drop(assert_ready_ok!(poll(Box::pin(lock.exclusive()).as_mut(), &waker)));
    drop(assert_ready_ok!(poll(Box::pin(lock.shared()).as_mut(), &waker)));
}

const MULTITUDE: usize = 100_000;

#[test]
fn waking_a_multitude_of_sharers_needs_no_deep_stack() {
    on_a_small_stack(|| {
        let lock = SharedLock::new(());
        let holder = lock.try_exclusive().unwrap();
        let woken = Count::new();
        let waker = woken.waker();
        let mut sharers: Vec<_> = (0..MULTITUDE).map(|_| Box::pin(lock.shared())).collect();
        for sharer in &mut sharers {
            assert_pending!(poll(sharer.as_mut(), &waker));
        }
        drop(holder);
        assert_eq!(woken.get(), MULTITUDE);
        drop(sharers); // All of them are granted and unpolled.
        assert!(lock.try_exclusive().is_ok());
    });
}

#[test]
fn passing_a_lock_on_through_a_multitude_that_gives_up_needs_no_deep_stack() {
    on_a_small_stack(|| {
        let lock = SharedLock::new(());
        let holder = lock.try_exclusive().unwrap();
        let woken = Count::new();
        let waker = woken.waker();
        let mut queue: Vec<_> = (0..MULTITUDE).map(|_| Box::pin(lock.exclusive())).collect();
        for request in &mut queue {
            assert_pending!(poll(request.as_mut(), &waker));
        }
        drop(holder);
        drop(queue); // Each request is granted the lock when the one before it is dropped.
        assert_eq!(woken.get(), MULTITUDE);
        assert!(lock.try_exclusive().is_ok());
    });
}

#[test]
fn deleting_under_a_multitude_needs_no_deep_stack() {
    on_a_small_stack(|| {
        let lock = SharedLock::new(());
        let holder = lock.try_exclusive().unwrap();
        let woken = Count::new();
        let waker = woken.waker();
        let mut queue: Vec<_> = (0..MULTITUDE).map(|_| Box::pin(lock.exclusive())).collect();
        for request in &mut queue {
            assert_pending!(poll(request.as_mut(), &waker));
        }
        holder.delete();
        assert_eq!(woken.get(), MULTITUDE);
        for request in &mut queue {
            assert!(assert_ready!(poll(request.as_mut(), &waker)).is_err());
        }
    });
}

/// To make a task without budget yield, the runtime clones its waker.
#[tokio::test]
async fn a_waker_that_panics_as_a_task_without_budget_yields_loses_no_grant() {
    let (lock, other) = (SharedLock::new(()), SharedLock::new(()));
    poll_fn(|context| {
        while let Poll::Ready(guard) = pin!(other.exclusive()).poll(context) {
            drop(guard); // Until the budget is spent.
        }
        let mut request = Box::pin(lock.exclusive());
        let panic = panic_of(|| drop(poll(request.as_mut(), &on_clone(|| panic!("hostile clone")))));
        assert_eq!(panic, "hostile clone");
        Poll::Ready(())
    })
    .await;
    assert!(lock.try_exclusive().is_ok(), "the grant is lost");
}

fn on_a_small_stack(story: impl FnOnce() + Send + 'static) {
    const BYTES: usize = 64 * 1024;
    thread::Builder::new().stack_size(BYTES).spawn(story).unwrap().join().unwrap();
}

/// The message of the panic that `act` must end in.
fn panic_of(act: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(act)).expect_err("a panic was lost");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

/// A request that a waker drops.
struct Victim<M: Mode>(Arc<Mutex<Option<Request<M>>>>);

type Request<M> = Pin<Box<Acquire<Arc<SharedLock>, M>>>;

impl<M: Mode> Victim<M> {
    fn new(request: Acquire<Arc<SharedLock>, M>) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::pin(request)))))
    }

    fn assert_pending(&self) {
        assert_pending!(poll_once(self.0.lock().unwrap().as_mut().unwrap().as_mut()));
    }

    fn killer(&self) -> Waker {
        let victim = Arc::clone(&self.0);
        on_wake(move || {
            let request = victim.lock().unwrap().take();
            drop(request); // The mutex is free again: this drop may wake the next killer.
        })
    }
}
