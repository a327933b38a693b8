//! The real lock beside the rule: a story is played on both.

use super::story::{Action, Bell, Step, Wish};
use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder::{
    AcquireError, Guard, Priority, SharedLock, TryAcquireError,
    futures::{Acquire, Deadline},
};
use lockladder_test_support::hostile::{survive, throw};
use lockladder_test_support::lock_rule::{LockRule, Name};
use std::cell::Cell;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Where a name stands when something happens to it. The counts show in the end that the stories went everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Situation {
    Absent,
    Unpolled,
    WaitsNext,
    WaitsBehind,
    Expired,
    Granted(LockMode),
    Told,
    Holds(LockMode),
}

/// What one name has of the real lock. A request is polled only when the name looks.
#[derive(Default)]
enum Real<'a> {
    #[default]
    Nothing,
    Asks(Asked<'a>),
    Shares(Guard<&'a SharedLock, lockladder::Shared>),
    Owns(Guard<&'a SharedLock, lockladder::Exclusive>),
}

struct Asked<'a> {
    request: Box<dyn Request<'a> + 'a>,
    wish: Wish,
    priority: i8,
    patience: Option<u64>,
    /// After the first look: the waker of the last one, and when the request's time is up.
    looked: Option<(Arc<Ring>, Option<u64>)>,
}

impl Asked<'_> {
    fn mode(&self) -> LockMode {
        if self.wish == Wish::Share { Shared } else { Exclusive }
    }
}

