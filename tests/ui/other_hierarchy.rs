//! A level of another hierarchy.
//!
//! ERROR type mismatch resolving `<Leaf as Level>::In == Seed`
use lockladder::ganeti::seed::{Cluster, Seed};
use lockladder::{Session, SessionError, held, hierarchy};

hierarchy! {
    pub struct Other {
        root Top,
        level Leaf: String,
    }
}

async fn wrong(job: Session<Seed, held![shared Cluster]>) -> Result<(), SessionError> {
    let _job = job.shared::<Leaf>(["x"]).await?;
    Ok(())
}

fn main() {}
