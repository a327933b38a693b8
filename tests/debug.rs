//! Debug output and error texts of large sets are bounded: 16 names, then how many more there are.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Node, Seed};
use lockladder::{AddError, All, LockManager, LockMode, LockSet, OpenSet, SetError};
use tokio_test::block_on;

const MANY: u32 = 10_000;

/// Checks that the text is short and says how many names it leaves out.
fn assert_bounded(shown: &str) {
    assert!(shown.len() < 2_000, "{} bytes: {}", shown.len(), &shown[..200]);
    assert!(shown.contains(&format!("{} more", MANY - 16)), "{shown}");
}

#[test]
fn a_small_set_is_shown_whole() {
    let set: LockSet<String> = LockSet::new(["b", "a"]);
    let _sharer = set.try_shared("b").unwrap();
    let member = |name, sharers| {
        format!("\"{name}\": Member {{ exclusive: false, sharers: {sharers}, wanted: false, deleted: false }}")
    };
    assert_eq!(format!("{set:?}"), format!("{{{}, {}}}", member("a", 0), member("b", 1)));
    assert_eq!(
        format!("{:?}", set.try_shared(All).unwrap()),
        "SetGuard { mode: Shared, whole: true, names: [\"a\", \"b\"] }"
    );
}

#[test]
fn large_sets_and_their_guards_and_requests_are_shown_in_part() {
    let set: LockSet<u32> = (0..MANY).collect();
    assert_bounded(&format!("{set:?}"));
    assert_bounded(&format!("{:?}", set.try_shared(All).unwrap()));
    let names: Vec<u32> = (0..MANY).collect();
    let listed = set.try_shared(&names).unwrap();
    assert_bounded(&format!("{listed:?}"));
    let mut waits = tokio_test::task::spawn(set.exclusive(&names));
    assert!(waits.poll().is_pending());
    assert_bounded(&waits.enter(|_, request| format!("{request:?}")));
    let open: OpenSet<u32> = OpenSet::new();
    let _guard = open.try_exclusive(&names).unwrap();
    assert_bounded(&format!("{open:?}"));
    assert_bounded(&format!("{:?}", set.add(&names)));
}

#[test]
fn sessions_and_managers_are_shown_in_part() {
    let names: Vec<String> = (0..MANY).map(|name| name.to_string()).collect();
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>(names.clone()).build();
    assert!(format!("{manager:?}").len() < 500);
    let job = manager.try_shared("job").unwrap().try_exclusive::<Node>(All).unwrap();
    assert_bounded(&format!("{job:?}"));
    drop(job);
    let mut job = block_on(manager.dynamic("job", LockMode::Shared)).unwrap();
    job.try_acquire::<Node>(&names, LockMode::Shared).unwrap();
    assert!(format!("{job:?}").len() < 500);
}

#[test]
fn the_text_of_an_error_names_the_first_names_and_says_how_many_more() {
    let names: Vec<u32> = (0..MANY).collect();
    let blocked = SetError::WouldBlock { names: names.clone(), more: 0, mode: LockMode::Shared };
    for text in [
        blocked.to_string(),
        SetError::NotHeld { names: names.clone() }.to_string(),
        AddError::Exists { names: names.clone() }.to_string(),
        AddError::Repeated { names: names.clone() }.to_string(),
    ] {
        assert_bounded(&text);
    }
    let set: LockSet<u32> = (0..MANY).collect();
    let _holder = set.try_exclusive(&names).unwrap();
    let manager: LockManager<Seed> =
        LockManager::builder().names::<Node>((0..MANY).map(|name| name.to_string()).collect::<Vec<_>>()).build();
    let _job = manager.try_shared("job").unwrap().try_exclusive::<Node>(All).unwrap();
    let texts: Vec<String> = (0..MANY).map(|name| name.to_string()).collect();
    let listed = manager.try_shared("job").unwrap().try_shared::<Node>(&texts).map(drop).unwrap_err().to_string();
    assert!(listed.len() < 2_000, "{listed}");
}
