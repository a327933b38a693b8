//! Every verb of a set of named locks.

use crate::story::{Came, Fate, Neighbour, Story, Value, Verb, World, neighbour, tell, values};
use lockladder::{
    AddError, All, Entries, Exclusive, LockSet, Mode, Priority, SetError, SetGuard, Shared, guards::SetPointer,
};
use lockladder_test_support::requests::poll_once;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

type Set = Arc<LockSet<u32, Value>>;

const HOUR: Duration = Duration::from_secs(3_600);

impl World for Set {
    fn new() -> Self {
        Arc::new(LockSet::new([1_u32, 2, 3]))
    }

    fn hold(&self) -> Box<dyn Any> {
        Box::new(self.clone().try_exclusive_owned(All).unwrap())
    }

    fn share(&self) -> Box<dyn Any> {
        Box::new(self.clone().try_shared_owned(All).unwrap())
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        let (adds, shared) = (self.clone(), self.clone().shared_owned(1));
        let (many, whole) = (self.clone().exclusive_owned([1, 2]), self.clone().shared_owned(All));
        vec![
            neighbour(shared),
            neighbour(self.clone().shared_owned([1, 2, 3]).at_least(1)),
            neighbour(many.priority(Priority::new(1))),
            neighbour(async move { adds.add(1).priority(Priority::new(1)).await }), // It exists.
            neighbour(whole.priority(Priority::new(2))),
        ]
    }

    fn rest(&self) {
        for name in self.names() {
            self.try_exclusive(name).expect("it can be had again")[name].touch();
        }
        drop(self.try_exclusive(All).expect("all can be had again"));
        let left = isize::try_from(self.names().len()).unwrap();
        assert_eq!(values(), left, "a value for each name");
    }
}

pub(crate) fn held<P: SetPointer<Name = u32, Value = Value>, M: Mode>(
    came: &Came<'_, Result<SetGuard<P, M>, SetError<u32>>>,
    names: &[u32],
) {
    if let Came::To(answer) = came {
        let guard = answer.as_ref().unwrap();
        guard.iter().for_each(|(_, value)| value.touch());
        assert!(guard.names().into_iter().eq(names));
    }
}

/// The request was granted in time, or it timed out.
pub(crate) fn timely<T>(came: &Came<'_, Result<T, SetError<u32>>>) {
    if let Came::To(Err(error)) = came {
        assert!(matches!(error, SetError::TimedOut { .. }), "{error}");
    }
}

fn timed_out<T>(came: &Came<'_, Result<T, SetError<u32>>>) {
    if let Came::To(answer) = came {
        assert!(matches!(answer, Err(SetError::TimedOut { .. })));
    }
}

/// The name is there exactly if the request says that it has resolved.
fn added(set: &Set, resolved: bool) {
    assert_eq!(set.names().contains(&4), resolved, "it says what it did");
}

/// The name is gone exactly if the request says that it has resolved.
fn removed(set: &Set, resolved: bool) {
    assert_eq!(!set.names().contains(&2), resolved, "it says what it did");
}

fn exclusive(set: &Set) -> SetGuard<Set, Exclusive> {
    set.clone().try_exclusive_owned([1, 2]).unwrap()
}

fn shared(set: &Set) -> SetGuard<Set, Shared> {
    set.clone().try_shared_owned([1, 2]).unwrap()
}

fn whole(set: &Set) -> SetGuard<Set, Exclusive> {
    set.clone().try_exclusive_owned(All).unwrap()
}

fn whole_shared(set: &Set) -> SetGuard<Set, Shared> {
    set.clone().try_shared_owned(All).unwrap()
}

const ACQUIRE: &[Verb<Set>] = &[
    ("shared", |story, set| story.request(set, set.shared(1), |came| held(&came, &[1]))),
    ("shared, many", |story, set| story.request(set, set.shared([3, 1, 3]), |came| held(&came, &[1, 3]))),
    ("shared, All", |story, set| story.request(set, set.shared(All), |came| held(&came, &[1, 2, 3]))),
    ("shared_owned", |story, set| story.request(set, set.clone().shared_owned(1), |came| held(&came, &[1]))),
    ("exclusive", |story, set| story.request(set, set.exclusive(1), |came| held(&came, &[1]))),
    ("exclusive, many", |story, set| story.request(set, set.exclusive([2, 1]), |came| held(&came, &[1, 2]))),
    ("exclusive, All", |story, set| story.request(set, set.exclusive(All), |came| held(&came, &[1, 2, 3]))),
    ("exclusive_owned", |story, set| story.request(set, set.clone().exclusive_owned(1), |came| held(&came, &[1]))),
    ("at_least", |story, set| {
        story.request(set, set.exclusive([1, 2, 7]).at_least(2), |came| held(&came, &[1, 2]));
    }),
    ("at_least, of All", |story, set| {
        story.request(set, set.exclusive(All).at_least(1), |came| held(&came, &[1, 2, 3]));
    }),
    ("opportunistic", |story, set| story.request(set, set.exclusive(All).opportunistic(), |_| ())),
    ("priority", |story, set| {
        story.request(set, set.exclusive([1, 2]).priority(Priority::new(-3)), |came| held(&came, &[1, 2]));
    }),
    ("timeout, with time left", |story, set| {
        story.request(set, set.exclusive([1, 2]).timeout(HOUR), |came| held(&came, &[1, 2]));
    }),
    ("timeout, at once", |story, set| {
        story.request(set, set.exclusive(All).timeout(Duration::ZERO), |came| timely(&came));
    }),
    ("a name that is unknown", |story, set| {
        story.request(set, set.exclusive([1, 9]), |came| assert!(!matches!(came, Came::To(Ok(_)))));
    }),
];

