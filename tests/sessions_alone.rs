//! A flow that would wait for itself gets an error: after it has forgotten a nested session, and in a scope.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, Exclusive, LockManager, LockMode, SessionError, Shared};
use lockladder_test_support::requests::now;
use lockladder_test_support::small::two_nodes;
use std::mem::forget;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use tokio_test::{assert_pending, assert_ready, block_on, task};

fn already(level: &'static str, held: &'static str) -> SessionError {
    SessionError::AlreadyHeld { level, held }
}

fn nested(outer: &str, inner: &str) -> SessionError {
    SessionError::NestedSession { outer: outer.to_owned(), inner: inner.to_owned() }
}

#[test]
fn what_a_forgotten_nested_session_holds_is_an_error_and_no_hang() {
    let manager = two_nodes();
    let mut job = block_on(manager.shared("job")).unwrap();
    forget(block_on(job.nest().exclusive::<Node>("node1")).unwrap());
    assert_eq!(now(job.nest().shared::<Node>("node1")).unwrap_err(), already("Node", "Node"));
    assert_eq!(now(job.nest().exclusive::<Instance>("web1")).unwrap_err(), already("Instance", "Node"));
    assert_eq!(job.nest().try_shared::<Node>("node2").unwrap_err(), already("Node", "Node"));
    assert_eq!(now(job.add::<Node>("node3")).unwrap_err(), already("Node", "Node"));
    assert_eq!(now(job.nest().add_shared::<Node>("node3")).unwrap_err(), already("Node", "Node"));
}

#[test]
fn removing_what_a_forgotten_nested_session_shares_is_an_error_and_no_hang() {
    let manager = two_nodes();
    let mut job = block_on(manager.shared("job")).unwrap();
    forget(block_on(job.nest().shared::<Node>("node1")).unwrap());
    assert_eq!(now(job.remove::<Node>("node1")).unwrap_err(), already("Node", "Node"));
    assert_eq!(manager.names::<Node>(), ["node1", "node2"]);
}

#[test]
fn a_request_that_waits_and_is_forgotten_is_an_error_and_no_hang() {
    let manager = two_nodes();
    let busy = block_on(async { manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await }).unwrap();
    let mut job = block_on(manager.shared("job")).unwrap();
    let mut request = task::spawn(Box::pin(job.nest().exclusive::<Node>("node1")));
    assert_pending!(request.poll());
    forget(request);
    assert_eq!(now(job.nest().exclusive::<Node>("node1")).unwrap_err(), already("Node", "Node"));
    drop(busy);
}

#[test]
fn nested_sessions_and_requests_that_end_leave_nothing_on_the_record() {
    let manager = two_nodes();
    let busy = block_on(async { manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await }).unwrap();
    let mut job = block_on(manager.shared("job")).unwrap();
    drop(block_on(job.nest().exclusive::<Node>("node2")).unwrap());
    assert_eq!(block_on(job.nest().shared::<Instance>(All)).unwrap().release::<Instance>().label(), "job");
    assert!(block_on(job.nest().shared::<Node>("node9")).is_err());
    assert!(job.nest().try_shared::<Node>("node1").is_err());
    let mut waits = task::spawn(job.nest().exclusive::<Node>("node1"));
    assert_pending!(waits.poll());
    drop(waits);
    let mut waits = Box::pin(job.nest().exclusive::<Node>("node1"));
    assert_pending!(task::spawn(waits.as_mut()).poll());
    drop(waits.as_mut().reclaim().unwrap());
    drop(waits);
    let mut adds = task::spawn(job.remove::<Node>("node1"));
    assert_pending!(adds.poll());
    drop(adds);
    drop(busy);
    let both = now(job.exclusive::<Instance>("web1")).unwrap();
    assert_eq!(now(both.exclusive::<Node>(All)).unwrap().owned::<Node>().len(), 2);
}

#[test]
fn a_session_known_at_run_time_remembers_a_request_that_was_forgotten() {
    let manager = two_nodes();
    let _busy = block_on(async { manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await }).unwrap();
    let mut job = block_on(manager.dynamic("job", LockMode::Shared)).unwrap();
    let mut request = task::spawn(Box::pin(job.acquire::<Node>("node1", LockMode::Shared)));
    assert_pending!(request.poll());
    forget(request);
    assert_eq!(now(job.acquire::<Node>("node1", LockMode::Shared)).unwrap_err(), already("Node", "Node"));
    assert_eq!(now(job.remove::<Node>("node1")).unwrap_err(), already("Node", "Node"));
    assert!(job.into_typed::<lockladder::held![shared lockladder::ganeti::seed::Cluster]>().is_err());
}

#[test]
fn a_second_session_in_a_scope_is_an_error_and_no_hang() {
    let manager = two_nodes();
    let outcome = block_on(manager.scope("outer", Shared, async |_job| {
        assert_eq!(now(manager.shared("inner")).unwrap_err(), nested("outer", "inner"));
        assert_eq!(now(manager.dynamic("inner", LockMode::Shared)).unwrap_err(), nested("outer", "inner"));
        assert_eq!(manager.try_exclusive("inner").unwrap_err(), nested("outer", "inner"));
        manager.scope("scope", Exclusive, async |_job| ()).await
    }));
    assert_eq!(outcome.unwrap().unwrap_err(), nested("outer", "scope"));
    let _after = now(manager.exclusive("after")).unwrap();
}

