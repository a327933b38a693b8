//! A helper must ask for what it needs.
//!
//! ERROR level `Node` cannot be acquired by this session
use lockladder::ganeti::seed::{Node, Seed};
use lockladder::{HeldList, Session};

async fn wrong<S: HeldList>(job: &mut Session<Seed, S>) {
    let _nodes = job.nest().shared::<Node>(["node1"]).await;
}

fn main() {}
