//! What sessions hold and await at any moment is what the table shows.

use super::{labels, manager, session};
use lockladder::ganeti::seed::{Cluster, Instance, Node};
use lockladder::table::{Hold, SessionRow};
use lockladder::{All, LockMode, Priority, Shared};
use lockladder_test_support::requests::poll;
use lockladder_test_support::wakers::on_clone;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_test::task::spawn as mock;
use tokio_test::{assert_pending, assert_ready_ok, block_on};

/// The names held of a level, in brief.
fn held(session: &SessionRow, level: &str) -> Option<String> {
    let hold = session.holds.iter().find(|hold| hold.level == level)?;
    let Hold { mode, whole, names, more, .. } = hold;
    let letter = if *mode == LockMode::Shared { 'S' } else { 'X' };
    Some(if *whole { format!("{letter} all") } else { format!("{letter} {} +{more}", names.join(",")) })
}

#[test]
fn each_change_of_a_session_is_seen() {
    let manager = manager();
    let seen = |level| held(session(&manager.locks(), "job"), level);
    block_on(async {
        let job = manager.exclusive("job").await.unwrap();
        assert_eq!(seen("Cluster").as_deref(), Some("X all"));
        let job = job.downgrade::<Cluster>();
        assert_eq!(seen("Cluster").as_deref(), Some("S all"));
        let job = job.exclusive::<Instance>(["web1", "web2"]).await.unwrap();
        assert_eq!(seen("Instance").as_deref(), Some("X web1,web2 +0"));
        let mut job = job.exclusive::<Node>(All).await.unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X all"));
        job.add_held::<Node>("node4").unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X all"));
        job.release_names::<Node>(["node2"]).unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X node1,node3,node4,node10 +0"));
        job.remove_held::<Node>("node4").unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X node1,node3,node10 +0"));
        let job = job.downgrade::<Node>();
        assert_eq!(seen("Node").as_deref(), Some("S node1,node3,node10 +0"));
        let mut job = job.release::<Node>();
        assert_eq!(seen("Node"), None);
        let nested = job.nest().exclusive::<Node>("node1").await.unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X node1 +0"));
        drop(nested);
        assert_eq!(seen("Node"), None);
        assert_eq!(seen("Instance").as_deref(), Some("X web1,web2 +0"));
        let job = job.add_shared::<Node>(["node5", "node6"]).await.unwrap();
        assert_eq!(seen("Node").as_deref(), Some("S node5,node6 +0"));
        drop(job);
        assert!(manager.locks().sessions.is_empty() && manager.locks().locks.is_empty());
    });
}

#[test]
fn each_change_of_a_session_known_at_run_time_is_seen() {
    let manager = manager();
    let seen = |level| held(session(&manager.locks(), "job"), level);
    block_on(async {
        let job = manager.dynamic("job", LockMode::Exclusive).await.unwrap();
        let mut job = job.downgrade_root().unwrap();
        assert_eq!(seen("Cluster").as_deref(), Some("S all"));
        job.acquire::<Node>(["node10", "node2"], LockMode::Exclusive).await.unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X node2,node10 +0"));
        job.release_names::<Node>("node2").unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X node10 +0"));
        job.downgrade::<Node>().unwrap();
        assert_eq!(seen("Node").as_deref(), Some("S node10 +0"));
        job.release::<Node>().unwrap();
        assert_eq!(seen("Node"), None);
        job.try_acquire::<Node>(All, LockMode::Exclusive).unwrap();
        job.add_held::<Node>("node4").unwrap();
        job.remove_held::<Node>(["node1", "node2", "node3"]).unwrap();
        assert_eq!(seen("Node").as_deref(), Some("X all"));
    });
}

#[test]
fn a_request_is_seen_from_its_first_poll_to_its_end() {
    let manager = manager();
    let awaited = || session(&manager.locks(), "late").awaits.clone();
    let holder = block_on(async { manager.shared("holder").await.unwrap().shared::<Node>(All).await.unwrap() });
    let late = block_on(manager.shared("late")).unwrap();
    let request = late.exclusive::<Node>(["node1", "node2"]);
    assert!(awaited().is_none(), "nothing happens before the first poll");
    let mut request = mock(request.priority(Priority::new(-3)));
    assert_pending!(request.poll());
    assert_eq!(awaited().unwrap().priority, Priority::new(-3));
    request.enter(|_, request| request.set_priority(Priority::new(7)));
    assert_eq!(awaited().unwrap().priority, Priority::new(7));
    let late = request.enter(|_, request| request.reclaim()).unwrap();
    assert!(awaited().is_none());
    let mut late = mock(late.exclusive::<Node>("node1"));
    assert_pending!(late.poll());
    drop(holder);
    assert!(awaited().unwrap().unclaimed.is_some());
    let _late = assert_ready_ok!(late.poll());
    assert!(awaited().is_none());
}

#[test]
fn a_request_that_is_about_to_wait_is_not_shown_as_the_one_before() {
    let manager = manager();
    let holder =
        || block_on(async { manager.shared("holder").await.unwrap().exclusive::<Node>("node1").await.unwrap() });
    let busy = holder();
    let mut job = mock(block_on(manager.shared("job")).unwrap().exclusive::<Node>("node1"));
    assert_pending!(job.poll());
    drop(busy);
    let job = assert_ready_ok!(job.poll()).release::<Node>();
    let _busy = holder();
    let (looks, seen) = (manager.clone(), Arc::new(Mutex::new(Vec::new())));
    let notes = Arc::clone(&seen);
    let waker = on_clone(move || notes.lock().unwrap().push(session(&looks.locks(), "job").awaits.clone()));
    let mut request = Box::pin(job.exclusive::<Node>("node1"));
    assert!(poll(request.as_mut(), &waker).is_pending());
    assert_eq!(seen.lock().unwrap().first(), Some(&None), "its waker is cloned before it has a ticket");
    assert_eq!(session(&manager.locks(), "job").awaits.as_ref().unwrap().names, ["node1"]);
}

