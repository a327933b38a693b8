//! Every verb of one lock.

use crate::story::{Came, Fate, Neighbour, Story, Value, Verb, World, neighbour, tell, values};
use lockladder::{
    AcquireError, Exclusive, Guard, Mode, Priority, Shared, SharedLock, TryAcquireError, guards::LockPointer,
};
use lockladder_test_support::requests::poll_once;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

type Lock = Arc<SharedLock<Value>>;

type Answer<P, M> = Result<Guard<P, M>, AcquireError>;

const HOUR: Duration = Duration::from_secs(3_600);

impl World for Lock {
    fn new() -> Self {
        Self::default()
    }

    fn hold(&self) -> Box<dyn Any> {
        Box::new(self.clone().try_exclusive_owned().unwrap())
    }

    fn share(&self) -> Box<dyn Any> {
        Box::new(self.clone().try_shared_owned().unwrap())
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        let urgent = self.clone().shared_owned();
        let (exclusive, shared) = (self.clone().exclusive_owned(), self.clone().shared_owned());
        vec![
            neighbour(urgent),
            neighbour(shared.priority(Priority::new(1))),
            neighbour(exclusive.priority(Priority::new(2))),
        ]
    }

    fn rest(&self) {
        match self.try_exclusive() {
            Ok(guard) => guard.touch(),
            Err(error) => assert_eq!(error, TryAcquireError::Deleted, "it can be had again"),
        }
    }
}

fn is_deleted(lock: &Lock) -> bool {
    lock.try_shared().is_err_and(|error| error == TryAcquireError::Deleted)
}

fn held<P: LockPointer<Value = Value>, M: Mode>(came: &Came<'_, Answer<P, M>>) {
    if let Came::To(answer) = came {
        answer.as_ref().unwrap().touch();
    }
}

fn held_or_late<M: Mode>(came: &Came<'_, Answer<Lock, M>>) {
    match came {
        Came::To(Ok(guard)) => guard.touch(),
        Came::To(Err(error)) => assert!(matches!(error, AcquireError::TimedOut { .. })),
        Came::Lost | Came::Nothing => {}
    }
}

fn exclusive(lock: &Lock) -> Guard<Lock, Exclusive> {
    lock.clone().try_exclusive_owned().unwrap()
}

fn shared(lock: &Lock) -> Guard<Lock, Shared> {
    lock.clone().try_shared_owned().unwrap()
}

/// A less urgent request waits behind a sharer, which leaves when the verb is done.
fn passing_somebody<R>(story: &mut Story, lock: &Lock, verb: impl FnOnce() -> R) {
    let sharer = lock.clone().try_shared_owned().unwrap();
    let waits = lock.clone().exclusive_owned().priority(Priority::new(5));
    let neighbours = story.meet(vec![neighbour(waits)]);
    let result = story.act(verb);
    story.drop(sharer);
    story.drop(result);
    story.leave(neighbours);
}

const REQUESTS: &[Verb<Lock>] = &[
    ("shared", |story, lock| story.request(lock, lock.shared(), |came| held(&came))),
    ("shared_owned", |story, lock| story.request(lock, lock.clone().shared_owned(), |came| held(&came))),
    ("exclusive", |story, lock| story.request(lock, lock.exclusive(), |came| held(&came))),
    ("exclusive_owned", |story, lock| story.request(lock, lock.clone().exclusive_owned(), |came| held(&came))),
    ("priority", |story, lock| {
        story.request(lock, lock.clone().exclusive_owned().priority(Priority::new(-2)), |came| held(&came));
    }),
    ("timeout, with time left", |story, lock| {
        story.request(lock, lock.clone().shared_owned().timeout(HOUR), |came| held(&came));
    }),
    ("timeout, at once", |story, lock| {
        story.request(lock, lock.clone().exclusive_owned().timeout(Duration::ZERO), |came| held_or_late(&came));
    }),
    ("delete", |story, lock| {
        let was = is_deleted(lock);
        story.request(lock, lock.delete(), |came| assert_eq!(is_deleted(lock), !was && came.resolved()));
    }),
    ("delete, with time left", |story, lock| {
        story.request(lock, lock.delete().timeout(HOUR), |came| assert_eq!(is_deleted(lock), came.resolved()));
    }),
];

