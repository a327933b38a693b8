//! The root is held to the end.
//!
//! ERROR `Cluster` is the root: it has no names, and is held to the end of the session
//! NOTE the root is acquired by `manager.shared(..)` or `manager.exclusive(..)`, and released when the session is dropped
use lockladder::ganeti::seed::{Cluster, Instance, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster, shared Instance]>) {
    let _job = job.release::<Cluster>();
}

fn main() {}
