//! Every verb of an open set. Afterwards nothing is left in it.

use crate::set::{held, timely};
use crate::story::{Came, Fate, Neighbour, Value, Verb, World, neighbour, tell, values};
use lockladder::{Exclusive, OpenSet, Priority, SetGuard, Shared};
use lockladder_test_support::requests::poll_once;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

type Open = Arc<OpenSet<u32, Value>>;

const HOUR: Duration = Duration::from_secs(3_600);

impl World for Open {
    fn new() -> Self {
        Self::default()
    }

    fn hold(&self) -> Box<dyn Any> {
        Box::new(self.clone().try_exclusive_owned([1, 2, 3]).unwrap())
    }

    fn share(&self) -> Box<dyn Any> {
        Box::new(self.clone().try_shared_owned([1, 2, 3]).unwrap())
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        vec![
            neighbour(self.clone().shared_owned(1)),
            neighbour(self.clone().shared_owned([1, 2, 5]).at_least(1)),
            neighbour(self.clone().exclusive_owned([1, 2]).priority(Priority::new(1))),
            neighbour(self.clone().exclusive_owned([2, 4]).priority(Priority::new(2))),
        ]
    }

    fn rest(&self) {
        assert_eq!(self.names(), [0; 0], "a name is left");
        assert_eq!(values(), 0, "a value is left");
        drop(self.try_exclusive([1, 2, 3]).expect("it can be had again"));
    }
}

fn exclusive(set: &Open) -> SetGuard<Open, Exclusive> {
    set.clone().try_exclusive_owned([1, 2]).unwrap()
}

fn shared(set: &Open) -> SetGuard<Open, Shared> {
    set.clone().try_shared_owned([1, 2]).unwrap()
}

const REQUESTS: &[Verb<Open>] = &[
    ("shared", |story, set| story.request(set, set.shared(1), |came| held(&came, &[1]))),
    ("shared, many", |story, set| story.request(set, set.shared([3, 1, 3]), |came| held(&came, &[1, 3]))),
    ("shared_owned", |story, set| story.request(set, set.clone().shared_owned(1), |came| held(&came, &[1]))),
    ("exclusive", |story, set| story.request(set, set.exclusive(1), |came| held(&came, &[1]))),
    ("exclusive, many", |story, set| story.request(set, set.exclusive([2, 1]), |came| held(&came, &[1, 2]))),
    ("exclusive_owned", |story, set| story.request(set, set.clone().exclusive_owned(1), |came| held(&came, &[1]))),
    ("at_least", |story, set| story.request(set, set.exclusive([1, 2]).at_least(2), |came| held(&came, &[1, 2]))),
    ("opportunistic", |story, set| story.request(set, set.exclusive([1, 2, 3]).opportunistic(), |_| ())),
    ("priority", |story, set| {
        story.request(set, set.exclusive([1, 2]).priority(Priority::new(-3)), |came| held(&came, &[1, 2]));
    }),
    ("timeout, with time left", |story, set| {
        story.request(set, set.exclusive([1, 2]).timeout(HOUR), |came| held(&came, &[1, 2]));
    }),
    ("timeout, at once", |story, set| {
        story.request(set, set.exclusive([1, 2]).timeout(Duration::ZERO), |came| timely(&came));
    }),
];

const VERBS: &[Verb<Open>] = &[
    ("timeout", |story, set| {
        story.late(set, set.exclusive([1, 2]).timeout(HOUR), |came| {
            timely(&came);
            assert!(!matches!(came, Came::To(Ok(_))));
        });
    }),
    ("set_priority", |story, set| {
        let holder = shared(set);
        let mut request = Box::pin(set.exclusive([1, 2]));
        drop(poll_once(request.as_mut()));
        let neighbours = story.meet(set.neighbours());
        story.act(|| request.as_mut().set_priority(Priority::new(5)));
        story.drop(request);
        story.drop(holder);
        story.leave(neighbours);
    }),
    ("an exclusive guard dropped", |story, set| story.used(set, exclusive(set), drop)),
    ("a shared guard dropped", |story, set| story.used(set, shared(set), drop)),
    ("release", |story, set| {
        let gone = |guard: &mut SetGuard<Open, Exclusive>| assert_eq!(guard.names(), [&2]);
        story.lent(set, exclusive(set), |guard| guard.release(1).unwrap(), gone);
    }),
    ("split_off", |story, set| {
        story.lent(set, exclusive(set), |guard| guard.split_off(1).unwrap(), |guard| assert_eq!(guard.names(), [&2]));
    }),
    ("downgrade", |story, set| story.used(set, exclusive(set), SetGuard::downgrade)),
    ("Debug and names", |story, set| {
        story.used(set, exclusive(set), |guard| (format!("{guard:?} {set:?}"), set.names()));
    }),
    ("try_shared", |story, set| story.used(set, shared(set), |guard| (set.try_shared([3, 6]).is_ok(), guard))),
    ("try_exclusive", |story, set| {
        story.used(set, exclusive(set), |guard| (set.try_exclusive([2, 6]).unwrap_err(), guard));
    }),
];

#[test]
fn each_request_for_names_in_use_says_what_it_did() {
    tell(REQUESTS, &Fate::EACH);
}

#[test]
fn each_verb_of_an_open_set_leaves_nothing() {
    tell(VERBS, &Fate::ONE);
}
