//! What sets promise: all or nothing, the whole set, members that come and go, and dropping at any time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::needless_borrows_for_generic_args, reason = "borrowed lists are one of the forms shown")]

use lockladder::{AddError, All, LockMode, LockSet, SetError};
use lockladder_test_support::requests::is_terminated;
use lockladder_test_support::small::abc;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, block_on, task};

/// Whether neither a member nor the whole is held or waited for.
fn all_free(set: &LockSet<String>) -> bool {
    matches!(task::spawn(set.exclusive(All)).poll(), std::task::Poll::Ready(Ok(_)))
}

#[test]
fn several_names_are_held_in_name_order_each_once() {
    let set = abc();
    let guard = block_on(set.exclusive(["c", "a", "c"])).unwrap();
    assert_eq!(guard.names(), ["a", "c"]);
    assert_eq!((guard.len(), guard.mode()), (2, LockMode::Exclusive));
    assert!(guard.contains("a") && !guard.contains("b") && !guard.is_whole() && !guard.is_empty());
}

#[test]
fn names_come_in_every_listed_form() {
    let set = abc();
    let owned = "a".to_owned();
    let names = vec!["a".to_owned(), "b".to_owned()];
    block_on(async {
        let sharers = [
            set.shared("a").await,
            set.shared(&owned).await,
            set.shared(owned.clone()).await,
            set.shared(["a", "b"]).await,
            set.shared(&["a", "b"]).await,
            set.shared(&names[..]).await,
            set.shared(&names).await,
            set.shared(names.clone()).await,
            set.shared([&names[0]]).await,
            set.shared(names.iter().collect::<Vec<_>>()).await,
            set.shared(BTreeSet::from(["a"])).await,
            set.shared(&BTreeSet::from(["a".to_owned()])).await,
            set.shared(HashSet::from(["a"])).await,
            set.shared(&HashSet::from(["a".to_owned()])).await,
            set.shared([""; 0]).await,
            set.shared(All).await,
        ];
        assert_eq!(sharers.map(|guard| guard.unwrap().len()), [1, 1, 1, 2, 2, 2, 2, 2, 1, 2, 1, 1, 1, 1, 0, 3]);
    });
    let ports: LockSet<u16> = LockSet::new([80_u16, 443]);
    assert_eq!(block_on(ports.exclusive(80)).unwrap().names(), [&80]);
    let pairs: LockSet<(u8, u8)> = [(1, 2)].into_iter().collect();
    assert_eq!(block_on(pairs.exclusive([&(1, 2)])).unwrap().names(), [&(1, 2)]);
}

#[test]
fn an_unknown_name_fails_before_anything_is_held() {
    let set = abc();
    let _c = block_on(set.exclusive("c")).unwrap();
    let mut request = task::spawn(set.exclusive(["c", "nope", "a"]));
    assert_eq!(assert_ready_err!(request.poll()), SetError::Unknown { name: "nope".to_owned() });
    assert!(task::spawn(set.exclusive("a")).poll().is_ready());
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let set = abc();
    let _unpolled = (set.exclusive(All), set.add(["x"]), set.remove(["a"]), set.add_exclusive(["y"]));
    assert!(all_free(&set));
    assert_eq!(set.names(), ["a", "b", "c"]);
}

#[test]
fn a_request_holds_nothing_while_it_waits() {
    let set = abc();
    let b = block_on(set.exclusive("b")).unwrap();
    let mut request = task::spawn(set.exclusive(["a", "b", "c"]));
    assert_pending!(request.poll());
    drop(assert_ready_ok!(task::spawn(set.shared("a")).poll()));
    drop(request);
    assert!(task::spawn(set.exclusive("a")).poll().is_ready());
    drop(b);
    assert!(all_free(&set));
}

#[test]
fn a_request_dropped_after_its_turn_has_come_passes_the_lock_on() {
    let set = abc();
    let b = block_on(set.exclusive("b")).unwrap();
    let mut first = task::spawn(set.exclusive(["a", "b"]));
    let mut second = task::spawn(set.exclusive("b"));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(b);
    assert!(first.is_woken());
    drop(first);
    assert!(second.is_woken());
    drop(assert_ready_ok!(second.poll()));
}

#[test]
fn a_name_removed_while_waited_for_fails_the_request_at_once() {
    let set = abc();
    let mut b = block_on(set.exclusive("b")).unwrap();
    let mut request = task::spawn(set.exclusive(["a", "b"]));
    assert_pending!(request.poll());
    b.remove("b").unwrap();
    assert!(request.is_woken());
    assert_eq!(assert_ready_err!(request.poll()), SetError::Deleted { name: "b".to_owned() });
    assert!(all_free(&set), "though the future still exists");
    assert_eq!(set.names(), ["a", "c"]);
}

