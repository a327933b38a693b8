//! Named locks under shuttle: more tasks than loom can take, in schedules chosen at random. See `shuttle.rs`.
//!
//! `RUSTFLAGS="--cfg lockladder_shuttle" cargo test --release -p lockladder --test shuttle_sets`
//!
//! A set has two tables here, and whoever counts the whole rests after each.

#![cfg(lockladder_shuttle)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{
    All, Entries, Exclusive, LockSet, Mode, OpenSet, Priority, SetError, SetGuard, Shared, guards::SetPointer,
};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{self, yield_now};
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

/// What a name stands for: how many share it at this moment, or −1 if somebody owns it. The scheduler does not see it.
#[derive(Debug, Default)]
struct Room(AtomicIsize);

impl Room {
    fn share(&self) {
        assert!(self.0.fetch_add(1, Relaxed) >= 0, "shared beside an owner");
    }

    fn stop_sharing(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    fn own(&self) {
        assert_eq!(self.0.swap(-1, Relaxed), 0, "owned beside others");
    }

    fn stop_owning(&self) {
        assert_eq!(self.0.swap(0, Relaxed), -1, "shared beside its owner");
    }
}

/// What a guard allows: to be in all the rooms it holds at once.
trait Enter {
    fn enter(&self);
}

impl<P: SetPointer<Name = u8, Value = Room>> Enter for SetGuard<P, Shared> {
    fn enter(&self) {
        self.iter().for_each(|(_, room)| room.share());
        yield_now();
        self.iter().for_each(|(_, room)| room.stop_sharing());
    }
}

impl<P: SetPointer<Name = u8, Value = Room>> Enter for SetGuard<P, Exclusive> {
    fn enter(&self) {
        self.iter().for_each(|(_, room)| room.own());
        yield_now();
        self.iter().for_each(|(_, room)| room.stop_owning());
    }
}

type Set = LockSet<u8, Room>;

fn set() -> Arc<Set> {
    Arc::new([1, 2, 3].map(|name| (name, Room::default())).into_iter().collect())
}

/// Tells a scenario many times, in other schedules each time.
fn explore(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    let schedules = env::var("LOCKLADDER_SCHEDULES").map_or(100_000, |schedules| schedules.parse().unwrap());
    shuttle::check_random(scenario, schedules);
    shuttle::check_pct(scenario, schedules, 3);
}

/// As [`explore`], for stories that depend on a few steps being taken in one order.
fn explore_deeply(scenario: impl Fn() + Send + Sync + Copy + 'static) {
    let schedules = env::var("LOCKLADDER_SCHEDULES").map_or(100_000, |schedules| schedules.parse().unwrap());
    for depth in [4, 5, 6] {
        shuttle::check_pct(scenario, schedules, depth);
    }
}

/// All of this at the same time, to its end.
fn together<S: Send + Sync + 'static, const N: usize>(set: &Arc<S>, work: [fn(&Arc<S>); N]) {
    let threads = work.map(|work| {
        let set = Arc::clone(set);
        thread::spawn(move || work(&set))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// At rest, these are the names, and everything is free.
fn assert_free(set: &Set, names: &[u8]) {
    assert_eq!(set.names(), names);
    set.try_exclusive(All).unwrap().enter();
    set.try_exclusive(names).unwrap().enter();
}

/// Looks a few times, then gives up, unless it has been granted by then.
fn impatient<P: SetPointer<Name = u8>, M: Mode>(request: impl Future<Output = Result<SetGuard<P, M>, SetError<u8>>>)
where
    SetGuard<P, M>: Enter,
{
    let mut request = Box::pin(request);
    for _ in 0..thread_rng().gen_range(1..4) {
        if let Poll::Ready(outcome) = request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            outcome.inspect(Enter::enter).ok();
            return;
        }
        yield_now();
    }
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

/// The set is open, a member is taken past the queue; in between, somebody has had the whole, removed it, and gone.
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

/// A hold that is noted for those who wait for the whole is given back through the queue, or they would not learn of it.
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
        match request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
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

/// An open set, and what its names stand for: the values in it go with the names.
#[derive(Default)]
struct Open {
    set: OpenSet<u8, Room>,
    outside: [Room; 2],
}

#[test]
fn names_of_an_open_set_never_have_two_holders_and_are_gone_in_the_end() {
    fn owns(open: &Arc<Open>) {
        let guard = block_on(open.set.exclusive([0])).unwrap();
        open.outside[0].own();
        guard.enter();
        open.outside[0].stop_owning();
    }
    fn owns_both(open: &Arc<Open>) {
        let guard = block_on(open.set.exclusive([1, 0])).unwrap();
        open.outside.iter().for_each(Room::own);
        guard.enter();
        open.outside.iter().for_each(Room::stop_owning);
    }
    fn shares_both(open: &Arc<Open>) {
        let mut guard = block_on(open.set.shared([0, 1])).unwrap();
        open.outside.iter().for_each(Room::share);
        guard.enter();
        open.outside[0].stop_sharing();
        guard.release([0]).unwrap();
        guard.enter();
        open.outside[1].stop_sharing();
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
