//! One lock: its guards, values, sizes and auto traits.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{
    AcquireError, Exclusive, Guard, LockMode, Mode, Shared, SharedLock, TryAcquireError,
    futures::{Acquire, Delete},
};
use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, MutexGuard};
use std::task::Poll;
use std::thread;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};

#[test]
fn a_lock_can_stand_in_a_static() {
    static LOCK: SharedLock<u32> = SharedLock::new(7);
    *LOCK.try_exclusive().unwrap() += 1;
    assert_eq!(*LOCK.try_shared().unwrap(), 8);
}

#[test]
fn a_shared_guard_reads_and_an_exclusive_one_writes() {
    let lock = SharedLock::new(String::from("a"));
    let mut writer = assert_ready_ok!(task::spawn(lock.exclusive()).poll());
    writer.push('b');
    drop(writer);
    let reader = assert_ready_ok!(task::spawn(lock.shared()).poll());
    assert_eq!((reader.len(), format!("{reader} {reader:?}")), (2, String::from("ab \"ab\"")));
}

#[test]
fn a_lock_protects_a_slice() {
    let lock: &SharedLock<[u8]> = &SharedLock::new([1, 2, 3]);
    lock.try_exclusive().unwrap()[0] = 7;
    assert_eq!(*lock.try_shared().unwrap(), [7, 2, 3]);
    assert!(format!("{lock:?}").contains("[7, 2, 3]"));
}

#[test]
fn a_lock_protects_a_trait_object_that_waiters_wait_for() {
    let lock: Arc<SharedLock<dyn Debug + Send + Sync>> = Arc::new(SharedLock::new(7));
    let holder = lock.try_shared().unwrap();
    let mut waiter = task::spawn(Arc::clone(&lock).exclusive_owned());
    assert_pending!(waiter.poll());
    drop(holder);
    let guard = assert_ready_ok!(waiter.poll());
    assert_eq!(format!("{guard:?}"), "7");
}

#[test]
fn an_owned_guard_moves_to_another_thread_and_is_released_there() {
    let lock = Arc::new(SharedLock::new(0));
    let mut guard = Arc::clone(&lock).try_exclusive_owned().unwrap();
    let mut waiter = task::spawn(lock.shared());
    assert_pending!(waiter.poll());

    thread::spawn(move || *guard = 7).join().unwrap();

    assert!(waiter.is_woken());
    assert_eq!(*assert_ready_ok!(waiter.poll()), 7);
}

#[test]
fn a_waiting_future_moves_to_another_thread_and_is_granted_or_dropped_there() {
    let lock = Arc::new(SharedLock::new(7));
    let holder = lock.try_exclusive().unwrap();
    let mut waiter = task::spawn(Arc::clone(&lock).shared_owned());
    let mut gives_up = task::spawn(Arc::clone(&lock).exclusive_owned());
    assert_pending!(waiter.poll());
    assert_pending!(gives_up.poll());
    drop(holder);
    let read = thread::spawn(move || {
        drop(gives_up);
        *assert_ready_ok!(waiter.poll())
    });
    assert_eq!(read.join().unwrap(), 7);
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn an_owned_guard_keeps_its_lock_alive() {
    let lock = Arc::new(SharedLock::new(String::from("kept")));
    let guard = lock.try_shared_owned().unwrap();
    assert_eq!(*guard, "kept");
    assert_eq!(*guard.clone(), *"kept");
}

#[test]
fn synchronized_runs_the_work_with_the_lock_held() {
    let lock = SharedLock::new(1);
    let mut exclusive = task::spawn(lock.synchronized(Exclusive, async |value| {
        *value += 1;
        lock.try_shared().is_err()
    }));
    assert!(assert_ready_ok!(exclusive.poll()), "it is not exclusive");
    let mut shared = task::spawn(lock.synchronized(Shared, async |value| {
        assert!(lock.try_exclusive().is_err(), "it is not held");
        *value + *lock.try_shared().unwrap()
    }));
    assert_eq!(assert_ready_ok!(shared.poll()), 4);
}

#[test]
fn synchronized_waits_its_turn() {
    let lock = SharedLock::new(0);
    let holder = lock.try_shared().unwrap();
    let mut work = task::spawn(lock.synchronized(Exclusive, async |value| *value = 7));
    assert_pending!(work.poll());
    assert_eq!(*holder, 0);
    drop(holder);
    assert_ready_ok!(work.poll());
    assert_eq!(*lock.try_shared().unwrap(), 7);
}

#[test]
fn synchronized_releases_the_lock_when_the_work_panics() {
    let lock = SharedLock::new(0);
    let mut work = task::spawn(lock.synchronized(Exclusive, async |value| {
        *value = 7;
        panic!("half way");
    }));
    let outcome: Result<Poll<Result<(), AcquireError>>, _> = catch_unwind(AssertUnwindSafe(|| work.poll()));
    assert!(outcome.is_err());
    assert_eq!(*lock.try_exclusive().unwrap(), 7, "not released, or poisoned");
}

#[test]
fn an_exclusive_borrow_of_the_lock_needs_no_locking() {
    let mut lock = SharedLock::new(7);
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 8);
}