#[test]
fn members_that_come_and_go_are_awaited_under_their_names() {
    let manager = manager();
    let whole = block_on(async { manager.shared("whole").await.unwrap().shared::<Node>(All).await.unwrap() });
    let mut adds = block_on(manager.shared("adds")).unwrap();
    let mut removes = block_on(manager.shared("removes")).unwrap();
    let (mut add, mut remove) = (mock(adds.add::<Node>("node5")), mock(removes.remove::<Node>("node1")));
    assert_pending!(add.poll());
    assert_pending!(remove.poll());
    let table = manager.locks();
    assert_eq!(labels(&table.roots()), ["whole"]);
    assert!(session(&table, "adds").awaits.as_ref().unwrap().whole);
    assert_eq!(session(&table, "removes").awaits.as_ref().unwrap().names, ["node1"]);
    drop(whole);
    assert_ready_ok!(remove.poll());
    assert_ready_ok!(add.poll());
}

#[test]
fn a_forgotten_session_stays_in_the_table_with_what_it_holds() {
    let manager = manager();
    let job = block_on(async { manager.shared("forgotten").await.unwrap().exclusive::<Node>("node1").await.unwrap() });
    std::mem::forget(job);
    assert_eq!(held(session(&manager.locks(), "forgotten"), "Node").as_deref(), Some("X node1 +0"));
}

#[test]
fn a_session_that_is_used_again_shows_nothing_of_the_one_before() {
    let manager = manager();
    for round in 0..3 {
        let label = format!("job {round}");
        let many = block_on(async {
            manager
                .shared(label.clone())
                .await
                .unwrap()
                .shared::<Node>(["node1", "node2", "node3", "node10", "node1"])
                .await
        });
        let table = manager.locks();
        assert_eq!(table.sessions.len(), 1);
        assert_eq!(held(session(&table, &label), "Node").as_deref(), Some("S node1,node2,node3,node10 +0"));
        assert_eq!(held(session(&table, &label), "Instance"), None);
        drop(many);
        let few = block_on(async { manager.shared("few").await.unwrap().shared::<Instance>("web1").await });
        assert_eq!(session(&manager.locks(), "few").holds.len(), 2);
        drop(few);
    }
}

/// Waits for these names, as long as another session holds them.
async fn wait_for(manager: &lockladder::LockManager<lockladder::ganeti::seed::Seed>, names: [&str; 2], ms: u64) {
    let holder = manager.shared("holder").await.unwrap().exclusive::<Node>(names[0]).await.unwrap();
    let mut late = mock(manager.shared("late").await.unwrap().exclusive::<Node>(names));
    assert_pending!(late.poll());
    tokio::time::advance(Duration::from_millis(ms)).await;
    if ms % 2 == 0 {
        drop(holder);
        drop(assert_ready_ok!(late.poll()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_hottest_names_are_those_in_the_way_of_requests_for_the_longest() {
    let manager = manager();
    assert!(manager.locks().hottest(3).is_empty());
    wait_for(&manager, ["node1", "node2"], 40).await;
    wait_for(&manager, ["node2", "node1"], 101).await; // It is given up.
    wait_for(&manager, ["node1", "node3"], 70).await;
    let alone = manager.exclusive("alone").await.unwrap();
    let mut job = mock(manager.shared("job"));
    assert_pending!(job.poll());
    tokio::time::advance(Duration::from_millis(5)).await;
    drop((job, alone));
    let table = manager.locks();
    let hot: Vec<_> =
        table.hottest(9).iter().map(|hot| (hot.level, hot.name.as_deref(), hot.waits, hot.waited)).collect();
    let ms = Duration::from_millis;
    assert_eq!(
        hot,
        [("Node", Some("node1"), 2, ms(110)), ("Node", Some("node2"), 1, ms(101)), ("Cluster", None, 1, ms(5)),]
    );
    assert_eq!(table.hottest(1).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn among_many_names_the_hot_ones_stay_and_no_figure_is_too_low() {
    let names: Vec<String> = (0..200).map(|name| format!("node{name}")).collect();
    let manager: lockladder::LockManager<lockladder::ganeti::seed::Seed> =
        lockladder::LockManager::builder().names::<Node>(&names).build();
    for (at, name) in names.iter().enumerate() {
        wait_for(&manager, ["node7", name], 100).await;
        if at != 7 {
            wait_for(&manager, [name, "node7"], 2).await;
        }
    }
    let table = manager.locks();
    assert_eq!(table.hottest(usize::MAX).len(), 64);
    let hottest = &table.hottest(1)[0];
    assert_eq!((hottest.name.as_deref(), hottest.waits, hottest.waited), (Some("node7"), 200, Duration::from_secs(20)));
    assert!(table.hottest(64).iter().all(|hot| hot.waited >= Duration::from_millis(2)));
}

#[test]
fn the_session_of_a_scope_has_the_place_of_its_caller() {
    let manager = manager();
    let (seen, place) = (manager.clone(), crate::next_line!());
    let scope = manager.scope("scope", Shared, async |_job| session(&seen.locks(), "scope").holds[0].place);
    let root = block_on(scope).unwrap();
    assert_eq!((root.file(), root.line()), place);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_day_goes_by_the_clock_of_the_ages() {
    let manager = manager();
    let before = manager.locks().at;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(manager.locks().at.duration_since(before).unwrap(), Duration::from_secs(3));
}
