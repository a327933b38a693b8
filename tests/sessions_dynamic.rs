//! Sessions whose levels are known only at run time: a broken rule becomes an error that names the levels.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::modern::{self, Modern, Network, NodeAlloc};
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{
    All, DynSession, Entries, LockManager, LockMode, OrderError, Priority, SessionError, Shared, held,
    level::{Hierarchy, Level},
};
use lockladder_test_support::small::two_nodes;
use lockladder_test_support::wakers::on_wake;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Context;
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, block_on, task};

fn begin(manager: &LockManager<Seed>, mode: LockMode) -> DynSession<Seed> {
    block_on(manager.dynamic("job", mode)).unwrap()
}

#[test]
fn the_wrong_order_is_an_error_that_names_both_levels() {
    let manager = two_nodes();
    let mut job = begin(&manager, LockMode::Shared);
    block_on(job.acquire::<Node>("node1", LockMode::Shared)).unwrap();
    let wrong = OrderError::NotAbove { level: "Instance", held: "Node" };
    assert_eq!(block_on(job.acquire::<Instance>("web1", LockMode::Shared)), Err(SessionError::Order(wrong)));
    assert_eq!(job.try_acquire::<Instance>("web1", LockMode::Shared), Err(SessionError::Order(wrong)));
    assert_eq!(block_on(job.add::<Instance>("web2")), Err(SessionError::Order(wrong)));
    assert_eq!(block_on(job.add_in::<Instance>("web2", LockMode::Shared)), Err(SessionError::Order(wrong)));
    assert_eq!(block_on(job.remove::<Instance>("web1")), Err(SessionError::Order(wrong)));
    assert_eq!(
        wrong.to_string(),
        "lock order violation: cannot acquire, add to or remove from level `Instance` while holding level `Node`: \
         acquire levels in increasing order, all names of a level in one call; release `Node` first"
    );
    assert_eq!(job.names::<Node>(), ["node1"], "an error changes nothing");
    assert_eq!(manager.names::<Instance>(), ["web1"]);
}

#[test]
fn what_is_not_held_or_not_exclusive_is_an_error_that_names_the_level() {
    let manager = two_nodes();
    let mut job = begin(&manager, LockMode::Shared);
    assert!(job.holds::<Cluster>() && !job.holds::<Node>() && job.names::<Node>().is_empty());
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
    assert!(!job.holds::<Node>());
    job.try_acquire::<Instance>(All, LockMode::Exclusive).unwrap();
    job.try_acquire::<Node>("node1", LockMode::Exclusive).unwrap();
    let covered = OrderError::NotTop { level: "Instance", held: "Node" };
    assert_eq!(job.add_held::<Instance>("web2"), Err(covered.into()));
    assert_eq!(job.add_held::<Node>("node3"), Err(SessionError::NotWhole { level: "Node" }));
}

#[test]
fn what_types_cannot_know_stays_an_error_of_names() {
    let manager = two_nodes();
    let mut job = begin(&manager, LockMode::Exclusive);
    let unknown = SessionError::Unknown { level: "Node", name: "node9".to_owned() };
    assert_eq!(block_on(job.acquire::<Node>("node9", LockMode::Shared)), Err(unknown));
    block_on(job.acquire::<Node>(All, LockMode::Exclusive)).unwrap();
    job.add_held::<Node>("node3").unwrap();
    job.remove_held::<Node>("node1").unwrap();
    job.release_names::<Node>(["node2"]).unwrap();
    assert_eq!(job.names::<Node>(), ["node3"]);
    let unheld = SessionError::NotHeld { level: "Node", names: vec!["node2".to_owned()] };
    assert_eq!(job.release_names::<Node>(["node2"]), Err(unheld));
    job.downgrade::<Node>().unwrap();
    assert_eq!(job.mode::<Node>(), Some(LockMode::Shared));
    assert_eq!((job.root_mode(), job.downgrade_root().unwrap().root_mode()), (LockMode::Exclusive, LockMode::Shared));
}

#[test]
fn an_emptied_level_counts_as_held_here_too() {
    let manager = two_nodes();
    let mut job = begin(&manager, LockMode::Shared);
    job.try_acquire::<Node>("node1", LockMode::Exclusive).unwrap();
    job.release_names::<Node>("node1").unwrap();
    assert!(job.holds::<Node>());
    let wrong = OrderError::NotAbove { level: "Node", held: "Node" };
    assert_eq!(job.try_acquire::<Node>("node1", LockMode::Shared), Err(wrong.into()));
}

