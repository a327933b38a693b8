//! A set and the rule side by side. Each step is taken by both, and then they are compared.

use lockladder::{All, Exclusive, LockMode, LockSet, Priority, SetError, SetGuard, Shared, futures::SetAcquire};
use lockladder_test_support::set_rule::{Ask, Deed, Hold, Limits, Names, SetRule, Standing, What, Whole, bits, first};
use std::sync::Arc;
use std::task::Poll;
use tokio_test::task::{self, Spawn};

/// The bounds of the library.
const LIMITS: Limits = Limits { passes: 16, ahead: 8 };

type Set = Arc<LockSet<u8>>;
type Outcome<M> = Result<SetGuard<Set, M>, SetError<u8>>;

/// Where a party stands, in the set.
enum Part {
    Away,
    SharesSoon(Spawn<SetAcquire<Set, Shared>>),
    OwnsSoon(Spawn<SetAcquire<Set, Exclusive>>),
    Shares(SetGuard<Set, Shared>),
    Owns(SetGuard<Set, Exclusive>),
    Gone,
}

pub(crate) struct Stage {
    pub(crate) rule: SetRule,
    set: Set,
    asks: Vec<Ask>,
    parts: Vec<Part>,
    most_passed: u64,
}

/// The set's names for the rule's bits.
fn listed(names: Names) -> Vec<u8> {
    bits(names).map(|bit| u8::try_from(bit.trailing_zeros()).unwrap()).collect()
}

impl Stage {
    pub(crate) fn new(existing: Names, asks: Vec<Ask>) -> Self {
        let rule = SetRule::new(existing, asks.iter().copied().map(Some));
        let parts = asks.iter().map(|_| Part::Away).collect();
        Self { rule, set: Arc::new(listed(existing).into_iter().collect()), asks, parts, most_passed: 0 }
    }

    pub(crate) fn most_passed(&self) -> u64 {
        self.most_passed
    }

    pub(crate) fn play(&mut self, party: usize, deed: Deed) {
        let stays = matches!(deed, Deed::Moves(priority) if priority == self.rule.parties[party].ask.priority);
        let hold = match self.rule.parties[party].standing {
            Standing::Holds(hold) => Some(hold),
            _ => None,
        };
        if !stays {
            self.rule.play(party, deed, LIMITS);
        }
        self.act(party, deed, hold);
        self.compare();
    }

    /// Does the same in the set.
    fn act(&mut self, party: usize, deed: Deed, hold: Option<Hold>) {
        let existing: Vec<u8> = self.set.names();
        let first_of = |hold: Option<Hold>| match hold {
            Some(Hold { whole: Whole::WithMembers, .. }) => existing[0],
            Some(Hold { names, .. }) => listed(first(names))[0],
            None => unreachable!("who has something gives it back"),
        };
        let part = &mut self.parts[party];
        match (deed, &mut *part) {
            (Deed::Arrives, _) => *part = arrive(&self.set, self.asks[party]),
            (Deed::Cancels | Deed::Releases, _) => *part = Part::Gone,
            (Deed::Moves(priority), Part::SharesSoon(request)) => {
                request.enter(|_, request| request.set_priority(Priority::new(priority)));
            }
            (Deed::Moves(priority), Part::OwnsSoon(request)) => {
                request.enter(|_, request| request.set_priority(Priority::new(priority)));
            }
            (Deed::ReleasesPart, Part::Shares(guard)) => guard.release(first_of(hold)).unwrap(),
            (Deed::ReleasesPart, Part::Owns(guard)) => guard.release(first_of(hold)).unwrap(),
            (Deed::Removes, Part::Owns(guard)) => assert_eq!(guard.remove(first_of(hold)).unwrap().len(), 1),
            (Deed::Downgrades, part) => {
                let Part::Owns(guard) = std::mem::replace(part, Part::Gone) else { unreachable!("it owns") };
                *part = Part::Shares(guard.downgrade());
            }
            (deed, _) => unreachable!("{deed:?} is not drawn here"),
        }
    }

