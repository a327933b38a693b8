//! What environment variables ask of a run.

use crate::dice::Dice;
use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// The seed of this run: `LOCKLADDER_SEED`, or a new one in each run.
pub fn seed() -> u64 {
    if let Ok(seed) = env::var("LOCKLADDER_SEED") {
        return seed.parse().expect("LOCKLADDER_SEED is a number");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Dice::new(u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20) ^ (u64::from(std::process::id()) << 44)).number()
}

/// How many schedules to run: `LOCKLADDER_SCHEDULES`, or this number.
pub fn schedules(otherwise: usize) -> usize {
    env::var("LOCKLADDER_SCHEDULES")
        .map_or(otherwise, |schedules| schedules.parse().expect("LOCKLADDER_SCHEDULES is a number"))
}

/// The only program to run, to repeat a failure: `LOCKLADDER_PROGRAM`.
pub fn only_program() -> Option<String> {
    env::var("LOCKLADDER_PROGRAM").ok()
}

/// Whether a test explores all cases (`EXPLORE` is set), or a sample that is always the same.
pub fn is_thorough() -> bool {
    env::var_os("EXPLORE").is_some()
}
