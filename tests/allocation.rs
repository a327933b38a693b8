//! What allocates: one lock never does, however many requests wait. A set does not for up to four free names, and for
//! its whole only once; an open set does not for up to four names that are in use. Of sessions that follow each other,
//! only the first does.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]
#![allow(unsafe_code, reason = "a global allocator that counts")]

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, Exclusive, LockManager, LockMode, LockSet, OpenSet, SharedLock, hierarchy};
use lockladder_test_support::requests::{now, poll_once};
use lockladder_test_support::small::three_nodes;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// Passes everything on to the system allocator, and counts what each thread asks for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// In bytes; it wraps around, because a thread may free what another has allocated.
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system allocator keeps the contract. Counting does not allocate: the counters have constant initial
// values and no destructors.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WAITERS: usize = 1_000;

/// How often this thread allocates while it does `work`, and the result of that.
fn allocations<R>(work: impl FnOnce() -> R) -> (usize, R) {
    let before = ALLOCATIONS.get();
    let result = work();
    (ALLOCATIONS.get() - before, result)
}

fn all_wait<F: Future>(requests: &mut [Pin<Box<F>>]) {
    assert!(requests.iter_mut().all(|request| poll_once(request.as_mut()).is_pending()));
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| Box::new(7)).0, 1);
}

#[test]
fn a_free_lock_is_acquired_and_released_without_allocating() {
    let lock = SharedLock::new(7);
    let mut requests = (Box::pin(lock.exclusive()), Box::pin(lock.shared()));
    let (count, ()) = allocations(|| {
        drop(lock.try_exclusive().unwrap());
        drop(lock.try_shared().unwrap());
        assert!(matches!(poll_once(requests.0.as_mut()), Poll::Ready(Ok(guard)) if *guard == 7));
        assert!(matches!(poll_once(requests.1.as_mut()), Poll::Ready(Ok(guard)) if *guard == 7));
    });
    assert_eq!(count, 0);
}

#[test]
fn synchronized_allocates_nothing() {
    let lock = SharedLock::new(7);
    let mut work = Box::pin(lock.synchronized(Exclusive, async |value| *value += 1));
    let (count, outcome) = allocations(|| poll_once(work.as_mut()));
    assert_eq!((count, outcome), (0, Poll::Ready(Ok(()))));
}

#[test]
fn exclusive_requests_queue_and_are_granted_without_allocating() {
    let lock = SharedLock::new(0);
    let mut requests: Vec<_> = (0..WAITERS).map(|_| Box::pin(lock.exclusive())).collect();
    let holder = lock.try_exclusive().unwrap();
    let (count, ()) = allocations(|| {
        all_wait(&mut requests);
        all_wait(&mut requests);
        drop(holder);
        for request in &mut requests {
            let Poll::Ready(Ok(mut value)) = poll_once(request.as_mut()) else { panic!("its turn did not come") };
            *value += 1;
        }
    });
    assert_eq!((count, *lock.try_shared().unwrap()), (0, WAITERS));
}

#[test]
fn a_group_queues_and_is_granted_without_allocating() {
    let lock = SharedLock::new(());
    let mut requests: Vec<_> = (0..WAITERS).map(|_| Box::pin(lock.shared())).collect();
    let mut exclusive = Box::pin(lock.exclusive());
    let holder = lock.try_exclusive().unwrap();
    let (count, ()) = allocations(|| {
        assert!(poll_once(exclusive.as_mut()).is_pending());
        all_wait(&mut requests);
        drop(holder.downgrade());
        assert!(requests.iter_mut().all(|request| matches!(poll_once(request.as_mut()), Poll::Ready(Ok(_)))));
        assert!(matches!(poll_once(exclusive.as_mut()), Poll::Ready(Ok(_))));
    });
    assert_eq!(count, 0);
}

#[test]
fn giving_up_and_deleting_allocate_nothing() {
    let lock = SharedLock::new(());
    let mut cancelled: Vec<_> = (0..WAITERS).map(|_| Box::pin(lock.shared())).collect();
    let mut told: Vec<_> = (0..WAITERS).map(|_| Box::pin(lock.exclusive())).collect();
    let holder = lock.try_exclusive().unwrap();
    let (count, ()) = allocations(|| {
        all_wait(&mut told);
        all_wait(&mut cancelled);
        drop(cancelled);
        holder.delete();
        assert!(told.iter_mut().all(|request| matches!(poll_once(request.as_mut()), Poll::Ready(Err(_)))));
    });
    assert_eq!(count, 0);
}

#[test]
fn owned_guards_allocate_nothing() {
    let lock = Arc::new(SharedLock::new(()));
    let mut request = Box::pin(Arc::clone(&lock).shared_owned());
    let (count, ready) = allocations(|| poll_once(request.as_mut()).is_ready());
    assert_eq!((count, ready), (0, true));
}

#[test]
fn up_to_four_free_names_are_acquired_without_allocating_and_no_string_is_built() {
    let set: LockSet<String> = LockSet::new(["a", "b", "c", "d"]);
    let (count, ()) = allocations(|| {
        drop(now(set.exclusive("a")).unwrap());
        drop(now(set.shared(["a", "b", "c", "d"])).unwrap());
        drop(set.try_exclusive(["d", "a"]).unwrap());
        let guard = now(set.exclusive(["c", "b"])).unwrap();
        assert!(guard.contains("c") && guard.get("b").is_some());
    });
    assert_eq!(count, 0);
}

