//! What the page is told of a table: all of it, or what differs from the one before.
//!
//! Ages are not differences. A session that has held a lock for a second longer has not changed, and the page lets its
//! ages go on by itself.

use lockladder::LockTable;
use lockladder::table::{HotName, Hold, LockRow, SessionRow, Wait};
use serde::Serialize;
use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

/// As many of the hottest names as the JSON of a table lists.
const HOTTEST: usize = 10;

/// How far apart two ages of one thing may seem that did not change. Two clocks measure them.
const SLACK: Duration = Duration::from_millis(100);

#[derive(Serialize)]
struct Message<'t> {
    /// The page forgets what it knows.
    full: bool,
    hierarchy: &'t str,
    at_ms: u64,
    sessions: Vec<&'t SessionRow>,
    gone: Vec<u64>,
    locks: Vec<&'t LockRow>,
    freed: Vec<Key<'t>>,
    roots: Vec<u64>,
    cycles: Vec<Vec<u64>>,
    hottest: &'t [HotName],
}

type Key<'t> = (&'t str, Option<&'t str>);

/// The whole table.
pub(crate) fn whole(table: &LockTable) -> String {
    message(table, true, table.sessions.iter().collect(), Vec::new(), table.locks.iter().collect(), Vec::new())
}

/// What is different from an earlier table.
pub(crate) fn since(before: &LockTable, table: &LockTable) -> String {
    let passed = table.at.duration_since(before.at).unwrap_or_default();
    let is_new = |row: &&SessionRow| !before.session(row.id).is_some_and(|old| is_same(old, row, passed));
    let sessions = table.sessions.iter().filter(is_new).collect();
    let gone = before.sessions.iter().map(|row| row.id).filter(|id| table.session(*id).is_none()).collect();
    let (old, new) = (by_key(before), by_key(table));
    let locks = table.locks.iter().filter(|row| old.get(&key(row)) != Some(row)).collect();
    let freed = before.locks.iter().map(key).filter(|key| !new.contains_key(key)).collect();
    message(table, false, sessions, gone, locks, freed)
}

fn message<'t>(
    table: &'t LockTable,
    full: bool,
    sessions: Vec<&'t SessionRow>,
    gone: Vec<u64>,
    locks: Vec<&'t LockRow>,
    freed: Vec<Key<'t>>,
) -> String {
    let ids = |rows: Vec<&SessionRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    let message = Message {
        full,
        hierarchy: table.hierarchy,
        at_ms: table.at.duration_since(UNIX_EPOCH).map_or(0, |at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX)),
        sessions,
        gone,
        locks,
        freed,
        roots: ids(table.roots()),
        cycles: table.cycles().into_iter().map(ids).collect(),
        hottest: table.hottest(HOTTEST),
    };
    // It cannot fail: there are no maps in it, and a string takes all that is written.
    serde_json::to_string(&message).unwrap_or_default()
}

fn key(row: &LockRow) -> Key<'_> {
    (row.level, row.name.as_deref())
}

fn by_key(table: &LockTable) -> HashMap<Key<'_>, &LockRow> {
    table.locks.iter().map(|row| (key(row), row)).collect()
}

/// Whether a session is as it was this long before, only older.
fn is_same(old: &SessionRow, new: &SessionRow, passed: Duration) -> bool {
    let holds = |(old, new): (&Hold, &Hold)| {
        (old.level, old.mode, old.whole, old.more, old.place) == (new.level, new.mode, new.whole, new.more, new.place)
            && old.names == new.names
            && is_older(old.held, new.held, passed)
    };
    let waits = match (&old.awaits, &new.awaits) {
        (None, None) => true,
        (Some(old), Some(new)) => is_same_wait(old, new, passed),
        _ => false,
    };
    (&old.label, old.task, old.uncertain) == (&new.label, new.task, new.uncertain)
        && is_older(old.began, new.began, passed)
        && old.holds.len() == new.holds.len()
        && old.holds.iter().zip(&new.holds).all(holds)
        && waits
}

fn is_same_wait(old: &Wait, new: &Wait, passed: Duration) -> bool {
    let unclaimed = match (old.unclaimed, new.unclaimed) {
        (None, None) => true,
        (Some(old), Some(new)) => is_older(old, new, passed),
        _ => false,
    };
    (old.level, old.mode, old.whole, old.more, old.place) == (new.level, new.mode, new.whole, new.more, new.place)
        && (&old.names, &old.behind, old.ahead, old.priority) == (&new.names, &new.behind, new.ahead, new.priority)
        && is_older(old.waited, new.waited, passed)
        && unclaimed
}

fn is_older(old: Duration, new: Duration, passed: Duration) -> bool {
    old.saturating_add(passed).abs_diff(new) < SLACK
}
