//! The queue against a `Vec`, with its invariants checked after every step.

use super::*;
use std::sync::Arc;
use std::task::Wake;

/// A node, with a waker that is like no other.
struct Request {
    node: Pin<Box<Node>>,
    waker: Waker,
}

impl Request {
    fn new(mode: LockMode) -> Self {
        struct Nobody(#[expect(dead_code, reason = "gives each waker an address of its own")] u8);
        impl Wake for Nobody {
            fn wake(self: Arc<Self>) {}
        }
        Self { node: Box::pin(Node::new(mode)), waker: Waker::from(Arc::new(Nobody(0))) }
    }
}

/// What the queue should look like: each request in its order, and whether it is in the open group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    name: usize,
    mode: LockMode,
    open: bool,
}

struct Story {
    requests: Vec<Request>,
    queue: Queue,
    places: Vec<Place>,
}

impl Story {
    /// One request in three is exclusive.
    fn new(requests: usize) -> Self {
        let modes = [LockMode::Exclusive, LockMode::Shared, LockMode::Shared].into_iter().cycle();
        let requests = modes.take(requests).map(Request::new).collect();
        Self { requests, queue: Queue::new(), places: Vec::new() }
    }

    fn node(&self, name: usize) -> Pin<&Node> {
        self.requests[name].node.as_ref()
    }

    fn mode(&mut self, name: usize) -> LockMode {
        let node = NonNull::from(self.node(name).get_ref());
        self.queue.at(node, |links| links.mode)
    }

    fn place_of(&self, name: usize) -> Option<usize> {
        self.places.iter().position(|place| place.name == name)
    }

    fn push(&mut self, name: usize) {
        let mode = self.mode(name);
        let group = self.places.iter().rposition(|place| place.open && mode == LockMode::Shared);
        let place = Place { name, mode, open: mode == LockMode::Shared };
        self.places.insert(group.map_or(self.places.len(), |last| last + 1), place);
        let Request { node, waker } = &self.requests[name];
        self.queue.push(node.as_ref(), waker.clone());
    }

    fn remove(&mut self, place: usize) {
        let name = self.places.remove(place).name;
        let Request { node, waker } = &self.requests[name];
        let removed = self.queue.remove(node.as_ref());
        assert!(removed.is_some_and(|removed| removed.will_wake(waker)));
        assert_eq!(node.phase(), Phase::Idle);
    }

    fn pop(&mut self, phase: Phase) {
        let popped = self.queue.pop(phase);
        if self.places.is_empty() {
            assert!(popped.is_none());
            return;
        }
        let first = self.places.remove(0);
        if first.open {
            self.close();
        }
        assert!(popped.is_some_and(|popped| popped.will_wake(&self.requests[first.name].waker)));
        assert_eq!(self.node(first.name).phase(), phase);
    }

    fn advance_group(&mut self) {
        self.queue.advance_group();
        self.places.sort_by_key(|place| !place.open); // Stable: the rest keeps its order.
        self.close();
    }

    fn close(&mut self) {
        self.places.iter_mut().for_each(|place| place.open = false);
    }

    fn change_waker(&mut self, name: usize) {
        let new = Request::new(LockMode::Shared).waker;
        let Request { node, waker } = &mut self.requests[name];
        assert!(self.queue.wakes(node.as_ref(), waker) && !self.queue.wakes(node.as_ref(), &new));
        let old = self.queue.set_waker(node.as_ref(), new.clone());
        assert!(old.is_some_and(|old| old.will_wake(waker)));
        *waker = new;
    }

    /// Walks the queue both ways and holds it against its invariants, by number, and against the places.
    fn check(&mut self) {
        let (mut seen, mut previous, mut place) = (Vec::new(), None, self.queue.first);
        let mut open = false;
        while let Some(pointer) = place {
            let name = self.requests.iter().position(|request| NonNull::from(&*request.node) == pointer);
            let name = name.expect("1: a stranger is linked");
            assert_eq!(self.node(name).phase(), Phase::Waiting, "1: linked, so it waits");
            let (before, next, mode, opens) =
                self.queue.at(pointer, |links| (links.previous, links.next, links.mode, links.opens));
            assert_eq!(before, previous, "3: the links back are those forth");
            if opens {
                assert!(!open && mode == LockMode::Shared, "4: one opener, a sharer");
                open = true;
            }
            seen.push(Place { name, mode, open });
            if self.queue.group == Some(pointer) {
                assert!(open, "4: the group has an opener, ahead of its last member");
                open = false;
            }
            (previous, place) = (Some(pointer), next);
            assert!(seen.len() <= self.requests.len(), "3: a ring");
        }
        assert!(!open, "4: an opener without a group");
        assert_eq!(self.queue.last, previous, "3: `last` is where the walk ends");
        assert_eq!(seen, self.places);
        assert_eq!(self.queue.group.is_some(), seen.iter().any(|place| place.open), "4: open, so it has a last");
        for name in 0..self.requests.len() {
            if self.place_of(name).is_none() {
                let node = NonNull::from(self.node(name).get_ref());
                assert_ne!(self.node(name).phase(), Phase::Waiting, "1: waits, so it is linked");
                self.queue.at(node, |links| {
                    assert!(
                        links.previous.is_none() && links.next.is_none() && links.waker.is_none(),
                        "2: nothing leads on from it"
                    );
                });
            }
        }
        let in_front = seen.iter().take_while(|place| place.mode == LockMode::Shared).count();
        assert_eq!(self.queue.sharers_in_front(usize::MAX), in_front);
        assert_eq!(self.queue.sharers_in_front(2), in_front.min(2));
        assert_eq!(self.queue.first_mode(), seen.first().map(|place| place.mode));
        assert_eq!(self.queue.is_empty(), seen.is_empty());
    }
}

/// Xorshift: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}

#[test]
fn the_queue_keeps_its_invariants_and_its_order_in_random_stories() {
    for seed in 1..=2_000 {
        println!("seed {seed}"); // Shown if it fails.
        let mut dice = Dice(seed);
        let mut story = Story::new(12);
        for _ in 0..60 {
            let name = dice.below(12);
            match (story.place_of(name), dice.below(12)) {
                (_, 0) => story.pop(Phase::Deleted),
                (_, 1..=3) => story.pop(Phase::Granted),
                (_, 4) => story.advance_group(),
                (Some(place), 5..=8) => story.remove(place),
                (Some(_), _) => story.change_waker(name),
                (None, _) => story.push(name),
            }
            story.check();
        }
    }
}

#[test]
fn sharers_join_the_open_group_wherever_it_stands() {
    let mut story = Story::new(8);
    for name in [0, 1, 3, 2, 6, 4] {
        story.push(name); // 0, 3 and 6 are exclusive.
        story.check();
    }
    let order: Vec<_> = story.places.iter().map(|place| place.name).collect();
    assert_eq!(order, [0, 1, 2, 4, 3, 6]);
}

#[test]
fn popping_a_member_closes_its_group_and_no_other() {
    let mut story = Story::new(8);
    for name in [1, 2, 0] {
        story.push(name);
    }
    story.pop(Phase::Granted);
    for name in [4, 5] {
        story.push(name); // A new group, behind 0.
    }
    story.pop(Phase::Granted); // The rest of the old one.
    story.push(7);
    story.check();
    let order: Vec<_> = story.places.iter().map(|place| (place.name, place.open)).collect();
    assert_eq!(order, [(0, false), (4, true), (5, true), (7, true)]);
}
