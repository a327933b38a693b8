//! Named locks under loom. Each model ends with everything free; a set has one table here, and two members.

use super::{Number, join, within};
use lockladder::{All, Entries, LockSet, Mode, OpenSet, SetError, SetGuard, guards::SetPointer, names::NamesOrAll};
use lockladder_test_support::requests::poll_once;
use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::thread::{self, JoinHandle};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

type Set = LockSet<u8, Number>;

impl Default for Number {
    fn default() -> Self {
        Self(UnsafeCell::new(0))
    }
}

fn set() -> Arc<Set> {
    Arc::new([1, 2].map(|name| (name, Number::default())).into_iter().collect())
}

/// Spawns a thread that does this with the set at the same time.
fn alongside<S: Send + Sync + 'static>(set: &Arc<S>, work: impl FnOnce(&S) + Send + 'static) -> JoinHandle<()> {
    let set = Arc::clone(set);
    thread::spawn(move || work(&set))
}

/// Writes to all that a guard holds.
fn write_to<P: SetPointer<Name = u8, Value = Number>, M: Mode>(guard: &SetGuard<P, M>) {
    guard.iter().for_each(|(_, number)| number.increment());
}

fn write(set: &Set, names: impl NamesOrAll<u8>) {
    write_to(&block_on(set.exclusive(names)).unwrap());
}

fn read(set: &Set, names: impl NamesOrAll<u8>) -> usize {
    let guard = block_on(set.shared(names)).unwrap();
    guard.iter().map(|(_, number)| number.read()).sum()
}

/// Polls once, and gives up what the request is by then: queued, granted or held.
fn look_once<P, M: Mode>(request: impl Future<Output = Result<SetGuard<P, M>, SetError<u8>>>)
where
    P: SetPointer<Name = u8, Value = Number>,
{
    if let Poll::Ready(guard) = poll_once(pin!(request)) {
        guard.unwrap().iter().for_each(|(_, number)| assert!(number.read() < 9));
    }
}

/// Asserts that everything is free, that no request waits, and that these are the names and how often each was written.
fn assert_free_after<const N: usize>(set: &Set, written: [(u8, usize); N]) {
    let all = set.try_exclusive(All).unwrap();
    assert!(all.iter().map(|(name, number)| (*name, number.read())).eq(written));
    drop(all);
    drop(set.try_exclusive(written.map(|(name, _)| name)).unwrap());
}

// Past the queue, and through it.

#[test]
fn who_goes_back_tells_those_who_came_to_wait_meanwhile() {
    for (one, other) in [(1, 2), (2, 1)] {
        within(3, "wanted against going back", move || {
            let set = set();
            let both = alongside(&set, |set| write(set, [1, 2]));
            let first = block_on(set.exclusive(one)).unwrap(); // `both` may find it taken half way.
            write(&set, other);
            drop(first);
            join([both]);
            assert_free_after(&set, if one == 1 { [(1, 1), (2, 2)] } else { [(1, 2), (2, 1)] });
        });
    }
}

