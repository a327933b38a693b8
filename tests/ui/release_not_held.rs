//! A level that the session does not hold.
//!
//! ERROR level `Instance` was not acquired by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster, exclusive Node]>) {
    let _job = job.release::<Instance>();
}

fn main() {}
