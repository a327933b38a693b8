//! A value is to be changed while it is shared.
//!
//! ERROR this session does not hold level `Node` exclusively
//! NOTE acquire it with `session.exclusive::<Node>(..)`; a downgraded level is shared
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, shared Node]>) {
    let _value = job.get_mut::<Node>("node1");
}

fn main() {}
