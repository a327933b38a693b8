//! A level that the session does not hold.
//!
//! ERROR this session does not hold level `Instance`
//! NOTE no `Instance` in `Held<Cluster, lockladder::Shared>`: acquire it first, with `session.shared::<Instance>(..)` or `session.exclusive::<Instance>(..)`
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster, exclusive Node]>) {
    let _job = job.release::<Instance>();
}

fn main() {}
