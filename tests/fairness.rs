//! The fairness rule, sentence by sentence.
//!
//! Every story is polled by hand, so it has one possible course. Two of the seed's own fairness tests had to be
//! switched off, because threads and sleeps could not play them reliably; they are the first two here.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{Guard, Mode, SharedLock, TryAcquireError, futures::Acquire, guards::LockPointer};
use lockladder_test_support::requests::{granted, waiting};
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready_ok};

/// More requests than are granted under one locking of the queue.
const CROWD: usize = 100;

/// Checks that a request still waits and has not been woken for nothing.
fn still_waits<P: LockPointer<Value: Debug>, M: Mode>(request: &mut Spawn<Acquire<P, M>>) {
    assert!(!request.is_woken(), "woken for nothing");
    assert_pending!(request.poll());
}

fn would_block<G>(attempt: Result<G, TryAcquireError>) -> bool {
    attempt.is_err_and(|error| error == TryAcquireError::WouldBlock)
}

#[test]
fn a_waiting_exclusive_request_blocks_a_new_sharer() {
    let lock = SharedLock::new(());
    let sharer = lock.try_shared().unwrap();
    let exclusive = waiting(lock.exclusive());

    let mut newcomer = waiting(lock.shared());

    drop(sharer);
    let exclusive = granted(exclusive);
    still_waits(&mut newcomer);
    drop(exclusive);
    drop(granted(newcomer));
}

#[test]
fn a_waiting_sharer_blocks_a_new_exclusive_request() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let sharer = waiting(lock.shared());

    let mut newcomer = waiting(lock.exclusive());

    drop(holder);
    let sharer = granted(sharer);
    still_waits(&mut newcomer);
    drop(sharer);
    drop(granted(newcomer));
}

#[test]
fn requests_are_granted_in_the_order_of_their_first_poll_not_of_the_call() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let called_first = lock.exclusive();
    let polled_first = waiting(lock.exclusive());
    let mut polled_second = waiting(called_first);
    let mut polled_third = waiting(lock.exclusive());

    drop(holder);
    let first = granted(polled_first);
    still_waits(&mut polled_second);
    drop(first);
    let second = granted(polled_second);
    still_waits(&mut polled_third);
    drop(second);
    drop(granted(polled_third));
}

#[test]
fn polling_again_does_not_change_the_order() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut first = waiting(lock.exclusive());
    let mut second = waiting(lock.exclusive());

    still_waits(&mut first);
    still_waits(&mut second);
    still_waits(&mut first);

    drop(holder);
    let first = granted(first);
    still_waits(&mut second);
    drop(first);
}

#[test]
fn a_free_lock_is_granted_at_the_first_poll() {
    let lock = SharedLock::new(());
    drop(assert_ready_ok!(task::spawn(lock.exclusive()).poll()));
    let one = assert_ready_ok!(task::spawn(lock.shared()).poll());
    let other = assert_ready_ok!(task::spawn(lock.shared()).poll());
    drop((one, other));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn sharers_that_wait_at_the_same_time_stand_at_the_place_of_the_first_of_them() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut before = waiting(lock.exclusive());
    let first = waiting(lock.shared());
    let mut after = waiting(lock.exclusive());
    let joining = waiting(lock.shared());

    drop(holder);
    assert!(before.is_woken() && !first.is_woken() && !joining.is_woken());
    drop(assert_ready_ok!(before.poll()));
    let group = (granted(first), granted(joining));
    still_waits(&mut after);
    drop(group.0);
    still_waits(&mut after);
    drop(group.1);
    drop(granted(after));
}

#[test]
fn a_group_that_has_been_granted_is_closed_to_newcomers() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let group = waiting(lock.shared());
    let exclusive = waiting(lock.exclusive());
    drop(holder);
    assert!(group.is_woken());

    let mut newcomer = waiting(lock.shared()); // It cannot join, although no member of the group has been polled yet.

    let group = granted(group);
    still_waits(&mut newcomer);
    drop(group);
    drop(granted(exclusive));
    drop(granted(newcomer));
}

