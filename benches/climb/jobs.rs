//! What a climb locks: the cluster, one instance, and two nodes, by names drawn at random.
//!
//! A caller that asks for a lock already has its name, so the names are drawn beforehand, and lie in the order in which
//! they are asked for.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// The order of the names, the same for every peer and in every run.
const SEED: u64 = 20_26;

/// The number of instances, and the number of nodes.
pub(crate) const MEMBERS: usize = 1_000;

/// What one climb locks above the root.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) instance: String,
    /// Two different ones, in any order.
    pub(crate) nodes: [String; 2],
}

pub(crate) fn instances() -> impl Iterator<Item = String> {
    (0..MEMBERS).map(|number| format!("instance{number:07}.example.com."))
}

pub(crate) fn nodes() -> impl Iterator<Item = String> {
    (0..MEMBERS).map(|number| format!("node{number:011}.example.com."))
}

/// Jobs that lock each instance once, and each node twice.
pub(crate) fn all() -> Vec<Job> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut shuffled = |names: Vec<String>| {
        let mut names = names;
        names.shuffle(&mut random);
        names
    };
    let instances = shuffled(instances().collect());
    let mut nodes = shuffled(nodes().collect());
    let others = nodes.clone();
    nodes.rotate_left(1);
    let pairs = nodes.into_iter().zip(others).map(|(one, other)| [one, other]);
    instances.into_iter().zip(pairs).map(|(instance, nodes)| Job { instance, nodes }).collect()
}
