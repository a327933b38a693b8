//! To add to a level that is held, it must be held exclusively.
//!
//! ERROR this session does not hold level `Node` exclusively
//! NOTE acquire it with `session.exclusive::<Node>(..)`; a downgraded level is shared
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, shared Node]>) {
    let _added = job.add_held::<Node>("node4");
}

fn main() {}
