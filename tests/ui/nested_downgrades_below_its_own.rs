//! A nested session that has acquired something itself downgrades what stands below that, which is of the outer one.
//!
//! ERROR level `Instance` cannot be downgraded by this session
//! NOTE a nested session can only release, downgrade or remove what it acquired itself
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, Shared, held, level::Held};

type Outer = held![shared Cluster, exclusive Instance];

fn wrong(inner: Session<Seed, Held<Node, Shared, &mut Outer>>) {
    let _inner = inner.downgrade::<Instance>();
}

fn main() {}
