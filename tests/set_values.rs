//! Values in named locks: reached through the guard, and handed back when their names are removed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{AddError, All, Entries, LockSet, SetError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, block_on, task};

fn sizes() -> LockSet<String, u32> {
    LockSet::from_entries([("b", 2), ("a", 1), ("c", 3)])
}

#[test]
fn a_guard_gives_the_values_it_holds_and_no_others() {
    let set = sizes();
    let mut guard = block_on(set.exclusive(["a", "b"])).unwrap();
    *guard.get_mut("a").unwrap() += 10;
    guard["b"] += 10;
    assert_eq!((guard.get("a"), guard.get("b"), guard.get("c")), (Some(&11), Some(&12), None));
    assert_eq!(guard.get_mut("nope"), None);
    drop(guard);
    let sharer = block_on(set.shared("a")).unwrap();
    assert_eq!(sharer["a"], 11);
}

#[test]
#[should_panic(expected = "the guard does not hold this name")]
fn indexing_by_a_name_that_is_not_held_panics() {
    let set = sizes();
    let _ = block_on(set.shared("a")).unwrap()["b"];
}

#[test]
fn values_come_in_name_order() {
    let set = sizes();
    let mut guard = block_on(set.exclusive(All)).unwrap();
    for (name, value) in &mut guard {
        *value += u32::try_from(name.len()).unwrap();
    }
    let seen: Vec<_> = guard.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(seen, [("a", 2), ("b", 3), ("c", 4)]);
    assert_eq!((&guard).into_iter().count(), 3);
}

#[test]
fn disjoint_values_are_changed_side_by_side() {
    let set = sizes();
    let mut guard = block_on(set.exclusive(["a", "b"])).unwrap();
    let [b, a] = guard.get_disjoint_mut(["b", "a"]).unwrap();
    std::mem::swap(a, b);
    assert_eq!((guard["a"], guard["b"]), (2, 1));
    assert_eq!(guard.get_disjoint_mut(["a", "a"]).unwrap_err(), SetError::Repeated { name: "a".into() });
    let unheld = SetError::NotHeld { names: vec!["c".into(), "nope".into()] };
    assert_eq!(guard.get_disjoint_mut(["nope", "a", "c"]).unwrap_err(), unheld);
}

#[test]
fn entries_are_added_with_their_values_held_as_asked() {
    let set = sizes();
    block_on(set.add(Entries([("d", 4)]))).unwrap();
    let mut new = block_on(set.add_exclusive(Entries([("f", 6), ("e", 5)]))).unwrap();
    new["e"] = 50;
    assert_pending!(task::spawn(set.shared("e")).poll());
    let shared = block_on(set.add_shared(Entries([("g", 7)]))).unwrap();
    assert_eq!((shared["g"], assert_ready_ok!(task::spawn(set.shared("g")).poll())["g"]), (7, 7));
    assert_pending!(task::spawn(set.exclusive("g")).poll());
    drop(new);
    assert_eq!(block_on(set.shared("e")).unwrap()["e"], 50);
    let refused = block_on(set.add(Entries([("a", 0), ("h", 8)]))).unwrap_err();
    assert_eq!(refused, AddError::Exists { names: vec!["a".into()] });
    assert_eq!(block_on(set.shared("a")).unwrap()["a"], 1, "it kept its value");
}

#[test]
fn the_holder_of_the_whole_adds_entries_free_or_held() {
    let set = sizes();
    let mut guard = block_on(set.exclusive(All)).unwrap();
    guard.add_held(Entries([("e", 5)])).unwrap();
    guard.add(Entries([("d", 4)])).unwrap();
    assert_eq!((guard.get("d"), guard.get("e")), (None, Some(&5)));
    assert_eq!(assert_ready_ok!(task::spawn(set.exclusive("d")).poll())["d"], 4);
    assert_pending!(task::spawn(set.shared("e")).poll());
    assert_eq!(guard.names(), ["a", "b", "c", "e"]);
    assert!(guard.is_whole());
}

