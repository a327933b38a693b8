//! No copy of a name is left behind: in the end a set has the name of each member once, and an open set has no names.
//! The stories are random, and all names share two hashes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use lockladder::{All, Entries, LockSet, OpenSet, Priority, SetGuard, futures::SetAcquire};
use lockladder_test_support::requests::poll_once;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// A name whose copies are counted by its token.
#[derive(Clone, Debug)]
struct Name {
    number: u8,
    _token: Arc<()>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number % 2).hash(state);
    }
}

type Closed = Arc<LockSet<Name, Arc<()>>>;
type Open = Arc<OpenSet<Name>>;

/// One step of a story. An index selects a request or a guard; out of range, the step does nothing.
#[derive(Clone, Debug)]
enum Step {
    Ask { names: Vec<u8>, all: bool, exclusive: bool, part: u8 },
    Try { names: Vec<u8>, all: bool, exclusive: bool },
    Poll(usize),
    GiveUp(usize),
    Move(usize),
    Use { guard: usize, how: u8, names: Vec<u8> },
    Add { names: Vec<u8>, held: Option<bool>, polls: bool },
    Remove { names: Vec<u8>, polls: bool },
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = || prop::collection::vec(0..6_u8, 0..4);
    let step = prop_oneof![
        4 => (names(), prop::bool::weighted(0.2), any::<bool>(), 0..4_u8)
            .prop_map(|(names, all, exclusive, part)| Step::Ask { names, all, exclusive, part }),
        2 => (names(), prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(names, all, exclusive)| Step::Try { names, all, exclusive }),
        6 => (0..8_usize).prop_map(Step::Poll),
        2 => (0..8_usize).prop_map(Step::GiveUp),
        1 => (0..8_usize).prop_map(Step::Move),
        6 => (0..8_usize, 0..8_u8, names()).prop_map(|(guard, how, names)| Step::Use { guard, how, names }),
        2 => (names(), any::<Option<bool>>(), any::<bool>())
            .prop_map(|(names, held, polls)| Step::Add { names, held, polls }),
        2 => (names(), any::<bool>()).prop_map(|(names, polls)| Step::Remove { names, polls }),
        1 => Just(Step::Look),
    ];
    prop::collection::vec(step, 0..60)
}

enum Guard {
    Shares(SetGuard<Closed, lockladder::Shared>),
    Owns(SetGuard<Closed, lockladder::Exclusive>),
}

enum Request {
    ToShare(Pin<Box<SetAcquire<Closed, lockladder::Shared>>>),
    ToOwn(Pin<Box<SetAcquire<Closed, lockladder::Exclusive>>>),
}

impl Request {
    /// Ready with a guard, or with `None` if the request has failed.
    fn poll(&mut self) -> Poll<Option<Guard>> {
        match self {
            Self::ToShare(request) => poll_once(request.as_mut()).map(|guard| guard.ok().map(Guard::Shares)),
            Self::ToOwn(request) => poll_once(request.as_mut()).map(|guard| guard.ok().map(Guard::Owns)),
        }
    }
}

struct Story {
    token: Arc<()>,
    value: Arc<()>,
    set: Closed,
    requests: Vec<Request>,
    guards: Vec<Guard>,
}

impl Story {
    fn new() -> Self {
        let (token, value) = (Arc::new(()), Arc::new(()));
        let name = |number| Name { number, _token: Arc::clone(&token) };
        let set = Arc::new((0..4).map(|number| (name(number), Arc::clone(&value))).collect());
        Self { token: Arc::clone(&token), value, set, requests: Vec::new(), guards: Vec::new() }
    }

    fn names(&self, numbers: &[u8]) -> Vec<Name> {
        numbers.iter().map(|number| Name { number: *number, _token: Arc::clone(&self.token) }).collect()
    }

    fn entries(&self, numbers: &[u8]) -> Vec<(Name, Arc<()>)> {
        self.names(numbers).into_iter().map(|name| (name, Arc::clone(&self.value))).collect()
    }

    fn step(&mut self, step: &Step) {
        let set = Arc::clone(&self.set);
        match step {
            Step::Ask { names, all, exclusive, part } => {
                let names = self.names(names);
                self.requests.push(if *exclusive {
                    let request = if *all { set.exclusive_owned(All) } else { set.exclusive_owned(names) };
                    Request::ToOwn(Box::pin(in_part(request, *part)))
                } else {
                    let request = if *all { set.shared_owned(All) } else { set.shared_owned(names) };
                    Request::ToShare(Box::pin(in_part(request, *part)))
                });
            }
            Step::Try { names, all: true, exclusive: true } if names.len() < 3 => {
                self.guards.extend(set.try_exclusive_owned(All).ok().map(Guard::Owns));
            }
            Step::Try { all: true, .. } => self.guards.extend(set.try_shared_owned(All).ok().map(Guard::Shares)),
            Step::Try { names, exclusive: true, .. } => {
                self.guards.extend(set.try_exclusive_owned(self.names(names)).ok().map(Guard::Owns));
            }
            Step::Try { names, .. } => {
                self.guards.extend(set.try_shared_owned(self.names(names)).ok().map(Guard::Shares));
            }
            Step::Poll(at) if *at < self.requests.len() => {
                if let Poll::Ready(guard) = self.requests[*at].poll() {
                    drop(self.requests.swap_remove(*at));
                    self.guards.extend(guard);
                }
            }
            Step::GiveUp(at) if *at < self.requests.len() => drop(self.requests.swap_remove(*at)),
            Step::Move(at) if *at < self.requests.len() => match &mut self.requests[*at] {
                Request::ToShare(request) => request.as_mut().set_priority(Priority::new(1)),
                Request::ToOwn(request) => request.as_mut().set_priority(Priority::new(-1)),
            },
            Step::Use { guard, how, names } if *guard < self.guards.len() => {
                let guard = self.guards.swap_remove(*guard);
                self.make_use(guard, *how, names);
            }
            Step::Add { names, held, polls } => {
                let entries = self.entries(names);
                match (held, polls) {
                    (None, true) => drop(poll_once(Box::pin(set.add(Entries(entries))).as_mut())),
                    (Some(true), true) => {
                        let mut adds = Box::pin(Arc::clone(&set).add_exclusive_owned(Entries(entries)));
                        if let Poll::Ready(Ok(guard)) = poll_once(adds.as_mut()) {
                            self.guards.push(Guard::Owns(guard));
                        }
                    }
                    (Some(false), true) => {
                        let mut adds = Box::pin(Arc::clone(&set).add_shared_owned(Entries(entries)));
                        if let Poll::Ready(Ok(guard)) = poll_once(adds.as_mut()) {
                            self.guards.push(Guard::Shares(guard));
                        }
                    }
                    (_, false) => drop(set.add(Entries(entries))),
                }
            }
            Step::Remove { names, polls } => {
                let mut removes = Box::pin(set.remove(self.names(names)));
                if *polls {
                    drop(poll_once(removes.as_mut()));
                }
            }
            Step::Look => drop((format!("{set:?}"), set.names())),
            _ => {}
        }
    }

