//! Looking at a level that is not held.
//!
//! ERROR this session does not hold level `Node`
//! NOTE in a generic function, ask for it: `where H: Holds<Node>`
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(job: Session<Seed, held![shared Cluster]>) {
    job.owned::<Node>();
}

fn main() {}
