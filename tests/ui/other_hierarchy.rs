//! A level of another hierarchy.
//!
//! ERROR level `Leaf` does not belong to the hierarchy `Seed`
//! NOTE hierarchies do not mix: use a level that is declared in `Seed`, or a session of the manager that has `Leaf`
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
