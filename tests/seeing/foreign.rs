//! What is seen, and what is left, when foreign code runs in the middle: when it panics, and when it changes the locks.

use super::{labels, manager, session};
use lockladder::ganeti::seed::{Node, Seed};
use lockladder::{LockManager, LockMode, Priority, hierarchy};
use lockladder_test_support::hostile::{survive, throw};
use lockladder_test_support::requests::poll;
use lockladder_test_support::wakers::on_wake;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio_test::task::spawn as mock;
use tokio_test::{assert_pending, assert_ready_ok, block_on};

hierarchy! {
    struct Plant { root Gate, open level Machine: Touchy, open level Tool: u32 }
}

thread_local! {
    static TOUCHED: Cell<bool> = const { Cell::new(false) };
    static ASIDE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// A name that panics when it is shown, once it has been touched; or does something else then, once.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Touchy(u32);

impl fmt::Debug for Touchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if TOUCHED.get() {
            throw();
        }
        if let Some(aside) = ASIDE.take() {
            aside();
        }
        write!(f, "{}", self.0)
    }
}

#[test]
fn names_that_panic_when_they_are_shown_are_not_kept_by_the_table() {
    let manager: LockManager<Plant> = LockManager::builder().build();
    let job = || block_on(manager.shared("job")).unwrap();
    let holder = block_on(job().exclusive::<Machine>([Touchy(1), Touchy(2), Touchy(3)])).unwrap();
    let mut late = [1, 2, 3].map(|name| mock(job().exclusive::<Machine>([Touchy(name)])));
    for request in &mut late {
        assert_pending!(request.poll());
    }
    TOUCHED.set(true);
    assert!(survive(|| manager.locks()).is_none(), "showing a name panics");
    TOUCHED.set(false);
    drop((late, holder));
    assert_eq!(manager.names::<Machine>(), [], "all of them are out of use");
}

/// The names that the table says the job holds, and how many more.
fn held_by_job(manager: &LockManager<Seed>) -> (Vec<String>, usize) {
    let table = manager.locks();
    let job = session(&table, "job");
    assert!(!job.uncertain, "{table}");
    let hold = job.holds.iter().find(|hold| hold.level == "Node").unwrap();
    (hold.names.clone(), hold.more)
}

/// A request for node1 that waits, and whose waker panics.
fn waits_for_node1(manager: &LockManager<Seed>) -> impl Sized {
    let mut late = Box::pin(block_on(manager.shared("late")).unwrap().exclusive::<Node>("node1"));
    assert!(poll(late.as_mut(), &on_wake(throw)).is_pending());
    late
}

#[test]
fn names_given_back_beside_a_waker_that_panics_are_off_the_table() {
    let left = (vec!["node2".to_owned()], 0);
    let job = |manager: &LockManager<Seed>| {
        block_on(async { manager.shared("job").await.unwrap().exclusive::<Node>(["node1", "node2"]).await.unwrap() })
    };
    let dynamic = |manager: &LockManager<Seed>| {
        let mut job = manager.try_dynamic("job", LockMode::Shared).unwrap();
        job.try_acquire::<Node>(["node1", "node2"], LockMode::Exclusive).unwrap();
        job
    };
    {
        let manager = manager();
        let (mut job, _late) = (job(&manager), waits_for_node1(&manager));
        assert!(survive(|| job.release_names::<Node>("node1")).is_none());
        assert_eq!(held_by_job(&manager), left);
    }
    {
        let manager = manager();
        let (mut job, _late) = (job(&manager), waits_for_node1(&manager));
        assert!(survive(|| job.remove_held::<Node>("node1")).is_none());
        assert_eq!(held_by_job(&manager), left);
    }
    {
        let manager = manager();
        let (mut job, _late) = (dynamic(&manager), waits_for_node1(&manager));
        assert!(survive(|| job.release_names::<Node>("node1")).is_none());
        assert_eq!(held_by_job(&manager), left);
    }
    {
        let manager = manager();
        let (mut job, _late) = (dynamic(&manager), waits_for_node1(&manager));
        assert!(survive(|| job.remove_held::<Node>("node1")).is_none());
        assert_eq!(held_by_job(&manager), left);
    }
}

