//! Every verb of sets, and of open sets.

use crate::story::{Neighbour, Story, Value, Verb};
use futures::future::FusedFuture;
use lockladder::{All, Exclusive, LockSet, OpenSet, Priority, SetGuard, Shared};
use std::sync::Arc;
use std::time::Duration;

type Set = Arc<LockSet<u32, Value>>;
type Open = Arc<OpenSet<u32, Value>>;

fn set() -> Set {
    Arc::new(LockSet::new([1_u32, 2, 3]))
}

/// Who waits for names, for the whole, and to add.
fn crowd(story: &mut Story, set: &Set) -> Vec<Neighbour> {
    let adds = Arc::clone(set);
    vec![
        story.neighbour(set.clone().shared_owned([1, 2])),
        story.neighbour(set.clone().exclusive_owned(1)),
        story.neighbour(set.clone().exclusive_owned(All)),
        story.neighbour(async move { drop(adds.add(9).await) }),
        story.neighbour(set.clone().shared_owned([2, 3])),
    ]
}

/// Everything is free.
fn rest(set: &Set) {
    let whole = set.try_exclusive(All).expect("nobody has any of it");
    whole.iter().for_each(|(_, value)| value.touch());
    drop(whole);
    drop(set.try_exclusive(set.names()).expect("nobody has one of them"));
}

fn request<F: FusedFuture + 'static>(story: &mut Story, ask: fn(Set) -> F) {
    let set = set();
    let holder = set.clone().try_exclusive_owned(All).unwrap();
    let crowd = crowd(story, &set);
    story.see_through(Box::pin(ask(set.clone())), holder, crowd);
    rest(&set);
}

/// A change of the set, which says by whether it has resolved whether it has changed it.
fn change<'s, F: FusedFuture>(story: &mut Story, set: &'s Set, ask: fn(&'s Set) -> F, is_done: fn(&Set) -> bool) {
    let holder = set.clone().try_shared_owned(All).unwrap();
    let other = set.clone();
    let before = vec![story.neighbour(async move { drop(other.add(9).await) })];
    let mut request = Box::pin(ask(set));
    let _ = story.poll(request.as_mut());
    let after = crowd(story, set);
    story.drop(holder);
    story.go(before);
    let _ = story.poll(request.as_mut());
    assert_eq!(is_done(set), request.is_terminated(), "it says whether it has changed the set");
    story.go(after);
    drop(story.resolve(request.as_mut()));
    assert!(is_done(set));
    drop(request);
    rest(set);
}

fn owner(story: &mut Story, whole: bool, act: impl FnOnce(SetGuard<Set, Exclusive>)) {
    let set = set();
    let guard = set.clone();
    let guard = if whole { guard.try_exclusive_owned(All) } else { guard.try_exclusive_owned([1, 2]) }.unwrap();
    let crowd = crowd(story, &set);
    story.act(|| act(guard));
    story.go(crowd);
    rest(&set);
}

fn sharer(story: &mut Story, whole: bool, act: impl FnOnce(SetGuard<Set, Shared>)) {
    let set = set();
    let guard = set.clone();
    let guard = if whole { guard.try_shared_owned(All) } else { guard.try_shared_owned([1, 2]) }.unwrap();
    let crowd = crowd(story, &set);
    story.act(|| act(guard));
    story.go(crowd);
    rest(&set);
}

fn open(story: &mut Story, ask: impl FnOnce(&mut Story, &Open)) {
    let set: Open = Arc::default();
    ask(story, &set);
    assert_eq!(set.names(), [0_u32; 0], "names that nobody uses");
    drop(set.try_exclusive([1, 2]).expect("nobody has them"));
}

