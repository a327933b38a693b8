//! Every verb of a session, and of the manager that begins one.

use crate::story::{Came, Fate, Neighbour, Story, Value, Verb, World, neighbour, tell, values};
use lockladder::{All, Entries, Exclusive, LockManager, Priority, Session, SessionError, Shared, held, hierarchy};
use lockladder_test_support::requests::poll_once;
use std::any::Any;
use std::time::Duration;

hierarchy! {
    pub(crate) struct Farm {
        root Gate,
        level Shelf: u32 => Value,
        level Tray: u32 => Value,
    }
}

pub(crate) type Manager = LockManager<Farm>;

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

impl World for Manager {
    fn new() -> Self {
        LockManager::builder().names::<Shelf>([1_u32, 2, 3]).names::<Tray>([1_u32, 2]).build()
    }

    fn hold(&self) -> Box<dyn Any> {
        let job = self.try_shared("holder").unwrap().try_exclusive::<Shelf>(All).unwrap();
        Box::new(job.try_exclusive::<Tray>(All).unwrap())
    }

    fn share(&self) -> Box<dyn Any> {
        let job = self.try_shared("sharer").unwrap().try_shared::<Shelf>(All).unwrap();
        Box::new(job.try_shared::<Tray>(All).unwrap())
    }

    /// The sessions that climb come first, because a waiter for the exclusive root keeps later ones from the levels.
    fn neighbours(&self) -> Vec<Neighbour> {
        let (one, many, adds) = (self.clone(), self.clone(), self.clone());
        let whole = self.clone();
        vec![
            neighbour(async move { one.shared("one").await?.shared::<Shelf>(1).await }),
            neighbour(async move { whole.shared("whole").await?.shared::<Tray>(All).await }),
            neighbour(async move { many.shared("many").await?.exclusive::<Shelf>([1, 2]).await }),
            neighbour(async move { adds.shared("adds").await?.add::<Shelf>(1).await }), // It exists.
            neighbour(self.exclusive("alone").priority(Priority::new(1))),
            neighbour(self.shared("less urgent").priority(Priority::new(2))),
        ]
    }

    fn rest(&self) {
        let left = isize::try_from(self.names::<Shelf>().len() + self.names::<Tray>().len()).unwrap();
        assert_eq!(values(), left, "a value for each name");
        let mut job = self.try_exclusive("rest").expect("the root can be had again");
        for name in self.names::<Shelf>() {
            let job = job.nest().try_exclusive::<Shelf>(name).expect("it can be had again");
            job.get::<Shelf>(name).unwrap().touch();
        }
        let job = job.try_exclusive::<Shelf>(All).expect("all can be had again");
        drop(job.try_exclusive::<Tray>(All).expect("all can be had again"));
    }
}

type Low = Session<Farm, held![shared Gate]>;
type Top = Session<Farm, held![shared Gate, exclusive Shelf, exclusive Tray]>;
type Alone = Session<Farm, held![exclusive Gate, exclusive Shelf, exclusive Tray]>;

fn low(manager: &Manager) -> Low {
    manager.try_shared("job").unwrap()
}

fn top(manager: &Manager) -> Top {
    low(manager).try_exclusive::<Shelf>([1, 2]).unwrap().try_exclusive::<Tray>(1).unwrap()
}

fn whole(manager: &Manager) -> Session<Farm, held![shared Gate, exclusive Shelf]> {
    low(manager).try_exclusive::<Shelf>(All).unwrap()
}

fn alone(manager: &Manager) -> Alone {
    let job = manager.try_exclusive("job").unwrap().try_exclusive::<Shelf>([1, 2]).unwrap();
    job.try_exclusive::<Tray>(1).unwrap()
}

pub(crate) fn won<T>(came: &Came<'_, Result<T, SessionError>>) {
    if let Came::To(answer) = came {
        assert!(answer.is_ok());
    }
}

/// The request was granted in time, or it timed out.
pub(crate) fn timely<T>(came: &Came<'_, Result<T, SessionError>>) {
    if let Came::To(Err(error)) = came {
        assert!(matches!(error, SessionError::TimedOut { .. }), "{error}");
    }
}

pub(crate) fn timed_out<T>(came: &Came<'_, Result<T, SessionError>>) {
    if let Came::To(answer) = came {
        assert!(matches!(answer, Err(SessionError::TimedOut { .. })));
    }
}

pub(crate) fn added(manager: &Manager, resolved: bool) {
    assert_eq!(manager.names::<Shelf>().contains(&4), resolved, "it says what it did");
}

pub(crate) fn removed(manager: &Manager, resolved: bool) {
    assert_eq!(!manager.names::<Shelf>().contains(&2), resolved, "it says what it did");
}

