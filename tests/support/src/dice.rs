//! Numbers drawn from a seed: the same program from the same seed, on every machine and under every scheduler.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Some of these, at least one, mostly few; in any order, now and then one twice.
    pub(crate) fn some(&mut self, of: &[u8]) -> Vec<u8> {
        let count = 1 + self.below(of.len()).min(self.below(3));
        (0..count).map(|_| self.pick(of)).collect()
    }
}

/// The seed of this run: what `LOCKLADDER_SEED` says, or another one each time.
pub(crate) fn seed() -> u64 {
    if let Ok(seed) = env::var("LOCKLADDER_SEED") {
        return seed.parse().expect("LOCKLADDER_SEED is a number");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Dice::new(u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20) ^ (u64::from(std::process::id()) << 44)).next()
}
