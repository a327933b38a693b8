//! A nested session downgrades a level of the outer one.
//!
//! ERROR level `Instance` cannot be downgraded by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Instance, Seed};
use lockladder::{Session, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, exclusive Instance]>) {
    let _inner = job.nest().downgrade::<Instance>();
}

fn main() {}