const REQUESTS: &[Verb<Manager>] = &[
    ("manager.shared", |story, it| story.request(it, it.shared("job"), |came| won(&came))),
    ("manager.exclusive", |story, it| story.request(it, it.exclusive("job"), |came| won(&came))),
    ("manager.exclusive, with time left", |story, it| {
        story.request(it, it.exclusive("job").timeout(HOUR).priority(Priority::new(-1)), |came| won(&came));
    }),
    ("shared", |story, it| story.request(it, low(it).shared::<Shelf>([1, 2]), |came| won(&came))),
    ("exclusive", |story, it| story.request(it, low(it).exclusive::<Shelf>(1), |came| won(&came))),
    ("exclusive, All", |story, it| story.request(it, low(it).exclusive::<Shelf>(All), |came| won(&came))),
    ("exclusive, at least", |story, it| {
        story.request(it, low(it).exclusive::<Shelf>(All).at_least(2), |came| won(&came));
    }),
    ("exclusive, opportunistic", |story, it| {
        story.request(it, low(it).exclusive::<Shelf>(All).opportunistic(), |came| won(&came));
    }),
    ("exclusive, at once", |story, it| {
        story.request(it, low(it).exclusive::<Shelf>(1).timeout(Duration::ZERO), |came| timely(&came));
    }),
    ("nested", |story, it| {
        let mut job = low(it);
        story.request(it, job.nest().exclusive::<Shelf>(1), |came| won(&came));
        drop(job.try_exclusive::<Tray>(1).expect("the outer session is as before"));
    }),
    ("add", |story, it| story.request(it, low(it).add::<Shelf>(4), |came| added(it, came.resolved()))),
    ("add, of entries", |story, it| {
        let entries = [(4_u32, Value::default())];
        story.request(it, low(it).add::<Shelf>(Entries(entries)), |came| added(it, came.resolved()));
    }),
    ("add_exclusive", |story, it| {
        story.request(it, low(it).add_exclusive::<Shelf>(4), |came| added(it, came.resolved()));
    }),
    ("add_shared", |story, it| story.request(it, low(it).add_shared::<Shelf>(4), |came| added(it, came.resolved()))),
    ("add_exclusive, of entries", |story, it| {
        let entries = [(4_u32, Value::default())];
        story.request(it, low(it).add_exclusive::<Shelf>(Entries(entries)), |came| added(it, came.resolved()));
    }),
    ("add_shared, of entries", |story, it| {
        let entries = [(4_u32, Value::default())];
        story.request(it, low(it).add_shared::<Shelf>(Entries(entries)), |came| added(it, came.resolved()));
    }),
    ("remove", |story, it| story.request(it, low(it).remove::<Shelf>([2, 9]), |came| removed(it, came.resolved()))),
    ("remove, with time left", |story, it| {
        story.request(it, low(it).remove::<Shelf>(2).timeout(HOUR), |came| removed(it, came.resolved()));
    }),
];

const LATE: &[Verb<Manager>] = &[
    ("timeout of the root", |story, it| story.late(it, it.exclusive("job").timeout(HOUR), |came| timed_out(&came))),
    ("timeout", |story, it| {
        story.late(it, low(it).exclusive::<Shelf>([1, 2]).timeout(HOUR), |came| timed_out(&came));
    }),
    ("timeout of add", |story, it| {
        story.late(it, low(it).add::<Shelf>(4).timeout(HOUR), |came| {
            timed_out(&came);
            added(it, false);
        });
    }),
    ("timeout of remove", |story, it| {
        story.late(it, low(it).remove::<Shelf>(2).timeout(HOUR), |came| {
            timed_out(&came);
            removed(it, false);
        });
    }),
    ("set_priority of the root", |story, it| {
        let other = || vec![neighbour(it.shared("other"))];
        story.moved(it.share(), it.exclusive("job"), other, |request| request.set_priority(Priority::new(5)));
    }),
    ("set_priority", |story, it| {
        let (sharer, request) = (it.share(), low(it).exclusive::<Shelf>(1));
        story.moved(sharer, request, || it.neighbours(), |request| request.set_priority(Priority::new(5)));
    }),
    ("reclaim", reclaim),
];

/// A session that is reclaimed from a waiting request holds what it held, also after a reclaim that panicked.
fn reclaim(story: &mut Story, it: &Manager) {
    let sharer = it.share();
    let job = low(it).try_shared::<Shelf>(1).unwrap();
    let mut request = Box::pin(job.exclusive::<Tray>([1, 2]));
    drop(poll_once(request.as_mut()));
    let neighbours = story.meet(it.neighbours());
    let job = story.act(|| request.as_mut().reclaim().unwrap());
    let job = job.or_else(|| request.as_mut().reclaim()).expect("it is still there");
    assert_eq!(job.owned::<Shelf>().names(), [&1]);
    story.drop((sharer, job));
    story.leave(neighbours);
}

