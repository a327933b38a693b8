//! The lock against a model of the fairness rule, in random stories.
//!
//! The model is pure and written from the rule's own words: turns in a queue, a turn being one exclusive request or one
//! group of shared ones. It knows nothing of words, nodes and wakers. After every step of a story, who holds, who waits
//! and who has been woken must be the same on both sides.
//!
//! `LOCKLADDER_STORIES=1000` makes every run of stories a thousand times as long.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder::{Acquire, AcquireError, Delete, Guard, SharedLock, TryAcquireError};
use std::collections::{HashMap, VecDeque};
use std::task::Poll;
use std::{env, mem, thread};
use tokio_test::task::{self, Spawn};

/// Who asks.
type Name = usize;

/// One turn in the queue.
#[derive(Debug)]
enum Turn {
    Alone(Name),
    Group(Vec<Name>),
}

/// The fairness rule.
#[derive(Debug, Default)]
struct Model {
    holders: Vec<(Name, LockMode)>,
    queue: VecDeque<Turn>,
    deleted: bool,
}

impl Model {
    /// Whether `mode` goes together with those who hold.
    fn fits(&self, mode: LockMode) -> bool {
        match mode {
            Shared => self.holders.iter().all(|&(_, held)| held == Shared),
            Exclusive => self.holders.is_empty(),
        }
    }

    /// "A newcomer is granted at once only if nobody waits."
    fn admits(&self, mode: LockMode) -> bool {
        !self.deleted && self.queue.is_empty() && self.fits(mode)
    }

    fn ask(&mut self, name: Name, mode: LockMode) {
        if self.admits(mode) {
            self.holders.push((name, mode));
        } else if !self.deleted {
            // "A sharer that arrives joins a group still waiting", or "starts a new one behind whoever waits".
            let group = self.queue.iter_mut().find_map(|turn| match turn {
                Turn::Group(members) if mode == Shared => Some(members),
                _ => None,
            });
            match (group, mode) {
                (Some(members), _) => members.push(name),
                (None, Shared) => self.queue.push_back(Turn::Group(vec![name])),
                (None, Exclusive) => self.queue.push_back(Turn::Alone(name)),
            }
        }
    }

    /// "Requests are granted in order"; "the group is granted together".
    fn grant(&mut self) {
        while let Some(turn) = self.queue.pop_front() {
            match turn {
                Turn::Alone(name) if self.fits(Exclusive) => self.holders.push((name, Exclusive)),
                Turn::Group(members) if self.fits(Shared) => {
                    self.holders.extend(members.into_iter().map(|name| (name, Shared)));
                }
                turn => return self.queue.push_front(turn),
            }
        }
    }

    /// Releases, or gives up: whatever `name` held or waited for.
    fn leave(&mut self, name: Name) {
        self.holders.retain(|&(holder, _)| holder != name);
        for turn in &mut self.queue {
            if let Turn::Group(members) = turn {
                members.retain(|&member| member != name);
            }
        }
        self.queue.retain(|turn| match turn {
            Turn::Alone(waiter) => *waiter != name,
            Turn::Group(members) => !members.is_empty(),
        });
        self.grant();
    }

    /// "Grants the waiting group along with it, ahead of exclusives queued before that group."
    fn downgrade(&mut self, name: Name) {
        self.holders = vec![(name, Shared)];
        if let Some(place) = self.queue.iter().position(|turn| matches!(turn, Turn::Group(_))) {
            let group = self.queue.remove(place).unwrap();
            self.queue.push_front(group);
        }
        self.grant();
    }

    /// "Everyone who waits and everyone who comes gets `Deleted`."
    fn delete(&mut self) {
        *self = Self { deleted: true, ..Self::default() };
    }

    fn holds(&self, name: Name) -> Option<LockMode> {
        self.holders.iter().find(|&&(holder, _)| holder == name).map(|&(_, mode)| mode)
    }

    /// How many turns are ahead, for whoever waits.
    fn turns_ahead(&self, name: Name) -> Option<usize> {
        self.queue.iter().position(|turn| match turn {
            Turn::Alone(waiter) => *waiter == name,
            Turn::Group(members) => members.contains(&name),
        })
    }
}

