//! Waits and holds that take long.

use super::collector::Collector;
use super::{builder, manager, ms, next_line};
use lockladder::ganeti::seed::{Instance, Node};
use lockladder::{LockManager, LockMode};
use lockladder_test_support::requests::waiting;
use std::thread;
use std::time::Duration;
use tokio::task::{spawn, yield_now};
use tokio::time::advance;
use tokio_test::{assert_pending, assert_ready_ok};
use tracing::Level;

/// Lets all tasks run until each waits.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_wait_is_told_once_with_the_label_and_the_place_of_the_holder() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = builder().warn_waits(ms(500)).build();
    let busy = manager.shared("migrate web1").await.unwrap();
    let held_at = next_line!();
    let busy = busy.exclusive::<Node>("node1").await.unwrap();
    advance(ms(1_000)).await;
    let late = manager.shared("reboot").await.unwrap();
    let asked_at = next_line!();
    let mut late = waiting(late.exclusive::<Node>(["node1", "node2"]));
    advance(ms(499)).await;
    assert_pending!(late.poll());
    assert!(heard.events().is_empty(), "{:?}", heard.events());
    advance(ms(1)).await;
    assert!(late.is_woken(), "by its own timer");
    assert_pending!(late.poll());

    let told = heard.told_once("lock.slow_wait");
    assert_eq!(told.level, Level::WARN);
    for (field, value) in [
        ("hierarchy", "Seed"),
        ("level", "Node"),
        ("names", "[\"node1\", \"node2\"]"),
        ("mode", "exclusive"),
        ("priority", "0"),
        ("label", "reboot"),
        ("waited_ms", "500"),
        ("limit_ms", "500"),
        ("ahead", "0"),
    ] {
        assert_eq!(told.fields[field], value, "{field}");
    }
    assert!(told.fields["place"].starts_with(&asked_at), "{:?}", told.fields);
    let blockers = &told.fields["blockers"];
    let begin = format!("`migrate web1` (session {}) holds Node exclusive for 1.5s, from {held_at}", session(&manager));
    assert!(blockers.starts_with(&begin), "{blockers}\n{begin}");
    for _ in 0..10 {
        advance(ms(500)).await;
        assert_pending!(late.poll());
    }
    drop(busy);
    drop(assert_ready_ok!(late.poll()));
    assert_eq!(heard.events().len(), 1);
}

