//! The root cannot be released even when nothing else is held: drop the session.
//!
//! ERROR `Cluster` is the root: it has no names, and is held to the end of the session
//! NOTE the root is acquired by `manager.shared(..)` or `manager.exclusive(..)`, and released when the session is dropped
use lockladder::ganeti::seed::{Cluster, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![exclusive Cluster]>) {
    let _job = job.release::<Cluster>();
}

fn main() {}