/// What the lock's own side has of one name. A request is polled only when its name is dealt again.
#[derive(Debug, Default)]
enum Real<'a> {
    #[default]
    Nothing,
    Asks {
        request: Request<'a>,
        polled: bool,
    },
    Shares(#[expect(dead_code, reason = "kept until it drops")] Guard<&'a SharedLock, lockladder::Shared>),
    Owns(Guard<&'a SharedLock, lockladder::Exclusive>),
}

#[derive(Debug)]
enum Request<'a> {
    Shared(Spawn<Acquire<&'a SharedLock, lockladder::Shared>>),
    Exclusive(Spawn<Acquire<&'a SharedLock, lockladder::Exclusive>>),
    Delete(Spawn<Delete<&'a SharedLock>>),
}

impl<'a> Request<'a> {
    fn mode(&self) -> LockMode {
        match self {
            Self::Shared(_) => Shared,
            Self::Exclusive(_) | Self::Delete(_) => Exclusive,
        }
    }

    fn is_woken(&self) -> bool {
        match self {
            Self::Shared(request) => request.is_woken(),
            Self::Exclusive(request) => request.is_woken(),
            Self::Delete(request) => request.is_woken(),
        }
    }

    /// What the request becomes; a delete leaves nothing.
    fn poll(&mut self) -> Poll<Result<Real<'a>, AcquireError>> {
        match self {
            Self::Shared(request) => request.poll().map_ok(Real::Shares),
            Self::Exclusive(request) => request.poll().map_ok(Real::Owns),
            Self::Delete(request) => request.poll().map_ok(|()| Real::Nothing),
        }
    }
}

/// What may befall a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Ask(LockMode),
    AskToDelete,
    Try(LockMode),
    Poll,
    Drop,
    Downgrade,
    Delete,
}

/// Where a name stands when something befalls it: to show in the end that the stories went everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Standing {
    Absent,
    Unpolled,
    WaitsNext,
    WaitsBehind,
    Granted(LockMode),
    Told,
    Holds(LockMode),
}

/// One random story, told when it ends badly.
struct Story<'a> {
    seed: u64,
    told: Vec<(Name, Standing, Act)>,
    lock: &'a SharedLock,
    cast: Vec<Real<'a>>,
    model: Model,
}

impl<'a> Story<'a> {
    fn new(seed: u64, lock: &'a SharedLock, names: usize) -> Self {
        let cast = (0..names).map(|_| Real::Nothing).collect();
        Self { seed, told: Vec::new(), lock, cast, model: Model::default() }
    }

    fn standing(&self, name: Name) -> Standing {
        match &self.cast[name] {
            Real::Nothing => Standing::Absent,
            Real::Asks { polled: false, .. } => Standing::Unpolled,
            Real::Asks { polled: true, .. } => match (self.model.holds(name), self.model.turns_ahead(name)) {
                (Some(mode), _) => Standing::Granted(mode),
                (None, Some(0)) => Standing::WaitsNext,
                (None, Some(_)) => Standing::WaitsBehind,
                (None, None) => Standing::Told,
            },
            Real::Shares(_) => Standing::Holds(Shared),
            Real::Owns(_) => Standing::Holds(Exclusive),
        }
    }

    /// One step of both sides, which must agree on its outcome.
    fn step(&mut self, name: Name, act: Act) {
        let standing = self.standing(name);
        self.told.push((name, standing, act));
        match (act, mem::take(&mut self.cast[name])) {
            (Act::Ask(Shared), _) => self.asks(name, Request::Shared(task::spawn(self.lock.shared()))),
            (Act::Ask(Exclusive), _) => self.asks(name, Request::Exclusive(task::spawn(self.lock.exclusive()))),
            (Act::AskToDelete, _) => self.asks(name, Request::Delete(task::spawn(self.lock.delete()))),
            (Act::Try(mode), _) => self.tries(name, mode),
            (Act::Poll, Real::Asks { request, polled }) => self.polls(name, request, polled),
            (Act::Drop, real) => {
                drop(real);
                self.model.leave(name);
            }
            (Act::Downgrade, Real::Owns(guard)) => {
                self.cast[name] = Real::Shares(guard.downgrade());
                self.model.downgrade(name);
            }
            (Act::Delete, Real::Owns(guard)) => {
                guard.delete();
                self.model.delete();
            }
            (act, real) => unreachable!("{act:?} of {real:?}"),
        }
        self.compare();
    }

    fn asks(&mut self, name: Name, request: Request<'a>) {
        self.cast[name] = Real::Asks { request, polled: false };
    }

    fn polls(&mut self, name: Name, mut request: Request<'a>, polled: bool) {
        let deletes = matches!(request, Request::Delete(_));
        if !polled {
            self.model.ask(name, request.mode());
        }
        let outcome = request.poll();
        if self.model.turns_ahead(name).is_some() {
            assert!(outcome.is_pending(), "granted though it is not its turn");
            self.cast[name] = Real::Asks { request, polled: true };
        } else if self.model.holds(name).is_some() {
            let Poll::Ready(Ok(real)) = outcome else { panic!("it has its turn, but {outcome:?}") };
            self.cast[name] = real;
            if deletes {
                self.model.delete();
            }
        } else {
            assert!(matches!(outcome, Poll::Ready(Err(AcquireError::Deleted))), "it is deleted, but {outcome:?}");
        }
    }

