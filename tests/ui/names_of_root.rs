//! The root has no names to be given.
//!
//! ERROR `Cluster` is the root: it has no names, and is held to the end of the session
//! NOTE the root is acquired by `manager.shared(..)` or `manager.exclusive(..)`, and released when the session is dropped
use lockladder::LockManager;
use lockladder::ganeti::seed::{Cluster, Seed};

fn wrong() -> LockManager<Seed> {
    LockManager::builder().names::<Cluster>(["BGL"]).build()
}

fn main() {}
