//! What the page is told of a table: all of it, or what differs from the one before.
//!
//! Ages are not differences. A session that has held a lock for a second longer has not changed, and the page lets its
//! ages go on by itself.

use lockladder::LockTable;
use lockladder::table::{Hold, HotName, LockRow, SessionRow, Wait};
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{SLACK, since, whole};
    use lockladder::ganeti::seed::{Instance, Node, Seed};
    use lockladder::{LockManager, LockTable};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn manager() -> LockManager<Seed> {
        LockManager::builder().names::<Instance>(["web1", "web2"]).names::<Node>(["node1", "node2"]).build()
    }

    fn told(message: &str) -> Value {
        serde_json::from_str(message).unwrap()
    }

    /// What a page knows that follows messages: sessions and locks, by their keys, and nothing of their ages.
    #[derive(Default, PartialEq, Debug)]
    struct Known {
        sessions: BTreeMap<String, Value>,
        locks: BTreeMap<String, Value>,
    }

    impl Known {
        fn hear(&mut self, message: &Value) {
            if message["full"] == true {
                *self = Self::default();
            }
            for gone in message["gone"].as_array().unwrap() {
                assert!(self.sessions.remove(&gone.to_string()).is_some(), "{gone} is gone, and was not there");
            }
            for freed in message["freed"].as_array().unwrap() {
                assert!(self.locks.remove(&freed.to_string()).is_some(), "{freed} is freed, and was not there");
            }
            for session in message["sessions"].as_array().unwrap() {
                let mut session = session.clone();
                forget_ages(&mut session);
                self.sessions.insert(session["id"].to_string(), session);
            }
            for lock in message["locks"].as_array().unwrap() {
                self.locks.insert(json!([lock["level"], lock["name"]]).to_string(), lock.clone());
            }
        }
    }

    fn forget_ages(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, value| value.is_null() || !key.ends_with("_ms") && !key.ends_with("_ms_ago"));
                map.values_mut().for_each(forget_ages);
            }
            Value::Array(values) => values.iter_mut().for_each(forget_ages),
            _ => {}
        }
    }

    fn older(table: &LockTable, by: Duration) -> LockTable {
        let mut table = table.clone();
        table.at += by;
        for session in &mut table.sessions {
            session.began += by;
            session.holds.iter_mut().for_each(|hold| hold.held += by);
            if let Some(wait) = &mut session.awaits {
                wait.waited += by;
                wait.unclaimed = wait.unclaimed.map(|unclaimed| unclaimed + by);
            }
        }
        table
    }

    #[tokio::test]
    async fn one_who_follows_the_changes_knows_the_table() {
        let manager = manager();
        let (mut known, mut before) = (Known::default(), manager.locks());
        known.hear(&told(&whole(&before)));
        let mut tables = 0;
        let mut follow = || {
            let table = manager.locks();
            known.hear(&told(&since(&before, &table)));
            let mut expected = Known::default();
            expected.hear(&told(&whole(&table)));
            assert_eq!(known, expected);
            before = table;
            tables += 1;
        };
        follow();
        let first = manager.shared("first").await.unwrap();
        follow();
        let first = first.exclusive::<Instance>(["web1", "web2"]).await.unwrap();
        follow();
        let mut second = Box::pin(manager.shared("second").await.unwrap().shared::<Instance>("web2"));
        follow();
        assert!(futures::poll!(second.as_mut()).is_pending());
        follow();
        let first = first.shared::<Node>("node1").await.unwrap();
        follow();
        drop(first);
        follow(); // The second is granted, and has not claimed it.
        let second = second.await.unwrap();
        follow();
        drop(second);
        follow();
        assert_eq!((tables, known), (9, Known::default()));
    }

    #[tokio::test]
    async fn to_grow_older_is_no_change() {
        let manager = manager();
        let holder = manager.shared("holder").await.unwrap().exclusive::<Node>("node1").await.unwrap();
        let mut waiter = Box::pin(manager.shared("waiter").await.unwrap().exclusive::<Node>("node1"));
        assert!(futures::poll!(waiter.as_mut()).is_pending());
        let table = manager.locks();
        for seconds in [0, 1, 3_600] {
            let message = told(&since(&table, &older(&table, Duration::from_secs(seconds))));
            assert_eq!([&message["sessions"], &message["gone"], &message["locks"], &message["freed"]], [&json!([]); 4]);
            assert_eq!(message["roots"].as_array().unwrap().len(), 1, "the roots are always told");
        }
        let mut again = older(&table, Duration::from_secs(1));
        again.sessions[0].holds[1].held -= SLACK;
        let message = told(&since(&table, &again));
        assert_eq!(message["sessions"].as_array().unwrap().len(), 1, "what it let go and took again is a change");
        drop((holder, waiter));
    }
}