    fn tries(&mut self, name: Name, mode: LockMode) {
        let outcome = match mode {
            Shared => self.lock.try_shared().map(Real::Shares),
            Exclusive => self.lock.try_exclusive().map(Real::Owns),
        };
        match outcome {
            Ok(real) => {
                assert!(self.model.admits(mode), "barged in");
                self.cast[name] = real;
                self.model.ask(name, mode);
            }
            Err(error) => {
                assert!(!self.model.admits(mode), "refused though nothing stands in the way");
                assert_eq!(error == TryAcquireError::Deleted, self.model.deleted);
            }
        }
    }

    /// Both sides agree on who holds and who has been woken, and nobody holds beside an exclusive holder.
    fn compare(&self) {
        let mut holders = 0;
        for (name, real) in self.cast.iter().enumerate() {
            let holds = self.model.holds(name);
            holders += usize::from(holds.is_some());
            match real {
                Real::Nothing | Real::Asks { polled: false, .. } => assert_eq!(holds, None),
                Real::Asks { request, polled: true } => {
                    let waits = self.model.turns_ahead(name).is_some();
                    assert_eq!(request.is_woken(), !waits, "{name} is woken exactly when it waits no longer");
                }
                Real::Shares(_) => assert_eq!(holds, Some(Shared)),
                Real::Owns(_) => assert_eq!(holds, Some(Exclusive)),
            }
        }
        assert_eq!(holders, self.model.holders.len());
        let exclusive = self.model.holders.iter().any(|&(_, mode)| mode == Exclusive);
        assert!(!exclusive || holders == 1, "somebody holds beside an exclusive holder");
        // These change nothing: who gets in finds nobody waiting, and so wakes nobody when it leaves.
        assert_eq!(self.lock.try_shared().is_ok(), self.model.admits(Shared));
        assert_eq!(self.lock.try_exclusive().is_ok(), self.model.admits(Exclusive));
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("seed {}:", self.seed);
            for (name, standing, act) in &self.told {
                println!("  {name}: {act:?} ({standing:?})");
            }
            println!("the model says {:?}", self.model);
        }
    }
}

/// Xorshift: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One shared request in `exclusive_once_in` is exclusive instead.
    fn mode(&mut self, exclusive_once_in: usize) -> LockMode {
        if self.once_in(exclusive_once_in) { Exclusive } else { Shared }
    }

    fn act(&mut self, standing: Standing, exclusive_once_in: usize) -> Act {
        match standing {
            Standing::Absent if self.once_in(40) => Act::AskToDelete,
            Standing::Absent if self.once_in(4) => Act::Try(self.mode(exclusive_once_in)),
            Standing::Absent => Act::Ask(self.mode(exclusive_once_in)),
            Standing::Unpolled | Standing::WaitsNext | Standing::WaitsBehind if self.once_in(5) => Act::Drop,
            Standing::Granted(_) | Standing::Told if self.once_in(3) => Act::Drop,
            Standing::Holds(Exclusive) if self.once_in(3) => Act::Downgrade,
            Standing::Holds(Exclusive) if self.once_in(25) => Act::Delete,
            Standing::Holds(_) => Act::Drop,
            _ => Act::Poll,
        }
    }
}

/// Tells `stories` stories of `steps` steps, and counts what befell whom.
fn tell(stories: u64, steps: usize, names: usize, exclusive_once_in: usize) -> HashMap<(Standing, Act), u64> {
    let longer: u64 = env::var("LOCKLADDER_STORIES").map_or(1, |times| times.parse().unwrap());
    let mut seen = HashMap::new();
    for seed in 0..stories * longer {
        let mut dice = Dice::new(seed);
        let lock = SharedLock::new(());
        let mut story = Story::new(seed, &lock, names);
        for _ in 0..steps {
            let name = dice.below(names);
            let act = dice.act(story.standing(name), exclusive_once_in);
            story.step(name, act);
        }
        for &(_, standing, act) in &story.told {
            *seen.entry((standing, act)).or_default() += 1;
        }
    }
    seen
}

#[test]
fn a_few_who_mix_both_modes_do_as_the_rule_says() {
    let seen = tell(20_000, 40, 6, 2);
    let everywhere = [
        Standing::Unpolled,
        Standing::WaitsNext,
        Standing::WaitsBehind,
        Standing::Granted(Shared),
        Standing::Granted(Exclusive),
        Standing::Told,
    ];
    for standing in everywhere {
        for act in [Act::Poll, Act::Drop] {
            assert!(seen.contains_key(&(standing, act)), "no story has {act:?} at {standing:?}");
        }
    }
    for act in [Act::Drop, Act::Downgrade, Act::Delete] {
        assert!(seen.contains_key(&(Standing::Holds(Exclusive), act)), "no story has {act:?}");
    }
}

#[test]
fn crowds_of_sharers_do_as_the_rule_says() {
    // More names than are granted under one locking of the queue, and waits long enough for them to gather.
    let seen = tell(60, 600, 90, 12);
    assert!(seen.contains_key(&(Standing::Granted(Shared), Act::Drop)));
    assert!(seen.contains_key(&(Standing::Holds(Exclusive), Act::Downgrade)));
}
