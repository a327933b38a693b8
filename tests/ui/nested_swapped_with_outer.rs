//! A nested session is never the outer one: neither can stand in the other's place.
//!
//! ERROR mismatched types
use lockladder::ganeti::seed::{Cluster, Instance, Seed};
use lockladder::{Session, held};

fn wrong(
    mut job: Session<Seed, held![shared Cluster, exclusive Instance]>,
    mut other: Session<Seed, held![shared Cluster, exclusive Instance]>,
) {
    std::mem::swap(&mut job.nest(), &mut other);
}

fn main() {}