    /// Asserts that a request has been woken exactly if it waits no longer, and that it got what the rule says.
    fn compare(&mut self) {
        for (at, part) in self.parts.iter_mut().enumerate() {
            let standing = self.rule.parties[at].standing;
            if let Standing::Waits { passed } = standing {
                self.most_passed = self.most_passed.max(u64::from(passed));
            }
            let waits = matches!(standing, Standing::Waits { .. });
            match part {
                Part::SharesSoon(request) if waits => assert!(!request.is_woken(), "{at} is woken for nothing"),
                Part::OwnsSoon(request) if waits => assert!(!request.is_woken(), "{at} is woken for nothing"),
                Part::SharesSoon(request) => {
                    assert!(request.is_woken(), "{at} waits no longer, and sleeps");
                    *part = settled(request.poll(), Part::Shares, at);
                }
                Part::OwnsSoon(request) => {
                    assert!(request.is_woken(), "{at} waits no longer, and sleeps");
                    *part = settled(request.poll(), Part::Owns, at);
                }
                _ => {}
            }
            match (standing, &*part) {
                (Standing::Holds(hold), Part::Shares(guard)) => has(guard, hold, LockMode::Shared, at, &self.rule),
                (Standing::Holds(hold), Part::Owns(guard)) => has(guard, hold, LockMode::Exclusive, at, &self.rule),
                (Standing::Away, Part::Away)
                | (Standing::Gone, Part::Gone)
                | (Standing::Waits { .. }, Part::SharesSoon(_) | Part::OwnsSoon(_)) => {}
                // To the rule, a guard without names is no hold.
                (Standing::Gone, Part::Shares(guard)) if guard.is_empty() => *part = Part::Gone,
                (Standing::Gone, Part::Owns(guard)) if guard.is_empty() => *part = Part::Gone,
                (standing, _) => panic!("{at}: by the rule {standing:?}; in the set it is not so"),
            }
        }
        assert_eq!(self.set.names(), listed(self.rule.existing));
    }
}

fn arrive(set: &Set, ask: Ask) -> Part {
    let (set, priority, names) = (Arc::clone(set), Priority::new(ask.priority), listed(ask.names));
    match ask.mode {
        LockMode::Shared => {
            let request = match ask.what {
                What::Every => set.shared_owned(All),
                _ => set.shared_owned(names),
            };
            let mut request = task::spawn(in_part(request.priority(priority), ask.what));
            match request.poll() {
                Poll::Pending => Part::SharesSoon(request),
                outcome @ Poll::Ready(_) => settled(outcome, Part::Shares, 0),
            }
        }
        LockMode::Exclusive => {
            let request = match ask.what {
                What::Every => set.exclusive_owned(All),
                _ => set.exclusive_owned(names),
            };
            let mut request = task::spawn(in_part(request.priority(priority), ask.what));
            match request.poll() {
                Poll::Pending => Part::OwnsSoon(request),
                outcome @ Poll::Ready(_) => settled(outcome, Part::Owns, 0),
            }
        }
    }
}

fn in_part<M: lockladder::Mode>(request: SetAcquire<Set, M>, what: What) -> SetAcquire<Set, M> {
    match what {
        What::Free => request.opportunistic(),
        What::AtLeast(enough) => request.at_least(usize::try_from(enough).unwrap()),
        _ => request,
    }
}

fn settled<M: lockladder::Mode>(polled: Poll<Outcome<M>>, holds: fn(SetGuard<Set, M>) -> Part, at: usize) -> Part {
    match polled {
        Poll::Ready(Ok(guard)) => holds(guard),
        Poll::Ready(Err(SetError::Unknown { .. } | SetError::Deleted { .. } | SetError::TooFew { .. })) => Part::Gone,
        Poll::Ready(Err(error)) => panic!("{at}: {error}"),
        Poll::Pending => panic!("{at} was woken, and waits"),
    }
}

fn has<M: lockladder::Mode>(guard: &SetGuard<Set, M>, hold: Hold, mode: LockMode, at: usize, rule: &SetRule) {
    let names = if hold.whole == Whole::WithMembers { rule.existing } else { hold.names };
    let own: Vec<u8> = guard.names().into_iter().copied().collect();
    assert_eq!((own, mode), (listed(names), hold.mode), "what {at} holds");
    assert_eq!(guard.is_whole(), hold.whole != Whole::No, "whether {at} holds the whole");
}