#[test]
fn the_whole_set_keeps_add_out_and_skips_what_is_removed_meanwhile() {
    let set = abc();
    let mut b = block_on(set.exclusive("b")).unwrap();
    let mut whole = task::spawn(set.shared(All));
    assert_pending!(whole.poll());
    b.remove("b").unwrap();
    let whole = assert_ready_ok!(whole.poll());
    assert_eq!(whole.names(), ["a", "c"]);
    assert!(whole.is_whole());
    let mut add = task::spawn(set.add("d"));
    assert_pending!(add.poll());
    drop(whole);
    assert_ready_ok!(add.poll());
    assert_eq!(set.names(), ["a", "c", "d"]);
}

#[test]
fn the_whole_of_an_empty_set_can_be_held() {
    let set: LockSet<String> = LockSet::default();
    let mut whole = block_on(set.exclusive(All)).unwrap();
    assert!(whole.is_empty() && whole.is_whole());
    assert_pending!(task::spawn(set.add("x")).poll());
    whole.add_held("y").unwrap();
    assert_eq!(whole.names(), ["y"]);
}

#[test]
fn many_can_share_the_whole() {
    let set = abc();
    let (one, other) = block_on(async { (set.shared(All).await.unwrap(), set.shared(All).await.unwrap()) });
    assert_eq!((one.len(), other.len()), (3, 3));
}

#[test]
fn releasing_a_part_drops_the_whole_set_lock_too() {
    let set = abc();
    let mut whole = block_on(set.exclusive(All)).unwrap();
    whole.release([""; 0]).unwrap();
    assert!(!whole.is_whole() && whole.len() == 3);
    assert_ready_ok!(task::spawn(set.add("d")).poll());
    whole.release(["b", "a", "a"]).unwrap();
    assert_eq!(whole.names(), ["c"]);
    assert_eq!(
        whole.release(["c", "b", "a"]).unwrap_err(),
        SetError::NotHeld { names: vec!["a".to_owned(), "b".to_owned()] }
    );
    assert_eq!(whole.names(), ["c"], "nothing was released");
}

#[test]
fn downgrading_lets_sharers_in() {
    let set = abc();
    let guard = block_on(set.exclusive(["a", "b"])).unwrap();
    let mut sharer = task::spawn(set.shared("a"));
    assert_pending!(sharer.poll());
    let guard = guard.downgrade();
    assert!(sharer.is_woken());
    drop(assert_ready_ok!(sharer.poll()));
    assert_eq!(guard.mode(), LockMode::Shared);
    assert_eq!(guard.names(), ["a", "b"]);
}

#[test]
fn adding_a_name_that_exists_adds_nothing() {
    let set = abc();
    let error = block_on(set.add(["d", "c", "b"])).unwrap_err();
    assert_eq!(error, AddError::Exists { names: vec!["b".to_owned(), "c".to_owned()] });
    assert_eq!(
        error.to_string(),
        r#"cannot add ["b", "c"]: already in this set; nothing was added; leave them out, or acquire them"#
    );
    assert_eq!(set.names(), ["a", "b", "c"]);
    assert!(all_free(&set));
}

#[test]
fn a_dropped_add_adds_nothing_and_lets_the_next_one_in() {
    let set = abc();
    let whole = block_on(set.shared(All)).unwrap();
    let mut first = task::spawn(set.add("x"));
    let mut second = task::spawn(set.add_exclusive("y"));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(whole);
    drop(first);
    let held = assert_ready_ok!(second.poll());
    assert_eq!(held.names(), ["y"]);
    assert_eq!(set.names(), ["a", "b", "c", "y"]);
}

#[test]
fn added_names_are_held_as_asked() {
    let set = abc();
    block_on(async {
        let exclusive = set.add_exclusive(["x", "y"]).await.unwrap();
        assert_eq!(exclusive.names(), ["x", "y"]);
        assert_pending!(task::spawn(set.shared("x")).poll());
        let shared = set.add_shared("z").await.unwrap();
        assert_eq!(shared.mode(), LockMode::Shared);
        drop(assert_ready_ok!(task::spawn(set.shared("z")).poll()));
        assert_pending!(task::spawn(set.exclusive("z")).poll());
    });
}

#[test]
fn a_removal_dropped_half_way_has_removed_nothing() {
    let set = abc();
    let b = block_on(set.shared("b")).unwrap();
    let mut removal = task::spawn(set.remove(["a", "b"]));
    assert_pending!(removal.poll());
    let mut waiter = task::spawn(set.shared("b"));
    assert_pending!(waiter.poll());
    drop(removal);
    assert!(waiter.is_woken());
    drop(assert_ready_ok!(waiter.poll()));
    drop(b);
    assert_eq!(set.names(), ["a", "b", "c"]);
    assert!(all_free(&set));
}

