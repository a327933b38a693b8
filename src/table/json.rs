//! The table as JSON. The shape is a promise: `docs/SEEING.md` describes it, and `tests/seeing` pins it.

use super::{Hold, HotName, LockRow, LockTable, SessionRow, Wait, Waiter};
use crate::mode::LockMode;
use serde::{Serialize, Serializer};
use std::panic::Location;
use std::time::{Duration, UNIX_EPOCH};

#[derive(Serialize)]
struct Table<'t> {
    hierarchy: &'t str,
    /// Milliseconds since 1970.
    at_ms: u64,
    sessions: Vec<Session<'t>>,
    locks: Vec<Lock<'t>>,
    roots: Vec<u64>,
    cycles: Vec<Vec<u64>>,
    hottest: Vec<Hot<'t>>,
}

#[derive(Serialize)]
struct Session<'t> {
    id: u64,
    label: &'t str,
    task: Option<u64>,
    began_ms_ago: u64,
    holds: Vec<Held<'t>>,
    awaits: Option<Awaited<'t>>,
    uncertain: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the field of the JSON")]
struct Held<'t> {
    level: &'t str,
    mode: &'static str,
    whole: bool,
    names: &'t [String],
    more: usize,
    held_ms: u64,
    at: String,
}

#[derive(Serialize)]
struct Awaited<'t> {
    level: &'t str,
    mode: &'static str,
    whole: bool,
    names: &'t [String],
    more: usize,
    priority: i8,
    waited_ms: u64,
    at: String,
    unclaimed_ms: Option<u64>,
    ahead: usize,
    behind: &'t [u64],
}

#[derive(Serialize)]
struct Lock<'t> {
    level: &'t str,
    name: Option<&'t str>,
    mode: Option<&'static str>,
    holders: usize,
    held_by: &'t [u64],
    waiters: Vec<Waits>,
    removed: bool,
}

#[derive(Serialize)]
struct Waits {
    session: Option<u64>,
    mode: &'static str,
    priority: i8,
}

#[derive(Serialize)]
struct Hot<'t> {
    level: &'t str,
    name: Option<&'t str>,
    waits: u64,
    waited_ms: u64,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn mode(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Shared => "shared",
        LockMode::Exclusive => "exclusive",
    }
}

fn place(place: &Location<'_>) -> String {
    format!("{}:{}", place.file(), place.line())
}

impl<'t> From<&'t SessionRow> for Session<'t> {
    fn from(row: &'t SessionRow) -> Self {
        Self {
            id: row.id,
            label: &row.label,
            task: row.task,
            began_ms_ago: ms(row.began),
            holds: row.holds.iter().map(Held::from).collect(),
            awaits: row.awaits.as_ref().map(Awaited::from),
            uncertain: row.uncertain,
        }
    }
}

impl<'t> From<&'t Hold> for Held<'t> {
    fn from(hold: &'t Hold) -> Self {
        Self {
            level: hold.level,
            mode: mode(hold.mode),
            whole: hold.whole,
            names: &hold.names,
            more: hold.more,
            held_ms: ms(hold.held),
            at: place(hold.place),
        }
    }
}

impl<'t> From<&'t Wait> for Awaited<'t> {
    fn from(wait: &'t Wait) -> Self {
        Self {
            level: wait.level,
            mode: mode(wait.mode),
            whole: wait.whole,
            names: &wait.names,
            more: wait.more,
            priority: wait.priority.get(),
            waited_ms: ms(wait.waited),
            at: place(wait.place),
            unclaimed_ms: wait.unclaimed.map(ms),
            ahead: wait.ahead,
            behind: &wait.behind,
        }
    }
}

impl<'t> From<&'t LockRow> for Lock<'t> {
    fn from(row: &'t LockRow) -> Self {
        Self {
            level: row.level,
            name: row.name.as_deref(),
            mode: row.mode.map(mode),
            holders: row.holders,
            held_by: &row.held_by,
            waiters: row.waiters.iter().map(Waits::from).collect(),
            removed: row.removed,
        }
    }
}

impl From<&Waiter> for Waits {
    fn from(waiter: &Waiter) -> Self {
        Self { session: waiter.session, mode: mode(waiter.mode), priority: waiter.priority.get() }
    }
}

impl<'t> From<&'t HotName> for Hot<'t> {
    fn from(hot: &'t HotName) -> Self {
        Self { level: hot.level, name: hot.name.as_deref(), waits: hot.waits, waited_ms: ms(hot.waited) }
    }
}

/// As in the `sessions` of a table.
impl Serialize for SessionRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Session::from(self).serialize(serializer)
    }
}

/// As in the `locks` of a table.
impl Serialize for LockRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Lock::from(self).serialize(serializer)
    }
}

/// As in the `hottest` of a table.
impl Serialize for HotName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Hot::from(self).serialize(serializer)
    }
}

/// As a map of `hierarchy`, `at_ms`, `sessions`, `locks`, `roots`, `cycles` and `hottest`. Durations are whole
/// milliseconds, places `file:line`.
impl Serialize for LockTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// How many of the hottest names are listed.
        const HOTTEST: usize = 10;
        let ids = |rows: Vec<&SessionRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        let table = Table {
            hierarchy: self.hierarchy,
            at_ms: self.at.duration_since(UNIX_EPOCH).map_or(0, ms),
            sessions: self.sessions.iter().map(Session::from).collect(),
            locks: self.locks.iter().map(Lock::from).collect(),
            roots: ids(self.roots()),
            cycles: self.cycles().into_iter().map(ids).collect(),
            hottest: self.hottest(HOTTEST).iter().map(Hot::from).collect(),
        };
        table.serialize(serializer)
    }
}
