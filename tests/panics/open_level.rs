//! Every verb of a session at an open level. Afterwards no name is left there, and no value.

use crate::session::{HOUR, timed_out, timely, won};
use crate::story::{Came, Fate, Neighbour, Value, Verb, World, neighbour, tell, values};
use lockladder::{DynSession, LockManager, LockMode, Priority, Session, held, hierarchy};
use lockladder_test_support::hostile::{survive, throw};
use lockladder_test_support::requests::{now, poll_once};
use std::any::Any;
use std::cell::Cell;
use std::time::Duration;

hierarchy! {
    struct Yard {
        root Fence,
        open level Bay: u32 => Value,
        open level Berth: u32 => Value,
    }
}

type Manager = LockManager<Yard>;
type Low = Session<Yard, held![shared Fence]>;
type Top = Session<Yard, held![shared Fence, exclusive Bay, exclusive Berth]>;

impl World for Manager {
    fn new() -> Self {
        LockManager::builder().build()
    }

    fn hold(&self) -> Box<dyn Any> {
        Box::new(low(self).try_exclusive::<Bay>([1, 2, 3]).unwrap().try_exclusive::<Berth>([1, 2]).unwrap())
    }

    fn share(&self) -> Box<dyn Any> {
        Box::new(low(self).try_shared::<Bay>([1, 2, 3]).unwrap().try_shared::<Berth>([1, 2]).unwrap())
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        let (one, many, high) = (self.clone(), self.clone(), self.clone());
        vec![
            neighbour(async move { one.shared("one").await?.shared::<Bay>([1, 5]).await }),
            neighbour(async move { high.shared("high").await?.shared::<Berth>(1).await }),
            neighbour(async move { many.shared("many").await?.exclusive::<Bay>([1, 2]).await }),
            neighbour(self.exclusive("alone").priority(Priority::new(1))),
        ]
    }

    fn rest(&self) {
        assert_eq!((self.names::<Bay>(), self.names::<Berth>(), values()), (vec![], vec![], 0), "something is left");
        let job = self.try_exclusive("rest").expect("the root can be had again");
        drop(
            job.try_exclusive::<Bay>([1, 2, 3]).unwrap().try_exclusive::<Berth>([1, 2]).expect("all can be had again"),
        );
    }
}

fn low(it: &Manager) -> Low {
    it.try_shared("job").unwrap()
}

fn top(it: &Manager) -> Top {
    low(it).try_exclusive::<Bay>([1, 2]).unwrap().try_exclusive::<Berth>(1).unwrap()
}

fn dynamic(it: &Manager) -> DynSession<Yard> {
    it.try_dynamic("job", LockMode::Shared).unwrap()
}

const REQUESTS: &[Verb<Manager>] = &[
    ("shared", |story, it| story.request(it, low(it).shared::<Bay>([1, 2, 4]), |came| won(&came))),
    ("exclusive", |story, it| story.request(it, low(it).exclusive::<Bay>(1), |came| won(&came))),
    ("exclusive, at least", |story, it| {
        story.request(it, low(it).exclusive::<Bay>([1, 2, 3]).at_least(2), |came| won(&came));
    }),
    ("exclusive, opportunistic", |story, it| {
        story.request(it, low(it).exclusive::<Bay>([1, 2]).opportunistic(), |came| won(&came));
    }),
    ("exclusive, at once", |story, it| {
        story.request(it, low(it).exclusive::<Bay>(1).timeout(Duration::ZERO), |came| timely(&came));
    }),
    ("nested", |story, it| {
        let mut job = low(it);
        story.request(it, job.nest().exclusive::<Bay>(1), |came| won(&came));
        drop(job.try_exclusive::<Berth>(1).expect("the outer session is as before"));
    }),
    ("acquire", |story, it| {
        let (mut job, mut held) = (dynamic(it), false);
        story.request(it, job.acquire::<Bay>([1, 2], LockMode::Exclusive), |came| {
            won(&came);
            held = matches!(came, Came::To(_)); // A poll that panicked has dropped what it got.
        });
        assert_eq!((job.holds::<Bay>(), job.names::<Bay>().len()), (held, if held { 2 } else { 0 }));
        assert_eq!(job.release::<Bay>().is_ok(), held);
        job.try_acquire::<Bay>([0_u32; 0], LockMode::Shared).expect("it awaits nothing");
    }),
];

