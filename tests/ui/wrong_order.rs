//! A lower level after a higher one.
//!
//! ERROR lock order violation: cannot acquire level `Instance` while holding level `Node`
//! NOTE levels must be acquired in increasing order, and each level at most once: take all names of a level in one call
//! NOTE release `Node` first (`session.release::<Node>()`), or acquire `Instance` earlier
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, SessionError, held};

async fn wrong(job: Session<Seed, held![shared Cluster, exclusive Node]>) -> Result<(), SessionError> {
    let _job = job.exclusive::<Instance>(["web1"]).await?;
    Ok(())
}

fn main() {}