#[test]
fn a_newcomer_to_a_closed_group_opens_a_new_one_that_others_join() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let first = waiting(lock.exclusive());
    let opening = waiting(lock.shared());
    let mut second = waiting(lock.exclusive());
    let joining = waiting(lock.shared());

    drop(holder);
    let first = granted(first);
    let joining_last = waiting(lock.shared()); // The group still waits.
    drop(first);
    let group = [granted(opening), granted(joining), granted(joining_last)];
    let next_group = waiting(lock.shared());
    still_waits(&mut second);
    drop(group);
    drop(granted(second));
    drop(granted(next_group));
}

#[test]
fn nobody_barges_in_while_somebody_waits() {
    let lock = SharedLock::new(());
    let sharer = lock.try_shared().unwrap();
    let waiter = waiting(lock.exclusive());
    assert!(would_block(lock.try_shared()), "a share is free, but it is not the newcomer's turn");
    assert!(would_block(lock.try_exclusive()));
    drop((sharer, waiter));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn nobody_barges_in_between_a_grant_and_its_first_poll() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let waiter = waiting(lock.exclusive());
    drop(holder);

    assert!(would_block(lock.try_exclusive()) && would_block(lock.try_shared()));
    let newcomer = waiting(lock.exclusive());

    drop(granted(waiter));
    drop(granted(newcomer));
}

#[test]
fn an_exclusive_newcomer_does_not_barge_in_on_a_share_that_is_not_claimed_yet() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let sharer = waiting(lock.shared());
    drop(holder);

    assert!(would_block(lock.try_exclusive()));
    assert!(lock.try_shared().is_ok(), "nobody waits any more, so a sharer may come in");

    drop(granted(sharer));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn no_stream_of_sharers_starves_an_exclusive_request() {
    let lock = SharedLock::new(());
    let holder = lock.try_shared().unwrap();
    let mut patient = waiting(lock.exclusive());
    let stream: Vec<_> = (0..CROWD).map(|_| waiting(lock.shared())).collect();

    still_waits(&mut patient);
    drop(holder);
    let patient = granted(patient); // No request has passed it: no group stood ahead of it.
    drop(patient);
    assert!(stream.iter().all(Spawn::is_woken));
}

#[test]
fn no_stream_of_exclusive_requests_starves_a_sharer() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let patient = waiting(lock.shared());
    let stream: Vec<_> = (0..CROWD).map(|_| waiting(lock.exclusive())).collect();

    drop(holder);
    drop(granted(patient));
    assert!(stream[0].is_woken() && !stream[1].is_woken());
}

#[test]
fn an_exclusive_request_is_overtaken_by_the_one_group_ahead_of_it_and_no_more() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let first = waiting(lock.shared());
    let mut patient = waiting(lock.exclusive());
    let mut overtaking = vec![first];
    overtaking.extend((0..CROWD).map(|_| waiting(lock.shared())));
    drop(holder);
    let mut overtaking: Vec<_> = overtaking.into_iter().map(granted).collect();
    let mut behind = Vec::new();

    while let Some(sharer) = overtaking.pop() {
        still_waits(&mut patient);
        behind.push(waiting(lock.shared())); // The lock is shared all the time, and still no newcomer gets in.
        drop(sharer);
    }
    let patient = granted(patient);
    behind.iter_mut().for_each(still_waits);
    drop(patient);
    assert!(behind.iter().all(Spawn::is_woken));
}

#[test]
fn a_group_of_any_size_is_granted_together() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let group: Vec<_> = (0..CROWD).map(|_| waiting(lock.shared())).collect();
    let mut exclusive = waiting(lock.exclusive());

    drop(holder);
    let group: Vec<_> = group.into_iter().map(granted).collect();
    still_waits(&mut exclusive);
    drop(group);
    drop(granted(exclusive));
}

#[test]
fn a_share_that_is_released_at_once_splits_no_group() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_exclusive().unwrap();
    // Each member is dropped as soon as it is woken: the lock becomes free again and again in mid-group.
    let group: Vec<_> = (0..CROWD).map(|_| Delivery::new(Box::pin(Arc::clone(&lock).shared_owned()), drop)).collect();
    for member in &group {
        assert!(member.poll().is_none());
    }
    let mut exclusive = waiting(lock.exclusive());
    drop(holder);
    assert!(exclusive.is_woken());
    drop(assert_ready_ok!(exclusive.poll()));
    assert!(lock.try_exclusive().is_ok());
}