#[test]
fn a_removal_tells_what_it_removed_itself() {
    let set = abc();
    let a = block_on(set.exclusive("a")).unwrap();
    let mut first = task::spawn(set.remove(["a", "b"]));
    let mut second = task::spawn(set.remove(["c", "b", "a"]));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    drop(a);
    assert_eq!(assert_ready_ok!(first.poll()), ["a", "b"]);
    assert!(second.is_woken());
    assert_eq!(assert_ready_ok!(second.poll()), ["c"]);
    assert!(set.names().is_empty());
}

#[test]
fn removing_part_of_a_guard_names_what_is_not_held() {
    let set = abc();
    let mut guard = block_on(set.exclusive(["a", "b"])).unwrap();
    assert_eq!(guard.remove(["a", "c"]).unwrap_err(), SetError::NotHeld { names: vec!["c".to_owned()] });
    assert_eq!((guard.len(), set.names().len()), (2, 3), "nothing was removed");
    guard.remove(["a", "b"]).unwrap();
    assert!(guard.is_empty());
    assert_eq!(set.names(), ["c"]);
}

#[test]
fn a_guard_adds_only_while_it_holds_the_whole_set() {
    let set = abc();
    let mut part = block_on(set.exclusive(["a", "b", "c"])).unwrap();
    assert_eq!(part.add("d").unwrap_err(), AddError::NotWhole);
    drop(part);
    let mut whole = block_on(set.exclusive(All)).unwrap();
    whole.add("e").unwrap();
    whole.add_held(["f", "d"]).unwrap();
    assert_eq!(whole.names(), ["a", "b", "c", "d", "f"]);
    drop(assert_ready_ok!(task::spawn(set.shared("e")).poll()));
    assert_pending!(task::spawn(set.shared("d")).poll());
    whole.release("a").unwrap();
    assert_eq!(whole.add("g").unwrap_err(), AddError::NotWhole);
}

#[test]
fn an_owned_guard_outlives_its_set() {
    let set = Arc::new(abc());
    let guard = block_on(Arc::clone(&set).exclusive_owned(["a"])).unwrap();
    let sharer = block_on(Arc::clone(&set).shared_owned("b")).unwrap();
    drop(set);
    let elsewhere = std::thread::spawn(move || {
        assert_eq!(guard.names(), ["a"]);
        assert_eq!(sharer.names(), ["b"]);
    });
    elsewhere.join().unwrap();
}

#[test]
fn debug_of_a_set_never_waits() {
    let set = abc();
    let guard = block_on(set.exclusive("a")).unwrap();
    assert!(format!("{set:?}").contains(r#""a": Member { exclusive: true"#), "{set:?}");
    assert_eq!(format!("{guard:?}"), r#"SetGuard { mode: Exclusive, whole: false, names: ["a"] }"#);
}

#[test]
#[should_panic(expected = "`SetAcquire` polled after it has resolved")]
fn polling_after_completion_says_so() {
    let set = abc();
    let mut request = task::spawn(set.shared("a"));
    let _guard = assert_ready_ok!(request.poll());
    let _ = request.poll();
}

#[test]
fn futures_of_a_set_say_when_they_have_resolved() {
    let set = abc();
    let mut acquire = task::spawn(set.exclusive("a"));
    let mut add = task::spawn(set.add("d"));
    let mut remove = task::spawn(set.remove("b"));
    assert!(!is_terminated(&mut acquire) && !is_terminated(&mut add) && !is_terminated(&mut remove));
    let _guard = assert_ready_ok!(acquire.poll());
    assert_ready_ok!(add.poll());
    assert_eq!(assert_ready_ok!(remove.poll()), ["b"]);
    assert!(is_terminated(&mut acquire) && is_terminated(&mut add) && is_terminated(&mut remove));
}

#[test]
fn debug_of_the_futures_of_a_set_says_what_they_wait_for() {
    let set = abc();
    let _b = block_on(set.exclusive("b")).unwrap();
    let mut request = task::spawn(set.shared(["a", "b"]));
    assert_pending!(request.poll());
    let shown = request.enter(|_, future| format!("{future:?}"));
    assert_eq!(shown, r#"SetAcquire { mode: Shared, waiting_for: ["b"], .. }"#);
    assert_eq!(format!("{:?}", set.add(["x", "y"])), r#"Add { names: ["x", "y"], .. }"#);
    assert!(format!("{:?}", set.remove("b")).starts_with("Remove { acquire: SetAcquire { mode: Exclusive"));
}

#[test]
#[expect(clippy::large_stack_arrays, reason = "one of it has room there")]
fn large_values_are_not_made_on_the_stack() {
    const LARGE: usize = 65_000;
    // A debug build moves the value often: that takes 1.7 MiB. Dozens of values beside it do not fit.
    const STACK: usize = 3 << 20;
    let set = || LockSet::<u32, [u8; LARGE]>::from_entries([(1_u32, [7; LARGE])]);
    let job = move || assert_eq!(set().try_shared(1).expect("it is free")[1][LARGE - 1], 7);
    std::thread::Builder::new().stack_size(STACK).spawn(job).unwrap().join().unwrap();
}
