//! Names of another type than the level's.
//!
//! ERROR `{integer}` is not a name of type `String`
//! NOTE pass names as `String` or `&String`; a `String` can be given as `&str`
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

async fn wrong(job: Session<Seed, held![shared Cluster]>) {
    let _job = job.shared::<Node>([7]).await;
}

fn main() {}
