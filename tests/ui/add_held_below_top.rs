//! Adding to a held level, with a higher one on top.
//!
//! ERROR `Instance` is not the highest level held by this session
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, SessionError, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, exclusive Instance, shared Node]>) -> Result<(), SessionError> {
    job.add_held::<Instance>(["web9"])
}

fn main() {}
