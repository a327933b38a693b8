//! Every verb of a session whose levels are known at run time only.

use crate::session::{Farm, Gate, HOUR, Manager, Shelf, Tray, added, removed, timed_out, timely, won};
use crate::story::{Came, Fate, Story, Value, Verb, World, neighbour, tell};
use lockladder::{All, DynSession, Entries, LockMode, Priority, held};
use lockladder_test_support::requests::poll_once;
use std::cell::Cell;
use std::time::Duration;

use LockMode::{Exclusive, Shared};

type Job = DynSession<Farm>;

fn low(it: &Manager) -> Job {
    it.try_dynamic("job", Shared).unwrap()
}

fn top(it: &Manager) -> Job {
    climbed(low(it))
}

fn alone(it: &Manager) -> Job {
    climbed(it.try_dynamic("job", Exclusive).unwrap())
}

fn climbed(mut job: Job) -> Job {
    job.try_acquire::<Shelf>([1, 2], Exclusive).unwrap();
    job.try_acquire::<Tray>(1, Exclusive).unwrap();
    job
}

fn whole(it: &Manager) -> Job {
    let mut job = low(it);
    job.try_acquire::<Shelf>(All, Exclusive).unwrap();
    job
}

/// Whatever became of a request, the session holds what it says that it holds, and can go on.
fn goes_on(job: &mut Job, held: bool) {
    assert_eq!((job.holds::<Shelf>(), job.mode::<Shelf>().is_some()), (held, held));
    if held {
        job.release::<Shelf>().unwrap();
    }
    job.try_acquire::<Shelf>([0_u32; 0], Shared).expect("it awaits nothing");
}

const REQUESTS: &[Verb<Manager>] = &[
    ("manager.dynamic, shared", |story, it| story.request(it, it.dynamic("job", Shared), |came| won(&came))),
    ("manager.dynamic, exclusive", |story, it| story.request(it, it.dynamic("job", Exclusive), |came| won(&came))),
    ("acquire, shared", |story, it| acquire(story, it, Shared)),
    ("acquire, exclusive", |story, it| acquire(story, it, Exclusive)),
    ("acquire, All", |story, it| {
        story.request(it, low(it).acquire::<Shelf>(All, Exclusive), |came| won(&came));
    }),
    ("acquire, at once", |story, it| {
        story.request(it, low(it).acquire::<Shelf>(1, Exclusive).timeout(Duration::ZERO), |came| timely(&came));
    }),
    ("acquire, at least", |story, it| {
        story.request(it, low(it).acquire::<Shelf>([1, 2], Exclusive).at_least(1), |came| won(&came));
    }),
    ("acquire, opportunistic", |story, it| {
        story.request(it, low(it).acquire::<Shelf>([1, 2], Exclusive).opportunistic(), |came| won(&came));
    }),
    ("add", |story, it| story.request(it, low(it).add::<Shelf>(4), |came| added(it, came.resolved()))),
    ("add, of entries", |story, it| {
        let entries = [(4_u32, Value::default())];
        story.request(it, low(it).add::<Shelf>(Entries(entries)), |came| added(it, came.resolved()));
    }),
    ("add_in, shared", |story, it| add_in(story, it, Shared)),
    ("add_in, exclusive", |story, it| add_in(story, it, Exclusive)),
    ("add_in, of entries", |story, it| {
        let entries = [(4_u32, Value::default())];
        let mut job = low(it);
        let request = job.add_in::<Shelf>(Entries(entries), Exclusive);
        story.request(it, request, |came| added(it, came.resolved()));
    }),
    ("remove", |story, it| story.request(it, low(it).remove::<Shelf>([2, 9]), |came| removed(it, came.resolved()))),
    ("remove, with time left", |story, it| {
        story.request(it, low(it).remove::<Shelf>(2).timeout(HOUR), |came| removed(it, came.resolved()));
    }),
];

fn acquire(story: &mut Story, it: &Manager, mode: LockMode) {
    let (mut job, mut held) = (low(it), false);
    story.request(it, job.acquire::<Shelf>([1, 2], mode), |came| {
        won(&came);
        held = matches!(came, Came::To(_)); // A poll that panicked has dropped what it got.
    });
    goes_on(&mut job, held);
}

fn add_in(story: &mut Story, it: &Manager, mode: LockMode) {
    let (mut job, mut held) = (low(it), false);
    story.request(it, job.add_in::<Shelf>(4, mode), |came| {
        added(it, came.resolved());
        held = matches!(came, Came::To(_));
    });
    goes_on(&mut job, held);
}

