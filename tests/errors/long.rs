//! Texts about many names, long names and names with control characters are short lines.

use crate::{Many, Number, SHORTLY};
use lockladder::ganeti::seed::{Node, Seed};
use lockladder::{AddError, All, LockManager, LockMode, LockSet, SessionError, SetError, Shared};
use lockladder_test_support::requests::now;
use lockladder_test_support::small::two_nodes;
use std::mem::forget;
use tokio_test::block_on;

const MILLION: u32 = 1_000_000;

/// Checks that the text is short and says how many names it leaves out.
#[track_caller]
fn assert_short(error: &impl ToString) {
    let text = error.to_string();
    assert!(text.len() < 1_024, "{} bytes: {text:.200}", text.len());
    assert!(text.contains("999984 more"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_text_about_a_million_names_that_others_hold_is_below_a_kibibyte() {
    let names: Vec<u32> = (0..MILLION).collect();
    let set: LockSet<u32> = LockSet::new([0_u32; 0]);
    let held = set.add_exclusive(&names).await.unwrap();
    assert_short(&set.try_shared(All).unwrap_err());
    assert_short(&set.shared(All).timeout(SHORTLY).await.unwrap_err());
    drop(held);
    let manager: LockManager<Many> = LockManager::builder().build();
    let _job = manager.shared("job").await.unwrap().add_exclusive::<Number>(&names).await.unwrap();
    let mut other = manager.try_shared("other").unwrap();
    assert_short(&other.nest().try_shared::<Number>(All).map(drop).unwrap_err());
    assert_short(&other.nest().exclusive::<Number>(All).timeout(SHORTLY).await.map(drop).unwrap_err());
}

/// Such errors come from calls that list all names, which take seconds without optimization.
#[test]
fn the_text_about_a_list_of_a_million_names_is_below_a_kibibyte() {
    let (mode, waited) = (LockMode::Shared, SHORTLY);
    let names: Vec<u32> = (0..MILLION).collect();
    assert_short(&SetError::TimedOut { names: names.clone(), more: 0, mode, waited });
    assert_short(&SetError::WouldBlock { names: names.clone(), more: 0, mode });
    assert_short(&SetError::NotHeld { names: names.clone() });
    assert_short(&AddError::Exists { names: names.clone() });
    assert_short(&AddError::Repeated { names });
    let names: Vec<String> = (0..MILLION).map(|name| name.to_string()).collect();
    let (listed, level) = (|| names.clone(), "Number");
    assert_short(&SessionError::TimedOut { level, names: listed(), more: 0, mode, waited, held_by: Vec::new() });
    assert_short(&SessionError::WouldBlock { level, names: listed(), more: 0, mode });
    assert_short(&SessionError::NotHeld { level, names: listed() });
    assert_short(&SessionError::Exists { level, names: listed() });
    assert_short(&SessionError::Repeated { level, names: listed() });
}

/// Checks that a text contains 128 bytes of a long name.
#[track_caller]
fn assert_cut(error: &impl ToString) {
    let text = error.to_string();
    assert!((128..512).contains(&text.len()), "{} bytes: {text:.128}", text.len());
    assert!(text.contains('…'), "{text}");
}

#[test]
fn the_text_about_a_name_of_a_megabyte_contains_only_its_beginning() {
    let long = "é".repeat(500_000);
    let set: LockSet<String> = LockSet::new([&*long]);
    let mut held = set.try_exclusive(&*long).unwrap();
    assert_cut(&set.try_shared(&*long).unwrap_err());
    assert_cut(&set.try_shared(format!("{long}x")).unwrap_err());
    assert_cut(&held.get_disjoint_mut([&*long, &*long]).unwrap_err());
    assert_cut(&now(set.add(&*long)).unwrap_err());
    assert!(format!("{set:?} {held:?}").len() < 1_024);
    assert!(SetError::NotHeld { names: vec![long.clone(); 20] }.to_string().len() < 2_560, "of each of 16 names");
    let bytes: LockSet<Vec<u8>> = LockSet::new([vec![7; 1_000_000]]);
    assert_cut(&bytes.try_shared([vec![8_u8; 1_000_000]]).unwrap_err());
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>([&*long]).build();
    let mut job = manager.try_shared("job").unwrap();
    assert_cut(&job.nest().try_shared::<Node>(format!("{long}x")).map(drop).unwrap_err());
    forget(job.nest().try_exclusive::<Node>(&*long).unwrap());
    assert_cut(&manager.try_shared("other").unwrap().try_shared::<Node>(&*long).map(drop).unwrap_err());
    let second = block_on(manager.scope(long.clone(), Shared, async |_job| manager.try_shared("inner").map(drop)));
    assert_cut(&second.unwrap().unwrap_err());
}

#[test]
fn a_name_of_128_bytes_is_whole() {
    let [whole, cut] = [128, 129].map(|bytes| "n".repeat(bytes));
    let job = || two_nodes().try_shared("job").unwrap();
    let text = |name: &str| job().try_shared::<Node>(name).map(drop).unwrap_err().to_string();
    assert_eq!(text(&whole), format!("level Node has no lock named `{whole}`: add it first, or leave it out"));
    assert_eq!(text(&cut), format!("level Node has no lock named `{whole}…`: add it first, or leave it out"));
}

#[test]
fn a_name_begins_no_new_line_in_a_log() {
    let job = two_nodes().try_shared("job").unwrap();
    let error = job.try_shared::<Node>("a\nERROR b\u{1b}[0m").map(drop).unwrap_err();
    assert_eq!(error.to_string(), r"level Node has no lock named `a\nERROR b\u{1b}[0m`: add it first, or leave it out");
}
