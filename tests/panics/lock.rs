//! Every verb of one lock.

use crate::story::{Neighbour, Story, Value, Verb};
use futures::future::FusedFuture;
use lockladder::{Exclusive, Guard, Priority, Shared, SharedLock, TryAcquireError};
use std::sync::Arc;
use std::time::Duration;

type Lock = Arc<SharedLock<Value>>;

fn crowd(story: &mut Story, lock: &Lock) -> Vec<Neighbour> {
    vec![
        story.neighbour(lock.clone().exclusive_owned().priority(Priority::new(1))),
        story.neighbour(lock.clone().shared_owned().priority(Priority::new(1))),
    ]
}

/// The lock is free.
fn rest(lock: &Lock) {
    lock.try_exclusive().expect("nobody has it").touch();
}

/// A request behind a holder.
fn request<F: FusedFuture + 'static>(story: &mut Story, ask: fn(Lock) -> F) {
    let lock = Lock::default();
    let holder = lock.clone().try_exclusive_owned().unwrap();
    let crowd = crowd(story, &lock);
    story.see_through(Box::pin(ask(lock.clone())), holder, crowd);
    rest(&lock);
}

fn owner(story: &mut Story, act: impl FnOnce(Guard<Lock, Exclusive>)) {
    let lock = Lock::default();
    let guard = lock.clone().try_exclusive_owned().unwrap();
    let crowd = crowd(story, &lock);
    story.act(|| act(guard));
    story.go(crowd);
    rest(&lock);
}

fn sharer(story: &mut Story, act: impl FnOnce(Guard<Lock, Shared>)) {
    let lock = Lock::default();
    let guard = lock.clone().try_shared_owned().unwrap();
    let crowd = crowd(story, &lock);
    story.act(|| act(guard));
    story.go(crowd);
    rest(&lock);
}

/// Dropped while it waits, or when it has been granted.
fn dropped(story: &mut Story, granted: bool) {
    let lock = Lock::default();
    let holder = lock.clone().try_shared_owned().unwrap();
    let mut request = Box::pin(lock.clone().exclusive_owned());
    let _ = story.poll(request.as_mut());
    let crowd = vec![story.neighbour(lock.clone().shared_owned())];
    if granted {
        story.drop(holder);
        story.drop(request);
    } else {
        story.drop(request);
        story.drop(holder);
    }
    story.go(crowd);
    rest(&lock);
}

pub(crate) const VERBS: &[Verb] = &[
    ("shared", |story| request(story, SharedLock::shared_owned)),
    ("exclusive", |story| request(story, SharedLock::exclusive_owned)),
    ("exclusive, urgent", |story| request(story, |lock| lock.exclusive_owned().priority(Priority::new(-1)))),
    ("exclusive, with a deadline", |story| {
        request(story, |lock| lock.exclusive_owned().timeout(Duration::from_secs(9)));
    }),
    ("a deadline that passes", |story| request(story, |lock| lock.shared_owned().timeout(Duration::ZERO))),
    ("exclusive of a free lock", |story| {
        let lock = Lock::default();
        story.see_through(Box::pin(lock.clone().exclusive_owned()), (), Vec::new());
        rest(&lock);
    }),
    ("a waiting request dropped", |story| dropped(story, false)),
    ("a granted request dropped", |story| dropped(story, true)),
    ("set_priority", |story| {
        let lock = Lock::default();
        let holder = lock.clone().try_shared_owned().unwrap();
        let mut request = Box::pin(lock.clone().exclusive_owned());
        let _ = story.poll(request.as_mut());
        let crowd = vec![story.neighbour(lock.clone().shared_owned())];
        story.act(|| request.as_mut().set_priority(Priority::new(5))); // Lets the sharer in.
        story.see_through(request, holder, crowd);
        rest(&lock);
    }),
    ("delete", |story| {
        let lock = Lock::default();
        let holder = lock.clone().try_exclusive_owned().unwrap();
        let crowd = vec![story.neighbour(lock.clone().shared_owned().priority(Priority::new(1)))];
        let mut request = Box::pin(lock.delete());
        let _ = story.poll(request.as_mut());
        story.drop(holder);
        let _ = story.poll(request.as_mut());
        let deleted = matches!(lock.try_shared().map(drop), Err(TryAcquireError::Deleted));
        assert_eq!(deleted, request.is_terminated(), "it says whether it has deleted");
        let _ = story.resolve(request.as_mut());
        story.drop(request);
        story.go(crowd);
        assert_eq!(lock.try_shared().map(drop), Err(TryAcquireError::Deleted));
    }),
    ("Guard::delete", |story| {
        let lock = Lock::default();
        let guard = lock.clone().try_exclusive_owned().unwrap();
        let crowd = crowd(story, &lock);
        story.act(|| guard.delete());
        story.go(crowd);
        assert_eq!(lock.try_shared().map(drop), Err(TryAcquireError::Deleted));
    }),
    ("an owner dropped", |story| owner(story, drop)),
    ("a sharer dropped", |story| sharer(story, drop)),
    ("downgrade", |story| owner(story, |guard| drop(guard.downgrade()))),
    ("try_upgrade", |story| sharer(story, |guard| drop(guard.try_upgrade()))),
    ("map", |story| sharer(story, |guard| drop(Guard::map(guard, |value| value)))),
    ("map_mut", |story| owner(story, |guard| drop(Guard::map_mut(guard, |value| value)))),
];