pub(crate) const VERBS: &[Verb] = &[
    ("shared of one", |story| request(story, |set| set.shared_owned(1))),
    ("exclusive of two", |story| request(story, |set| set.exclusive_owned([1, 2]))),
    ("exclusive of all", |story| request(story, |set| set.exclusive_owned(All))),
    ("shared of all", |story| request(story, |set| set.shared_owned(All).priority(Priority::new(-1)))),
    ("at_least", |story| request(story, |set| set.exclusive_owned([1, 2]).at_least(1))),
    ("opportunistic", |story| request(story, |set| set.exclusive_owned([1, 2]).opportunistic())),
    ("a deadline", |story| request(story, |set| set.exclusive_owned([1, 2]).timeout(Duration::from_secs(9)))),
    ("a deadline that passes", |story| request(story, |set| set.exclusive_owned(All).timeout(Duration::ZERO))),
    ("exclusive of free names", |story| {
        let set = set();
        story.see_through(Box::pin(set.clone().exclusive_owned([1, 2])), (), Vec::new());
        rest(&set);
    }),
    ("a request dropped when it has been granted", |story| {
        let set = set();
        let holder = set.clone().try_exclusive_owned(1).unwrap();
        let mut request = Box::pin(set.clone().exclusive_owned([1, 2]));
        let _ = story.poll(request.as_mut());
        let crowd = crowd(story, &set);
        story.drop(holder);
        story.drop(request);
        story.go(crowd);
        rest(&set);
    }),
    ("set_priority", |story| {
        let set = set();
        let holder = set.clone().try_shared_owned(1).unwrap();
        let mut request = Box::pin(set.clone().exclusive_owned([1, 2]));
        let _ = story.poll(request.as_mut());
        let crowd = vec![story.neighbour(set.clone().shared_owned([1, 2]))];
        story.act(|| request.as_mut().set_priority(Priority::new(5)));
        story.see_through(request, holder, crowd);
        rest(&set);
    }),
    ("add", |story| change(story, &set(), |set| set.add(5), |set| set.names().contains(&5))),
    ("add_exclusive", |story| change(story, &set(), |set| set.add_exclusive(5), |set| set.names().contains(&5))),
    ("add_entries_shared", |story| {
        change(
            story,
            &set(),
            |set| set.add_entries_shared([(5_u32, Value::default())]),
            |set| set.names().contains(&5),
        );
    }),
    ("remove", |story| change(story, &set(), |set| set.remove([1, 2]), |set| set.names() == [3])),
    ("an owner dropped", |story| owner(story, false, drop)),
    ("an owner of all dropped", |story| owner(story, true, drop)),
    ("a sharer dropped", |story| sharer(story, false, drop)),
    ("a sharer of all dropped", |story| sharer(story, true, drop)),
    ("downgrade", |story| owner(story, false, |guard| drop(guard.downgrade()))),
    ("downgrade of all", |story| owner(story, true, |guard| drop(guard.downgrade()))),
    ("release", |story| owner(story, false, |mut guard| guard.release(1).unwrap())),
    ("release of all", |story| sharer(story, true, |mut guard| guard.release(1).unwrap())),
    ("split_off", |story| owner(story, true, |mut guard| drop(guard.split_off(1).unwrap()))),
    ("SetGuard::remove", |story| owner(story, false, |mut guard| drop(guard.remove(1).unwrap()))),
    ("SetGuard::remove of all", |story| owner(story, true, |mut guard| drop(guard.remove([1, 2]).unwrap()))),
    ("SetGuard::add", |story| owner(story, true, |mut guard| guard.add(5).unwrap())),
    ("SetGuard::add_held", |story| owner(story, true, |mut guard| guard.add_held(5).unwrap())),
    ("open: exclusive", |story| {
        open(story, |story, set| {
            let holder = set.clone().try_exclusive_owned([1, 2]).unwrap();
            let crowd =
                vec![story.neighbour(set.clone().shared_owned(2)), story.neighbour(set.clone().exclusive_owned(1))];
            story.see_through(Box::pin(set.clone().exclusive_owned([1, 2])), holder, crowd);
        });
    }),
    ("open: release, split, downgrade", |story| {
        open(story, |story, set| {
            let mut guard = set.clone().try_exclusive_owned([1, 2, 3]).unwrap();
            let crowd =
                vec![story.neighbour(set.clone().shared_owned([1, 3])), story.neighbour(set.clone().shared_owned(2))];
            story.act(|| guard.release(1).unwrap());
            story.act(|| drop(guard.split_off(2).unwrap()));
            story.act(|| drop(guard.downgrade()));
            story.go(crowd);
        });
    }),
];
