//! A service hangs; the table says why.

use super::{labels, manager, next_line, session};
use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, LockManager, LockMode, SessionError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::{spawn, yield_now};
use tokio::time::advance;
use tokio_test::task::spawn as mock;
use tokio_test::{assert_pending, assert_ready_ok};

/// Lets all tasks run until each waits.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_sleeps_is_the_root_of_the_jam_with_its_place_and_its_age() {
    let manager = manager();
    let sleeper = manager.shared("sleeper").await.unwrap();
    let place = next_line!();
    let sleeper = sleeper.exclusive::<Node>("node1").await.unwrap();
    advance(Duration::from_secs(12)).await;
    let mut late = mock(manager.shared("late").await.unwrap().exclusive::<Node>(["node2", "node1"]));
    assert_pending!(late.poll());
    advance(Duration::from_millis(400)).await;

    let table = manager.locks();
    assert_eq!(labels(&table.roots()), ["sleeper"]);
    assert_eq!(labels(&table.blockers("late")), ["sleeper"]);
    let root = table.roots()[0];
    assert!(root.awaits.is_none());
    let hold = root.holds.last().unwrap();
    assert_eq!((hold.level, hold.mode, &hold.names[..]), ("Node", LockMode::Exclusive, &["node1".to_owned()][..]));
    assert_eq!((hold.place.file(), hold.place.line()), place);
    assert_eq!(hold.held, Duration::from_millis(12_400));
    let wait = session(&table, "late").awaits.as_ref().unwrap();
    assert_eq!((wait.level, wait.mode, wait.names.len(), wait.ahead), ("Node", LockMode::Exclusive, 2, 0));
    assert_eq!((wait.waited, wait.unclaimed), (Duration::from_millis(400), None));
    assert!(table.to_string().contains("holds Node node1 for 12.4 s and waits for no lock"), "{table}");
    drop(sleeper);
    let _done = assert_ready_ok!(late.poll());
    assert!(manager.locks().roots().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_convoy_at_all_hangs_behind_the_one_sharer_that_is_slow() {
    let manager = manager();
    let slow = manager.shared("slow").await.unwrap().shared::<Node>("node2").await.unwrap();
    let mut all = mock(manager.shared("verify").await.unwrap().exclusive::<Node>(All));
    assert_pending!(all.poll());
    let mut jobs = Vec::new();
    for name in ["node1", "node2", "node3"] {
        let job = manager.shared(format!("job {name}")).await.unwrap();
        let mut job = mock(job.exclusive::<Node>([name, "node2"]));
        assert_pending!(job.poll());
        jobs.push(job);
    }
    let table = manager.locks();
    assert_eq!(labels(&table.roots()), ["slow"]);
    let blockers = labels(&table.blockers("job node3"));
    assert_eq!(blockers.last(), Some(&"slow"));
    assert!(blockers.contains(&"verify"), "{table}");
    let verify = session(&table, "verify").awaits.as_ref().unwrap();
    assert!(verify.whole && verify.names.is_empty() && verify.ahead == 0);
    assert_eq!(session(&table, "job node3").awaits.as_ref().unwrap().ahead, 3);
    let whole = table.locks.iter().find(|row| row.level == "Node" && row.name.is_none()).unwrap();
    assert_eq!((whole.holders, whole.waiters.len()), (0, 1));
    drop((slow, all, jobs));
}

#[tokio::test(start_paused = true)]
async fn an_addition_is_in_the_way_of_the_whole_and_of_no_name() {
    let manager = manager();
    let whole = manager.shared("whole").await.unwrap().shared::<Node>(All).await.unwrap();
    let mut adds = manager.shared("adds").await.unwrap();
    let mut add = mock(adds.add::<Node>("node4"));
    assert_pending!(add.poll());
    let mut name = mock(manager.shared("name").await.unwrap().exclusive::<Node>("node1"));
    assert_pending!(name.poll());
    let mut all = mock(manager.shared("all").await.unwrap().shared::<Node>(All));
    assert_pending!(all.poll());
    let table = manager.locks();
    assert_eq!(labels(&table.blockers("name")), ["whole"], "{table}");
    assert_eq!(session(&table, "name").awaits.as_ref().unwrap().ahead, 0);
    assert_eq!(session(&table, "all").awaits.as_ref().unwrap().ahead, 2);
    drop((whole, add, name, all));
}

#[tokio::test(start_paused = true)]
async fn the_holder_of_any_name_of_a_long_list_is_found() {
    let nodes: Vec<String> = (0..400).map(|node| format!("node{node}")).collect();
    let manager: LockManager<Seed> = LockManager::builder().names::<Node>(&nodes).build();
    for node in nodes.iter().step_by(7) {
        let _busy = manager.shared("busy").await.unwrap().exclusive::<Node>(node).await.unwrap();
        let mut late = mock(manager.shared("late").await.unwrap().exclusive::<Node>(&nodes));
        assert_pending!(late.poll());
        let table = manager.locks();
        assert_eq!(labels(&table.blockers("late")), ["busy"]);
        assert!(session(&table, "late").awaits.as_ref().unwrap().names.contains(node));
        drop(late);
        let late = manager.shared("late").await.unwrap().exclusive::<Node>(&nodes);
        let Err(SessionError::TimedOut { held_by, .. }) = late.timeout(Duration::from_millis(50)).await else {
            panic!("it is held")
        };
        assert_eq!(held_by[0].label, "busy");
    }
}

#[tokio::test(start_paused = true)]
async fn two_sessions_of_one_task_that_wait_for_each_other_are_a_circle() {
    let manager = manager();
    let jobs = manager.clone();
    let task = spawn(async move {
        let _first = jobs.shared("first").await.unwrap().exclusive::<Node>("node1").await.unwrap();
        let second = jobs.shared("second").await.unwrap().exclusive::<Node>("node1").await.unwrap();
        drop(second);
    });
    settle().await;
    let table = manager.locks();
    let cycles = table.cycles();
    assert_eq!(cycles.iter().map(|cycle| labels(cycle)).collect::<Vec<_>>(), [["first", "second"]], "{table}");
    assert!(table.roots().is_empty(), "{table}");
    let (first, second) = (session(&table, "first"), session(&table, "second"));
    assert!(first.task.is_some() && first.task == second.task);
    let circle = format!("circle: first (#{0}) → second (#{1}) → first (#{0})", first.id, second.id);
    assert!(table.to_string().contains(&circle), "{table}");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_not_polled_for_is_shown_as_not_claimed_and_for_how_long() {
    let manager = manager();
    let holder = manager.shared("holder").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let place = next_line!();
    let mut lazy = mock(manager.shared("lazy").await.unwrap().exclusive::<Node>("node1"));
    assert_pending!(lazy.poll());
    let mut late = mock(manager.shared("late").await.unwrap().exclusive::<Node>("node1"));
    assert_pending!(late.poll());
    advance(Duration::from_secs(1)).await;
    drop(holder);
    advance(Duration::from_secs(30)).await;

    let table = manager.locks();
    assert_eq!(labels(&table.roots()), ["lazy"]);
    let wait = table.roots()[0].awaits.as_ref().unwrap();
    assert_eq!((wait.unclaimed, wait.waited), (Some(Duration::from_secs(30)), Duration::from_secs(31)));
    assert_eq!((wait.place.file(), wait.place.line()), place);
    assert!(table.to_string().contains("is granted Node node1 and has not claimed it for 30.0 s"), "{table}");
    drop((lazy, late));
}

#[tokio::test(start_paused = true)]
async fn a_granted_root_that_is_not_polled_for_is_shown_as_not_claimed() {
    let manager = manager();
    let alone = manager.exclusive("alone").await.unwrap();
    let mut lazy = mock(manager.exclusive("lazy"));
    assert_pending!(lazy.poll());
    let mut late = mock(manager.shared("late"));
    assert_pending!(late.poll());
    assert_eq!(labels(&manager.locks().blockers("late")), ["lazy", "alone"]);
    drop(alone);
    assert_eq!(session(&manager.locks(), "lazy").awaits.as_ref().unwrap().unclaimed, Some(Duration::ZERO));
    advance(Duration::from_secs(5)).await;
    let table = manager.locks();
    assert_eq!(labels(&table.roots()), ["lazy"], "{table}");
    assert_eq!(session(&table, "lazy").awaits.as_ref().unwrap().unclaimed, Some(Duration::from_secs(5)));
    drop((lazy, late));
    assert!(manager.locks().sessions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_exclusive_root_behind_a_long_sharer_stops_all_and_the_sharer_is_named() {
    let manager = manager();
    let long = manager.shared("backup").await.unwrap().shared::<Instance>("web1").await.unwrap();
    let mut rename = mock(manager.exclusive("rename"));
    assert_pending!(rename.poll());
    let mut jobs: Vec<_> = (0..3).map(|job| mock(manager.shared(format!("job {job}")))).collect();
    for job in &mut jobs {
        assert_pending!(job.poll());
    }
    let table = manager.locks();
    assert_eq!(labels(&table.roots()), ["backup"]);
    assert_eq!(labels(&table.blockers("job 2")), ["rename", "backup"]);
    let root = table.locks.first().unwrap();
    assert_eq!((root.level, root.holders, root.mode), ("Cluster", 1, Some(LockMode::Shared)));
    let waiting: Vec<_> = root.waiters.iter().filter_map(|waiter| table.session(waiter.session?)).collect();
    assert_eq!(labels(&waiting), ["rename", "job 0", "job 1", "job 2"]);
    drop((long, rename, jobs));
}

#[tokio::test(start_paused = true)]
async fn a_circle_through_a_channel_is_shown_as_a_holder_that_waits_for_no_lock() {
    let manager = manager();
    let (answer, question) = oneshot::channel::<()>();
    let jobs = manager.clone();
    let asks = spawn(async move {
        let _job = jobs.shared("asks").await.unwrap().exclusive::<Node>("node1").await.unwrap();
        question.await.ok();
    });
    settle().await;
    let jobs = manager.clone();
    let answers = spawn(async move {
        let _job = jobs.shared("answers").await.unwrap().exclusive::<Node>("node1").await.unwrap();
        answer.send(()).ok();
    });
    settle().await;
    let table = manager.locks();
    assert!(table.cycles().is_empty(), "the locks know of no channel");
    assert_eq!(labels(&table.roots()), ["asks"]);
    let idle = session(&table, "asks");
    assert!(idle.awaits.is_none() && !idle.holds.is_empty());
    assert!(table.to_string().contains(") holds Node node1 for 0 ms and waits for no lock: see hangs.rs:"), "{table}");
    asks.abort();
    answers.abort();
}
