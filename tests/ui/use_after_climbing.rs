//! The session has gone into the acquisition.
//!
//! ERROR use of moved value: `job`
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, SessionError, held};

async fn wrong(job: Session<Seed, held![shared Cluster]>) -> Result<(), SessionError> {
    let one = job.shared::<Node>(["node1"]).await?;
    let other = job.shared::<Instance>(["web1"]).await?;
    drop((one, other));
    Ok(())
}

fn main() {}
