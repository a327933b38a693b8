//! A nested session cannot outlive the outer one.
//!
//! ERROR borrowed data escapes outside of function
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

async fn wrong(job: &mut Session<Seed, held![shared Cluster]>) {
    let inner = job.nest();
    tokio::spawn(async move {
        let _nodes = inner.shared::<Node>(["node1"]).await;
    });
}

fn main() {}