#[test]
fn a_session_becomes_typed_if_it_holds_just_what_the_type_says() {
    type Wanted = held![shared Cluster, exclusive Node];
    let manager = two_nodes();
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
    let manager = two_nodes();
    let mut busy = begin(&manager, LockMode::Shared);
    busy.try_acquire::<Node>("node2", LockMode::Exclusive).unwrap();
    let mut job = begin(&manager, LockMode::Shared);
    job.try_acquire::<Instance>("web1", LockMode::Exclusive).unwrap();
    let mut waits = task::spawn(job.acquire::<Node>(["node1", "node2"], LockMode::Shared).priority(Priority::new(1)));
    assert_pending!(waits.poll());
    drop(waits);
    assert_eq!((job.holds::<Node>(), job.names::<Instance>()), (false, vec!["web1".to_owned()]));
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
    let manager = two_nodes();
    let mut busy = manager.dynamic("busy", LockMode::Shared).await.unwrap();
    busy.add_in::<Node>("node3", LockMode::Exclusive).await.unwrap();
    let mut job = manager.dynamic("job", LockMode::Shared).await.unwrap();
    let late = job.acquire::<Node>("node3", LockMode::Shared).timeout(Duration::from_millis(5)).at_least(1).await;
    assert!(matches!(late, Err(SessionError::TimedOut { level: "Node", .. })), "{late:?}");
    job.acquire::<Node>(All, LockMode::Shared).opportunistic().await.unwrap();
    assert_eq!(job.names::<Node>(), ["node1", "node2"]);
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

lockladder::hierarchy! {
    /// Locks with values in them.
    struct Bank { root Ledger, level Account: u32 => i64, level Audit: u32 => &'static str }
}

fn bank() -> LockManager<Bank> {
    LockManager::builder().entries::<Account>([(1_u32, 100), (2, 0)]).build()
}

#[test]
fn values_are_read_and_changed_under_the_same_rules() {
    let mut job = bank().try_dynamic("transfer", LockMode::Shared).unwrap();
    assert_eq!(job.get_disjoint_mut::<Account, _>([1]), Err(OrderError::NotHeld { level: "Account" }.into()));
    job.blocking_acquire::<Account>([1, 2], LockMode::Exclusive).unwrap();
    let [from, to] = job.get_disjoint_mut::<Account, _>([1, 2]).unwrap();
    (*from, *to) = (*from - 30, *to + 30);
    let repeated = SessionError::Repeated { level: "Account", names: vec!["1".to_owned()] };
    assert_eq!(job.get_disjoint_mut::<Account, _>([1, 1]), Err(repeated));
    let unheld = SessionError::NotHeld { level: "Account", names: vec!["3".to_owned()] };
    assert_eq!(job.get_disjoint_mut::<Account, _>([1, 3]), Err(unheld));
    job.downgrade::<Account>().unwrap();
    assert_eq!((job.get::<Account>(1), job.get::<Account>(2)), (Some(&70), Some(&30)));
    assert_eq!(job.get_mut::<Account>(1), None);
    let shared = OrderError::NotExclusive { level: "Account" };
    assert_eq!(job.get_disjoint_mut::<Account, _>([1]), Err(shared.into()));
}

#[test]
fn members_come_with_their_values() {
    let bank = bank();
    let mut job = bank.blocking_dynamic("open", LockMode::Exclusive).unwrap();
    block_on(job.add::<Account>(Entries([(3_u32, 5)]))).unwrap();
    block_on(job.add_in::<Account>(Entries([(4_u32, 6)]), LockMode::Exclusive)).unwrap();
    assert_eq!((job.get::<Account>(4), job.get::<Account>(3)), (Some(&6), None));
    let wrong = OrderError::NotAbove { level: "Account", held: "Account" };
    assert_eq!(block_on(job.add::<Account>(Entries([(5_u32, 7)]))), Err(wrong.into()));
    job.try_acquire::<Audit>(All, LockMode::Exclusive).unwrap();
    job.add_held::<Audit>(Entries([(1_u32, "opened")])).unwrap();
    assert_eq!((job.get::<Audit>(1), bank.names::<Account>()), (Some(&"opened"), vec![1, 2, 3, 4]));
}

#[tokio::test(start_paused = true)]
async fn additions_and_removals_give_up_and_leave_the_session_as_it_was() {
    let manager = two_nodes();
    let _busy = manager.shared("busy").await.unwrap().shared::<Node>(All).await.unwrap();
    let mut job = manager.dynamic("job", LockMode::Shared).await.unwrap();
    job.acquire::<Instance>("web1", LockMode::Exclusive).await.unwrap();
    let (waited, mode) = (Duration::from_millis(50), LockMode::Exclusive);
    let assert_late = |error: SessionError| {
        let SessionError::TimedOut { level, names, held_by, .. } = error else { panic!("{error}") };
        assert_eq!((level, names.len(), held_by.len(), &*held_by[0].label), ("Node", 0, 1, "busy"));
    };
    assert_late(job.add::<Node>("node9").timeout(waited).await.unwrap_err());
    assert_late(job.add_in::<Node>("node9", mode).timeout(waited).await.unwrap_err());
    let remove = job.remove::<Node>(["node1"]).priority(Priority::new(-3)).timeout(waited);
    assert_late(remove.await.unwrap_err());
    assert_eq!(manager.names::<Node>(), ["node1", "node2"]);
    job.acquire::<Node>("node1", LockMode::Shared).await.unwrap();
    assert_eq!((job.names::<Instance>(), job.names::<Node>()), (vec!["web1".into()], vec!["node1".into()]));
}

#[test]
fn an_addition_or_a_removal_that_is_dropped_leaves_the_level_to_be_acquired() {
    let manager = two_nodes();
    let mut busy = begin(&manager, LockMode::Shared);
    busy.try_acquire::<Node>(All, LockMode::Shared).unwrap();
    let mut job = begin(&manager, LockMode::Shared);
    let mut add = task::spawn(job.add::<Node>("node9"));
    assert_pending!(add.poll());
    drop(add);
    let mut remove = task::spawn(job.remove::<Node>("node1"));
    assert_pending!(remove.poll());
    drop(remove);
    busy.release::<Node>().unwrap();
    assert_eq!(job.try_acquire::<Node>(All, LockMode::Exclusive), Ok(()));
    assert_eq!(job.names::<Node>(), ["node1", "node2"]);
}

#[test]
fn a_root_that_is_taken_is_an_error_for_who_does_not_wait() {
    let manager = two_nodes();
    let _job = manager.try_dynamic("job", LockMode::Shared).unwrap();
    let error = manager.try_dynamic("alone", LockMode::Exclusive).unwrap_err();
    assert_eq!(
        error,
        SessionError::WouldBlock { level: "Cluster", names: Vec::new(), more: 0, mode: LockMode::Exclusive }
    );
    assert!(manager.try_dynamic("another", LockMode::Shared).is_ok());
}

#[test]
fn a_request_whose_priority_changes_moves_in_the_queue() {
    let manager = two_nodes();
    let busy = manager.try_shared("busy").unwrap().try_exclusive::<Node>("node1").unwrap();
    let (mut first, mut second) = (begin(&manager, LockMode::Shared), begin(&manager, LockMode::Shared));
    let mut patient = task::spawn(first.acquire::<Node>("node1", LockMode::Exclusive));
    let mut urgent = task::spawn(second.acquire::<Node>("node1", LockMode::Exclusive));
    assert_pending!(patient.poll());
    assert_pending!(urgent.poll());
    urgent.enter(|_, request| request.set_priority(Priority::new(-10)));
    drop(busy);
    assert_pending!(patient.poll());
    assert_ready!(urgent.poll()).unwrap();
}

#[test]
fn a_waker_that_panics_in_a_downgrade_leaves_a_session_that_knows_what_it_holds() {
    let manager = two_nodes();
    let mut job = begin(&manager, LockMode::Shared);
    job.try_acquire::<Node>("node1", LockMode::Exclusive).unwrap();
    let mut other = begin(&manager, LockMode::Shared);
    let mut waits = Box::pin(other.acquire::<Node>("node1", LockMode::Shared));
    let waker = on_wake(|| panic!("a waker panics"));
    assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| job.downgrade::<Node>())).is_err());
    assert_eq!((job.holds::<Node>(), job.mode::<Node>()), (false, None));
    assert_eq!(job.try_acquire::<Node>("node2", LockMode::Exclusive), Ok(()));
    assert_eq!(job.downgrade::<Node>(), Ok(()));
    assert_eq!((job.holds::<Node>(), job.mode::<Node>()), (true, Some(LockMode::Shared)));
    let again = OrderError::NotAbove { level: "Node", held: "Node" };
    assert_eq!(job.try_acquire::<Node>("node1", LockMode::Shared), Err(again.into()));
}

thread_local! {
    static IS_RUDE: Cell<bool> = const { Cell::new(false) };
}

/// A name that panics when it is hashed while [`IS_RUDE`] is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rude(u8);

impl Hash for Rude {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        assert!(!IS_RUDE.get(), "a name panics");
        self.0.hash(hasher);
    }
}

lockladder::hierarchy! { struct Odd { root Gate, level Thing: Rude } }

#[test]
fn a_name_that_panics_in_a_try_leaves_the_level_to_be_acquired() {
    let manager: LockManager<Odd> = LockManager::builder().names::<Thing>([Rude(1)]).build();
    let mut job = manager.try_dynamic("job", LockMode::Shared).unwrap();
    IS_RUDE.set(true);
    let tried = catch_unwind(AssertUnwindSafe(|| job.try_acquire::<Thing>([Rude(1)], LockMode::Shared)));
    IS_RUDE.set(false);
    assert!(tried.is_err());
    assert_eq!(job.try_acquire::<Thing>([Rude(1)], LockMode::Shared), Ok(()));
}
