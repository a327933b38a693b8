//! A session that holds the root alone has nothing to release.
//!
//! ERROR level `Node` was not acquired by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster]>) {
    let _job = job.release::<Node>();
}

fn main() {}