/// The number of the first session.
fn session(manager: &LockManager<lockladder::ganeti::seed::Seed>) -> u64 {
    manager.locks().sessions[0].id
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_told_of_in_its_span_if_there_is_one() {
    let (heard, _listens) = Collector::listens();
    let manager = builder().warn_waits(ms(500)).build();
    let _busy = manager.exclusive("busy").await.unwrap();
    let mut late = waiting(manager.shared("late"));
    advance(ms(500)).await;
    assert_pending!(late.poll());
    let told = heard.told_once("lock.slow_wait");
    assert_eq!(heard.spans()[told.span.unwrap()].fields["label"], "late");
    assert!(told.fields["blockers"].contains("`busy`"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn the_culprit_is_named_even_if_it_is_in_the_way_of_the_holder_only() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = builder().warn_waits(ms(500)).build();
    let culprit = manager.shared("culprit").await.unwrap();
    let held_at = next_line!();
    let _culprit = culprit.exclusive::<Node>("node1").await.unwrap();
    let holder = manager.shared("holder").await.unwrap().exclusive::<Instance>("web1").await.unwrap();
    let waits_at = next_line!();
    let _holder = waiting(holder.exclusive::<Node>("node1"));
    let mut late = waiting(manager.shared("late").await.unwrap().shared::<Instance>("web1"));
    advance(ms(500)).await;
    assert_pending!(late.poll());
    let told = heard.told_once("lock.slow_wait");
    let blockers: Vec<_> = told.fields["blockers"].split("; ").collect();
    assert_eq!(blockers.len(), 2, "{blockers:?}");
    assert!(blockers[0].starts_with("`holder`") && blockers[0].contains(&format!("waits for Node at {waits_at}")));
    assert!(blockers[1].starts_with("`culprit`") && blockers[1].contains(&format!("from {held_at}")), "{blockers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_a_thousand_slow_waits_warns_once_for_each() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = builder().warn_waits(ms(500)).warn_holds(Duration::from_secs(60)).build();
    let busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut jobs = Vec::new();
    for number in 0..1_000 {
        let manager = manager.clone();
        jobs.push(spawn(async move {
            let job = manager.shared(format!("job {number}")).await.unwrap();
            drop(job.exclusive::<Node>("node1").await.unwrap());
        }));
    }
    for _ in 0..20 {
        settle().await;
        advance(ms(100)).await;
    }
    let told = heard.told("lock.slow_wait");
    assert_eq!(told.len(), 1_000);
    assert!(told.iter().all(|told| told.fields["blockers"].contains("`busy`")));
    let labels: std::collections::HashSet<_> = told.iter().map(|told| &told.fields["label"]).collect();
    assert_eq!(labels.len(), 1_000);
    assert!(told.iter().all(|told| told.fields.values().map(String::len).sum::<usize>() < 10_000));
    drop(busy);
    for job in jobs {
        job.await.unwrap();
    }
    assert_eq!(heard.events().len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn each_wait_of_a_session_is_a_wait_of_its_own() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = builder().warn_waits(ms(500)).build();
    let mut job = manager.dynamic("job", LockMode::Shared).await.unwrap();
    let busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    for slow in 1..=3 {
        let mut late = waiting(job.acquire::<Node>("node1", LockMode::Shared));
        advance(ms(500)).await;
        assert_pending!(late.poll());
        drop(late);
        assert_eq!(heard.told("lock.slow_wait").len(), slow);
    }
    let mut removing = waiting(job.remove::<Node>("node1"));
    advance(ms(500)).await;
    assert_pending!(removing.poll());
    drop(removing);
    drop(busy);
    assert_eq!(heard.told("lock.slow_wait").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_slow_and_gives_up_at_the_same_time_is_told_once() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = builder().warn_waits(ms(500)).build();
    let _busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut job = manager.shared("late").await.unwrap();
    job.nest().shared::<Node>("node1").timeout(ms(500)).await.unwrap_err();
    heard.told_once("lock.slow_wait");
    job.nest().shared::<Node>("node1").timeout(ms(499)).await.unwrap_err();
    heard.told_once("lock.slow_wait");
}

#[tokio::test(start_paused = true)]
async fn a_long_hold_is_told_when_it_ends_with_its_place() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = builder().warn_holds(ms(1_000)).build();
    let job = manager.shared("backup").await.unwrap();
    advance(ms(10)).await;
    let place = next_line!();
    let mut job = job.exclusive::<Node>("node1").await.unwrap();
    advance(ms(500)).await;
    drop(job.nest());
    advance(ms(495)).await;
    assert!(heard.events().is_empty());
    drop(job);

    let told = heard.told_once("lock.long_hold"); // The node was held for 995 ms.
    assert_eq!((told.level, told.fields["level"].as_str()), (Level::WARN, "Cluster"));
    assert_eq!((told.fields["held_ms"].as_str(), told.fields["limit_ms"].as_str()), ("1005", "1000"));
    assert_eq!((told.fields["label"].as_str(), told.fields["mode"].as_str()), ("backup", "shared"));

    let job = manager.shared("again").await.unwrap();
    let again = next_line!();
    let job = job.exclusive::<Node>("node1").await.unwrap();
    advance(ms(1_000)).await;
    drop(job);
    let told = &heard.told("lock.long_hold")[1];
    assert_eq!(told.fields["level"], "Node");
    assert!(told.fields["place"].starts_with(&again) && again != place, "{told:?}");
    assert_eq!(heard.events().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_threshold_there_is_no_warning() {
    let (heard, _listens) = Collector::listens_for_warnings();
    let manager = manager();
    let busy = manager.exclusive("busy").await.unwrap();
    let mut late = waiting(manager.shared("late"));
    advance(Duration::from_secs(3_600)).await;
    assert!(!late.is_woken(), "there is no timer");
    assert_pending!(late.poll());
    drop(busy);
    drop(assert_ready_ok!(late.poll()));
    assert!(heard.events().is_empty());
}

#[test]
fn a_slow_wait_outside_of_a_runtime_is_told_when_it_ends() {
    let manager = builder().warn_waits(Duration::ZERO).build();
    let busy = manager.try_exclusive("busy").unwrap();
    let late = manager.clone();
    let late = thread::spawn(move || {
        let (heard, _listens) = Collector::listens_for_warnings();
        drop(late.blocking_shared("late").unwrap());
        heard.told_once("lock.slow_wait").fields["label"].clone()
    });
    while manager.locks().waiting().is_empty() {
        thread::yield_now();
    }
    drop(busy);
    assert_eq!(late.join().unwrap(), "late");
}
