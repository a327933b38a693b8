//! What is shared cannot be downgraded.
//!
//! ERROR level `Node` cannot be downgraded by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster, shared Node]>) {
    let _job = job.downgrade::<Node>();
}

fn main() {}
