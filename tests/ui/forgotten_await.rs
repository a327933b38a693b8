//! The future is not the session.
//!
//! ERROR mismatched types
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster]>) {
    let _job: Session<Seed, held![shared Cluster, shared Node]> = job.shared::<Node>(["node1"]);
}

fn main() {}