#[test]
fn the_value_drops_once_with_its_lock() {
    let value = Rc::new(());
    let lock = SharedLock::new(Rc::clone(&value));
    drop(lock.try_exclusive().unwrap());
    assert_eq!(Rc::strong_count(&value), 2);
    drop(lock);
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn debug_shows_the_value_only_if_it_can_be_shared_at_once_and_never_waits() {
    let lock = SharedLock::new(7);
    let shows = |expected: &str| assert_eq!(format!("{lock:?}"), format!("SharedLock {{ {expected} }}"));
    shows("value: 7, exclusive: false, sharers: 0, queued: false, deleted: false");
    let sharer = lock.try_shared().unwrap();
    shows("value: 7, exclusive: false, sharers: 1, queued: false, deleted: false");
    let mut waiter = task::spawn(lock.exclusive());
    assert_pending!(waiter.poll());
    shows("value: <locked>, exclusive: false, sharers: 1, queued: true, deleted: false");
    drop(sharer);
    let holder = assert_ready_ok!(waiter.poll());
    shows("value: <locked>, exclusive: true, sharers: 0, queued: false, deleted: false");
    holder.delete();
    shows("value: <locked>, exclusive: false, sharers: 0, queued: false, deleted: true");
}

#[test]
fn debug_of_a_future_names_its_mode_and_where_it_stands() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut waiter = task::spawn(Box::pin(lock.shared()));
    assert_eq!(format!("{:?}", *waiter), "Acquire { mode: Shared, phase: Idle, .. }");
    assert_pending!(waiter.poll());
    assert_eq!(format!("{:?}", *waiter), "Acquire { mode: Shared, phase: Waiting, .. }");
    drop(holder);
    assert_eq!(format!("{:?}", *waiter), "Acquire { mode: Shared, phase: Granted, .. }");
}

#[test]
fn a_mode_is_a_type_and_a_value() {
    assert_eq!((Shared::MODE, Exclusive::MODE), (LockMode::Shared, LockMode::Exclusive));
    assert_eq!(format!("{} {}", LockMode::Shared, LockMode::Exclusive), "shared exclusive");
}

#[test]
fn errors_say_what_to_do_next() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let error = lock.try_shared().unwrap_err();
    assert_eq!(error, TryAcquireError::WouldBlock);
    assert_eq!(error.to_string(), "the lock cannot be acquired without waiting: try again later, or wait for it");
    holder.delete();
    let error: Box<dyn std::error::Error + Send + Sync> = assert_ready_err!(task::spawn(lock.shared()).poll()).into();
    assert_eq!(error.to_string(), "the lock has been deleted: it can no longer be acquired; use another one");
    assert!(assert_ready!(task::spawn(lock.delete()).poll()).is_err());
}

#[cfg(target_pointer_width = "64")]
#[test]
fn locks_guards_and_futures_are_small() {
    type Outcome = Poll<Result<Guard<&'static SharedLock<u64>, Exclusive>, AcquireError>>;
    assert!(size_of::<SharedLock<()>>() <= 32);
    assert!(size_of::<SharedLock<[u64; 8]>>() - size_of::<[u64; 8]>() <= 32);
    assert_eq!(size_of::<Guard<&SharedLock<u64>, Exclusive>>(), size_of::<usize>());
    assert_eq!(size_of::<Guard<Arc<SharedLock<u64>>, Shared>>(), size_of::<usize>());
    assert!(size_of::<Acquire<&SharedLock<u64>, Exclusive>>() <= 80);
    assert!(size_of::<Acquire<Arc<SharedLock<u64>>, Shared>>() <= 80);
    assert!(size_of::<Outcome>() <= 16);
}

