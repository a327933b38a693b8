//! What the features `tracing` and `metrics` tell of sessions, and that those who listen change nothing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod collector;
mod console;
mod events;
mod figures;
mod hostile;
mod warnings;

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{Builder, LockManager};
use std::time::Duration;

/// A manager with two instances and three nodes, not built yet.
fn builder() -> Builder<Seed> {
    LockManager::builder().names::<Instance>(["web1", "web2"]).names::<Node>(["node1", "node2", "node3"])
}

fn manager() -> LockManager<Seed> {
    builder().build()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The line after this one in this file, as places are shown.
macro_rules! next_line {
    () => {
        format!("{}:{}:", file!(), line!() + 1)
    };
}
pub(crate) use next_line;