    fn make_use(&mut self, guard: Guard, how: u8, names: &[u8]) {
        let (names, entries) = (self.names(names), self.entries(names));
        let guard = match (guard, how) {
            (_, 0 | 1) => return,
            (Guard::Shares(mut guard), 2 | 3) => {
                let _ = guard.release(names);
                Guard::Shares(guard)
            }
            (Guard::Shares(mut guard), _) => {
                self.guards.extend(guard.split_off(names).ok().map(Guard::Shares));
                assert!(guard.iter().all(|(name, _)| name.number < 6));
                Guard::Shares(guard)
            }
            (Guard::Owns(guard), 2) => Guard::Shares(guard.downgrade()),
            (Guard::Owns(mut guard), 3) => {
                let _ = guard.release(names);
                Guard::Owns(guard)
            }
            (Guard::Owns(mut guard), 4) => {
                self.guards.extend(guard.split_off(names).ok().map(Guard::Owns));
                Guard::Owns(guard)
            }
            (Guard::Owns(mut guard), 5) => {
                let _ = guard.remove(names);
                Guard::Owns(guard)
            }
            (Guard::Owns(mut guard), 6) => {
                let _ = guard.add(Entries(entries));
                Guard::Owns(guard)
            }
            (Guard::Owns(mut guard), _) => {
                let _ = guard.add_held(Entries(entries));
                let _ = guard.get_disjoint_mut([&Name { number: 1, _token: Arc::clone(&self.token) }]);
                Guard::Owns(guard)
            }
        };
        self.guards.push(guard);
    }
}

fn in_part<M: lockladder::Mode>(request: SetAcquire<Closed, M>, part: u8) -> SetAcquire<Closed, M> {
    match part {
        0 => request.opportunistic(),
        1 => request.at_least(1),
        _ => request,
    }
}

proptest! {
    #[test]
    fn a_set_has_each_name_and_value_once_when_all_is_over(steps in steps()) {
        let mut story = Story::new();
        for step in &steps {
            story.step(step);
        }
        let Story { token, value, set, requests, guards } = story;
        drop((requests, guards));
        let members = set.names().len();
        prop_assert_eq!(Arc::strong_count(&token), 1 + members, "copies of names");
        prop_assert_eq!(Arc::strong_count(&value), 1 + members, "values");
        prop_assert_eq!(set.try_exclusive(All).unwrap().len(), members);
        drop(set);
        prop_assert_eq!((Arc::strong_count(&token), Arc::strong_count(&value)), (1, 1));
    }

    #[test]
    fn an_open_set_has_no_name_when_all_is_over(asks in prop::collection::vec((prop::collection::vec(0..6_u8, 0..4), any::<bool>(), 0..4_u8, any::<bool>()), 0..40)) {
        let (token, set) = (Arc::new(()), Open::default());
        let (mut shares, mut owns, mut guards) = (Vec::new(), Vec::new(), Vec::new());
        for (numbers, exclusive, how, leaves) in asks {
            let names: Vec<_> = numbers.iter().map(|number| Name { number: *number, _token: Arc::clone(&token) }).collect();
            let set = Arc::clone(&set);
            match (how, exclusive) {
                (0, true) => drop(set.try_exclusive_owned(names)),
                (0, false) => guards.extend(set.try_shared_owned(names).ok()),
                (_, true) => {
                    let mut request = Box::pin(set.exclusive_owned(names));
                    let _ = poll_once(request.as_mut());
                    owns.push(request);
                }
                (_, false) => {
                    let mut request = Box::pin(set.shared_owned(names));
                    if let Poll::Ready(Ok(guard)) = poll_once(request.as_mut()) {
                        guards.push(guard);
                    } else {
                        shares.push(request);
                    }
                }
            }
            if leaves {
                drop((guards.pop(), owns.pop(), shares.pop()));
            }
        }
        drop((shares, owns, guards));
        prop_assert!(set.names().is_empty());
        prop_assert_eq!(Arc::strong_count(&token), 1);
    }
}
