//! A nested session removes what the outer one holds.
//!
//! ERROR level `Instance` was not acquired by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Instance, Seed};
use lockladder::{Session, SessionError, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, exclusive Instance]>) -> Result<(), SessionError> {
    job.nest().remove_held::<Instance>(["web1"])
}

fn main() {}
