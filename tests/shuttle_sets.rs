//! Named locks under shuttle: more tasks than loom can take, in schedules chosen at random. See `shuttle.rs`.
//!
//! `RUSTFLAGS="--cfg lockladder_shuttle" cargo test --release -p lockladder --test shuttle_sets`
//!
//! A set has two shards here; other tasks may run between the locking of one and of the other.

#![cfg(lockladder_shuttle)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::LockMode::{Exclusive, Shared};
use lockladder::{All, Entries, LockSet, OpenSet, Priority, SetError};
use lockladder_test_support::requests::poll_once;
use lockladder_test_support::rooms::Room;
use lockladder_test_support::schedules::{Enter, explore, explore_deeply, impatient, together};
use shuttle::future::block_on;
use shuttle::thread;
use std::sync::Arc;
use std::task::Poll;

type Set = LockSet<u8, Room>;

fn set() -> Arc<Set> {
    Arc::new([1, 2, 3].map(|name| (name, Room::default())).into_iter().collect())
}

/// Checks that the set has these names, and that everything is free.
fn assert_free(set: &Set, names: &[u8]) {
    assert_eq!(set.names(), names);
    set.try_exclusive(All).unwrap().enter();
    set.try_exclusive(names).unwrap().enter();
}

fn owns_the_whole(set: &Arc<Set>) {
    block_on(set.exclusive(All)).unwrap().enter();
}

fn shares_the_whole(set: &Arc<Set>) {
    block_on(set.shared(All)).unwrap().enter();
}

fn owns_two(set: &Arc<Set>) {
    block_on(set.exclusive([1, 2])).unwrap().enter();
}

fn shares_two(set: &Arc<Set>) {
    block_on(set.shared([2, 3])).unwrap().enter();
}

fn owns_one(set: &Arc<Set>) {
    block_on(set.exclusive(2)).unwrap().enter();
}

fn owns_two_impatiently(set: &Arc<Set>) {
    impatient(set.exclusive([2, 3]));
}

fn owns_the_whole_impatiently(set: &Arc<Set>) {
    impatient(set.exclusive(All));
}

#[test]
fn six_who_want_names_and_the_whole_and_give_up_all_get_their_turn() {
    explore(|| {
        let set = set();
        together(
            &set,
            [owns_the_whole, owns_two, shares_two, owns_two_impatiently, owns_the_whole_impatiently, shares_the_whole],
        );
        assert_free(&set, &[1, 2, 3]);
    });
}

/// A member of an ungated set is taken past the queue. Meanwhile a holder of the whole removes the member and leaves.
#[test]
fn nobody_gets_a_guard_of_what_has_been_removed() {
    fn takes_it_fast(set: &Arc<Set>) {
        if let Ok(guard) = set.try_exclusive(1) {
            assert_eq!(guard.names(), [&1]);
            guard.enter();
        }
        let seized = block_on(set.exclusive([1, 2]).opportunistic()).unwrap();
        seized.enter();
    }
    fn removes_it_as_part_of_the_whole(set: &Arc<Set>) {
        if let Ok(mut whole) = set.try_exclusive(All) {
            assert_eq!(whole.remove(1).unwrap().len(), 1);
        }
    }
    explore_deeply(|| {
        let set = set();
        together(&set, [takes_it_fast, removes_it_as_part_of_the_whole]);
    });
}

/// A hold that the queue counts for a request for the whole must be released through the queue, to wake that request.
#[test]
fn whoever_waits_for_the_whole_is_woken_by_those_who_came_fast() {
    fn tries(set: &Arc<Set>) {
        set.try_exclusive(1).ok();
    }
    explore_deeply(|| {
        let set = set();
        let holder = Arc::clone(&set).try_exclusive_owned(1).unwrap();
        let leaves = thread::spawn(move || drop(holder));
        together(&set, [owns_the_whole, tries]);
        leaves.join().unwrap();
    });
}

