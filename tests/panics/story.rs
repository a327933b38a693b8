//! Runs a verb beside wakers that panic. The tests of all layers share this.

use futures::future::FusedFuture;
use lockladder_test_support::hostile::{survive, throw};
use lockladder_test_support::requests::{poll, poll_once};
use lockladder_test_support::wakers::{on_clone, on_drop, on_wake};
use std::any::Any;
use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// When the wakers of a story panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Wake,
    Clone,
    Drop,
}

/// How much of its budget a task has when it uses a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    Full,
    UsedUp,
}

/// How far a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing is in its way.
    Free,
    /// It is dropped while it waits.
    Waits,
    /// It waits, and gets what it asks for.
    Granted,
    /// It is granted, and dropped before it is polled again.
    Left,
}

impl Fate {
    pub(crate) const EACH: [Self; 4] = [Self::Free, Self::Waits, Self::Granted, Self::Left];
    /// For verbs that are not requests.
    pub(crate) const ONE: [Self; 1] = [Self::Free];
}

thread_local! {
    static VALUES: Cell<isize> = const { Cell::new(0) };
}

/// The value in each lock, counted while it lives.
#[derive(Debug)]
pub(crate) struct Value {
    alive: AtomicBool,
}

impl Default for Value {
    fn default() -> Self {
        VALUES.set(VALUES.get() + 1);
        Self { alive: AtomicBool::new(true) }
    }
}

impl Value {
    /// Asserts that the value is alive.
    pub(crate) fn touch(&self) {
        assert!(self.alive.load(Relaxed), "a value is reached that has been dropped");
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        assert!(self.alive.swap(false, Relaxed), "a value is dropped twice");
        VALUES.set(VALUES.get() - 1);
    }
}

/// How many values there are on this thread.
pub(crate) fn values() -> isize {
    VALUES.get()
}

/// The locks of a layer.
pub(crate) trait World {
    fn new() -> Self;

    /// Holds everything, so that every request waits.
    fn hold(&self) -> Box<dyn Any>;

    /// Shares everything.
    fn share(&self) -> Box<dyn Any>;

    /// Other requests.
    fn neighbours(&self) -> Vec<Neighbour>;

    /// Asserts that everything is free.
    fn rest(&self);
}

/// A request of another task.
pub(crate) type Neighbour = Pin<Box<dyn Future<Output = ()>>>;

/// Makes a neighbour of a request, whatever it resolves to.
pub(crate) fn neighbour<F: Future + 'static>(request: F) -> Neighbour {
    Box::pin(async move { drop(request.await) })
}

/// What has become of a request.
#[derive(Debug)]
pub(crate) enum Came<'a, T> {
    /// It has resolved.
    To(&'a T),
    /// It has resolved in a poll that panicked. It says so, and what it resolved to has been dropped.
    Lost,
    /// It has not resolved, and was dropped.
    Nothing,
}