const VERBS: &[Verb<Manager>] = &[
    ("timeout", |story, it| {
        story.late(it, low(it).exclusive::<Bay>([1, 2]).timeout(HOUR), |came| timed_out(&came));
    }),
    ("timeout of acquire", |story, it| {
        let mut job = dynamic(it);
        story.late(it, job.acquire::<Bay>(1, LockMode::Exclusive).timeout(HOUR), |came| timed_out(&came));
    }),
    ("set_priority", |story, it| {
        let (sharer, request) = (it.share(), low(it).exclusive::<Bay>(1));
        story.moved(sharer, request, || it.neighbours(), |request| request.set_priority(Priority::new(5)));
    }),
    ("reclaim", |story, it| {
        let sharer = it.share();
        let mut request = Box::pin(low(it).try_shared::<Bay>(1).unwrap().exclusive::<Berth>([1, 2, 3]));
        drop(poll_once(request.as_mut()));
        let neighbours = story.meet(it.neighbours());
        let job = story.act(|| request.as_mut().reclaim().unwrap());
        let job = job.or_else(|| request.as_mut().reclaim()).expect("it is still there");
        assert_eq!((job.owned::<Bay>().names(), it.names::<Berth>()), (vec![&1], vec![1, 2]));
        story.drop((sharer, job));
        story.leave(neighbours);
    }),
    ("a session dropped", |story, it| story.used(it, top(it), drop)),
    ("release", |story, it| story.used(it, top(it), Session::release::<Berth>)),
    ("release, in the middle", |story, it| story.used(it, top(it), Session::release::<Bay>)),
    ("release_names", |story, it| {
        let gone = |job: &mut Top| assert_eq!(job.owned::<Bay>().names(), [&2]);
        story.lent(it, top(it), |job| job.release_names::<Bay>(1).unwrap(), gone);
    }),
    ("downgrade", |story, it| story.used(it, top(it), Session::downgrade::<Bay>)),
    ("downgrade, of a dynamic session", |story, it| {
        let (mut job, done) = (dynamic(it), Cell::new(false));
        job.try_acquire::<Bay>([1, 2], LockMode::Exclusive).unwrap();
        let look = |job: &mut DynSession<Yard>| assert_eq!(job.holds::<Bay>(), done.get(), "it says what it did");
        story.lent(it, job, |job| done.set(job.downgrade::<Bay>().is_ok()), look);
    }),
    ("nested, dropped", |story, it| {
        let as_before = |job: &mut Low| drop(job.nest().try_shared::<Berth>([0_u32; 0]).unwrap());
        story.lent(it, low(it), |job| drop(job.nest().try_exclusive::<Bay>([1, 2])), as_before);
    }),
    ("try_exclusive", |story, it| {
        story.used(it, top(it), |job| (low(it).try_exclusive::<Bay>([2, 6]).is_err(), job));
    }),
];

#[test]
fn each_request_for_an_open_level_says_what_it_did() {
    tell(REQUESTS, &Fate::EACH);
}

#[test]
fn each_verb_at_an_open_level_leaves_nothing() {
    tell(VERBS, &Fate::ONE);
}

thread_local! {
    static IS_RUDE: Cell<bool> = const { Cell::new(false) };
}

/// A value that panics when it is made, or when it is dropped, while [`IS_RUDE`] is set.
#[derive(Debug)]
struct Rude(Value);

impl Default for Rude {
    fn default() -> Self {
        if IS_RUDE.get() {
            throw();
        }
        Self(Value::default())
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        self.0.touch();
        if IS_RUDE.get() {
            throw();
        }
    }
}

hierarchy! { struct Odd { root Gate, open level Room: u32 => Rude, level Hall: u32 } }

/// Does this while values panic.
fn rudely<R>(work: impl FnOnce() -> R) -> Option<R> {
    IS_RUDE.set(true);
    let done = survive(work);
    IS_RUDE.set(false);
    done
}

#[test]
fn a_value_that_cannot_be_made_leaves_no_name_and_a_session_that_goes_on() {
    let odd: LockManager<Odd> = LockManager::builder().names::<Hall>([1]).build();
    let mut job = odd.try_shared("job").unwrap();
    assert!(rudely(|| now(job.nest().exclusive::<Room>([1, 2]))).is_none());
    assert!(rudely(|| job.nest().try_shared::<Room>([1, 2])).is_none());
    assert_eq!((odd.names::<Room>(), values()), (vec![], 0));
    let mut climb = Box::pin(job.exclusive::<Room>([1, 2]));
    assert!(rudely(|| poll_once(climb.as_mut())).is_none());
    let job = climb.as_mut().reclaim().expect("it has not resolved");
    drop((climb, job.try_exclusive::<Room>([1, 2]).unwrap()));

    let mut known_later = odd.try_dynamic("job", LockMode::Shared).unwrap();
    assert!(rudely(|| now(known_later.acquire::<Room>([1, 2], LockMode::Shared))).is_none());
    assert!(rudely(|| known_later.try_acquire::<Room>([1, 2], LockMode::Shared)).is_none());
    assert_eq!(known_later.try_acquire::<Room>([1, 2], LockMode::Shared), Ok(()));
    drop(known_later);
    assert_eq!((odd.names::<Room>(), values()), (vec![], 0));
}

#[test]
fn a_value_that_panics_as_it_goes_leaves_no_name_and_a_session_that_holds_the_rest() {
    let odd: LockManager<Odd> = LockManager::builder().names::<Hall>([1]).build();
    let job = || odd.try_shared("job").unwrap().try_exclusive::<Room>([1, 2]).unwrap();
    let mut part = job();
    assert!(rudely(|| part.release_names::<Room>(1)).is_none());
    assert_eq!((part.owned::<Room>().names(), odd.names::<Room>()), (vec![&2], vec![2]));
    drop(part);
    let middle = job().try_exclusive::<Hall>(1).unwrap();
    assert!(rudely(|| middle.release::<Room>()).is_none());
    let whole = job();
    assert!(rudely(|| drop(whole)).is_none());
    let mut known_later = odd.try_dynamic("job", LockMode::Shared).unwrap();
    known_later.try_acquire::<Room>(1, LockMode::Shared).unwrap();
    assert!(rudely(|| known_later.release::<Room>()).is_none());
    assert_eq!(known_later.try_acquire::<Room>(1, LockMode::Exclusive), Ok(()), "it holds nothing");
    drop(known_later);
    assert_eq!((odd.names::<Room>(), values()), (vec![], 0));
    drop(odd.try_exclusive("rest").unwrap().try_exclusive::<Hall>(1).unwrap());
}
