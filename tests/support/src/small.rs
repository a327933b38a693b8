//! Small sets and managers for tests to begin with.

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{LockManager, LockSet};

/// A set of the names `a`, `b` and `c`.
pub fn abc() -> LockSet<String> {
    LockSet::new(["a", "b", "c"])
}

/// The instance `web1` on two nodes, `node1` and `node2`.
pub fn two_nodes() -> LockManager<Seed> {
    LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1", "node2"]).build()
}

/// The instances `web1` and `web2` on three nodes, `node1` to `node3`.
pub fn three_nodes() -> LockManager<Seed> {
    LockManager::builder().names::<Instance>(["web1", "web2"]).names::<Node>(["node1", "node2", "node3"]).build()
}