#[test]
fn a_newcomer_between_the_batches_of_a_large_group_opens_a_new_group_that_others_join() {
    let lock = Arc::new(SharedLock::new(()));
    let holder = lock.try_exclusive().unwrap();
    let newcomer = Arc::new(Mutex::new(None));
    let first = Delivery::new(Box::pin(Arc::clone(&lock).shared_owned()), {
        // The waker of the first member runs when the first batch has been granted and the last one has not.
        let (lock, newcomer) = (Arc::clone(&lock), Arc::clone(&newcomer));
        move |_| *newcomer.lock().unwrap() = Some(waiting(Arc::clone(&lock).shared_owned()))
    });
    assert!(first.poll().is_none());
    let rest: Vec<_> = (0..CROWD).map(|_| waiting(lock.shared())).collect();
    let mut exclusive = waiting(lock.exclusive());

    drop(holder);

    let rest: Vec<_> = rest.into_iter().map(granted).collect();
    let mut newcomer = newcomer.lock().unwrap().take().unwrap();
    let mut later = waiting(lock.exclusive());
    let joining = waiting(lock.shared());
    still_waits(&mut exclusive);
    still_waits(&mut newcomer);

    drop(rest);
    drop(granted(exclusive));
    let group = (granted(newcomer), granted(joining)); // `joining` joined the group ahead of `later`.
    still_waits(&mut later);
    drop(group);
    drop(granted(later));
}

#[test]
fn a_downgrade_lets_no_exclusive_request_in_between() {
    let lock = SharedLock::new(7);
    let holder = lock.try_exclusive().unwrap();
    let mut exclusive = waiting(lock.exclusive());

    let holder = holder.downgrade();

    still_waits(&mut exclusive);
    let mut newcomer = waiting(lock.shared()); // The lock is shared now, and still no newcomer passes.
    assert_eq!(*holder, 7);
    drop(holder);
    drop(granted(exclusive));
    drop(assert_ready_ok!(newcomer.poll()));
}

#[test]
fn a_downgrade_takes_the_waiting_group_along_ahead_of_exclusive_requests_before_it() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let first = waiting(lock.exclusive());
    let group = (waiting(lock.shared()), waiting(lock.shared()));
    let mut second = waiting(lock.exclusive());

    let holder = holder.downgrade();

    let group = (granted(group.0), granted(group.1));
    let mut newcomer = waiting(lock.shared()); // The group is closed.
    drop((holder, group));
    let first = granted(first); // The exclusive requests keep their order.
    still_waits(&mut second);
    still_waits(&mut newcomer);
    drop(first);
    drop(granted(second));
    drop(granted(newcomer));
}

#[test]
fn a_downgrade_takes_a_large_group_along_as_a_whole() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap();
    let mut exclusive = waiting(lock.exclusive());
    let group: Vec<_> = (0..CROWD).map(|_| waiting(lock.shared())).collect();

    let holder = holder.downgrade();
    let group: Vec<_> = group.into_iter().map(granted).collect();

    drop(holder);
    still_waits(&mut exclusive);
    drop(group);
    drop(granted(exclusive));
}

#[test]
fn a_downgrade_that_nobody_waits_for_shares_the_lock() {
    let lock = SharedLock::new(());
    let holder = lock.try_exclusive().unwrap().downgrade();
    let other = lock.try_shared().unwrap();
    assert!(would_block(lock.try_exclusive()));
    drop((holder, other));
    assert!(lock.try_exclusive().is_ok());
}

/// A queued request whose waker hands it to a closure, which may look at it, drop it, or do something else.
struct Delivery<M: Mode> {
    request: Mutex<Option<Request<M>>>,
    action: Box<dyn Fn(Option<Request<M>>) + Send + Sync>,
}

type Request<M> = Pin<Box<Acquire<Arc<SharedLock>, M>>>;

impl<M: Mode> Delivery<M> {
    fn new(request: Request<M>, action: impl Fn(Option<Request<M>>) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { request: Mutex::new(Some(request)), action: Box::new(action) })
    }

    fn poll(self: &Arc<Self>) -> Option<Guard<Arc<SharedLock>, M>> {
        let waker = Waker::from(Arc::clone(self));
        let mut request = self.request.lock().unwrap();
        match request.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => Some(outcome.unwrap()),
            Poll::Pending => None,
        }
    }
}

impl<M: Mode> Wake for Delivery<M> {
    fn wake(self: Arc<Self>) {
        let request = self.request.lock().unwrap().take();
        (self.action)(request);
    }
}