#[test]
fn a_scope_knows_its_own_manager_only() {
    let (manager, other) = (two_nodes(), two_nodes());
    block_on(manager.scope("outer", Shared, async |_job| {
        other
            .scope("other", Exclusive, async |_job| {
                assert_eq!(now(manager.shared("inner")).unwrap_err(), nested("outer", "inner"));
                assert_eq!(now(other.shared("inner")).unwrap_err(), nested("other", "inner"));
            })
            .await
            .unwrap();
    }))
    .unwrap();
}

#[test]
fn flows_that_are_joined_and_spawned_have_scopes_of_their_own() {
    let manager = two_nodes();
    let scoped = |label: &'static str| {
        let manager = manager.clone();
        async move { manager.scope(label, Shared, async |job| job.label().to_owned()).await }
    };
    block_on(async {
        assert_eq!(futures::join!(scoped("a"), scoped("b")), (Ok("a".to_owned()), Ok("b".to_owned())));
        let spawning = manager.clone();
        let spawned = manager.scope("outer", Shared, async move |_job| {
            tokio::spawn(async move { spawning.shared("spawned").await.map(drop) }).await
        });
        assert_eq!(spawned.await.unwrap().unwrap(), Ok(()));
    });
}

#[test]
fn a_scope_covers_what_work_does_before_it_returns_its_future() {
    let manager = two_nodes();
    let second = block_on(manager.scope("outer", Shared, |job| {
        let second = manager.try_shared("second").map(drop);
        async move {
            drop(job);
            second
        }
    }));
    assert_eq!(second.unwrap(), Err(nested("outer", "second")));
}

/// Runs a scope of `inner` that waits once, then begins a session of `outer`.
async fn in_a_scope(inner: LockManager<Seed>, outer: LockManager<Seed>) -> Result<(), SessionError> {
    let work = async |_job| {
        tokio::task::yield_now().await;
        outer.try_shared("later").map(drop)
    };
    inner.scope("inner", Shared, work).await.unwrap()
}

#[test]
fn a_scope_that_is_moved_is_where_it_is_polled() {
    let (one, other) = (two_nodes(), two_nodes());
    let (mut moved_out,) = block_on(one.scope("outer", Shared, async |_job| {
        let mut work = task::spawn(Box::pin(in_a_scope(other.clone(), one.clone())));
        assert_pending!(work.poll());
        (work,)
    }))
    .unwrap();
    assert_eq!(assert_ready!(moved_out.poll()), Ok(()), "the outer scope is over");
    let mut moved_in = task::spawn(Box::pin(in_a_scope(other, one.clone())));
    assert_pending!(moved_in.poll());
    let inside = block_on(one.scope("outer", Shared, async |_job| moved_in.await)).unwrap();
    assert_eq!(inside, Err(nested("outer", "later")));
}

#[test]
fn a_request_that_failed_and_is_forgotten_awaits_nothing() {
    let manager = two_nodes();
    let mut job = now(manager.shared("job")).unwrap();
    let mut failed = Box::pin(job.nest().exclusive::<Node>("nope"));
    assert!(now(failed.as_mut()).is_err());
    forget(failed);
    assert!(now(job.nest().exclusive::<Node>("node1")).is_ok());
}

type Work = Pin<Box<dyn Future<Output = Result<(), SessionError>> + Send>>;

/// An executor that polls its one task inside the call that wakes it.
struct Inline {
    work: Mutex<Option<Work>>,
    outcome: Mutex<Option<Result<(), SessionError>>>,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let Some(mut work) = self.work.lock().unwrap().take() else { return };
        match work.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&self)))) {
            Poll::Ready(done) => *self.outcome.lock().unwrap() = Some(done),
            Poll::Pending => *self.work.lock().unwrap() = Some(work),
        }
    }
}

#[test]
fn a_stranger_who_is_polled_within_the_work_of_a_scope_is_taken_for_a_part_of_it() {
    let manager = two_nodes();
    let stranger = |work: Work| {
        let executor = Arc::new(Inline { work: Mutex::new(Some(work)), outcome: Mutex::new(None) });
        Waker::from(Arc::clone(&executor)).wake();
        executor
    };
    let (locks, (wake, woken)) = (manager.clone(), tokio::sync::oneshot::channel::<()>());
    let inside = stranger(Box::pin(async move {
        woken.await.unwrap();
        locks.shared("stranger").await.map(drop)
    }));
    block_on(manager.scope("mine", Shared, async move |_job| wake.send(()).unwrap())).unwrap();
    assert_eq!(inside.outcome.lock().unwrap().take(), Some(Err(nested("mine", "stranger"))));

    let locks = manager.clone();
    let outside = stranger(Box::pin(async move { locks.shared("stranger").await.map(drop) }));
    assert_eq!(outside.outcome.lock().unwrap().take(), Some(Ok(())));
}
