//! Removing held names needs them exclusively.
//!
//! ERROR this session does not hold level `Node` exclusively
//! NOTE acquire it with `session.exclusive::<Node>(..)`; a downgraded level is shared
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, SessionError, held};

fn wrong(mut job: Session<Seed, held![exclusive Cluster, shared Node]>) -> Result<(), SessionError> {
    job.remove_held::<Node>(["node1"])
}

fn main() {}