pub(crate) struct Stage<'a> {
    lock: &'a Arc<SharedLock>,
    cast: Vec<Real<'a>>,
    rule: LockRule,
    now: u64,
    clock: Runtime,
    /// How many wakers have panicked.
    alarms: Arc<AtomicUsize>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(lock: &'a Arc<SharedLock>, names: usize) -> Self {
        let clock = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let cast = (0..names).map(|_| Real::Nothing).collect();
        Self { lock, cast, rule: LockRule::default(), now: 0, clock, alarms: Arc::default() }
    }

    pub(crate) fn situation(&self, name: Name) -> Situation {
        match &self.cast[name] {
            Real::Nothing => Situation::Absent,
            Real::Asks(Asked { looked: None, .. }) => Situation::Unpolled,
            Real::Asks(Asked { looked: Some((_, end)), .. }) => {
                match (self.rule.holds(name), self.rule.turns_ahead(name)) {
                    (Some(mode), _) => Situation::Granted(mode),
                    (None, None) => Situation::Told,
                    (None, Some(_)) if self.is_over(*end) => Situation::Expired,
                    (None, Some(0)) => Situation::WaitsNext,
                    (None, Some(_)) => Situation::WaitsBehind,
                }
            }
            Real::Shares(_) => Situation::Holds(Shared),
            Real::Owns(_) => Situation::Holds(Exclusive),
        }
    }

    /// Plays one step on both sides, which must agree on its outcome. False if the step is impossible.
    pub(crate) fn play(&mut self, step: &Step) -> bool {
        let (name, alarms) = (step.name, self.alarms.load(Relaxed));
        let panicked = match (step.action, mem::take(&mut self.cast[name])) {
            (Action::Dawdles(time), real) => {
                self.cast[name] = real;
                self.pass(time);
                false
            }
            (Action::Asks { wish, priority, patience }, Real::Nothing) => {
                let request = request(self.lock, wish, priority, patience);
                self.cast[name] = Real::Asks(Asked { request, wish, priority, patience, looked: None });
                false
            }
            (Action::Tries(mode), Real::Nothing) => self.tries(name, mode),
            (Action::Looks(bell), Real::Asks(asked)) => self.looks(name, asked, bell),
            (Action::Moves(priority), Real::Asks(asked)) if asked.wish != Wish::Deletion => {
                self.moves(name, asked, priority)
            }
            (Action::Leaves, real @ (Real::Asks(_) | Real::Shares(_) | Real::Owns(_))) => {
                self.rule.leave(name);
                survive(|| drop(real)).is_none()
            }
            (Action::Downgrades, Real::Owns(guard)) => self.downgrades(name, guard),
            (Action::Upgrades, Real::Shares(guard)) => {
                self.upgrades(name, guard);
                false
            }
            (Action::Deletes, Real::Owns(guard)) => {
                self.rule.delete();
                survive(|| guard.delete()).is_none()
            }
            (_, real) => {
                self.cast[name] = real;
                return false;
            }
        };
        assert_eq!(panicked, self.alarms.load(Relaxed) > alarms, "a panic arrives exactly if a waker has panicked");
        self.compare();
        true
    }

    fn is_over(&self, end: Option<u64>) -> bool {
        end.is_some_and(|end| end <= self.now)
    }

    fn pass(&mut self, time: u64) {
        self.now += time;
        THE_CLOCK_WAKES.set(true);
        self.clock.block_on(tokio::time::advance(Duration::from_millis(time)));
        THE_CLOCK_WAKES.set(false);
    }

    /// True if the waker of another request has panicked. `tries`, `moves` and `downgrades` return the same.
    fn looks(&mut self, name: Name, mut asked: Asked<'a>, bell: Bell) -> bool {
        let (ring, end) = match (asked.looked.take(), bell) {
            (Some((ring, end)), Bell::Same) => (ring, end),
            (Some((_, end)), bell) => (self.ring(bell), end),
            (None, bell) => {
                self.rule.ask(name, asked.mode(), asked.priority);
                (self.ring(bell), asked.patience.map(|patience| self.now + patience))
            }
        };
        let waker = Waker::from(Arc::clone(&ring));
        let timers = self.clock.enter();
        let outcome = survive(|| asked.request.poll(&mut Context::from_waker(&waker)));
        drop(timers);
        let panicked = outcome.is_none();
        let (waits, holds) = (self.rule.turns_ahead(name).is_some(), self.rule.holds(name).is_some());
        match outcome {
            Some(Poll::Pending) => {
                assert!(waits && !self.is_over(end), "it waits on, though it need not");
                asked.looked = Some((ring, end));
                self.cast[name] = Real::Asks(asked);
            }
            Some(Poll::Ready(Ok(real))) => {
                assert!(holds, "granted though it is not its turn");
                self.cast[name] = real;
                self.ends(name, asked.wish);
            }
            Some(Poll::Ready(Err(AcquireError::TimedOut { waited }))) => {
                assert!(waits && self.is_over(end), "given up before its time");
                let began = end.unwrap() - asked.patience.unwrap();
                assert_eq!(waited, Duration::from_millis(self.now - began));
                self.rule.leave(name);
            }
            Some(Poll::Ready(Err(error))) => {
                assert_eq!(error, AcquireError::Deleted);
                assert!(!waits && !holds && self.rule.is_deleted(), "nobody has deleted it");
            }
            // It resolved as it woke other requests: by giving up, or by deleting.
            None if waits => self.rule.leave(name),
            None if asked.wish == Wish::Deletion => self.ends(name, asked.wish),
            // A newcomer that is more urgent than all waiters is granted in its first poll, and woken like any other.
            None => {
                assert!(holds, "something has panicked, but what?");
                asked.looked = Some((ring, end));
                self.cast[name] = Real::Asks(asked);
            }
        }
        panicked
    }

    /// A granted request is done, and so is the lock if the request was to delete it.
    fn ends(&mut self, name: Name, wish: Wish) {
        if wish == Wish::Deletion {
            assert_eq!(self.rule.holds(name), Some(Exclusive));
            self.rule.delete();
        }
    }

    fn tries(&mut self, name: Name, mode: LockMode) -> bool {
        let outcome = survive(|| match mode {
            Shared => self.lock.try_shared().map(Real::Shares),
            Exclusive => self.lock.try_exclusive().map(Real::Owns),
        });
        match outcome {
            Some(Ok(real)) => {
                assert!(self.rule.admits(mode, 0), "barged in");
                self.cast[name] = real;
                self.rule.ask(name, mode, 0);
            }
            Some(Err(error)) => {
                assert!(!self.rule.admits(mode, 0), "refused though nothing stands in the way");
                assert_eq!(error == TryAcquireError::Deleted, self.rule.is_deleted());
            }
            None => return true,
        }
        false
    }

    fn moves(&mut self, name: Name, mut asked: Asked<'a>, priority: i8) -> bool {
        let outcome = survive(|| asked.request.set_priority(Priority::new(priority)));
        self.rule.set_priority(name, asked.mode(), priority);
        asked.priority = priority;
        self.cast[name] = Real::Asks(asked);
        outcome.is_none()
    }

    fn downgrades(&mut self, name: Name, guard: Guard<&'a SharedLock, lockladder::Exclusive>) -> bool {
        self.rule.downgrade(name);
        let guard = survive(|| guard.downgrade());
        let panicked = guard.is_none();
        match guard {
            Some(guard) => self.cast[name] = Real::Shares(guard),
            None => self.rule.leave(name), // The panic has dropped the guard.
        }
        panicked
    }

    fn upgrades(&mut self, name: Name, guard: Guard<&'a SharedLock, lockladder::Shared>) {
        let upgrades = self.rule.upgrade(name);
        self.cast[name] = match guard.try_upgrade() {
            Ok(guard) => {
                assert!(upgrades, "upgraded past others");
                Real::Owns(guard)
            }
            Err(guard) => {
                assert!(!upgrades, "refused though it is alone");
                Real::Shares(guard)
            }
        };
    }

    /// Asserts that both sides agree on what is held and which wakers were woken, and that an exclusive holder is
    /// alone.
    fn compare(&self) {
        for (name, real) in self.cast.iter().enumerate() {
            let holds = self.rule.holds(name);
            match real {
                Real::Nothing | Real::Asks(Asked { looked: None, .. }) => assert_eq!(holds, None),
                Real::Asks(Asked { looked: Some((ring, end)), .. }) => {
                    let waits = self.rule.turns_ahead(name).is_some() && !self.is_over(*end);
                    assert_eq!(ring.rang.load(Relaxed), !waits, "{name} is woken exactly when it waits no longer");
                }
                Real::Shares(_) => assert_eq!(holds, Some(Shared)),
                Real::Owns(_) => assert_eq!(holds, Some(Exclusive)),
            }
        }
        let holders = self.rule.holders();
        let exclusive = holders.iter().any(|&(_, mode)| mode == Exclusive);
        assert!(!exclusive || holders.len() == 1, "somebody holds beside an exclusive holder");
        // These change nothing: a guard is dropped at once, and the lock is as before.
        assert_eq!(self.lock.try_shared().is_ok(), self.rule.admits(Shared, 0));
        assert_eq!(self.lock.try_exclusive().is_ok(), self.rule.admits(Exclusive, 0));
    }

    /// All names leave. Nothing may be left behind.
    pub(crate) fn end(mut self) {
        for name in 0..self.cast.len() {
            self.play(&Step { name, action: Action::Leaves });
        }
        assert!(self.rule.is_deleted() || self.lock.try_exclusive().is_ok(), "somebody is left behind");
    }

    fn ring(&self, bell: Bell) -> Arc<Ring> {
        let (lock, alarms) = (Arc::clone(self.lock), Arc::clone(&self.alarms));
        Arc::new(Ring { rang: AtomicBool::new(false), bell, lock, alarms })
    }
}

