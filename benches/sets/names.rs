//! The names: 28 bytes each, drawn at random.
//!
//! A caller that asks for a lock already has its name. So the names are drawn beforehand, and lie in the order in which
//! they are asked for: the benches measure the search for the lock, not that for the name.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// The order of the names, the same for every peer and in every run.
const SEED: u64 = 20_26;

pub(crate) const LENGTH: usize = 28;

/// The name of the member with this number, below ten million.
pub(crate) fn name(number: usize) -> String {
    // Without spare capacity, which would count as bytes of a member.
    format!("instance{number:07}.example.com.").into_boxed_str().into_string()
}

/// The first `count` names, in the order of their numbers.
pub(crate) fn of(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(name)
}

/// All names of a set in random order, to be asked for one after the other, round and round.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    shuffled: Arc<[String]>,
    at: usize,
}

impl Walk {
    pub(crate) fn new(members: usize) -> Self {
        let mut numbers: Vec<_> = (0..members).collect();
        numbers.shuffle(&mut StdRng::seed_from_u64(SEED));
        Self { shuffled: numbers.into_iter().map(name).collect(), at: 0 }
    }

    /// The same names from another place on, for one of several tasks.
    pub(crate) fn from(&self, place: usize) -> Self {
        let mut random = StdRng::seed_from_u64(SEED + place as u64);
        Self { shuffled: Arc::clone(&self.shuffled), at: random.random_range(0..self.shuffled.len()) }
    }

    pub(crate) fn next(&mut self) -> &str {
        let at = self.at;
        self.at = (at + 1) % self.shuffled.len();
        &self.shuffled[at]
    }

    /// The next `count` names, all different.
    pub(crate) fn next_of(&mut self, count: usize) -> Vec<&str> {
        let (before, after) = self.shuffled.split_at(self.at);
        self.at = (self.at + count) % self.shuffled.len();
        after.iter().chain(before).take(count).map(String::as_str).collect()
    }
}