const CHANGE: &[Verb<Set>] = &[
    ("add", |story, set| story.request(set, set.add(4), |came| added(set, came.resolved()))),
    ("add_exclusive", |story, set| story.request(set, set.add_exclusive(4), |came| added(set, came.resolved()))),
    ("add_shared", |story, set| story.request(set, set.add_shared(4), |came| added(set, came.resolved()))),
    ("add_exclusive_owned", |story, set| {
        story.request(set, set.clone().add_exclusive_owned(4), |came| added(set, came.resolved()));
    }),
    ("add_shared_owned", |story, set| {
        story.request(set, set.clone().add_shared_owned(4), |came| added(set, came.resolved()));
    }),
    ("add, of entries", |story, set| {
        story.request(set, set.add(Entries([(4_u32, Value::default())])), |came| added(set, came.resolved()));
    }),
    ("add_exclusive, of entries", |story, set| {
        let entries = [(4_u32, Value::default())];
        story.request(set, set.add_exclusive(Entries(entries)), |came| added(set, came.resolved()));
    }),
    ("add_shared, of entries", |story, set| {
        let entries = [(4_u32, Value::default())];
        story.request(set, set.add_shared(Entries(entries)), |came| added(set, came.resolved()));
    }),
    ("add, what exists", |story, set| {
        story.request(set, set.add([4, 1]), |came| {
            added(set, false);
            assert!(!matches!(came, Came::To(Ok(()))));
        });
    }),
    ("add, with time left", |story, set| {
        story.request(set, set.add(4).timeout(HOUR), |came| added(set, came.resolved()));
    }),
    ("remove", |story, set| {
        story.request(set, set.remove([2, 9]), |came| {
            removed(set, came.resolved());
            assert!(!matches!(came, Came::To(removed) if removed.as_ref().is_ok_and(|names| *names != [2])));
        });
    }),
    ("remove, with time left", |story, set| {
        story.request(set, set.remove(2).timeout(HOUR), |came| removed(set, came.resolved()));
    }),
];

const LATE: &[Verb<Set>] = &[
    ("timeout", |story, set| story.late(set, set.exclusive(1).timeout(HOUR), |came| timed_out(&came))),
    ("timeout, many", |story, set| story.late(set, set.exclusive([1, 2]).timeout(HOUR), |came| timed_out(&came))),
    ("timeout, All", |story, set| story.late(set, set.exclusive(All).timeout(HOUR), |came| timed_out(&came))),
    ("timeout of at_least", |story, set| {
        story.late(set, set.exclusive(All).at_least(2).timeout(HOUR), |came| timed_out(&came));
    }),
    ("timeout of add", |story, set| {
        story.late(set, set.add(4).timeout(HOUR), |came| {
            added(set, false);
            assert!(!matches!(came, Came::To(Ok(()))));
        });
    }),
    ("timeout of remove", |story, set| {
        story.late(set, set.remove([1, 2]).timeout(HOUR), |came| {
            removed(set, false);
            timed_out(&came);
        });
    }),
    ("set_priority", |story, set| {
        let holder = whole_shared(set);
        let mut request = Box::pin(set.exclusive([1, 2]));
        drop(poll_once(request.as_mut()));
        let neighbours = story.meet(set.neighbours());
        story.act(|| request.as_mut().set_priority(Priority::new(5))); // Lets the sharers in.
        story.drop(request);
        story.drop(holder);
        story.leave(neighbours);
    }),
    ("set_priority of add", |story, set| {
        let holder = whole_shared(set);
        let mut request = Box::pin(set.add(4));
        drop(poll_once(request.as_mut()));
        let neighbours = story.meet(set.neighbours());
        story.act(|| request.as_mut().set_priority(Priority::new(5)));
        story.drop(request);
        added(set, false);
        story.drop(holder);
        story.leave(neighbours);
    }),
];

