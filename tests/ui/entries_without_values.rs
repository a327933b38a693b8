//! Names alone, where each lock needs a value.
//!
//! ERROR the trait bound `State: Default` is not satisfied
use lockladder::{LockManager, hierarchy};

hierarchy! {
    pub struct Cluster {
        root Gate,
        level Node: String => State,
    }
}

pub struct State {
    pub free: u64,
}

fn wrong() -> LockManager<Cluster> {
    LockManager::builder().names::<Node>(["node1"]).build()
}

fn main() {}