#[test]
fn members_come_and_go_beside_the_whole_and_who_waits_for_them() {
    fn adds(set: &Arc<Set>) {
        block_on(set.add_exclusive(Entries([(4, Room::default())]))).unwrap().enter();
    }
    fn removes(set: &Arc<Set>) {
        assert_eq!(block_on(set.remove([3])).unwrap(), [3]);
    }
    fn gets_or_learns(set: &Arc<Set>) {
        match block_on(set.exclusive([2, 3])) {
            Ok(guard) => guard.enter(),
            Err(error) => {
                assert!(matches!(error, SetError::Unknown { name: 3 } | SetError::Deleted { name: 3 }), "{error}");
            }
        }
    }
    fn needs_two(set: &Arc<Set>) {
        let guard = block_on(set.shared([1, 2, 3]).at_least(2)).unwrap();
        assert!(guard.len() >= 2);
        guard.enter();
    }
    fn owns_and_releases_a_part(set: &Arc<Set>) {
        let mut whole = block_on(set.exclusive(All)).unwrap();
        whole.enter();
        whole.release(1).unwrap();
        whole.enter();
    }
    explore(|| {
        let set = set();
        together(&set, [adds, removes, gets_or_learns, needs_two, owns_and_releases_a_part, owns_one]);
        assert_free(&set, &[1, 2, 4]);
    });
}

#[test]
fn those_who_hurry_move_downgrade_and_take_what_is_free_keep_each_other_out() {
    fn moves(set: &Arc<Set>) {
        let mut request = Box::pin(set.exclusive([1, 3]).priority(Priority::LOWEST));
        match poll_once(request.as_mut()) {
            Poll::Ready(guard) => guard.unwrap().enter(),
            Poll::Pending => {
                request.as_mut().set_priority(Priority::HIGHEST);
                block_on(request).unwrap().enter();
            }
        }
    }
    fn hurries(set: &Arc<Set>) {
        block_on(set.shared([1, 2]).priority(Priority::new(-1))).unwrap().enter();
    }
    fn downgrades(set: &Arc<Set>) {
        let owner = block_on(set.exclusive([1, 2])).unwrap();
        owner.enter();
        owner.downgrade().enter();
    }
    fn downgrades_the_whole(set: &Arc<Set>) {
        let owner = block_on(set.exclusive(All)).unwrap();
        owner.enter();
        owner.downgrade().enter();
    }
    fn takes_what_is_free(set: &Arc<Set>) {
        block_on(set.exclusive(All).opportunistic()).unwrap().enter();
        block_on(set.shared([2, 3]).opportunistic()).unwrap().enter();
    }
    explore(|| {
        let set = set();
        together(&set, [moves, hurries, downgrades, downgrades_the_whole, takes_what_is_free, owns_two_impatiently]);
        assert_free(&set, &[1, 2, 3]);
    });
}

/// An open set, with a room outside it for each name: the values inside go when the names go.
#[derive(Default)]
struct Open {
    set: OpenSet<u8, Room>,
    outside: [Room; 2],
}

#[test]
fn names_of_an_open_set_never_have_two_holders_and_are_gone_in_the_end() {
    fn owns(open: &Arc<Open>) {
        let guard = block_on(open.set.exclusive([0])).unwrap();
        open.outside[0].enter(Exclusive, "a name");
        guard.enter();
        open.outside[0].leave(Exclusive, "a name");
    }
    fn owns_both(open: &Arc<Open>) {
        let guard = block_on(open.set.exclusive([1, 0])).unwrap();
        open.outside.iter().for_each(|room| room.enter(Exclusive, "a name"));
        guard.enter();
        open.outside.iter().for_each(|room| room.leave(Exclusive, "a name"));
    }
    fn shares_both(open: &Arc<Open>) {
        let mut guard = block_on(open.set.shared([0, 1])).unwrap();
        open.outside.iter().for_each(|room| room.enter(Shared, "a name"));
        guard.enter();
        open.outside[0].leave(Shared, "a name");
        guard.release([0]).unwrap();
        guard.enter();
        open.outside[1].leave(Shared, "a name");
    }
    fn gives_up(open: &Arc<Open>) {
        impatient(open.set.exclusive([0, 1]));
        impatient(open.set.shared([1]));
    }
    explore(|| {
        let open = Arc::new(Open::default());
        together(&open, [owns, owns_both, gives_up, shares_both, gives_up, owns]);
        assert!(open.set.names().is_empty());
    });
}