#[test]
fn a_reader_of_both_sees_a_write_of_both_as_a_whole_or_not_at_all() {
    within(3, "a writer and a reader of both", || {
        let set = set();
        let writer = alongside(&set, |set| write(set, [1, 2]));
        assert!([0, 2].contains(&read(&set, [2, 1])));
        join([writer]);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

#[test]
fn whoever_waits_is_handed_all_its_names() {
    within(3, "release against enqueue", || {
        let set = set();
        let holder = set.try_exclusive([1, 2]).unwrap();
        let waiter = alongside(&set, |set| write(set, [1, 2]));
        write_to(&holder);
        drop(holder);
        join([waiter]);
        assert_free_after(&set, [(1, 2), (2, 2)]);
    });
}

#[test]
fn two_sharers_leave_at_once_and_a_writer_of_both_names_gets_in() {
    within(2, "two last sharers against enqueue", || {
        let set = set();
        let (one, other) = (Arc::clone(&set).try_shared_owned(1).unwrap(), set.try_shared([1, 2]).unwrap());
        let writer = alongside(&set, |set| write(set, [1, 2]));
        let leaves = thread::spawn(move || drop(one));
        drop(other);
        join([writer, leaves]);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

#[test]
fn giving_up_against_the_grant_of_the_same_request_loses_nothing() {
    within(3, "give up against grant", || {
        let set = set();
        let holder = set.try_exclusive(1).unwrap();
        let gives_up = alongside(&set, |set| look_once(set.exclusive([1, 2])));
        write_to(&holder);
        drop(holder);
        join([gives_up]);
        assert_free_after(&set, [(1, 1), (2, 0)]);
    });
}

#[test]
fn who_waits_behind_gets_in_when_the_first_gives_up_against_its_grant() {
    within(2, "give up against grant, another waits", || {
        let set = set();
        let holder = set.try_exclusive(1).unwrap();
        let mut first = Box::pin(Arc::clone(&set).exclusive_owned([1, 2]));
        assert!(poll_once(first.as_mut()).is_pending());
        let behind = alongside(&set, |set| write(set, [1, 2]));
        let gives_up = thread::spawn(move || drop(first));
        drop(holder);
        join([behind, gives_up]);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

#[test]
fn a_sharer_runs_when_the_first_gives_up_against_its_arrival() {
    within(3, "the first gives up against an arrival", || {
        let set = set();
        let holder = set.try_shared(1).unwrap(); // Held to the end: only giving up lets the sharer in.
        let mut first = Box::pin(set.exclusive([1, 2]));
        assert!(poll_once(first.as_mut()).is_pending());
        let behind = alongside(&set, |set| assert_eq!(read(set, 1), 0));
        drop(first);
        join([behind]);
        drop(holder);
        assert_free_after(&set, [(1, 0), (2, 0)]);
    });
}

#[test]
fn a_downgrade_keeps_a_writer_out() {
    within(3, "downgrade against a writer", || {
        let set = set();
        let holder = set.try_exclusive([1, 2]).unwrap();
        let writer = alongside(&set, |set| write(set, [1, 2]));
        write_to(&holder);
        let holder = holder.downgrade();
        assert_eq!((holder[1].read(), holder[2].read()), (1, 1));
        drop(holder);
        join([writer]);
        assert_free_after(&set, [(1, 2), (2, 2)]);
    });
}

#[test]
fn a_sharer_gets_in_beside_who_has_gone_down_to_sharing() {
    within(3, "downgrade against a sharer", || {
        let set = set();
        let holder = set.try_exclusive([1, 2]).unwrap();
        let sharer = alongside(&set, |set| assert_eq!(read(set, 1), 1));
        write_to(&holder);
        let holder = holder.downgrade();
        join([sharer]); // While the holder still shares.
        drop(holder);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

#[test]
fn an_opportunist_takes_what_is_free_and_loses_nothing() {
    within(2, "opportunist against a writer and a release", || {
        let set = set();
        let holder = set.try_shared(2).unwrap();
        let writer = alongside(&set, |set| write(set, [1, 2]));
        drop(block_on(set.exclusive([1, 2]).opportunistic()).unwrap());
        drop(holder);
        join([writer]);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

// The whole.

#[test]
fn the_whole_and_who_comes_fast_are_never_together() {
    within(3, "the whole against a fast one", || {
        let set = set();
        let fast = alongside(&set, |set| write(set, 1));
        write(&set, All);
        join([fast]);
        assert_free_after(&set, [(1, 2), (2, 1)]);
    });
}

#[test]
fn the_whole_and_who_comes_fast_for_several_are_never_together() {
    within(2, "the whole against a fast one for two", || {
        let set = set();
        let fast = alongside(&set, |set| write(set, [1, 2]));
        write(&set, All);
        join([fast]);
        assert_free_after(&set, [(1, 2), (2, 2)]);
    });
}

#[test]
fn the_whole_and_an_opportunist_are_never_together() {
    within(3, "the whole against an opportunist", || {
        let set = set();
        let opportunist = alongside(&set, |set| {
            let guard = block_on(set.exclusive(1).opportunistic()).unwrap();
            guard.iter().for_each(|(_, number)| assert!(number.read() <= 1));
        });
        write(&set, All);
        join([opportunist]);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

#[test]
fn the_whole_waits_for_who_leaves_while_it_counts() {
    within(4, "counting against a release", || {
        let set = set();
        let holder = set.try_exclusive(1).unwrap();
        let whole = alongside(&set, |set| write(set, All));
        write_to(&holder);
        drop(holder);
        join([whole]);
        assert_free_after(&set, [(1, 2), (2, 1)]);
    });
}

#[test]
fn two_wholes_are_never_together() {
    within(2, "the whole against the whole", || {
        let set = set();
        let other = alongside(&set, |set| write(set, All));
        write(&set, All);
        join([other]);
        assert_free_after(&set, [(1, 2), (2, 2)]);
    });
}

#[test]
fn a_shared_whole_and_a_writer_end_beside_another_whole() {
    within(1, "a shared whole, the whole, a writer", || {
        let set = set();
        let others = [alongside(&set, |set| assert!(read(set, All) <= 3)), alongside(&set, |set| write(set, 1))];
        write(&set, All);
        join(others);
        assert_free_after(&set, [(1, 2), (2, 1)]);
    });
}

#[test]
fn who_counts_and_gives_up_leaves_the_other_whole_its_turn() {
    within(2, "giving up the whole against a whole", || {
        let set = set();
        let holder = set.try_exclusive(1).unwrap();
        let whole = alongside(&set, |set| write(set, All));
        look_once(set.exclusive(All));
        drop(holder);
        join([whole]);
        assert_free_after(&set, [(1, 1), (2, 1)]);
    });
}

#[test]
fn giving_up_the_whole_lets_in_who_waits_for_a_name() {
    within(3, "giving up the whole against a reader", || {
        let set = set();
        let holder = set.try_shared(1).unwrap(); // Held to the end: only giving up lets the reader in.
        let mut whole = Box::pin(set.exclusive(All));
        assert!(poll_once(whole.as_mut()).is_pending());
        let reader = alongside(&set, |set| assert_eq!(read(set, 1), 0));
        drop(whole);
        join([reader]);
        drop(holder);
        assert_free_after(&set, [(1, 0), (2, 0)]);
    });
}

#[test]
fn a_part_of_the_whole_is_released_against_who_is_about_to_go_back() {
    within(3, "singling out against a fast one", || {
        let set = set();
        let owner = alongside(&set, |set| {
            let mut whole = block_on(set.exclusive(All)).unwrap();
            write_to(&whole);
            whole.release(2).unwrap();
            write_to(&whole);
        });
        write(&set, 1);
        join([owner]);
        assert_free_after(&set, [(1, 3), (2, 1)]);
    });
}

#[test]
fn the_whole_waits_for_the_part_that_another_keeps_of_it() {
    within(2, "singling out against the whole", || {
        let set = set();
        let other = alongside(&set, |set| write(set, All));
        let mut whole = block_on(set.exclusive(All)).unwrap();
        whole.release(2).unwrap();
        write_to(&whole);
        drop(whole);
        join([other]);
        assert_free_after(&set, [(1, 2), (2, 1)]);
    });
}

// Members that come and go.

#[test]
fn nothing_is_added_while_the_whole_is_held() {
    within(2, "add against the whole", || {
        let set = set();
        let adds = alongside(&set, |set| block_on(set.add(Entries([(3, Number::default())]))).unwrap());
        let whole = block_on(set.exclusive(All)).unwrap();
        let before = whole.len();
        write_to(&whole);
        assert_eq!(whole.len(), before);
        drop(whole);
        join([adds]);
        let written = usize::from(before == 3);
        assert_free_after(&set, [(1, 1), (2, 1), (3, written)]);
    });
}

#[test]
fn of_two_who_add_one_name_one_adds_it() {
    within(2, "add against add", || {
        let set = set();
        let other = thread::spawn({
            let set = Arc::clone(&set);
            move || block_on(set.add(Entries([(3, Number::default())]))).is_ok()
        });
        let added = block_on(set.add_exclusive(Entries([(3, Number::default())]))).map(drop).is_ok();
        assert!(added != other.join().unwrap());
        assert_free_after(&set, [(1, 0), (2, 0), (3, 0)]);
    });
}

#[test]
fn whoever_comes_as_a_name_is_removed_gets_it_or_learns_it() {
    within(2, "remove against a writer", || {
        let set = set();
        let comes = alongside(&set, |set| match block_on(set.exclusive([1, 2])) {
            Ok(guard) => write_to(&guard),
            Err(error) => {
                assert!(matches!(error, SetError::Unknown { name: 1 } | SetError::Deleted { name: 1 }), "{error}");
            }
        });
        assert_eq!(block_on(set.remove([1])).unwrap(), [1]);
        join([comes]);
        assert_eq!(set.names(), [2]);
        drop(set.try_exclusive(2).unwrap());
        drop(set.try_exclusive(All).unwrap());
    });
}

#[test]
fn whoever_waits_as_an_owner_removes_a_name_learns_it() {
    within(3, "removal by an owner against enqueue", || {
        let set = set();
        let mut owner = set.try_exclusive(1).unwrap();
        let comes = alongside(&set, |set| {
            let error = block_on(set.shared([1, 2])).map(drop).unwrap_err();
            assert!(matches!(error, SetError::Unknown { name: 1 } | SetError::Deleted { name: 1 }), "{error}");
        });
        write_to(&owner);
        let [(1, number)] = &owner.remove(1).unwrap()[..] else { panic!("the value comes with the name") };
        assert_eq!(number.read(), 1);
        join([comes]);
        assert_free_after(&set, [(2, 0)]);
    });
}

#[test]
fn of_two_who_remove_one_name_one_removes_it() {
    within(2, "remove against remove", || {
        let set = set();
        let other = thread::spawn({
            let set = Arc::clone(&set);
            move || block_on(set.remove([1])).unwrap().len()
        });
        let removed = block_on(set.remove([1, 2])).unwrap().len();
        assert_eq!(removed + other.join().unwrap(), 2);
        assert!(set.names().is_empty());
    });
}

#[test]
fn the_whole_skips_what_is_removed_before_its_turn() {
    within(2, "remove against the whole", || {
        let set = set();
        let removes = alongside(&set, |set| assert_eq!(block_on(set.remove([1])).unwrap(), [1]));
        write(&set, All);
        join([removes]);
        assert_free_after(&set, [(2, 1)]);
    });
}

#[test]
fn too_few_are_left_for_who_waits_or_they_are_enough() {
    within(2, "removal against at least two", || {
        let set = set();
        let mut owner = set.try_exclusive(1).unwrap();
        let comes = alongside(&set, |set| {
            let error = block_on(set.shared([1, 2]).at_least(2)).map(drop).unwrap_err();
            assert_eq!(error, SetError::TooFew { wanted: 2, existing: 1 });
        });
        owner.remove(1).unwrap();
        join([comes]);
        assert_free_after(&set, [(2, 0)]);
    });
}

// Open sets. What a name stands for is outside of the set, because the value in the set goes with the name.

#[derive(Default)]
struct Open {
    set: OpenSet<u8, Number>,
    outside: Number,
}

impl Open {
    fn write(&self, names: &[u8]) {
        let guard = block_on(self.set.exclusive(names)).unwrap();
        self.outside.increment();
        write_to(&guard);
    }

    fn assert_empty_after(&self, writes: usize) {
        assert!(self.set.names().is_empty());
        assert_eq!(self.outside.read(), writes);
    }
}

#[test]
fn a_name_that_goes_as_others_come_never_has_two_holders() {
    within(3, "open: coming against going", || {
        let open = Arc::new(Open::default());
        let other = alongside(&open, |open: &Open| open.write(&[1]));
        open.write(&[1]);
        join([other]);
        open.assert_empty_after(2);
    });
}

#[test]
fn a_name_that_two_leave_as_a_third_comes_never_has_two_holders() {
    within(2, "open: three", || {
        let open = Arc::new(Open::default());
        let others = [(); 2].map(|()| alongside(&open, |open: &Open| open.write(&[1])));
        open.write(&[1]);
        join(others);
        open.assert_empty_after(3);
    });
}

#[test]
fn names_that_two_want_in_part_are_gone_when_both_are() {
    within(2, "open: overlapping", || {
        let open = Arc::new(Open::default());
        let other = alongside(&open, |open: &Open| open.write(&[1, 2]));
        open.write(&[2, 3]);
        join([other]);
        open.assert_empty_after(2);
    });
}

#[test]
fn a_name_is_gone_when_its_holder_leaves_as_another_gives_up() {
    within(2, "open: giving up against release", || {
        let open = Arc::new(Open::default());
        let others = [
            alongside(&open, |open: &Open| look_once(open.set.exclusive([1]))),
            alongside(&open, |open: &Open| open.write(&[1])),
        ];
        open.write(&[1]);
        join(others);
        open.assert_empty_after(2);
    });
}

#[test]
fn a_name_is_gone_when_all_who_share_it_are() {
    within(2, "open: sharers, one of whom looks at the names", || {
        let open = Arc::new(Open::default());
        let shares = alongside(&open, |open: &Open| drop(block_on(open.set.shared([1])).unwrap()));
        let guard = block_on(open.set.shared([1])).unwrap();
        assert_eq!(open.set.names(), [1]);
        drop(guard);
        join([shares]);
        open.assert_empty_after(0);
    });
}