/// Auto traits are promises. The library asserts that they hold; here is where they must not, each beside a similar
/// type that has the trait, which shows that the test asks the right question.
mod auto_traits {
    use super::*;

    /// Whether `$type` is `$bound`, without requiring it: an inherent constant hides the constant of the trait.
    macro_rules! is {
        ($bound:path: $type:ty) => {{
            #[allow(dead_code, reason = "hidden by `Ask::ANSWER` exactly if the bound holds")]
            trait Otherwise {
                const ANSWER: bool = false;
            }
            impl<T: ?Sized> Otherwise for T {}
            struct Ask<T: ?Sized>(std::marker::PhantomData<T>);
            #[allow(dead_code, reason = "unused exactly if the bound does not hold")]
            impl<T: ?Sized + $bound> Ask<T> {
                const ANSWER: bool = true;
            }
            <Ask<$type>>::ANSWER
        }};
    }

    /// `Send`, but not `Sync`.
    type NotSync = Cell<u8>;
    /// `Sync`, but not `Send`.
    type NotSend = MutexGuard<'static, u8>;

    #[test]
    fn a_lock_goes_to_another_thread_with_its_value() {
        assert!(is!(Send: SharedLock<u8>) && is!(Send: SharedLock<NotSync>));
        assert!(!is!(Send: SharedLock<NotSend>) && !is!(Send: SharedLock<Rc<u8>>));
    }

    #[test]
    fn a_lock_is_shared_between_threads_if_its_value_may_be_both_shared_and_moved() {
        assert!(is!(Sync: SharedLock<u8>));
        assert!(!is!(Sync: SharedLock<NotSync>), "two threads could read a `Cell` at once");
        assert!(!is!(Sync: SharedLock<NotSend>), "another thread could take the value out");
        assert!(!is!(Sync: SharedLock<Rc<u8>>));
    }

    #[test]
    fn a_guard_goes_where_its_lock_may_be_shared() {
        assert!(is!(Send: Guard<&SharedLock<u8>, Shared>) && is!(Send: Guard<Arc<SharedLock<u8>>, Exclusive>));
        assert!(!is!(Send: Guard<&SharedLock<NotSync>, Shared>));
        assert!(!is!(Send: Guard<&SharedLock<NotSend>, Exclusive>));
        assert!(!is!(Send: Guard<Arc<SharedLock<Rc<u8>>>, Exclusive>));
    }

    #[test]
    fn a_guard_is_shared_where_its_value_may_be() {
        assert!(is!(Sync: Guard<&SharedLock<u8>, Exclusive>) && is!(Sync: Guard<Arc<SharedLock<u8>>, Shared>));
        assert!(!is!(Sync: Guard<&SharedLock<NotSync>, Exclusive>));
        assert!(!is!(Sync: Guard<Arc<SharedLock<Rc<u8>>>, Shared>));
    }

    #[test]
    fn a_future_goes_where_its_guard_would() {
        assert!(is!(Send: Acquire<&SharedLock<u8>, Shared>) && is!(Send: Delete<&SharedLock<u8>>));
        assert!(!is!(Send: Acquire<&SharedLock<NotSync>, Shared>));
        assert!(!is!(Send: Acquire<Arc<SharedLock<NotSend>>, Exclusive>));
        assert!(!is!(Send: Delete<&SharedLock<Rc<u8>>>));
    }

    #[test]
    fn a_future_stays_where_it_is_pinned_and_a_guard_need_not() {
        assert!(!is!(Unpin: Acquire<&SharedLock<u8>, Shared>) && !is!(Unpin: Delete<&SharedLock<u8>>));
        assert!(is!(Unpin: Guard<&SharedLock<u8>, Shared>));
    }

    #[test]
    fn a_waiting_synchronized_is_send_if_its_work_is() {
        let lock = SharedLock::new(0);
        let work = lock.synchronized(Exclusive, async |value: &mut i32| *value += 1);
        let send: Box<dyn Future<Output = _> + Send + '_> = Box::new(work);
        drop(send);
    }
}