const GUARDS: &[Verb<Set>] = &[
    ("an exclusive guard dropped", |story, set| story.used(set, exclusive(set), drop)),
    ("a shared guard dropped", |story, set| story.used(set, shared(set), drop)),
    ("a guard of All dropped", |story, set| story.used(set, whole(set), drop)),
    ("a shared guard of All dropped", |story, set| story.used(set, whole_shared(set), drop)),
    ("release", |story, set| {
        let gone = |guard: &mut SetGuard<Set, Exclusive>| assert_eq!(guard.names(), [&2]);
        story.lent(set, exclusive(set), |guard| guard.release(1).unwrap(), gone);
    }),
    ("release, shared", |story, set| {
        let gone = |guard: &mut SetGuard<Set, Shared>| assert_eq!(guard.names(), [&2]);
        story.lent(set, shared(set), |guard| guard.release(1).unwrap(), gone);
    }),
    ("release, of All", |story, set| {
        let gone = |guard: &mut SetGuard<Set, Exclusive>| assert_eq!(guard.names(), [&2, &3]);
        story.lent(set, whole(set), |guard| guard.release(1).unwrap(), gone);
    }),
    ("split_off", |story, set| {
        story.lent(set, exclusive(set), |guard| guard.split_off(1).unwrap(), |guard| assert_eq!(guard.names(), [&2]));
    }),
    ("split_off, of All", |story, set| {
        let gone = |guard: &mut SetGuard<Set, Exclusive>| assert_eq!(guard.names(), [&2, &3]);
        story.lent(set, whole(set), |guard| guard.split_off(1).unwrap(), gone);
    }),
    ("downgrade", |story, set| story.used(set, exclusive(set), SetGuard::downgrade)),
    ("downgrade, of All", |story, set| story.used(set, whole(set), SetGuard::downgrade)),
    ("map", |story, set| story.used(set, shared(set), |guard| guard.map(1, |value| value))),
    ("map, of a name not held", |story, set| story.used(set, shared(set), |guard| guard.map(3, |value| value))),
    ("map_mut", |story, set| story.used(set, exclusive(set), |guard| guard.map_mut(1, |value| value))),
    ("map_mut, of All", |story, set| story.used(set, whole(set), |guard| guard.map_mut(1, |value| value))),
    ("guard.remove", |story, set| {
        story.lent(set, exclusive(set), |guard| guard.remove(2).unwrap(), |guard| assert_eq!(guard.names(), [&1]));
        removed(set, true);
    }),
    ("guard.remove, of All", |story, set| {
        let gone = |guard: &mut SetGuard<Set, Exclusive>| assert_eq!(guard.names(), [&1, &3]);
        story.lent(set, whole(set), |guard| guard.remove(2).unwrap(), gone);
        removed(set, true);
    }),
    ("guard.add", |story, set| lends_whole(story, set, |guard| guard.add(4))),
    ("guard.add_held", |story, set| lends_whole(story, set, |guard| guard.add_held(4))),
    ("guard.add, of entries", |story, set| {
        lends_whole(story, set, |guard| guard.add(Entries([(4_u32, Value::default())])));
    }),
    ("guard.add_held, of entries", |story, set| {
        lends_whole(story, set, |guard| guard.add_held(Entries([(4_u32, Value::default())])));
    }),
    ("Debug and names", |story, set| {
        story.used(set, exclusive(set), |guard| (format!("{guard:?} {set:?}"), set.names()));
    }),
    ("try_shared", |story, set| story.used(set, shared(set), |guard| (set.try_shared(3).is_ok(), guard))),
    ("try_exclusive", |story, set| {
        story.used(set, exclusive(set), |guard| {
            let others = (set.try_exclusive([2, 3]).unwrap_err(), set.try_exclusive(All).unwrap_err());
            (guard, others)
        });
    }),
    ("try_exclusive, of All", |story, set| story.used(set, whole(set), |guard| (set.try_exclusive(1).is_err(), guard))),
];

/// Adds through a guard of the whole: everything, or nothing.
fn lends_whole(
    story: &mut Story,
    set: &Set,
    add: impl FnOnce(&mut SetGuard<Set, Exclusive>) -> Result<(), AddError<u32>>,
) {
    let mut returned = false;
    story.lent(set, whole(set), |guard| returned = add(guard).is_ok(), |guard| assert!(guard.is_whole()));
    added(set, returned);
}

#[test]
fn each_request_for_names_says_what_it_did() {
    tell(ACQUIRE, &Fate::EACH);
}

#[test]
fn each_addition_and_removal_says_what_it_did() {
    tell(CHANGE, &Fate::EACH);
}

#[test]
fn each_request_that_gives_up_or_moves_leaves_nothing() {
    tell(LATE, &Fate::ONE);
}

#[test]
fn each_verb_of_a_guard_of_names_loses_nothing() {
    tell(GUARDS, &Fate::ONE);
}