#[test]
fn removal_by_an_owner_hands_the_values_back() {
    let set = sizes();
    let mut guard = block_on(set.exclusive(["c", "a"])).unwrap();
    assert_eq!(guard.remove(["c", "a", "c"]).unwrap(), [("a".to_owned(), 1), ("c".to_owned(), 3)]);
    assert!(guard.is_empty());
    let mut all = block_on(set.exclusive(All)).unwrap();
    assert_eq!(all.remove("b").unwrap(), [("b".to_owned(), 2)]);
    assert!(set.names().is_empty() && all.is_whole());
}

#[test]
fn each_value_is_dropped_once() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let set: LockSet<u8, Counted> = (0..4).map(|name| (name, Counted(Arc::clone(&dropped)))).collect();
    let mut guard = block_on(set.exclusive([0, 1])).unwrap();
    let mut waiter = task::spawn(set.shared(0));
    assert_pending!(waiter.poll());
    let removed = guard.remove(0).unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(removed);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    assert_eq!(block_on(set.remove(3)).unwrap(), [3]);
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
    drop((guard, waiter));
    drop(set);
    assert_eq!(dropped.load(Ordering::Relaxed), 4);
}

#[test]
fn who_learns_of_a_removal_or_gives_up_before_leaves_nothing_of_the_name() {
    let name: Arc<str> = "a".into();
    for polls in [false, true] {
        let set: LockSet<Arc<str>> = LockSet::new([Arc::clone(&name)]);
        let mut owner = set.try_exclusive([Arc::clone(&name)]).unwrap();
        let mut waiter = task::spawn(set.shared([Arc::clone(&name)]));
        assert_pending!(waiter.poll());
        let removed = owner.remove([Arc::clone(&name)]).unwrap();
        if polls {
            let error = assert_ready_err!(waiter.poll());
            assert_eq!(error, SetError::Deleted { name: Arc::clone(&name) });
        }
        drop((waiter, owner, removed));
        assert_eq!(Arc::strong_count(&name), 1, "the set has forgotten it");
        assert!(set.names().is_empty());
    }
}

#[test]
fn a_set_guard_mapped_to_one_value_still_holds_all_its_names() {
    let set: LockSet<String, [u32; 2]> = LockSet::from_entries([("a", [1, 2]), ("b", [3, 4])]);
    let mut part = set.try_exclusive(["a", "b"]).unwrap().map_mut("a", |pair| &mut pair[1]).unwrap();
    *part += 10;
    let part = std::thread::scope(|scope| scope.spawn(|| part).join().unwrap());
    assert_eq!((*part, format!("{part:?} {part}")), (12, "12 12".to_owned()));
    assert!(set.try_shared("a").is_err() && set.try_shared("b").is_err());
    drop(part);
    let part = set.try_shared(All).unwrap().map("a", |pair| &pair[1]).unwrap();
    assert_eq!((*part, set.try_exclusive("b").is_err(), set.try_shared("b").is_ok()), (12, true, true));
    drop(part);
    assert!(set.try_exclusive(All).is_ok());
}

#[test]
fn a_set_guard_is_not_mapped_to_a_name_that_it_does_not_hold() {
    let set: LockSet<String, u32> = LockSet::from_entries([("a", 1), ("b", 2)]);
    let guard = set.try_shared("a").unwrap().map("b", |value| value).unwrap_err();
    assert_eq!(guard.names(), ["a"]);
    drop(guard);
    let guard = set.try_exclusive("a").unwrap().map_mut("nope", |value| value).unwrap_err();
    assert_eq!(guard.names(), ["a"]);
}

#[test]
fn a_part_that_panics_releases_what_was_held() {
    let set: LockSet<String, u32> = LockSet::from_entries([("a", 1)]);
    let guard = set.try_exclusive("a").unwrap();
    let mapped =
        catch_unwind(AssertUnwindSafe(|| guard.map_mut("a", |_| -> &mut u32 { panic!("a part that panics") })));
    assert!(mapped.is_err());
    assert!(set.try_exclusive("a").is_ok());
}
