//! The shape of the table as JSON, to the letter. `docs/SEEING.md` documents it.

use super::manager;
use lockladder::ganeti::seed::{Instance, Node};
use lockladder::{All, LockMode, LockSet, Priority};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::advance;
use tokio_test::assert_pending;
use tokio_test::task::spawn as mock;

/// Puts the numbers of sessions, which depend on the thread, in the order in which the sessions began.
fn renumbered(value: &mut Value, ids: &[u64]) {
    let new =
        |id: &Value| ids.iter().position(|known| Some(*known) == id.as_u64()).map_or(json!(null), |at| json!(at + 1));
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), &mut *field) {
                    ("id" | "session", id) => *id = new(id),
                    ("behind" | "held_by" | "roots", Value::Array(list)) => {
                        for id in list {
                            *id = new(id);
                        }
                    }
                    _ => renumbered(field, ids),
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                renumbered(value, ids);
            }
        }
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn the_json_of_a_manager_has_the_documented_shape() {
    let manager = manager();
    let holder = manager.shared("close \"month\" 7").await.unwrap().shared::<Instance>(All).await.unwrap();
    let holder_line = line!() + 1;
    let holder = holder.exclusive::<Node>(["node10", "node2"]).await.unwrap();
    advance(Duration::from_millis(12_050)).await;
    let late = manager.shared("late").await.unwrap();
    let late_line = line!() + 1;
    let mut late = mock(late.shared::<Node>("node2").priority(Priority::new(-4)));
    assert_pending!(late.poll());
    advance(Duration::from_millis(350)).await;

    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let table = manager.locks();
    let ids: Vec<u64> = ["close \"month\" 7", "late"].map(|label| super::session(&table, label).id).to_vec();
    let mut shown = serde_json::to_value(&table).unwrap();
    let at = shown.as_object_mut().unwrap().remove("at_ms").unwrap().as_u64().unwrap();
    assert!(u128::from(at) + 1 >= before);
    renumbered(&mut shown, &ids);
    shown["sessions"].as_array_mut().unwrap().sort_by_key(|session| session["id"].as_u64());

    let at = |line: u32| format!("{}:{line}", file!());
    let root = |age: u64, line: u32| json!({"level": "Cluster", "mode": "shared", "whole": true, "names": [], "more": 0, "held_ms": age, "at": at(line)});
    let waits = json!({"session": 2, "mode": "shared", "priority": -4});
    let expected = json!({
        "hierarchy": "Seed",
        "sessions": [
            {
                "id": 1, "label": "close \"month\" 7", "task": null, "began_ms_ago": 12_400,
                "holds": [
                    root(12_400, holder_line - 2),
                    {"level": "Instance", "mode": "shared", "whole": true, "names": [], "more": 0, "held_ms": 12_400,
                     "at": at(holder_line - 2)},
                    {"level": "Node", "mode": "exclusive", "whole": false, "names": ["node2", "node10"], "more": 0,
                     "held_ms": 12_400, "at": at(holder_line)},
                ],
                "awaits": null, "uncertain": false,
            },
            {
                "id": 2, "label": "late", "task": null, "began_ms_ago": 350,
                "holds": [root(350, late_line - 2)],
                "awaits": {
                    "level": "Node", "mode": "shared", "whole": false, "names": ["node2"], "more": 0, "priority": -4,
                    "waited_ms": 350, "at": at(late_line), "unclaimed_ms": null, "ahead": 0, "behind": [1],
                },
                "uncertain": false,
            },
        ],
        "locks": [
            {"level": "Node", "name": "node2", "mode": "exclusive", "holders": 1, "held_by": [1], "waiters": [waits],
             "removed": false},
            {"level": "Cluster", "name": null, "mode": "shared", "holders": 2, "held_by": [1, 2], "waiters": [],
             "removed": false},
            {"level": "Instance", "name": null, "mode": "shared", "holders": 1, "held_by": [1], "waiters": [],
             "removed": false},
            {"level": "Node", "name": "node10", "mode": "exclusive", "holders": 1, "held_by": [1], "waiters": [],
             "removed": false},
        ],
        "roots": [1],
        "cycles": [],
        "hottest": [],
    });
    assert_eq!(shown, expected, "{shown:#}");
    drop((holder, late));
}

#[tokio::test]
async fn the_json_of_a_set_has_locks_but_no_sessions() {
    let set: LockSet<u32> = LockSet::new([1, 2]);
    let _held = set.shared(2).await.unwrap();
    let shown = serde_json::to_value(set.locks()).unwrap();
    assert_eq!((&shown["hierarchy"], &shown["sessions"]), (&json!(""), &json!([])));
    let lock = json!({"level": "", "name": "2", "mode": "shared", "holders": 1, "held_by": [], "waiters": [],
                      "removed": false});
    assert_eq!(shown["locks"], json!([lock]));
    assert_eq!(LockMode::Shared.to_string(), "shared", "the words of the modes are those of the errors");
}