/// A waker that records that it was woken, and may be hostile.
struct Ring {
    rang: AtomicBool,
    bell: Bell,
    lock: Arc<SharedLock>,
    alarms: Arc<AtomicUsize>,
}

thread_local! {
    /// Set while the clock wakes: a panic would break tokio's clock, which is not under test.
    static THE_CLOCK_WAKES: Cell<bool> = const { Cell::new(false) };
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Relaxed);
        match self.bell {
            Bell::Same | Bell::New => {}
            Bell::Reenters => {
                assert!(self.lock.try_exclusive().is_err(), "somebody holds it, or it is gone");
                drop(self.lock.try_shared());
            }
            Bell::Panics if THE_CLOCK_WAKES.get() => {}
            Bell::Panics => {
                self.alarms.fetch_add(1, Relaxed);
                throw();
            }
        }
    }
}

/// A request of any kind.
trait Request<'a> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Real<'a>, AcquireError>>;
    fn set_priority(&mut self, priority: Priority);
}

struct Pinned<F> {
    future: Pin<Box<F>>,
    set_priority: fn(Pin<&mut F>, Priority),
}

impl<'a, F: Future<Output = Result<G, AcquireError>>, G: Into<Real<'a>>> Request<'a> for Pinned<F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Real<'a>, AcquireError>> {
        self.future.as_mut().poll(context).map_ok(G::into)
    }

    fn set_priority(&mut self, priority: Priority) {
        (self.set_priority)(self.future.as_mut(), priority);
    }
}

impl<'a> From<Guard<&'a SharedLock, lockladder::Shared>> for Real<'a> {
    fn from(guard: Guard<&'a SharedLock, lockladder::Shared>) -> Self {
        Self::Shares(guard)
    }
}

impl<'a> From<Guard<&'a SharedLock, lockladder::Exclusive>> for Real<'a> {
    fn from(guard: Guard<&'a SharedLock, lockladder::Exclusive>) -> Self {
        Self::Owns(guard)
    }
}

impl From<()> for Real<'_> {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}

fn request(lock: &SharedLock, wish: Wish, priority: i8, patience: Option<u64>) -> Box<dyn Request<'_> + '_> {
    fn pin<'a, F, G>(future: F, set_priority: fn(Pin<&mut F>, Priority)) -> Box<dyn Request<'a> + 'a>
    where
        F: Future<Output = Result<G, AcquireError>> + 'a,
        G: Into<Real<'a>>,
    {
        Box::new(Pinned { future: Box::pin(future), set_priority })
    }
    let priority = Priority::new(priority);
    match (wish, patience.map(Duration::from_millis)) {
        (Wish::Share, None) => pin(lock.shared().priority(priority), Acquire::set_priority),
        (Wish::Share, Some(time)) => pin(lock.shared().priority(priority).timeout(time), Deadline::set_priority),
        (Wish::Own, None) => pin(lock.exclusive().priority(priority), Acquire::set_priority),
        (Wish::Own, Some(time)) => pin(lock.exclusive().priority(priority).timeout(time), Deadline::set_priority),
        (Wish::Deletion, None) => pin(lock.delete().priority(priority), |_, _| unreachable!("it cannot move")),
        (Wish::Deletion, Some(time)) => {
            pin(lock.delete().priority(priority).timeout(time), |_, _| unreachable!("it cannot move"))
        }
    }
}
