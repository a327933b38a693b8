//! Removing waits for the names, which this session may hold itself.
//!
//! ERROR lock order violation: cannot add to or remove from level `Node` here
//! NOTE `add` and `remove` wait for locks of `Node`: do it before that level or a higher one is acquired, or release those first
//! NOTE a session that holds `Node` exclusively can use `add_held` and `remove_held`, which do not wait
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

async fn wrong(mut job: Session<Seed, held![shared Cluster, shared Node]>) {
    job.remove::<Node>(["node1"]).await;
}

fn main() {}