impl<T> Came<'_, T> {
    /// Whether it has done what it was to do.
    pub(crate) fn resolved(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// A run of one verb beside wakers that panic.
pub(crate) struct Story {
    hook: Hook,
    budget: Budget,
    fate: Fate,
    runtime: Runtime,
    panics: usize,
}

impl Story {
    fn new(hook: Hook, budget: Budget, fate: Fate) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        Self { hook, budget, fate, runtime, panics: 0 }
    }

    fn waker(&self) -> Waker {
        match self.hook {
            Hook::Wake => on_wake(throw),
            Hook::Clone => on_clone(throw),
            Hook::Drop => on_drop(throw),
        }
    }

    /// Does something, as a task with the budget of this story. `None` if that panics.
    pub(crate) fn act<R>(&mut self, work: impl FnOnce() -> R) -> Option<R> {
        let budget = self.budget;
        self.survive(|runtime| {
            runtime.block_on(async {
                if budget == Budget::UsedUp {
                    while poll_once(pin!(tokio::task::coop::consume_budget())).is_ready() {}
                }
                work()
            })
        })
    }

    fn survive<R>(&mut self, work: impl FnOnce(&Runtime) -> R) -> Option<R> {
        let runtime = &self.runtime;
        let result = survive(|| work(runtime));
        self.panics += usize::from(result.is_none());
        result
    }

    /// Polls with a waker that panics. `None` if that panics.
    fn poll<F: Future + ?Sized>(&mut self, future: Pin<&mut F>) -> Option<Poll<F::Output>> {
        let waker = self.waker();
        let polled = self.act(|| poll(future, &waker));
        self.survive(|_| drop(waker));
        polled
    }

    /// Drops something, which may panic.
    pub(crate) fn drop<T>(&mut self, it: T) {
        self.act(|| drop(it));
    }

    /// Polls neighbours with wakers that panic, and returns those that have not resolved.
    pub(crate) fn meet(&mut self, neighbours: Vec<Neighbour>) -> Vec<Neighbour> {
        let mut waiting = Vec::new();
        for mut neighbour in neighbours {
            match self.poll(neighbour.as_mut()) {
                Some(Poll::Ready(())) => {}
                _ => waiting.push(neighbour),
            }
        }
        waiting
    }

    pub(crate) fn leave(&mut self, neighbours: Vec<Neighbour>) {
        for neighbour in neighbours {
            self.drop(neighbour);
        }
    }

    /// Does something with a request that waits behind a sharer, and lets the neighbours in. Then the sharer goes.
    pub(crate) fn moved<S, F: Future>(
        &mut self,
        sharer: S,
        request: F,
        neighbours: impl FnOnce() -> Vec<Neighbour>,
        work: impl FnOnce(Pin<&mut F>),
    ) {
        let mut request = Box::pin(request);
        drop(poll_once(request.as_mut()));
        let neighbours = self.meet(neighbours());
        self.act(|| work(request.as_mut()));
        self.drop(sharer);
        self.drop(request);
        self.leave(neighbours);
    }

    /// Uses up a guard, or a session, while neighbours wait. A panic may drop what `work` would have returned.
    pub(crate) fn used<W: World, G, R>(&mut self, world: &W, guard: G, work: impl FnOnce(G) -> R) {
        let neighbours = self.meet(world.neighbours());
        if let Some(result) = self.act(|| work(guard)) {
            self.drop(result);
        }
        self.leave(neighbours);
    }

    /// As [`used`](Self::used), but `work` borrows the guard, which is still there after a panic.
    pub(crate) fn lent<W: World, G, R>(
        &mut self,
        world: &W,
        mut guard: G,
        work: impl FnOnce(&mut G) -> R,
        look: impl FnOnce(&mut G),
    ) {
        let neighbours = self.meet(world.neighbours());
        if let Some(result) = self.act(|| work(&mut guard)) {
            self.drop(result);
        }
        look(&mut guard);
        self.drop(guard);
        self.leave(neighbours);
    }

    /// Takes a request as far as the fate of this story goes. Then `look` is told what became of it.
    pub(crate) fn request<W: World, F: FusedFuture>(
        &mut self,
        world: &W,
        request: F,
        look: impl FnOnce(Came<'_, F::Output>),
    ) {
        let mut asked = Asked::new(request);
        let holder = match self.fate {
            Fate::Free => None,
            Fate::Waits => Some(world.share()), // So that sharers get in when an exclusive request goes.
            Fate::Granted | Fate::Left => Some(world.hold()),
        };
        asked.poll(self);
        let mut neighbours = Vec::new();
        if self.fate != Fate::Free {
            asked.poll(self); // Again: the first poll may have panicked, or left a waker to replace.
            neighbours = self.meet(world.neighbours());
        }
        if self.fate == Fate::Waits {
            asked.leave(self, look);
            self.drop(holder);
        } else {
            self.drop(holder);
            if self.fate == Fate::Granted {
                asked.poll(self);
            }
            if self.fate != Fate::Left {
                asked.resolve(self);
            }
            if self.fate == Fate::Free {
                neighbours = self.meet(world.neighbours());
            }
            asked.leave(self, look);
        }
        self.leave(neighbours);
    }

    /// A request times out, after an hour, while neighbours stand behind it that can run then.
    pub(crate) fn late<W: World, F: FusedFuture>(
        &mut self,
        world: &W,
        request: F,
        look: impl FnOnce(Came<'_, F::Output>),
    ) {
        let holder = world.share();
        let mut asked = Asked::new(request);
        asked.poll(self);
        asked.poll_calmly(self); // The timer must wake no waker that panics: tokio may not survive that.
        let neighbours = self.meet(world.neighbours());
        self.runtime.block_on(tokio::time::advance(Duration::from_secs(4_000)));
        asked.poll(self);
        asked.resolve(self);
        asked.leave(self, look);
        self.drop(holder);
        self.leave(neighbours);
    }
}

/// A request that is polled until it has resolved, and what it has resolved to.
struct Asked<F: FusedFuture> {
    request: Pin<Box<F>>,
    answer: Option<F::Output>,
}

impl<F: FusedFuture> Asked<F> {
    fn new(request: F) -> Self {
        Self { request: Box::pin(request), answer: None }
    }

    /// Polls with a waker that panics, unless the request has resolved.
    fn poll(&mut self, story: &mut Story) {
        if !self.request.is_terminated() {
            let polled = story.poll(self.request.as_mut());
            self.keep(polled);
        }
    }

    /// Polls with a waker that does no harm, and with budget, unless the request has resolved.
    fn poll_calmly(&mut self, story: &mut Story) {
        if !self.request.is_terminated() {
            let request = self.request.as_mut();
            let polled = story.survive(|runtime| runtime.block_on(async { poll_once(request) }));
            self.keep(polled);
        }
    }

    fn keep(&mut self, polled: Option<Poll<F::Output>>) {
        if let Some(Poll::Ready(answer)) = polled {
            assert!(self.request.is_terminated(), "it has resolved, and does not say so");
            self.answer = Some(answer);
        } else if matches!(polled, Some(Poll::Pending)) {
            assert!(!self.request.is_terminated(), "it says that it has resolved, and has not");
        }
    }

    /// Asserts that the request resolves, or has resolved, as nothing is in its way.
    fn resolve(&mut self, story: &mut Story) {
        for _ in 0..4 {
            self.poll_calmly(story);
        }
        assert!(self.request.is_terminated(), "its way is free, and it has neither resolved nor says that it has");
    }

    fn leave(self, story: &mut Story, look: impl FnOnce(Came<'_, F::Output>)) {
        let Self { request, answer } = self;
        let terminated = request.is_terminated();
        story.drop(request);
        look(match &answer {
            Some(answer) => Came::To(answer),
            None if terminated => Came::Lost,
            None => Came::Nothing,
        });
        story.drop(answer);
    }
}

/// The name of a verb, and a function that runs it.
pub(crate) type Verb<W> = (&'static str, fn(&mut Story, &W));

/// Runs each verb in every way. Afterwards everything is free, and each value has been dropped once. Each verb meets a
/// panic in one way or another, and each way of panicking is met by some verb.
pub(crate) fn tell<W: World>(verbs: &[Verb<W>], fates: &[Fate]) {
    let mut panics_of = [0; 3];
    for (name, verb) in verbs {
        let mut panics = 0;
        for (at, hook) in [Hook::Wake, Hook::Clone, Hook::Drop].into_iter().enumerate() {
            for budget in [Budget::Full, Budget::UsedUp] {
                for fate in fates {
                    println!("{name}: {hook:?}, {budget:?}, {fate:?}");
                    let mut story = Story::new(hook, budget, *fate);
                    let world = W::new();
                    verb(&mut story, &world);
                    world.rest();
                    drop(world);
                    assert_eq!(VALUES.get(), 0, "values are left, or were dropped twice");
                    panics += story.panics;
                    panics_of[at] += story.panics;
                }
            }
        }
        assert!(panics > 0, "{name} has met no panic");
    }
    assert!(panics_of.iter().all(|panics| *panics > 0), "{panics_of:?}");
}
