//! How a verb meets a waker that panics: what the tests of all layers share.

use crate::wakers::{on_clone, on_wake, panics_on_drop};
use futures::future::FusedFuture;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::runtime::{Builder, Runtime};

/// When the wakers of a story panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Wake,
    Clone,
    Drop,
}

/// How much of its budget the task has in which a verb is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    Full,
    UsedUp,
}

static MADE: AtomicU64 = AtomicU64::new(0);
static ALIVE: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// What is in the locks: counted while it lives.
#[derive(Debug)]
pub(crate) struct Value(u64);

impl Default for Value {
    fn default() -> Self {
        let number = MADE.fetch_add(1, SeqCst);
        ALIVE.lock().unwrap().insert(number);
        Self(number)
    }
}

impl Value {
    /// Whoever reaches a value finds it alive.
    pub(crate) fn touch(&self) {
        assert!(ALIVE.lock().unwrap().contains(&self.0), "a value is reached that has been dropped");
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        assert!(ALIVE.lock().unwrap().remove(&self.0), "a value is dropped twice");
    }
}

/// One verb, met by wakers that panic.
pub(crate) struct Story {
    hook: Hook,
    budget: Budget,
    runtime: Runtime,
    panics: usize,
}

impl Story {
    fn new(hook: Hook, budget: Budget) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        Self { hook, budget, runtime, panics: 0 }
    }

    /// A waker that panics.
    fn waker(&self) -> Waker {
        match self.hook {
            Hook::Wake => on_wake(|| panic!("hostile wake")),
            Hook::Clone => on_clone(|| panic!("hostile clone")),
            Hook::Drop => panics_on_drop(),
        }
    }

    /// Does something, as a task with the budget of this story; nothing if that panics.
    pub(crate) fn act<R>(&mut self, work: impl FnOnce() -> R) -> Option<R> {
        let budget = self.budget;
        self.survive(|runtime| {
            runtime.block_on(async {
                if budget == Budget::UsedUp {
                    while poll(pin!(tokio::task::coop::consume_budget()), Waker::noop()).is_ready() {}
                }
                work()
            })
        })
    }

    fn survive<R>(&mut self, work: impl FnOnce(&Runtime) -> R) -> Option<R> {
        let runtime = &self.runtime;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(runtime)));
        self.panics += usize::from(outcome.is_err());
        outcome.ok()
    }

    /// Polls with a waker that panics.
    pub(crate) fn poll<F: Future + ?Sized>(&mut self, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker = self.waker();
        let polled = self.act(|| poll(future, &waker));
        self.survive(|_| drop(waker));
        polled.unwrap_or(Poll::Pending)
    }

    /// Drops something, which may panic.
    pub(crate) fn drop<T>(&mut self, it: T) {
        self.act(|| drop(it));
    }

    /// Polls a future whose way is free, with a waker that does no harm, until it has resolved. Nothing if it says that
    /// it resolved before.
    pub(crate) fn resolve<F: FusedFuture + ?Sized>(&mut self, mut future: Pin<&mut F>) -> Option<F::Output> {
        for _ in 0..3 {
            if future.is_terminated() {
                return None;
            }
            let polled = self.survive(|runtime| runtime.block_on(async { poll(future.as_mut(), Waker::noop()) }));
            if let Some(Poll::Ready(outcome)) = polled {
                assert!(future.is_terminated(), "it has resolved, and does not say so");
                return Some(outcome);
            }
        }
        panic!("its way is free, and it has neither resolved nor says that it has");
    }

    /// Somebody else asks, with a waker that panics, for what is held.
    pub(crate) fn neighbour<F: Future + 'static>(&mut self, request: F) -> Neighbour {
        let mut request: Neighbour = Box::pin(async move { drop(request.await) });
        let _ = self.poll(request.as_mut());
        request
    }

    /// All of them give up.
    pub(crate) fn go(&mut self, neighbours: Vec<Neighbour>) {
        for neighbour in neighbours {
            self.drop(neighbour);
        }
    }

    /// Polls a request that has to wait, as two tasks that panic; then frees its way, and sees it through.
    pub(crate) fn see_through<F: FusedFuture, H>(
        &mut self,
        mut request: Pin<Box<F>>,
        holder: H,
        neighbours: Vec<Neighbour>,
    ) {
        let mut polled = self.poll(request.as_mut());
        if polled.is_pending() && !request.is_terminated() {
            polled = self.poll(request.as_mut());
        }
        self.drop(holder);
        self.go(neighbours);
        if polled.is_pending() {
            let outcome = self.resolve(request.as_mut());
            self.drop(outcome);
        }
        self.drop(polled);
        self.drop(request);
    }
}

/// A request of somebody else.
pub(crate) type Neighbour = Pin<Box<dyn Future<Output = ()>>>;

pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// A verb by its name, and its story, which ends with everything given back, or fails.
pub(crate) type Verb = (&'static str, fn(&mut Story));

/// All that is told counts values together: one at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells each verb in every way. Each meets a panic in one way or another, and each way of panicking is met by some verb.
pub(crate) fn tell(verbs: &[Verb]) {
    let _alone = alone();
    let mut panics_of = [0; 3];
    for (name, verb) in verbs {
        let mut panics = 0;
        for (at, hook) in [Hook::Wake, Hook::Clone, Hook::Drop].into_iter().enumerate() {
            for budget in [Budget::Full, Budget::UsedUp] {
                println!("{name}: {hook:?}, {budget:?}");
                let mut story = Story::new(hook, budget);
                verb(&mut story);
                let alive = ALIVE.lock().unwrap();
                assert!(alive.is_empty(), "these values were neither dropped nor returned: {alive:?}");
                panics += story.panics;
                panics_of[at] += story.panics;
            }
        }
        assert!(panics > 0, "{name} has met no panic");
    }
    println!("{} verbs; {panics_of:?} panics as wakers were woken, cloned, dropped", verbs.len());
    assert!(panics_of.iter().all(|panics| *panics > 0));
}
