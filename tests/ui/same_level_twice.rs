//! A level that is held already.
//!
//! ERROR lock order violation: cannot acquire level `Node` while holding level `Node`
//! NOTE levels must be acquired in increasing order, and each level at most once: take all names of a level in one call
//! NOTE release `Node` first (`session.release::<Node>()`), or acquire `Node` earlier
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, SessionError, held};

async fn wrong(job: Session<Seed, held![shared Cluster, shared Node]>) -> Result<(), SessionError> {
    let _job = job.shared::<Node>(["node2"]).await?;
    Ok(())
}

fn main() {}
