//! What the programs of a run have done and met, so that a run that shows nothing is seen.

use lockladder_test_support::environment::only_program;
use std::collections::BTreeMap;
use std::sync::Mutex;

static TALLY: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// This has happened.
pub(crate) fn count(what: &'static str) {
    *TALLY.lock().unwrap().entry(what).or_default() += 1;
}

/// Prints what has happened, and how often.
pub(crate) fn print() {
    let counts: Vec<_> = TALLY.lock().unwrap().iter().map(|(what, count)| format!("{what} {count}")).collect();
    println!("{}", counts.join(", "));
}

/// All of this has happened, unless one program only was to be told again.
pub(crate) fn assert_met(all: &[&'static str]) {
    if only_program().is_some() {
        return;
    }
    let tally = TALLY.lock().unwrap();
    let missing: Vec<_> = all.iter().filter(|what| !tally.contains_key(*what)).collect();
    assert!(missing.is_empty(), "no program has met {missing:?}: {tally:?}");
}
