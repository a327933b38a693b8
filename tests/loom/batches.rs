//! Groups that are granted in several batches. In a model, a batch is two.

use super::{Number, assert_free_after, join, lock, together, within, write};
use lockladder::{Priority, Shared, SharedLock, futures::Acquire};
use lockladder_test_support::hostile::{survive, throw};
use lockladder_test_support::requests::{poll, poll_once};
use lockladder_test_support::wakers::on_wake;
use loom::future::block_on;
use loom::thread;
use std::pin::Pin;
use std::sync::Arc;

type Member = Pin<Box<Acquire<Arc<SharedLock<Number>>, Shared>>>;

/// A queued request for a share.
fn member(lock: &Arc<SharedLock<Number>>) -> Member {
    let mut member = Box::pin(Arc::clone(lock).shared_owned());
    assert!(poll_once(member.as_mut()).is_pending());
    member
}

#[test]
fn an_urgent_writer_that_arrives_between_two_batches_splits_no_group() {
    within(2, "urgent arrival between batches", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let group = [(); 3].map(|()| member(&lock));
        let urgent =
            together(&lock, [|lock| block_on(lock.exclusive().priority(Priority::HIGHEST)).unwrap().increment()]);
        holder.increment();
        drop(holder);
        // All three hold at once: if the writer came in between, they would wait for each other.
        let group = group.map(|member| block_on(member).unwrap());
        assert_eq!(group[0].read(), group[2].read());
        drop(group);
        join(urgent);
        assert_free_after(&lock, 2);
    });
}

#[test]
fn a_member_that_gives_up_between_two_batches_leaves_the_others_their_group() {
    for gives_up in [0, 2] {
        within(2, "member gives up between batches", move || {
            let lock = lock();
            let holder = lock.try_exclusive().unwrap();
            let mut group = Vec::from([(); 3].map(|()| member(&lock)));
            let leaver = group.remove(gives_up);
            let mut writer = Box::pin(lock.exclusive());
            assert!(poll_once(writer.as_mut()).is_pending());
            let leaves = thread::spawn(move || drop(leaver));
            holder.increment();
            drop(holder);
            let group: Vec<_> = group.into_iter().map(|member| block_on(member).unwrap()).collect();
            assert_eq!(group[0].read(), 1);
            drop(group);
            leaves.join().unwrap();
            block_on(writer).unwrap().increment();
            assert_free_after(&lock, 2);
        });
    }
}

#[test]
fn a_downgrade_takes_a_group_of_two_batches_along_past_one_writer_and_against_another() {
    within(2, "downgrade with batches against an arrival", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let mut ahead = Box::pin(lock.exclusive());
        assert!(poll_once(ahead.as_mut()).is_pending());
        let group = [(); 3].map(|()| member(&lock));
        let arrives = together(&lock, [write]);
        holder.increment();
        let holder = holder.downgrade();
        let group = group.map(|member| block_on(member).unwrap());
        assert_eq!((holder.read(), group[2].read()), (1, 1));
        drop((holder, group));
        block_on(ahead).unwrap().increment();
        join(arrives);
        assert_free_after(&lock, 3);
    });
}

/// A request that gives up may find its share granted. It must grant the next batch before it releases the share.
#[test]
fn a_share_that_is_given_up_in_mid_batch_is_given_back_though_a_waker_panics() {
    within(3, "give up in mid-batch, a waker panics", || {
        let lock = lock();
        let holder = lock.try_exclusive().unwrap();
        let leaver = member(&lock);
        let second = member(&lock);
        let mut hostile = Box::pin(Arc::clone(&lock).shared_owned());
        assert!(poll(hostile.as_mut(), &on_wake(throw)).is_pending());
        let leaves = thread::spawn(move || survive(|| drop(leaver)));
        survive(|| drop(holder));
        leaves.join().unwrap();
        drop((second, hostile));
        assert_free_after(&lock, 0);
    });
}
