//! Sessions whose levels are known at run time: the rules as errors that name the levels.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::modern::{self, Modern, Network, NodeAlloc};
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{
    All, DynSession, Hierarchy, Level, LockManager, LockMode, OrderError, Priority, SessionError, Shared, held,
};
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, block_on, task};

fn manager() -> LockManager<Seed> {
    LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1", "node2"]).build()
}

fn begin(manager: &LockManager<Seed>, mode: LockMode) -> DynSession<Seed> {
    block_on(manager.dynamic("job", mode)).unwrap()
}

#[test]
fn the_wrong_order_is_an_error_that_names_both_levels() {
    let manager = manager();
    let mut job = begin(&manager, LockMode::Shared);
    block_on(job.acquire::<Node>("node1", LockMode::Shared)).unwrap();
    let wrong = OrderError::NotAbove { level: "Instance", held: "Node" };
    assert_eq!(block_on(job.acquire::<Instance>("web1", LockMode::Shared)), Err(SessionError::Order(wrong)));
    assert_eq!(job.try_acquire::<Instance>("web1", LockMode::Shared), Err(SessionError::Order(wrong)));
    assert_eq!(block_on(job.add::<Instance>("web2")), Err(SessionError::Order(wrong)));
    assert_eq!(block_on(job.add_acquired::<Instance>("web2", LockMode::Shared)), Err(SessionError::Order(wrong)));
    assert_eq!(block_on(job.remove::<Instance>("web1")), Err(SessionError::Order(wrong)));
    assert_eq!(
        wrong.to_string(),
        "lock order violation: cannot acquire, add to or remove from level `Instance` while holding level `Node`: \
         acquire levels in increasing order, all names of a level in one call; release `Node` first"
    );
    assert_eq!(job.owned_names::<Node>(), ["node1"], "an error changes nothing");
    assert_eq!(manager.names::<Instance>(), ["web1"]);
}

#[test]
fn what_is_not_held_or_not_exclusive_is_an_error_that_names_the_level() {
    let manager = manager();
    let mut job = begin(&manager, LockMode::Shared);
    assert!(job.is_owned::<Cluster>() && !job.is_owned::<Node>() && job.owned_names::<Node>().is_empty());
    let unheld = OrderError::NotHeld { level: "Node" };
    assert_eq!((job.release::<Node>(), job.downgrade::<Node>()), (Err(unheld), Err(unheld)));
    assert_eq!(job.remove_held::<Node>("node1"), Err(unheld.into()));
    job.try_acquire::<Node>(All, LockMode::Shared).unwrap();
    let shared = OrderError::NotExclusive { level: "Node" };
    assert_eq!(job.downgrade::<Node>(), Err(shared));
    assert_eq!(
        (job.add_held::<Node>("node3"), job.remove_held::<Node>("node1")),
        (Err(shared.into()), Err(shared.into()))
    );
    job.release::<Node>().unwrap();
    assert!(!job.is_owned::<Node>());
    job.try_acquire::<Instance>(All, LockMode::Exclusive).unwrap();
    job.try_acquire::<Node>("node1", LockMode::Exclusive).unwrap();
    let covered = OrderError::NotTop { level: "Instance", held: "Node" };
    assert_eq!(job.add_held::<Instance>("web2"), Err(covered.into()));
    assert_eq!(job.add_held::<Node>("node3"), Err(SessionError::NotWhole { level: "Node" }));
}

#[test]
fn what_types_cannot_know_stays_an_error_of_names() {
    let manager = manager();
    let mut job = begin(&manager, LockMode::Exclusive);
    let unknown = SessionError::Unknown { level: "Node", name: "node9".to_owned() };
    assert_eq!(block_on(job.acquire::<Node>("node9", LockMode::Shared)), Err(unknown));
    block_on(job.acquire::<Node>(All, LockMode::Exclusive)).unwrap();
    job.add_held::<Node>("node3").unwrap();
    job.remove_held::<Node>("node1").unwrap();
    job.release_names::<Node>(["node2"]).unwrap();
    assert_eq!(job.owned_names::<Node>(), ["node3"]);
    let unheld = SessionError::NotHeld { level: "Node", names: vec!["node2".to_owned()] };
    assert_eq!(job.release_names::<Node>(["node2"]), Err(unheld));
    job.downgrade::<Node>().unwrap();
    assert_eq!(job.mode::<Node>(), Some(LockMode::Shared));
    assert_eq!((job.root_mode(), job.downgrade_root().unwrap().root_mode()), (LockMode::Exclusive, LockMode::Shared));
}