#[test]
fn names_of_an_open_set_that_are_gone_and_requests_for_them_give_their_space_back() {
    const NAMES: u32 = 20_000;
    let set: OpenSet<u32> = OpenSet::new();
    let before = LIVE.get();
    let mut requests: Vec<_> =
        (0..NAMES).flat_map(|name| [name, name]).map(|name| Box::pin(set.exclusive(name))).collect();
    let (mut holders, mut waiters) = (Vec::new(), Vec::new());
    for mut request in requests.drain(..) {
        match poll_once(request.as_mut()) {
            Poll::Ready(guard) => holders.push(guard.unwrap()),
            Poll::Pending => waiters.push(request),
        }
    }
    assert_eq!((holders.len(), waiters.len()), (NAMES as usize, NAMES as usize));
    let most = LIVE.get().wrapping_sub(before);
    drop((holders, waiters, requests));
    assert!(set.names().is_empty());
    let left = LIVE.get().wrapping_sub(before);
    assert!(left < most / 10, "{left} of {most} bytes are left");
}

#[test]
fn large_values_of_an_open_set_are_given_back_to_the_last() {
    struct Page([u8; 16_384]);
    impl Default for Page {
        fn default() -> Self {
            Self([1; 16_384])
        }
    }
    let set: OpenSet<u32, Page> = OpenSet::new();
    let before = LIVE.get();
    for name in 0..1_000 {
        let mut page = now(set.exclusive(name)).unwrap();
        page[name].0[7] = 2;
    }
    let left = LIVE.get().wrapping_sub(before);
    assert!(left < 256 * 4_096, "{left} bytes are left of pages that are gone");
}

#[test]
fn the_whole_of_a_free_set_is_acquired_without_allocating() {
    let set: LockSet<u32> = (0..1_000).collect();
    drop(now(set.exclusive(All)).unwrap()); // The queue allocates its space once, here.
    for exclusive in [true, false] {
        let (count, ()) = allocations(|| {
            if exclusive {
                drop(now(set.exclusive(All)).unwrap());
            } else {
                drop(now(set.shared(All)).unwrap());
            }
        });
        assert_eq!(count, 0, "exclusive: {exclusive}");
    }
}

/// Climbs as most sessions do, in each way once, and releases everything.
fn climb(manager: &LockManager<Seed>) {
    let job = now(manager.shared("awaited")).unwrap();
    let job = now(job.exclusive::<Instance>("web1")).unwrap();
    let job = now(job.exclusive::<Node>(["node2", "node1"])).unwrap();
    drop(job.release::<Instance>().downgrade::<Node>());

    let job = manager.try_exclusive("tried").unwrap().try_shared::<Instance>(["web2", "web1"]).unwrap();
    drop(job.try_exclusive::<Node>(["node3", "node1"]).unwrap());

    let mut job = manager.try_shared("nested").unwrap();
    drop(now(job.nest().shared::<Instance>("web1")).unwrap());
    let mut inner = job.nest().try_exclusive::<Instance>("web2").unwrap();
    drop(now(inner.nest().exclusive::<Node>(["node1", "node2"])).unwrap());
}

fn climb_at_run_time(manager: &LockManager<Seed>) {
    let mut job = now(manager.dynamic("awaited", LockMode::Shared)).unwrap();
    now(job.acquire::<Instance>("web1", LockMode::Exclusive)).unwrap();
    job.try_acquire::<Node>(["node2", "node1"], LockMode::Shared).unwrap();
    job.release::<Instance>().unwrap();
}

#[test]
fn only_the_first_of_sessions_that_follow_each_other_allocates() {
    let manager = three_nodes();
    for (way, climb) in [("typed", climb as fn(&_)), ("at run time", climb_at_run_time)] {
        climb(&manager);
        assert_eq!(allocations(|| climb(&manager)).0, 0, "{way}");
    }
}

hierarchy! {
    struct Bank {
        root Ledger,
        open level Tenant: u32,
        open level Account: (u32, u64),
        open level Holder: String,
    }
}

#[test]
fn up_to_four_names_of_an_open_level_that_are_in_use_already_are_acquired_without_allocating() {
    const FOUR: [(u32, u64); 4] = [(7, 1), (7, 2), (8, 1), (8, 2)];
    let people = || ["ann", "bob", "eve", "joe"].map(String::from);
    let bank: LockManager<Bank> = LockManager::builder().build();
    let climb = |label, people: [String; 4]| {
        let job = now(bank.shared(label)).unwrap();
        let job = now(job.shared::<Tenant>([8, 7])).unwrap();
        let job = now(job.shared::<Account>(FOUR)).unwrap();
        now(job.shared::<Holder>(people)).unwrap()
    };
    drop(climb("the record", people()));
    let user = climb("in use", people());
    let mine = people();
    let (count, job) = allocations(|| climb("again", mine));
    assert_eq!(count, 2, "the record of a second session");
    let (count, ()) = allocations(|| drop(job));
    assert_eq!(count, 0);
    let mine = people();
    assert_eq!(allocations(|| drop(climb("once more", mine))).0, 0);
    drop(user);
    assert!(
        bank.names::<Tenant>().is_empty() && bank.names::<Account>().is_empty() && bank.names::<Holder>().is_empty()
    );
}

#[cfg(not(feature = "metrics"))] // With it, the first use of a level also makes its figures.
#[test]
fn the_first_session_allocates_its_record_and_the_lists_of_those_that_go_on_and_of_those_to_be_used_again() {
    let manager = three_nodes();
    let (begun, job) = allocations(|| manager.try_shared("first").unwrap());
    let (climbed, job) = allocations(|| now(job.exclusive::<Instance>("web1")).unwrap());
    let (ended, ()) = allocations(|| drop(job));
    assert_eq!([begun, climbed, ended], [3, 0, 1]);
}