const VERBS: &[Verb<Manager>] = &[
    ("timeout of acquire", |story, it| {
        story.late(it, low(it).acquire::<Shelf>([1, 2], Exclusive).timeout(HOUR), |came| timed_out(&came));
    }),
    ("timeout of add", |story, it| {
        story.late(it, low(it).add::<Shelf>(4).timeout(HOUR), |came| timed_out(&came));
        added(it, false);
    }),
    ("timeout of add_in", |story, it| {
        story.late(it, low(it).add_in::<Shelf>(4, Shared).timeout(HOUR), |came| timed_out(&came));
        added(it, false);
    }),
    ("timeout of remove", |story, it| {
        story.late(it, low(it).remove::<Shelf>(2).timeout(HOUR), |came| timed_out(&came));
        removed(it, false);
    }),
    ("set_priority", |story, it| {
        let sharer = it.share();
        let mut job = low(it);
        let mut request = Box::pin(job.acquire::<Shelf>(1, Exclusive));
        drop(poll_once(request.as_mut()));
        let neighbours = story.meet(it.neighbours());
        story.act(|| request.as_mut().set_priority(Priority::new(5)));
        story.drop(sharer);
        story.drop(request);
        goes_on(&mut job, false);
        story.drop(job);
        story.leave(neighbours);
    }),
    ("a session dropped", |story, it| story.used(it, top(it), drop)),
    ("a session with the root alone dropped", |story, it| story.used(it, alone(it), drop)),
    ("release", |story, it| {
        let gone = |job: &mut Job| assert!(!job.holds::<Tray>() && job.holds::<Shelf>());
        story.lent(it, top(it), |job| job.release::<Tray>().unwrap(), gone);
    }),
    ("release, in the middle", |story, it| {
        let gone = |job: &mut Job| assert!(job.holds::<Tray>() && !job.holds::<Shelf>());
        story.lent(it, top(it), |job| job.release::<Shelf>().unwrap(), gone);
    }),
    ("release_names", |story, it| {
        let gone = |job: &mut Job| assert_eq!(job.names::<Shelf>(), [2]);
        story.lent(it, top(it), |job| job.release_names::<Shelf>(1).unwrap(), gone);
    }),
    ("release_names, of All", |story, it| {
        let gone = |job: &mut Job| assert_eq!(job.names::<Shelf>(), [2, 3]);
        story.lent(it, whole(it), |job| job.release_names::<Shelf>(1).unwrap(), gone);
    }),
    ("downgrade", |story, it| downgrade(story, it, top(it))),
    ("downgrade, of All", |story, it| downgrade(story, it, whole(it))),
    ("downgrade_root", |story, it| story.used(it, alone(it), |job| job.downgrade_root().unwrap())),
    ("remove_held", |story, it| {
        let gone = |job: &mut Job| assert_eq!(job.names::<Shelf>(), [1]);
        story.lent(it, top(it), |job| job.remove_held::<Shelf>(2).unwrap(), gone);
        removed(it, true);
    }),
    ("add_held", |story, it| {
        let there = |job: &mut Job| assert_eq!(job.names::<Shelf>(), [1, 2, 3, 4]);
        story.lent(it, whole(it), |job| job.add_held::<Shelf>(4).unwrap(), there);
    }),
    ("add_held, of entries", |story, it| {
        story.lent(it, whole(it), |job| job.add_held::<Shelf>(Entries([(4_u32, Value::default())])).unwrap(), |_| ());
    }),
    ("into_typed", |story, it| {
        story.used(it, top(it), |job| {
            job.into_typed::<held![shared Gate, exclusive Shelf, exclusive Tray]>().expect("it holds just that")
        });
    }),
    ("try_acquire", |story, it| {
        story.used(it, top(it), |job| (low(it).try_acquire::<Shelf>([2, 3], Exclusive).is_err(), job));
    }),
    ("manager.try_dynamic", |story, it| {
        story.used(it, alone(it), |job| (it.try_dynamic("other", Shared).is_err(), job));
    }),
    ("a request for the root that is moved", |story, it| {
        let sharer = it.share();
        let mut request = Box::pin(it.dynamic("job", Exclusive));
        drop(poll_once(request.as_mut()));
        let neighbours = story.meet(vec![neighbour(it.dynamic("other", Shared))]);
        story.act(|| request.as_mut().set_priority(Priority::new(5)));
        story.drop(sharer);
        story.drop(request);
        story.leave(neighbours);
    }),
];

/// A downgrade leaves the level shared, or, if it panicked, not held at all.
fn downgrade(story: &mut Story, it: &Manager, job: Job) {
    let done = Cell::new(false);
    let look = |job: &mut Job| {
        assert_eq!(job.mode::<Shelf>(), done.get().then_some(Shared), "it says what it did");
        assert_eq!(job.holds::<Shelf>(), done.get());
    };
    story.lent(it, job, |job| done.set(job.downgrade::<Shelf>().is_ok()), look);
}

#[test]
fn each_request_of_a_dynamic_session_says_what_it_did() {
    tell(REQUESTS, &Fate::EACH);
}

#[test]
fn each_verb_of_a_dynamic_session_loses_nothing() {
    tell(VERBS, &Fate::ONE);
}