#[test]
fn an_emptied_level_counts_as_held_here_too() {
    let manager = manager();
    let mut job = begin(&manager, LockMode::Shared);
    job.try_acquire::<Node>("node1", LockMode::Exclusive).unwrap();
    job.release_names::<Node>("node1").unwrap();
    assert!(job.is_owned::<Node>());
    let wrong = OrderError::NotAbove { level: "Node", held: "Node" };
    assert_eq!(job.try_acquire::<Node>("node1", LockMode::Shared), Err(wrong.into()));
}

#[test]
fn a_session_becomes_typed_if_it_holds_just_what_the_type_says() {
    type Wanted = held![shared Cluster, exclusive Node];
    let manager = manager();
    let mut job = begin(&manager, LockMode::Shared);
    job.try_acquire::<Instance>("web1", LockMode::Shared).unwrap();
    job.try_acquire::<Node>("node1", LockMode::Exclusive).unwrap();
    let mut job = job.into_typed::<Wanted>().expect_err("it holds instances, too");
    job.release::<Instance>().unwrap();
    let job = job.into_typed::<held![exclusive Cluster, exclusive Node]>().expect_err("its root is shared");
    let job = job.into_typed::<held![shared Cluster, shared Node]>().expect_err("its nodes are exclusive");
    let job = job.into_typed::<Wanted>().unwrap();
    assert_eq!((job.label(), job.owned::<Node>().len()), ("job", 1));
    let job = block_on(job.release::<Node>().shared::<Instance>("web1")).unwrap();
    drop(job);
    let _all_free = block_on(manager.exclusive("after")).unwrap();
}

#[test]
fn dropping_a_request_or_a_session_releases_what_it_had() {
    let manager = manager();
    let mut busy = begin(&manager, LockMode::Shared);
    busy.try_acquire::<Node>("node2", LockMode::Exclusive).unwrap();
    let mut job = begin(&manager, LockMode::Shared);
    job.try_acquire::<Instance>("web1", LockMode::Exclusive).unwrap();
    let mut waits = task::spawn(job.acquire::<Node>(["node1", "node2"], LockMode::Shared).priority(Priority::new(1)));
    assert_pending!(waits.poll());
    drop(waits);
    assert_eq!((job.is_owned::<Node>(), job.owned_names::<Instance>()), (false, vec!["web1".to_owned()]));
    let mut waits = task::spawn(job.acquire::<Node>("node2", LockMode::Shared));
    assert_pending!(waits.poll());
    drop(busy);
    assert_ready!(waits.poll()).unwrap();
    drop(waits);
    drop(job);
    let _all = block_on(manager.exclusive("after")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_gives_up_and_the_session_keeps_what_it_had() {
    let manager = manager();
    let mut busy = manager.dynamic("busy", LockMode::Shared).await.unwrap();
    busy.add_acquired::<Node>("node3", LockMode::Exclusive).await.unwrap();
    let mut job = manager.dynamic("job", LockMode::Shared).await.unwrap();
    let late = job.acquire::<Node>("node3", LockMode::Shared).timeout(Duration::from_millis(5)).at_least(1).await;
    assert!(matches!(late, Err(SessionError::TimedOut { level: "Node", .. })), "{late:?}");
    job.acquire::<Node>(All, LockMode::Shared).opportunistic().await.unwrap();
    assert_eq!(job.owned_names::<Node>(), ["node1", "node2"]);
}

#[test]
fn seven_levels_are_climbed_in_the_order_of_later_versions() {
    assert_eq!(Modern::LEVELS, ["Cluster", "Instance", "NodeAlloc", "NodeGroup", "Node", "NodeRes", "Network"]);
    let manager: LockManager<Modern> = LockManager::builder()
        .names::<NodeAlloc>([modern::NODE_ALLOC])
        .names::<modern::Node>(["node1"])
        .names::<Network>(["net1"])
        .build();
    block_on(manager.scope("allocate", Shared, async |job| {
        let job = job.exclusive::<NodeAlloc>(modern::NODE_ALLOC).await.unwrap();
        let job = job.exclusive::<modern::Node>(All).opportunistic().await.unwrap().release::<NodeAlloc>();
        let job = job.shared::<Network>("net1").await.unwrap();
        assert_eq!((job.owned::<modern::Node>().len(), Network::INDEX), (1, 6));
    }))
    .unwrap();
}