const VERBS: &[Verb<Manager>] = &[
    ("a session dropped", |story, it| story.used(it, top(it), drop)),
    ("a session with the root alone dropped", |story, it| story.used(it, alone(it), drop)),
    ("a session of All dropped", |story, it| story.used(it, whole(it), drop)),
    ("release", |story, it| story.used(it, top(it), Session::release::<Tray>)),
    ("release, in the middle", |story, it| story.used(it, top(it), Session::release::<Shelf>)),
    ("release_names", |story, it| {
        let gone = |job: &mut Top| assert_eq!(job.owned::<Shelf>().names(), [&2]);
        story.lent(it, top(it), |job| job.release_names::<Shelf>(1).unwrap(), gone);
    }),
    ("release_names, of All", |story, it| {
        story.lent(
            it,
            whole(it),
            |job| job.release_names::<Shelf>(1).unwrap(),
            |job| {
                assert_eq!(job.owned::<Shelf>().names(), [&2, &3]);
            },
        );
    }),
    ("downgrade", |story, it| story.used(it, top(it), Session::downgrade::<Tray>)),
    ("downgrade, in the middle", |story, it| story.used(it, top(it), Session::downgrade::<Shelf>)),
    ("downgrade, of All", |story, it| story.used(it, whole(it), Session::downgrade::<Shelf>)),
    ("downgrade, of the root", |story, it| story.used(it, alone(it), Session::downgrade::<Gate>)),
    ("remove_held", |story, it| {
        let gone = |job: &mut Top| assert_eq!(job.owned::<Shelf>().names(), [&1]);
        story.lent(it, top(it), |job| job.remove_held::<Shelf>(2).unwrap(), gone);
        removed(it, true);
    }),
    ("add_held", |story, it| {
        story.lent(
            it,
            whole(it),
            |job| job.add_held::<Shelf>(4).unwrap(),
            |job| assert_eq!(job.owned::<Shelf>().len(), 4),
        );
    }),
    ("add_held, of entries", |story, it| {
        story.lent(it, whole(it), |job| job.add_held::<Shelf>(Entries([(4_u32, Value::default())])).unwrap(), |_| ());
    }),
    ("nested, dropped", |story, it| {
        let as_before = |job: &mut Low| drop(job.nest().try_shared::<Tray>([0_u32; 0]).unwrap());
        story.lent(it, low(it), |job| drop(job.nest().try_exclusive::<Shelf>([1, 2])), as_before);
    }),
    ("nested, released", |story, it| nested(story, it, |job| drop(job.release::<Tray>()))),
    ("nested, downgraded", |story, it| nested(story, it, |job| drop(job.downgrade::<Tray>()))),
    ("nested, released in part", |story, it| {
        nested(story, it, |mut job| job.release_names::<Tray>(1).unwrap());
    }),
    ("try_shared", |story, it| story.used(it, top(it), |job| (low(it).try_shared::<Shelf>(3).is_ok(), job))),
    ("try_exclusive", |story, it| {
        story.used(it, top(it), |job| (low(it).try_exclusive::<Shelf>([2, 3]).is_err(), job));
    }),
    ("manager.try_exclusive", |story, it| story.used(it, alone(it), |job| (it.try_exclusive("other").is_err(), job))),
    ("Debug and names", |story, it| {
        story.used(it, top(it), |job| (format!("{job:?} {it:?}"), it.names::<Shelf>(), job));
    }),
    ("scope", scope),
];

type Nested<'outer> =
    Session<Farm, lockladder::level::Held<Tray, Exclusive, &'outer mut held![shared Gate, exclusive Shelf]>>;

/// Ends a nested session while neighbours wait for what it holds. The outer session is as before.
fn nested(story: &mut Story, it: &Manager, work: impl FnOnce(Nested<'_>)) {
    let mut outer = low(it).try_exclusive::<Shelf>(1).unwrap();
    let inner = outer.nest().try_exclusive::<Tray>([1, 2]).unwrap();
    let neighbours = story.meet(it.neighbours());
    story.act(|| work(inner));
    assert_eq!(outer.owned::<Shelf>().names(), [&1]);
    story.act(|| drop(outer.nest().try_exclusive::<Tray>([0_u32; 0]).expect("nothing above is held")));
    story.drop(outer);
    story.leave(neighbours);
}

/// The work of a scope ends, and its session goes.
fn scope(story: &mut Story, it: &Manager) {
    let (open, gate) = tokio::sync::oneshot::channel::<()>();
    let work = it.scope("job", Shared, async |job| {
        let job = job.exclusive::<Shelf>([1, 2]).await.unwrap();
        let _ = gate.await;
        drop(job);
    });
    let mut work = Box::pin(work);
    assert!(poll_once(work.as_mut()).is_pending());
    let neighbours = story.meet(it.neighbours());
    drop(open);
    story.act(|| drop(poll_once(work.as_mut())));
    story.drop(work);
    assert!(it.try_shared("outside").is_ok() || !neighbours.is_empty(), "this flow has left the scope");
    story.leave(neighbours);
}

#[test]
fn each_request_of_a_session_says_what_it_did() {
    tell(REQUESTS, &Fate::EACH);
}

#[test]
fn each_request_of_a_session_that_gives_up_or_moves_leaves_nothing() {
    tell(LATE, &Fate::ONE);
}

#[test]
fn each_verb_of_a_session_loses_nothing() {
    tell(VERBS, &Fate::ONE);
}
