//! A session that holds the root alone has nothing to release.
//!
//! ERROR this session does not hold level `Node`
//! NOTE no `Node` in `Held<Cluster, lockladder::Shared>`: acquire it first, with `session.shared::<Node>(..)` or `session.exclusive::<Node>(..)`
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster]>) {
    let _job = job.release::<Node>();
}

fn main() {}
