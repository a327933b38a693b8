//! What sessions do at run time: climbing, nesting, releasing, members that come and go.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{All, CanAcquire, LockManager, LockMode, Session, SessionError, held};
use lockladder_test_support::requests::is_terminated;
use lockladder_test_support::small::three_nodes;
use std::fmt;
use std::pin::pin;
use tokio_test::{assert_pending, assert_ready, block_on, task};

type Job = Session<Seed, held![shared Cluster, exclusive Instance]>;

async fn job(manager: &LockManager<Seed>) -> Job {
    manager.shared("job").await.unwrap().exclusive::<Instance>("web1").await.unwrap()
}

fn unknown(name: &str) -> SessionError {
    SessionError::Unknown { level: "Node", name: name.to_owned() }
}

#[test]
fn a_session_climbs_and_comes_down_as_the_api_says() {
    let manager = three_nodes();
    block_on(async {
        let job = manager.shared("failover web1").await.unwrap();
        assert_eq!(job.label(), "failover web1");
        let job = job.exclusive::<Instance>(["web1"]).await.unwrap();
        let mut job = job.exclusive::<Node>(["node1", "node2"]).await.unwrap();
        job.release_names::<Node>(["node2"]).unwrap();
        assert_eq!(job.owned::<Node>().names(), ["node1"]);
        let job = job.downgrade::<Instance>();
        assert_eq!(job.owned::<Instance>().mode(), LockMode::Shared);
        let job = job.release::<Instance>();
        let job = job.release::<Node>().shared::<Instance>(All).await.unwrap();
        assert_eq!(job.owned::<Instance>().names(), ["web1", "web2"]);
    });
}

#[test]
fn an_exclusive_root_keeps_every_other_session_out_until_it_is_downgraded() {
    let manager = three_nodes();
    let alone = block_on(manager.exclusive("rename")).unwrap();
    let mut other = task::spawn(manager.shared("job"));
    assert_pending!(other.poll());
    let _shared = alone.downgrade::<Cluster>();
    assert!(other.is_woken());
    let _job = assert_ready!(other.poll()).unwrap();
}

#[test]
fn the_root_is_held_until_the_session_is_dropped() {
    let manager = three_nodes();
    let job = block_on(job(&manager));
    let mut alone = task::spawn(manager.exclusive("rename"));
    assert_pending!(alone.poll());
    let root_only = job.release::<Instance>();
    assert_pending!(alone.poll());
    drop(root_only);
    let _alone = assert_ready!(alone.poll()).unwrap();
}

#[test]
fn dropping_a_session_releases_every_level() {
    let manager = three_nodes();
    drop(block_on(async { job(&manager).await.exclusive::<Node>(All).await }).unwrap());
    let all = block_on(async {
        let all = manager.exclusive("again").await.unwrap().exclusive::<Instance>(All).await.unwrap();
        all.exclusive::<Node>(All).await.unwrap()
    });
    assert_eq!(all.owned::<Node>().len(), 3);
}

#[test]
fn a_failed_acquisition_by_value_releases_everything() {
    let manager = three_nodes();
    assert_eq!(block_on(async { job(&manager).await.shared::<Node>("node9").await }).unwrap_err(), unknown("node9"));
    let _job = assert_ready!(task::spawn(job(&manager)).poll());
}

#[test]
fn a_nested_session_that_fails_leaves_the_outer_one_as_it_was() {
    let manager = three_nodes();
    let mut job = block_on(job(&manager));
    assert_eq!(block_on(job.nest().shared::<Node>("node9")).unwrap_err(), unknown("node9"));
    assert_eq!(job.owned::<Instance>().names(), ["web1"]);
}

#[test]
fn a_nested_acquisition_dropped_while_it_waits_leaves_the_outer_session_as_it_was() {
    let manager = three_nodes();
    let _busy = block_on(async { manager.shared("busy").await.unwrap().exclusive::<Node>("node2").await }).unwrap();
    let mut job = block_on(job(&manager));
    let mut nodes = task::spawn(job.nest().exclusive::<Node>(["node1", "node2"]));
    assert_pending!(nodes.poll());
    drop(nodes);
    assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    let inner = assert_ready!(task::spawn(job.nest().exclusive::<Node>("node1")).poll()).unwrap();
    assert_eq!(inner.owned::<Instance>().names(), ["web1"], "a nested session uses what the outer one holds");
}

