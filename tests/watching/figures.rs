//! The figures: histograms, gauges and counters.

use super::{manager, ms};
use lockladder::ganeti::seed::{Instance, Node};
use lockladder::{LockMode, SessionError};
use lockladder_test_support::requests::waiting;
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use std::collections::BTreeMap;
use tokio::time::advance;
use tokio_test::assert_ready_ok;

/// What has changed since the last look, by name, level and mode: by how much, or what a histogram has recorded.
fn look(figures: &Snapshotter) -> BTreeMap<String, Vec<f64>> {
    let mut seen = BTreeMap::new();
    for (key, unit, description, value) in figures.snapshot().into_vec() {
        let (_, key) = key.into_parts();
        let labels: BTreeMap<_, _> = key.labels().map(|label| (label.key(), label.value())).collect();
        assert_eq!(labels.keys().copied().collect::<Vec<_>>(), ["hierarchy", "level", "mode"], "no other labels");
        assert_eq!(labels["hierarchy"], "Seed");
        assert!(unit.is_some() && description.is_some(), "{key}");
        assert_eq!(unit == Some(Unit::Seconds), key.name().ends_with("_seconds"), "{key}");
        let mut value = match value {
            DebugValue::Counter(count) => vec![f64::from(u32::try_from(count).unwrap())],
            DebugValue::Gauge(gauge) => vec![*gauge],
            DebugValue::Histogram(values) => values.into_iter().map(|value| *value).collect(),
        };
        if !key.name().ends_with("_seconds") {
            value.retain(|count| *count != 0.0);
        }
        if !value.is_empty() {
            seen.insert(format!("{} {} {}", key.name(), labels["level"], labels["mode"]), value);
        }
    }
    seen
}

/// These figures have changed since the last look, and no others.
macro_rules! assert_figures {
    ($figures:expr, [$(($name:literal, $value:expr)),* $(,)?]) => {
        let expected: BTreeMap<String, Vec<f64>> = BTreeMap::from([$(($name.to_owned(), $value.to_vec())),*]);
        assert_eq!(look(&$figures), expected);
    };
}

