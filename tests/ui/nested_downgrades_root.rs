//! A nested session downgrades the root, which the outer one has exclusively.
//!
//! ERROR level `Cluster` cannot be downgraded by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Seed};
use lockladder::{Session, held};

fn wrong(mut job: Session<Seed, held![exclusive Cluster]>) {
    let _inner = job.nest().downgrade::<Cluster>();
}

fn main() {}