#[test]
fn a_pending_acquisition_gives_its_session_back() {
    let manager = three_nodes();
    let _busy = block_on(async { manager.shared("busy").await.unwrap().exclusive::<Node>("node2").await }).unwrap();
    let mut nodes = pin!(block_on(job(&manager)).exclusive::<Node>(["node1", "node2"]));
    let mut poll = task::spawn(std::future::poll_fn(|context| nodes.as_mut().poll(context)));
    assert_pending!(poll.poll());
    drop(poll);
    let job = nodes.as_mut().reclaim().unwrap();
    assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    assert!(nodes.as_mut().reclaim().is_none(), "it has been taken back");
    let _node1 = assert_ready!(task::spawn(job.exclusive::<Node>("node1")).poll()).unwrap();
}

#[test]
fn an_acquisition_that_was_never_polled_gives_its_session_back() {
    let manager = three_nodes();
    let mut nodes = pin!(block_on(job(&manager)).shared::<Node>("node9"));
    assert_eq!(nodes.as_mut().reclaim().unwrap().owned::<Instance>().names(), ["web1"]);
}

#[test]
#[should_panic(expected = "`SessionRequest` polled after it has resolved")]
fn polling_an_acquisition_whose_session_was_taken_back_says_so() {
    let manager = three_nodes();
    let mut nodes = task::spawn(block_on(job(&manager)).shared::<Node>("node1"));
    drop(nodes.enter(|_, nodes| nodes.reclaim()).unwrap());
    let _ = nodes.poll();
}

#[test]
fn an_emptied_level_counts_as_held_until_it_is_released() {
    let manager = three_nodes();
    let mut job = block_on(job(&manager));
    job.release_names::<Instance>("web1").unwrap();
    assert!(job.owned::<Instance>().is_empty());
    let none = block_on(job.release::<Instance>().shared::<Instance>([""; 0])).unwrap();
    assert!(none.owned::<Instance>().is_empty());
}

#[test]
fn a_session_moves_into_a_struct_and_onto_another_thread() {
    struct Worker {
        job: Job,
    }
    let manager = three_nodes();
    let worker = Worker { job: block_on(job(&manager)) };
    std::thread::spawn(move || drop(worker.job.release::<Instance>())).join().unwrap();
    let _job = assert_ready!(task::spawn(job(&manager)).poll());
}

#[test]
fn a_helper_takes_any_session_that_can_still_acquire() {
    async fn nodes<H: CanAcquire<Node>>(session: &mut Session<Seed, H>) -> usize {
        session.nest().shared::<Node>(All).await.unwrap().owned::<Node>().len()
    }
    let manager = three_nodes();
    block_on(async {
        let mut root = manager.shared("count").await.unwrap();
        let mut job = job(&manager).await;
        assert_eq!((nodes(&mut root).await, nodes(&mut job).await, nodes(&mut job.nest()).await), (3, 3, 3));
    });
}

#[test]
fn an_added_name_is_held_before_anybody_else_can_hold_it() {
    let manager = three_nodes();
    block_on(async {
        let mut creator = manager.shared("create").await.unwrap().add_exclusive::<Instance>("web3").await.unwrap();
        let mut other = task::spawn(async { manager.shared("other").await?.shared::<Instance>("web3").await });
        assert_pending!(other.poll());
        creator.remove_held::<Instance>("web3").unwrap();
        let gone = SessionError::Deleted { level: "Instance", name: "web3".to_owned() };
        assert_eq!(assert_ready!(other.poll()).unwrap_err(), gone);
        let sharer = manager.shared("share").await.unwrap().add_shared::<Instance>(["web4"]).await.unwrap();
        assert_eq!(sharer.owned::<Instance>().mode(), LockMode::Shared);
    });
    assert_eq!(manager.names::<Instance>(), ["web1", "web2", "web4"]);
}

#[test]
fn members_are_added_and_removed_under_the_root_alone() {
    let manager = three_nodes();
    block_on(async {
        let mut job = manager.exclusive("rename").await.unwrap();
        assert_eq!(job.remove::<Instance>(["web2", "nope"]).await.unwrap(), ["web2"]);
        job.add::<Instance>(["web9"]).await.unwrap();
        let exists = SessionError::Exists { level: "Node", names: vec!["node1".to_owned()] };
        assert_eq!(job.add::<Node>(["node1", "node4"]).await.unwrap_err(), exists);
    });
    assert_eq!(manager.names::<Instance>(), ["web1", "web9"]);
    assert_eq!(manager.names::<Node>().len(), 3, "nothing was added");
}