#[tokio::test(start_paused = true)]
async fn waits_and_holds_are_counted_while_they_last_and_measured_in_seconds() {
    let recorder = DebuggingRecorder::new();
    let _records = metrics::set_default_local_recorder(&recorder);
    let figures = recorder.snapshotter();
    let manager = manager();
    let busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let other = manager.shared("other").await.unwrap().exclusive::<Node>("node2").await.unwrap();
    let mut late = waiting(manager.shared("late").await.unwrap().shared::<Node>(["node1", "node2"]));
    advance(ms(250)).await;
    assert_figures!(
        figures,
        [
            ("lockladder_holders Cluster shared", [3.0]),
            ("lockladder_wait_seconds Cluster shared", [0.0, 0.0, 0.0]),
            ("lockladder_holders Node exclusive", [2.0]),
            ("lockladder_wait_seconds Node exclusive", [0.0, 0.0]),
            ("lockladder_waiters Node shared", [1.0]),
        ]
    );
    drop(busy);
    drop(other);
    let late = assert_ready_ok!(late.poll());
    assert_figures!(
        figures,
        [
            ("lockladder_holders Cluster shared", [-2.0]),
            ("lockladder_holders Node exclusive", [-2.0]),
            ("lockladder_waiters Node shared", [-1.0]),
            ("lockladder_hold_seconds Cluster shared", [0.25, 0.25]),
            ("lockladder_hold_seconds Node exclusive", [0.25, 0.25]),
            ("lockladder_holders Node shared", [1.0]),
            ("lockladder_wait_seconds Node shared", [0.25]),
        ]
    );
    advance(ms(1)).await;
    drop(late);
    assert_figures!(
        figures,
        [
            ("lockladder_holders Cluster shared", [-1.0]),
            ("lockladder_holders Node shared", [-1.0]),
            ("lockladder_hold_seconds Cluster shared", [0.251]),
            ("lockladder_hold_seconds Node shared", [0.001]),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn requests_that_end_without_a_grant_are_counted_by_why() {
    let recorder = DebuggingRecorder::new();
    let _records = metrics::set_default_local_recorder(&recorder);
    let figures = recorder.snapshotter();
    let manager = manager();
    let mut busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut job = manager.shared("job").await.unwrap();
    job.nest().shared::<Node>("node1").timeout(ms(20)).await.unwrap_err();
    drop(waiting(job.nest().exclusive::<Node>("node1")));
    drop(waiting(manager.exclusive("alone")));
    let mut deleted = waiting(job.nest().shared::<Node>("node1"));
    busy.remove_held::<Node>("node1").unwrap();
    let std::task::Poll::Ready(Err(SessionError::Deleted { .. })) = deleted.poll() else { panic!("it is removed") };
    drop(deleted);
    job.nest().shared::<Node>("node1").await.unwrap_err();
    drop(job);
    drop(busy);
    assert_figures!(
        figures,
        [
            ("lockladder_wait_seconds Cluster shared", [0.0, 0.0]),
            ("lockladder_wait_seconds Node exclusive", [0.0]),
            ("lockladder_hold_seconds Cluster shared", [0.02, 0.02]),
            ("lockladder_hold_seconds Node exclusive", [0.02]),
            ("lockladder_timeouts_total Node shared", [1.0]),
            ("lockladder_cancelled_total Node exclusive", [1.0]),
            ("lockladder_cancelled_total Cluster exclusive", [1.0]),
            ("lockladder_deleted_total Node shared", [1.0]),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_downgrade_ends_the_exclusive_hold_and_begins_a_shared_one() {
    let recorder = DebuggingRecorder::new();
    let _records = metrics::set_default_local_recorder(&recorder);
    let figures = recorder.snapshotter();
    let manager = manager();
    let job = manager.exclusive("job").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    advance(ms(100)).await;
    let job = job.downgrade::<Node>();
    assert_figures!(
        figures,
        [
            ("lockladder_wait_seconds Cluster exclusive", [0.0]),
            ("lockladder_holders Cluster exclusive", [1.0]),
            ("lockladder_wait_seconds Node exclusive", [0.0]),
            ("lockladder_hold_seconds Node exclusive", [0.1]),
            ("lockladder_holders Node shared", [1.0]),
        ]
    );
    advance(ms(50)).await;
    drop(job);
    let mut job = manager.dynamic("job", LockMode::Exclusive).await.unwrap();
    job.acquire::<Instance>("web1", LockMode::Exclusive).await.unwrap();
    job.downgrade::<Instance>().unwrap();
    let job = job.downgrade_root().unwrap();
    look(&figures);
    drop(job);
    assert_figures!(
        figures,
        [
            ("lockladder_holders Cluster shared", [-1.0]),
            ("lockladder_holders Instance shared", [-1.0]),
            ("lockladder_hold_seconds Cluster shared", [0.0]),
            ("lockladder_hold_seconds Instance shared", [0.0]),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_in_the_gauges_of_sessions_that_have_ended() {
    let recorder = DebuggingRecorder::new();
    let _records = metrics::set_default_local_recorder(&recorder);
    let figures = recorder.snapshotter();
    let manager = manager();
    let mut job = manager.shared("job").await.unwrap().exclusive::<Instance>("web1").await.unwrap();
    let inner = job.nest().exclusive::<Node>("node1").await.unwrap();
    let inner = inner.release::<Node>();
    drop(inner.exclusive::<Node>("node2").await.unwrap());
    let job = job.release::<Instance>();
    let mut other = manager.dynamic("other", LockMode::Shared).await.unwrap();
    other.acquire::<Instance>("web1", LockMode::Shared).await.unwrap();
    other.release::<Instance>().unwrap();
    other.acquire::<Instance>("web1", LockMode::Shared).await.unwrap();
    other.add::<Node>("node4").await.unwrap();
    drop((job, other));
    let left = look(&figures).into_keys().filter(|name| name.contains("ers ")).collect::<Vec<_>>();
    assert!(left.is_empty(), "{left:?}");
}
