//! Counts what the programs of a run do and meet, so that a run that shows nothing fails.

use lockladder_test_support::environment::only_program;
use std::collections::BTreeMap;
use std::sync::Mutex;

static TALLY: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// Counts one occurrence.
pub(crate) fn count(what: &'static str) {
    *TALLY.lock().unwrap().entry(what).or_default() += 1;
}

/// Prints what has happened, and how often.
pub(crate) fn print() {
    let counts: Vec<_> = TALLY.lock().unwrap().iter().map(|(what, count)| format!("{what} {count}")).collect();
    println!("{}", counts.join(", "));
}

/// Asserts that all of this has happened, unless the run repeats one program only.
pub(crate) fn assert_met(all: &[&'static str]) {
    if only_program().is_some() {
        return;
    }
    let tally = TALLY.lock().unwrap();
    let missing: Vec<_> = all.iter().filter(|what| !tally.contains_key(*what)).collect();
    assert!(missing.is_empty(), "no program has met {missing:?}: {tally:?}");
}
