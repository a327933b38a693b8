//! The jobs of a busy cluster, after the opcodes of Ganeti 2.0: what each locks, in which order, and how long it holds it.
//!
//! How often each comes, and how long it takes, is made up: mostly small jobs of one instance, and now and then one that
//! wants every node. What they lock is not.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub(crate) const INSTANCES: usize = 200;
pub(crate) const NODES: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Instances,
    Nodes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Shared,
    Exclusive,
}

/// The locks of one level that a job needs, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Some(Vec<usize>),
}

#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) level: Level,
    pub(crate) which: Which,
    pub(crate) how: How,
}

/// What a job does, always in this order.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// How it holds the lock of the cluster, which comes first.
    pub(crate) cluster: How,
    pub(crate) claims: Vec<Claim>,
    /// How long it works with all that it needs.
    pub(crate) work: Duration,
    /// How long it goes on without its nodes: a new instance needs them only until it is written down.
    pub(crate) afterwards: Duration,
}

/// The same jobs for the same seed.
pub(crate) fn jobs(seed: u64, count: usize) -> Vec<Job> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count).map(|_| job(&mut random)).collect()
}

/// The opcodes, and how often each comes.
const OPCODES: &[(u32, Opcode)] = &[
    (300, Opcode::StartOrStop),
    (60, Opcode::ActivateDisks),
    (80, Opcode::FailOver),
    (60, Opcode::Create),
    (20, Opcode::CreateAnywhere),
    (30, Opcode::ReplaceDisks),
    (5, Opcode::ReplaceDisksAnywhere),
    (150, Opcode::QuerySome),
    (40, Opcode::QueryAll),
    (20, Opcode::Verify),
    (30, Opcode::SetNode),
    (30, Opcode::QueryNodes),
    (5, Opcode::Export),
    (2, Opcode::Rename),
];

#[derive(Clone, Copy, Debug)]
enum Opcode {
    /// Startup, shutdown, reboot, reinstall.
    StartOrStop,
    ActivateDisks,
    /// And migrate.
    FailOver,
    Create,
    /// On nodes that an allocator chooses.
    CreateAnywhere,
    ReplaceDisks,
    ReplaceDisksAnywhere,
    QuerySome,
    QueryAll,
    /// The cluster, or all disks.
    Verify,
    SetNode,
    QueryNodes,
    Export,
    /// Of an instance or of the cluster: nobody else runs.
    Rename,
}

fn job(random: &mut StdRng) -> Job {
    let all: u32 = OPCODES.iter().map(|(weight, _)| weight).sum();
    let mut drawn = random.random_range(0..all);
    let opcode = OPCODES.iter().find(|(weight, _)| {
        let is_it = drawn < *weight;
        drawn = drawn.saturating_sub(*weight);
        is_it
    });
    let (_, opcode) = opcode.expect("what is drawn is less than all weights");
    let instance = random.random_range(0..INSTANCES);
    let one = claim(Level::Instances, How::Exclusive, [instance]);
    let its_nodes = claim(Level::Nodes, How::Exclusive, nodes_of(instance));
    let every = |level, how| Claim { level, which: Which::All, how };
    let (claims, seconds, afterwards) = match opcode {
        Opcode::StartOrStop => (vec![one], 10.0, None),
        Opcode::ActivateDisks => (vec![one, its_nodes], 3.0, None),
        Opcode::FailOver => (vec![one, its_nodes], 40.0, None),
        // The new instance is not yet known to anybody, so nobody waits for it.
        Opcode::Create => (vec![its_nodes], 15.0, Some(120.0)),
        Opcode::CreateAnywhere => (vec![every(Level::Nodes, How::Exclusive)], 15.0, Some(120.0)),
        Opcode::ReplaceDisks => {
            let new = random.random_range(0..NODES);
            let nodes = nodes_of(instance).into_iter().chain([new]);
            (vec![one, claim(Level::Nodes, How::Exclusive, nodes)], 120.0, None)
        }
        Opcode::ReplaceDisksAnywhere => (vec![one, every(Level::Nodes, How::Exclusive)], 120.0, None),
        Opcode::QuerySome => {
            let some: Vec<_> = (0..4).map(|_| random.random_range(0..INSTANCES)).collect();
            let nodes = claim(Level::Nodes, How::Shared, some.iter().flat_map(|instance| nodes_of(*instance)));
            (vec![claim(Level::Instances, How::Shared, some), nodes], 1.0, None)
        }
        Opcode::QueryAll => (vec![every(Level::Instances, How::Shared), every(Level::Nodes, How::Shared)], 2.0, None),
        Opcode::Verify => (vec![every(Level::Instances, How::Shared), every(Level::Nodes, How::Shared)], 25.0, None),
        Opcode::SetNode => (vec![claim(Level::Nodes, How::Exclusive, [nodes_of(instance)[0]])], 2.0, None),
        Opcode::QueryNodes => (vec![every(Level::Nodes, How::Shared)], 4.0, None),
        Opcode::Export => (vec![one, every(Level::Nodes, How::Exclusive)], 100.0, None),
        Opcode::Rename => (vec![], 10.0, None),
    };
    let cluster = if matches!(opcode, Opcode::Rename) { How::Exclusive } else { How::Shared };
    let work = about(random, seconds);
    let afterwards = afterwards.map_or(Duration::ZERO, |seconds| about(random, seconds));
    Job { cluster, claims, work, afterwards }
}

fn claim(level: Level, how: How, numbers: impl IntoIterator<Item = usize>) -> Claim {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.dedup();
    Claim { level, which: Which::Some(numbers), how }
}

/// Where an instance runs, and where its disks are mirrored.
fn nodes_of(instance: usize) -> [usize; 2] {
    let first = instance * 7 % NODES;
    [first, (first + 1 + instance % 5) % NODES]
}

/// At least half as long, and as long on average: the other half is spread exponentially. To the millisecond, as tokio's
/// timers go.
fn about(random: &mut StdRng, seconds: f64) -> Duration {
    let spread: f64 = -(1.0 - random.random::<f64>()).ln();
    let millis = (seconds * (0.5 + 0.5 * spread) * 1e3).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some minutes, in milliseconds")]
    Duration::from_millis(millis as u64)
}
