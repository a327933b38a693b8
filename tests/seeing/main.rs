//! What a table of the locks shows: a service is made to hang in each way that we know, and the culprit is found by the
//! table alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod foreign;
mod hangs;
mod json;
mod moments;

mod shown;

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::table::SessionRow;
use lockladder::{LockManager, LockTable};

/// A manager with two instances and some nodes.
fn manager() -> LockManager<Seed> {
    LockManager::builder()
        .names::<Instance>(["web1", "web2"])
        .names::<Node>(["node1", "node2", "node3", "node10"])
        .build()
}

/// The session of this label.
fn session<'t>(table: &'t LockTable, label: &str) -> &'t SessionRow {
    let mut found = table.sessions.iter().filter(|session| session.label == label);
    let session = found.next().unwrap_or_else(|| panic!("no session `{label}` in\n{table}"));
    assert!(found.next().is_none(), "two sessions `{label}` in\n{table}");
    session
}

fn labels<'t>(sessions: &[&'t SessionRow]) -> Vec<&'t str> {
    sessions.iter().map(|session| session.label.as_str()).collect()
}

/// The line after this one in this file, as places are shown.
macro_rules! next_line {
    () => {
        (file!(), line!() + 1)
    };
}
pub(crate) use next_line;
