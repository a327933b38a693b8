//! A nested session shrinks a level of the outer one.
//!
//! ERROR level `Instance` was not acquired by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Instance, Seed};
use lockladder::{Session, SessionError, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, exclusive Instance]>) -> Result<(), SessionError> {
    job.nest().release_names::<Instance>(["web1"])
}

fn main() {}