const VERBS: &[Verb<Lock>] = &[
    ("timeout", |story, lock| {
        story.late(lock, lock.clone().exclusive_owned().timeout(HOUR), |came| match came {
            Came::To(answer) => assert!(matches!(answer, Err(AcquireError::TimedOut { .. }))),
            Came::Lost | Came::Nothing => {}
        });
    }),
    ("delete with a timeout", |story, lock| {
        story.late(lock, lock.delete().timeout(HOUR), |_| assert!(!is_deleted(lock), "it came too late"));
    }),
    ("set_priority", |story, lock| {
        let (holder, request) = (shared(lock), lock.clone().exclusive_owned());
        let sharer = || vec![neighbour(lock.clone().shared_owned())];
        story.moved(holder, request, sharer, |request| request.set_priority(Priority::new(5)));
    }),
    ("try_shared", |story, lock| passing_somebody(story, lock, || lock.try_shared().unwrap())),
    ("try_shared_owned", |story, lock| {
        passing_somebody(story, lock, || lock.clone().try_shared_owned().unwrap());
    }),
    ("try_exclusive", |story, lock| {
        story.used(lock, (), |()| drop(lock.try_exclusive()));
        story.used(lock, exclusive(lock), |guard| {
            drop(guard);
            lock.try_exclusive().is_err()
        });
    }),
    ("try_delete", |story, lock| {
        story.used(lock, exclusive(lock), |guard| {
            assert!(lock.try_delete().is_err());
            drop(guard);
        });
    }),
    ("an exclusive guard dropped", |story, lock| story.used(lock, exclusive(lock), drop)),
    ("a shared guard dropped", |story, lock| story.used(lock, shared(lock), drop)),
    ("downgrade", |story, lock| story.used(lock, exclusive(lock), Guard::downgrade)),
    ("downgrade_map", |story, lock| {
        story.used(lock, exclusive(lock), |guard| Guard::downgrade_map(guard, |value| value));
    }),
    ("try_downgrade_map", |story, lock| {
        story.used(lock, exclusive(lock), |guard| Guard::try_downgrade_map(guard, |_| None::<&u8>));
    }),
    ("try_upgrade", |story, lock| story.used(lock, shared(lock), Guard::try_upgrade)),
    ("map", |story, lock| story.used(lock, shared(lock), |guard| Guard::map(guard, |value| value))),
    ("try_map", |story, lock| story.used(lock, shared(lock), |guard| Guard::try_map(guard, |_| None::<&u8>))),
    ("map_mut", |story, lock| story.used(lock, exclusive(lock), |guard| Guard::map_mut(guard, |value| value))),
    ("try_map_mut", |story, lock| {
        story.used(lock, exclusive(lock), |guard| Guard::try_map_mut(guard, |_| None::<&mut u8>));
    }),
    ("Guard::delete", |story, lock| {
        story.used(lock, exclusive(lock), Guard::delete);
        assert!(is_deleted(lock));
    }),
    ("synchronized", synchronized),
    ("Debug", |story, lock| {
        let guard = shared(lock);
        story.used(lock, guard, |guard| format!("{guard:?} {lock:?}"));
    }),
];

/// When the lock is released, the work has ended, and what it returns is on its way.
fn synchronized(story: &mut Story, lock: &Lock) {
    let (open, gate) = tokio::sync::oneshot::channel::<()>();
    let ours = lock.clone();
    let mut work = Box::pin(async move {
        ours.synchronized(Exclusive, async move |_| {
            let _ = gate.await;
            Value::default()
        })
        .await
    });
    assert!(poll_once(work.as_mut()).is_pending());
    let neighbours = story.meet(lock.neighbours());
    drop(open);
    let result = story.act(|| poll_once(work.as_mut()));
    drop(result);
    story.drop(work);
    assert_eq!(values(), 1, "the value of the lock is left; what the work returned is not");
    story.leave(neighbours);
}

#[test]
fn each_request_for_a_lock_says_what_it_did() {
    tell(REQUESTS, &Fate::EACH);
}

#[test]
fn each_verb_of_a_lock_loses_nothing() {
    tell(VERBS, &Fate::ONE);
}