#[test]
fn adding_to_a_held_level_needs_the_whole_of_it() {
    let manager = three_nodes();
    block_on(async {
        let mut part = manager.shared("part").await.unwrap().exclusive::<Node>("node1").await.unwrap();
        assert_eq!(part.add_held::<Node>("node4").unwrap_err(), SessionError::NotWhole { level: "Node" });
        drop(part);
        let mut whole = manager.shared("whole").await.unwrap().exclusive::<Node>(All).await.unwrap();
        whole.nest().add_held::<Node>("node4").unwrap();
        assert_eq!(whole.owned::<Node>().names(), ["node1", "node2", "node3", "node4"]);
        let repeated = SessionError::Repeated { level: "Node", names: vec!["node5".to_owned()] };
        assert_eq!(whole.add_held::<Node>(["node5", "node5"]).unwrap_err(), repeated);
        let unheld = SessionError::NotHeld { level: "Node", names: vec!["node9".to_owned()] };
        assert_eq!(whole.remove_held::<Node>(["node1", "node9"]).unwrap_err(), unheld);
        assert_eq!(whole.release_names::<Node>(["node9"]).unwrap_err(), unheld);
        whole.remove_held::<Node>(["node1", "node4"]).unwrap();
    });
    assert_eq!(manager.names::<Node>(), ["node2", "node3"]);
}

#[test]
fn errors_name_the_level_and_the_names_and_say_what_to_do() {
    let names = vec!["a".to_owned(), "b".to_owned()];
    let text = |error: SessionError| error.to_string();
    assert_eq!(text(unknown("x")), "level Node has no lock named `x`: add it first, or leave it out");
    assert_eq!(
        text(SessionError::Exists { level: "Node", names: names.clone() }),
        "cannot add `a`, `b` to level Node: already there; nothing was added; leave them out, or acquire them"
    );
    assert_eq!(
        text(SessionError::NotHeld { level: "Node", names }),
        "this session does not hold `a`, `b` of level Node: nothing was done; name only what it owns"
    );
    let _boxed: Box<dyn std::error::Error + Send + Sync> = unknown("x").into();
}

#[test]
fn debug_shows_who_holds_what_without_waiting() {
    let manager = three_nodes();
    let job = block_on(job(&manager));
    assert_eq!(format!("{job:?}"), r#"Session { label: "job", Instance: (Exclusive, ["web1"]), Cluster: Shared, .. }"#);
    assert!(format!("{manager:?}").contains("sharers: 1"));
}

#[test]
fn a_session_is_its_guards_and_three_words() {
    use std::mem::size_of;
    let guards = size_of::<held![shared Cluster, exclusive Instance]>();
    assert_eq!(size_of::<Job>(), guards + 3 * size_of::<usize>());
}

#[test]
fn futures_of_a_session_say_when_they_have_resolved() {
    let manager = three_nodes();
    let mut enter = task::spawn(manager.shared("job"));
    assert!(!is_terminated(&mut enter));
    let mut job = assert_ready!(enter.poll()).unwrap();
    let mut add = task::spawn(job.add::<Instance>("web9"));
    assert!(is_terminated(&mut enter) && !is_terminated(&mut add));
    assert_ready!(add.poll()).unwrap();
    assert!(is_terminated(&mut add));
    drop(add);
    let mut climb = task::spawn(job.shared::<Node>("node1"));
    assert!(!is_terminated(&mut climb));
    let _nodes = assert_ready!(climb.poll()).unwrap();
    assert!(is_terminated(&mut climb));
}

#[test]
fn debug_of_the_futures_of_a_session_says_what_they_are_for() {
    let manager = three_nodes();
    let says = |request: &dyn fmt::Debug, words: [&str; 2]| {
        let text = format!("{request:?}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    says(&manager.shared("job"), [r#"Entrant { label: "job", mode: Shared"#, "Acquire"]);
    let mut job = block_on(manager.shared("job")).unwrap();
    says(&job.remove::<Node>("node1"), [r#"Changer { level: "Node", session: "job" }"#, "Remove"]);
    says(
        &job.shared::<Node>("node1"),
        [r#"Climber { level: "Node", mode: Shared, session: Session { label: "job""#, "SetAcquire"],
    );
    let mut job = block_on(manager.dynamic("job", LockMode::Shared)).unwrap();
    says(&job.add::<Node>("node9"), [r#"DynAsker { level: "Node", session: DynSession { label: "job""#, "Add"]);
    let builder = LockManager::<Seed>::builder();
    assert_eq!(format!("{builder:?}"), r#"Builder { levels: ["Cluster", "Instance", "Node"], .. }"#);
}