#[test]
fn a_session_whose_names_change_is_uncertain_meanwhile() {
    let manager = manager();
    let mut job =
        block_on(async { manager.shared("job").await.unwrap().exclusive::<Node>(["node1", "node2"]).await.unwrap() });
    let mut late = Box::pin(block_on(manager.shared("late")).unwrap().exclusive::<Node>("node1"));
    let (looks, seen) = (manager.clone(), Arc::new(AtomicBool::new(false)));
    let is_seen = Arc::clone(&seen);
    let waker = on_wake(move || is_seen.store(session(&looks.locks(), "job").uncertain, Relaxed));
    assert!(poll(late.as_mut(), &waker).is_pending());
    job.release_names::<Node>("node1").unwrap();
    assert!(seen.load(Relaxed), "node1 has been given back, and the session has not gone on");
    assert_eq!(held_by_job(&manager), (vec!["node2".to_owned()], 0));
}

#[test]
fn a_session_that_waits_is_no_root_even_if_the_lock_changes_hands_while_the_table_is_taken() {
    let manager: LockManager<Plant> = LockManager::builder().build();
    let job = |label: &'static str| block_on(manager.shared(label)).unwrap();
    let _machine = block_on(job("machine").exclusive::<Machine>([Touchy(1)])).unwrap();
    let mut shown = mock(job("shown").exclusive::<Machine>([Touchy(1)]));
    assert_pending!(shown.poll());
    let before = block_on(job("before").exclusive::<Tool>(7)).unwrap();
    let mut late = ["first", "second"].map(|label| mock(job(label).exclusive::<Tool>(7)));
    for request in &mut late {
        assert_pending!(request.poll());
    }
    // A session that the table does not know yet gets the tool, ahead of the two that wait.
    let again = manager.clone();
    ASIDE.set(Some(Box::new(move || {
        let urgent = block_on(again.shared("urgent")).unwrap().exclusive::<Tool>(7);
        let mut urgent = mock(urgent.priority(Priority::new(-1)));
        assert_pending!(urgent.poll());
        drop(before);
        std::mem::forget(assert_ready_ok!(urgent.poll()));
    })));
    let table = manager.locks();
    assert!(ASIDE.take().is_none(), "the name has been shown");
    assert_eq!(labels(&table.roots()), ["machine"], "{table}");
    assert!(!table.to_string().contains("is granted"), "{table}");
}

/// A panic's payload whose destructor panics, too.
struct Worse;

impl Drop for Worse {
    fn drop(&mut self) {
        throw();
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_not_lost_when_a_name_that_was_waited_for_cannot_be_shown() {
    let manager: LockManager<Plant> = LockManager::builder().build();
    let holder = manager.shared("holder").await.unwrap().exclusive::<Machine>([Touchy(1)]).await.unwrap();
    let mut late = mock(manager.shared("late").await.unwrap().exclusive::<Machine>([Touchy(1)]));
    assert_pending!(late.poll());
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    drop(holder);
    ASIDE.set(Some(Box::new(|| std::panic::panic_any(Worse))));
    let granted = assert_ready_ok!(late.poll());
    assert!(ASIDE.take().is_none(), "the name was to be shown, for the hottest names");
    assert_eq!(granted.owned::<Machine>().len(), 1);
    drop((granted, late));
    assert_eq!(manager.names::<Machine>(), []);
}

#[test]
fn a_request_that_moves_beside_a_waker_that_panics_is_found_where_it_is_now() {
    let manager = manager();
    let _holder = block_on(async { manager.shared("holder").await.unwrap().shared::<Node>("node1").await.unwrap() });
    let mut first = mock(block_on(manager.shared("moves")).unwrap().exclusive::<Node>("node1"));
    assert_pending!(first.poll());
    let mut second = Box::pin(block_on(manager.shared("second")).unwrap().shared::<Node>("node1"));
    assert!(poll(second.as_mut(), &on_wake(throw)).is_pending());
    // The sharer is granted now, and its waker panics.
    assert!(survive(|| first.enter(|_, request| request.set_priority(Priority::new(9)))).is_none());
    let table = manager.locks();
    let moved = session(&table, "moves");
    assert!(!moved.uncertain, "{table}");
    assert_eq!(moved.awaits.as_ref().unwrap().priority, Priority::new(9));
}
