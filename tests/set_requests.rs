//! Ways to request names: with a deadline, with a priority, without waiting, in part; and guards that are split.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{AddError, All, LockMode, LockSet, Priority, SetError};
use lockladder_test_support::requests::is_terminated;
use lockladder_test_support::small::abc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, block_on, task};

const MOMENT: Duration = Duration::from_millis(50);

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_deadline_counts_for_all_names_and_leaves_nothing_held() {
    let set = abc();
    let b = set.exclusive("b").await.unwrap();
    let mut request = task::spawn(set.exclusive(["a", "b"]).timeout(MOMENT));
    assert_pending!(request.poll());
    let mut behind = task::spawn(set.shared(["b"]).timeout(MOMENT * 9));
    assert_pending!(behind.poll());
    advance(MOMENT).await;
    let error = assert_ready_err!(request.poll());
    let expected = SetError::TimedOut { names: names(&["b"]), more: 0, mode: LockMode::Exclusive, waited: MOMENT };
    assert_eq!(error, expected);
    assert!(is_terminated(&mut request));
    drop(set.try_exclusive("a").unwrap());
    drop(b);
    drop(assert_ready_ok!(behind.poll()));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_lets_run_who_can_run_now() {
    let set = abc();
    let sharer = set.shared("a").await.unwrap();
    let mut owner = task::spawn(set.exclusive("a").timeout(MOMENT));
    assert_pending!(owner.poll());
    let mut behind = task::spawn(set.shared("a"));
    assert_pending!(behind.poll());
    advance(MOMENT).await;
    assert_ready_err!(owner.poll());
    assert!(behind.is_woken());
    drop((assert_ready_ok!(behind.poll()), sharer));
}

#[tokio::test(start_paused = true)]
async fn a_removal_and_an_addition_that_time_out_change_nothing() {
    let set = abc();
    let whole = set.shared(All).await.unwrap();
    let mut removal = task::spawn(set.remove(["a", "b"]).timeout(MOMENT));
    let mut addition = task::spawn(set.add("d").timeout(MOMENT));
    assert_pending!(removal.poll());
    assert_pending!(addition.poll());
    advance(MOMENT).await;
    assert!(matches!(assert_ready_err!(removal.poll()), SetError::TimedOut { .. }));
    assert_eq!(assert_ready_err!(addition.poll()), AddError::TimedOut { waited: MOMENT });
    drop(whole);
    assert_eq!(set.names(), ["a", "b", "c"]);
    assert_eq!(set.remove("a").timeout(MOMENT).await.unwrap(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_was_made_in_time_wins() {
    let set = abc();
    let b = set.exclusive("b").await.unwrap();
    let mut request = task::spawn(set.exclusive(["a", "b"]).timeout(MOMENT));
    let whole = set.shared(All);
    assert_pending!(request.poll());
    drop(b);
    advance(MOMENT * 2).await;
    drop(assert_ready_ok!(request.poll()));
    drop(whole.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_past_still_tries_once_for_the_whole_of_a_large_set() {
    let set: LockSet<u32> = (0..20_000).collect();
    let whole = set.exclusive(All).deadline(Instant::now()).await.unwrap();
    assert_eq!(whole.len(), 20_000);
    let mut late = task::spawn(set.shared(All).deadline(Instant::now()));
    let error = assert_ready_err!(late.poll());
    assert_eq!(
        error,
        SetError::TimedOut { names: Vec::new(), more: 0, mode: LockMode::Shared, waited: Duration::ZERO }
    );
}

#[test]
fn the_more_urgent_comes_first_and_a_priority_can_change() {
    let set = abc();
    let held = block_on(set.exclusive(["a", "b"])).unwrap();
    let mut first = task::spawn(set.exclusive(["a", "b"]));
    let mut urgent = task::spawn(set.exclusive(["a", "b"]).priority(Priority::new(-5)));
    let mut second = task::spawn(set.exclusive("a"));
    assert_pending!(first.poll());
    assert_pending!(urgent.poll());
    assert_pending!(second.poll());
    second.enter(|_, request| request.set_priority(Priority::new(-9)));
    drop(held);
    assert!(second.is_woken() && !urgent.is_woken() && !first.is_woken());
    drop(assert_ready_ok!(second.poll()));
    assert!(urgent.is_woken() && !first.is_woken());
    drop(assert_ready_ok!(urgent.poll()));
    drop(assert_ready_ok!(first.poll()));
}

#[test]
fn a_try_takes_all_now_or_nothing() {
    let set = abc();
    let b = set.try_shared("b").unwrap();
    drop(set.try_shared(["a", "b"]).unwrap());
    let refused = set.try_exclusive(["a", "b"]).unwrap_err();
    assert_eq!(refused, SetError::WouldBlock { names: names(&["b"]), more: 0, mode: LockMode::Exclusive });
    assert_eq!(
        refused.to_string(),
        "cannot acquire exclusive locks without waiting, blocked on [\"b\"]: others hold them or come first; \
         wait for them, or try again later"
    );
    drop(set.try_exclusive("a").unwrap());
    assert_eq!(set.try_shared("x").unwrap_err(), SetError::Unknown { name: "x".to_owned() });
    assert!(matches!(set.try_exclusive(All), Err(SetError::WouldBlock { .. })));
    drop(b);
    assert_eq!(set.try_exclusive(All).unwrap().len(), 3);
    let set = Arc::new(set);
    drop(Arc::clone(&set).try_exclusive_owned("a").unwrap());
    drop(Arc::clone(&set).try_shared_owned(All).unwrap());
    drop(set.try_exclusive(All).unwrap());
}

#[test]
fn a_try_of_the_whole_says_what_others_hold() {
    let set = abc();
    let holder = set.try_exclusive("b").unwrap();
    let blocked = |names, mode| Err(SetError::WouldBlock { names, more: 0, mode });
    assert_eq!(set.try_shared(All).map(drop), blocked(names(&["b"]), LockMode::Shared));
    let sharer = holder.downgrade();
    assert_eq!(set.try_exclusive(All).map(drop), blocked(names(&["b"]), LockMode::Exclusive));
    drop((set.try_shared(All).unwrap(), sharer));

    let many: LockSet<u32> = (0..1_000).collect();
    let all_of_them: Vec<_> = (0..1_000_u32).map(|name| many.try_shared(name).unwrap()).collect();
    let refused = many.try_exclusive(All).unwrap_err();
    assert!(refused.to_string().contains(", 984 more]"), "{refused}");
    let SetError::WouldBlock { names, more, .. } = refused else { panic!("they are held") };
    assert_eq!((names.len(), more), (16, 984));
    drop(all_of_them);
}

#[test]
fn the_same_priority_is_the_same_place() {
    let set = abc();
    let holder = set.try_exclusive("a").unwrap();
    let (mut first, mut second) = (task::spawn(set.exclusive("a")), task::spawn(set.exclusive("a")));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    first.enter(|_, request| request.set_priority(Priority::default()));
    drop(holder);
    drop(assert_ready_ok!(first.poll()));
    drop(assert_ready_ok!(second.poll()));
}

/// How many requests for `b`, which is free, pass a request for `a` and `b` that waits because `a` is held.
fn passes(priority: Priority, requests: u32) -> u32 {
    let set = abc();
    let _a = set.try_exclusive("a").unwrap();
    let mut both = task::spawn(set.exclusive(["a", "b"]));
    assert_pending!(both.poll());
    let passes = |_: &u32| task::spawn(set.exclusive("b").priority(priority)).poll().is_ready();
    (0..requests).filter(passes).count().try_into().unwrap()
}

#[test]
fn who_waits_for_a_held_name_is_passed_at_its_other_names_16_times_by_those_of_its_priority() {
    assert_eq!(passes(Priority::default(), 20), 16);
    assert_eq!(passes(Priority::new(1), 20), 0, "the less urgent wait behind it");
    assert_eq!(passes(Priority::new(-1), 20), 20, "the more urgent come first anyhow");
}

#[test]
fn who_was_granted_has_passed_whom_it_passed_though_it_is_dropped_before_it_resolves() {
    let set = abc();
    let (_a, b) = (set.try_exclusive("a").unwrap(), set.try_exclusive("b").unwrap());
    let mut both = task::spawn(set.exclusive(["a", "b"]));
    assert_pending!(both.poll());
    let mut crowd: Vec<_> = (0..16).map(|_| task::spawn(set.exclusive("b"))).collect();
    assert!(crowd.iter_mut().all(|request| request.poll().is_pending()));
    drop(b); // Grants the first; each one dropped hands `b` over to the next, and none resolves.
    drop(crowd);
    let mut next = task::spawn(set.exclusive("b"));
    assert_pending!(next.poll());
    drop(both);
    drop(assert_ready_ok!(next.poll()));
}

#[test]
fn a_try_does_not_pass_those_who_wait() {
    let set = abc();
    let a = block_on(set.shared("a")).unwrap();
    let mut owner = task::spawn(set.exclusive("a"));
    assert_pending!(owner.poll());
    assert!(set.try_shared("a").is_err(), "as on a lock of its own");
    drop(a);
    drop(assert_ready_ok!(owner.poll()));
}

#[test]
fn opportunistic_skips_what_is_held_or_wanted_or_missing() {
    let set = abc();
    let a = block_on(set.shared("a")).unwrap();
    let b = block_on(set.shared("b")).unwrap();
    let mut wants_b = task::spawn(set.exclusive("b"));
    assert_pending!(wants_b.poll());
    let free = block_on(set.shared(["a", "b", "c", "nope"]).opportunistic()).unwrap();
    assert_eq!(free.names(), ["a", "c"]);
    drop(free);
    let all = block_on(set.exclusive(All).opportunistic()).unwrap();
    assert_eq!(all.names(), ["c"]);
    assert!(!all.is_whole());
    assert_ready_ok!(task::spawn(set.add("d")).poll(), "`add` does not wait for it");
    assert!(block_on(set.exclusive("c").opportunistic()).unwrap().is_empty());
    drop((a, b, all));
}

#[test]
fn at_least_takes_what_is_free_once_that_is_enough() {
    let set = abc();
    let (a, b) = (block_on(set.exclusive("a")).unwrap(), block_on(set.exclusive("b")).unwrap());
    let mut request = task::spawn(set.exclusive(["a", "b", "c"]).at_least(2));
    assert_pending!(request.poll());
    drop(set.try_exclusive("c").expect("it holds nothing while it waits, and is held up elsewhere"));
    drop(a);
    assert!(request.is_woken());
    let two = assert_ready_ok!(request.poll());
    assert_eq!(two.names(), ["a", "c"]);
    drop((b, two));
    assert_eq!(block_on(set.exclusive(["a", "b", "c"]).at_least(1)).unwrap().len(), 3, "whatever is free");
}

#[test]
fn at_least_more_than_there_are_is_an_error_at_once_and_when_a_removal_makes_it_so() {
    let set = abc();
    let error = block_on(set.shared(["a", "b", "nope"]).at_least(3)).unwrap_err();
    assert_eq!(error, SetError::TooFew { wanted: 3, existing: 2 });
    let mut a = block_on(set.exclusive("a")).unwrap();
    let mut request = task::spawn(set.exclusive(["a", "b", "c"]).at_least(3));
    assert_pending!(request.poll());
    a.remove("a").unwrap();
    assert!(request.is_woken());
    assert_eq!(assert_ready_err!(request.poll()), SetError::TooFew { wanted: 3, existing: 2 });
    drop(set.try_exclusive(All).unwrap());
}

#[test]
fn the_later_of_opportunistic_and_at_least_counts_also_behind_a_deadline() {
    let set = abc();
    let _a = block_on(set.exclusive("a")).unwrap();
    let both = set.exclusive(All).at_least(3).opportunistic();
    assert_eq!(block_on(both).unwrap().len(), 2);
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
        let late = set.exclusive(["a", "b"]).timeout(MOMENT).opportunistic().at_least(2).priority(Priority::new(3));
        assert!(matches!(late.await, Err(SetError::TimedOut { .. })));
        assert_eq!(set.exclusive(["a", "b"]).timeout(MOMENT).at_least(1).await.unwrap().names(), ["b"]);
    });
}

#[test]
fn a_guard_is_split_like_a_vec() {
    let set = Arc::new(abc());
    let mut guard = block_on(Arc::clone(&set).exclusive_owned(["a", "b", "c"])).unwrap();
    assert_eq!(guard.split_off(["a", "x"]).unwrap_err(), SetError::NotHeld { names: names(&["x"]) });
    let part = guard.split_off(["c", "a"]).unwrap();
    assert_eq!(guard.names(), ["b"]);
    assert_eq!(part.names(), ["a", "c"]);
    drop(guard);
    drop(set.try_exclusive("b").unwrap());
    assert!(set.try_shared("a").is_err());
    drop(std::thread::spawn(move || drop(part)).join());
    drop(set.try_exclusive(All).unwrap());
}

#[test]
fn a_part_of_the_whole_set_is_a_part_of_its_members() {
    let set = abc();
    let mut whole = block_on(set.exclusive(All)).unwrap();
    let part = whole.split_off("b").unwrap();
    assert_eq!(whole.names(), ["a", "c"]);
    assert_eq!(part.names(), ["b"]);
    assert!(!whole.is_whole() && !part.is_whole());
    assert_ready_ok!(task::spawn(set.add("d")).poll());
    assert!(set.try_shared("b").is_err() && set.try_shared("a").is_err());
    drop(part);
    drop(set.try_exclusive(["b", "d"]).unwrap());
}

#[test]
fn downgrading_the_whole_lets_sharers_of_all_and_of_names_in() {
    let set = abc();
    let whole = block_on(set.exclusive(All)).unwrap();
    let (mut all, mut one) = (task::spawn(set.shared(All)), task::spawn(set.shared("a")));
    let mut owner = task::spawn(set.exclusive("b"));
    assert_pending!(owner.poll());
    assert_pending!(all.poll());
    assert_pending!(one.poll());
    let whole = whole.downgrade();
    let sharers = (assert_ready_ok!(all.poll()), assert_ready_ok!(one.poll()));
    assert_pending!(owner.poll());
    drop((whole, sharers));
    drop(assert_ready_ok!(owner.poll()));
}

#[tokio::test]
async fn the_whole_of_a_large_set_is_had_at_the_first_poll_and_by_a_deadline_that_is_past() {
    let set: LockSet<u32> = (0..100_000).collect();
    let mut all = task::spawn(set.exclusive(All));
    assert_eq!(assert_ready_ok!(all.poll()).len(), 100_000);
    let late = set.exclusive(All).deadline(tokio::time::Instant::now()).await.unwrap();
    assert!(late.is_whole());
}

#[test]
fn who_gives_up_the_whole_leaves_another_its_turn_and_then_all_names_are_free() {
    let set: LockSet<u32> = (0..100_000).collect();
    let holder = set.try_exclusive(7).unwrap();
    let (mut first, mut second) = (task::spawn(set.exclusive(All)), task::spawn(set.exclusive(All)));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    let mut named = task::spawn(set.exclusive(7));
    assert_pending!(named.poll());
    drop(first);
    assert!(!second.is_woken(), "a name is held still");
    drop(holder);
    assert!(second.is_woken() && !named.is_woken());
    drop(second);
    drop(assert_ready_ok!(named.poll()));
}

#[test]
fn who_waits_for_the_whole_is_passed_once_a_name_that_is_added_keeps_it_waiting() {
    let set = abc();
    let whole = set.try_exclusive(All).unwrap();
    let mut adds = task::spawn(set.add_exclusive("x"));
    assert_pending!(adds.poll());
    drop(whole);
    let (mut all, mut named) = (task::spawn(set.exclusive(All)), task::spawn(set.exclusive("a")));
    assert_pending!(all.poll()); // It waits for the request that adds.
    assert_pending!(named.poll());
    let added = assert_ready_ok!(adds.poll());
    assert!(named.is_woken(), "the whole waits for `x` now, whatever becomes of `a`");
    drop(assert_ready_ok!(named.poll()));
    assert_pending!(all.poll());
    drop(added);
    drop(assert_ready_ok!(all.poll()));

    let set: LockSet<String> = LockSet::default();
    let mut whole = set.try_exclusive(All).unwrap();
    whole.add("y").unwrap(); // From now on the guard holds the right to add, and no names.
    let (mut all, mut named) = (task::spawn(set.exclusive(All)), task::spawn(set.exclusive("y")));
    assert_pending!(all.poll());
    assert_pending!(named.poll());
    whole.add_held("z").unwrap();
    assert!(named.is_woken(), "the whole waits for `z` now");
    drop(assert_ready_ok!(named.poll()));
}

#[test]
fn whoever_gets_all_at_once_lets_those_pass_whom_others_keep_waiting() {
    let set: LockSet<u32> = LockSet::new([1_u32, 2, 3]);
    let _held = block_on(set.shared(3)).unwrap();
    let mut first = task::spawn(set.exclusive([1, 3]));
    assert_pending!(first.poll());
    let mut second = task::spawn(set.exclusive([1, 2]).priority(Priority::new(1)));
    assert_pending!(second.poll());
    let mut sharer = task::spawn(set.shared(2).priority(Priority::new(1)));
    assert_pending!(sharer.poll());
    let _all = block_on(set.shared(All).priority(Priority::new(-1))).unwrap(); // It also keeps `second` from 2 now.
    assert!(sharer.is_woken(), "it may pass the second, and is told so");
    drop(assert_ready_ok!(sharer.poll()));
}
