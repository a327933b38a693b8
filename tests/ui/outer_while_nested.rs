//! The outer session is borrowed while the nested one lives.
//!
//! ERROR cannot borrow `job` as mutable more than once at a time
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, SessionError, held};

async fn wrong(mut job: Session<Seed, held![shared Cluster]>) -> Result<(), SessionError> {
    let node = job.nest().shared::<Node>(["node1"]).await?;
    let instance = job.nest().shared::<Instance>(["web1"]).await?;
    drop((node, instance));
    Ok(())
}

fn main() {}
