//! The root, once more.
//!
//! ERROR `Cluster` is the root: it has no names, and is held to the end of the session
//! NOTE the root is acquired by `manager.shared(..)` or `manager.exclusive(..)`, and released when the session is dropped
use lockladder::ganeti::seed::{Cluster, Seed};
use lockladder::{Session, SessionError, held};

async fn wrong(job: Session<Seed, held![shared Cluster]>) -> Result<(), SessionError> {
    let _job = job.exclusive::<Cluster>(["BGL"]).await?;
    Ok(())
}

fn main() {}
