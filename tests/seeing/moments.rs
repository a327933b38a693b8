//! What sessions hold and await at any moment is what the table shows.

use super::{labels, manager, session};
use lockladder::ganeti::seed::{Cluster, Instance, Node};
use lockladder::table::{Hold, SessionRow};
use lockladder::{All, LockMode, Priority};
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
