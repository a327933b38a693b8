//! The guard of a level is lent to be read: nothing of it can be taken, in a nested session or not.
//!
//! ERROR cannot move out of a shared reference
use lockladder::ganeti::seed::{Cluster, Instance, Seed};
use lockladder::{Session, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, exclusive Instance]>) {
    let inner = job.nest();
    let _shared = inner.owned::<Instance>().downgrade();
}

fn main() {}
