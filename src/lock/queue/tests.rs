//! Tests the queue against a `Vec`, and its invariants after every step.

use super::*;
use std::sync::Arc;
use std::task::Wake;

/// A node with a waker of its own.
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
        let waker = Waker::from(Arc::new(Nobody(0)));
        Self { node: Box::pin(Node::new(mode, PRIORITIES[1], waker.clone())), waker }
    }
}

const PRIORITIES: [Priority; 3] = [Priority::HIGHEST, Priority::new(0), Priority::new(7)];

/// One request as it should stand in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    name: usize,
    mode: LockMode,
    priority: Priority,
    committed: bool,
}

struct Story {
    requests: Vec<Request>,
    queue: Queue,
    stands: Vec<Stand>,
}

impl Story {
    /// One request in three is exclusive.
    fn new(requests: usize) -> Self {
        let modes = [LockMode::Exclusive, LockMode::Shared, LockMode::Shared].into_iter().cycle();
        let requests = modes.take(requests).map(Request::new).collect();
        Self { requests, queue: Queue::new(), stands: Vec::new() }
    }

    fn node(&self, name: usize) -> Pin<&Node> {
        self.requests[name].node.as_ref()
    }

    fn mode_and_priority(&self, name: usize) -> (LockMode, Priority) {
        let node = NonNull::from(self.node(name).get_ref());
        (self.queue.node(node).mode, Priority::try_from(i64::from(self.queue.priority(node))).unwrap_or_default())
    }

    fn stand_of(&self, name: usize) -> Option<usize> {
        self.stands.iter().position(|stand| stand.name == name)
    }

    fn order(&self) -> Vec<usize> {
        self.stands.iter().map(|stand| stand.name).collect()
    }

    /// The rule for a list: a request stands behind the group of its priority, or behind all requests of its priority.
    fn enlist(&mut self, name: usize, mode: LockMode, priority: Priority) {
        let of_group = |stand: &Stand| !stand.committed && stand.mode == mode && stand.priority == priority;
        let group = self.stands.iter().rposition(of_group).filter(|_| mode == LockMode::Shared);
        let behind = |stand: &Stand| stand.committed || stand.priority <= priority;
        let place = group.or_else(|| self.stands.iter().rposition(behind)).map_or(0, |place| place + 1);
        self.stands.insert(place, Stand { name, mode, priority, committed: false });
    }

    fn push(&mut self, name: usize) {
        self.push_at(name, PRIORITIES[1]);
    }

    fn push_at(&mut self, name: usize, priority: Priority) {
        let (mode, _) = self.mode_and_priority(name);
        self.enlist(name, mode, priority);
        let Request { node, waker } = &mut self.requests[name];
        node.set(Node::new(mode, priority, waker.clone()));
        self.queue.push(node.as_ref());
    }

    fn set_priority(&mut self, name: usize, priority: Priority) {
        let moves = |place: &usize| !self.stands[*place].committed && self.stands[*place].priority != priority;
        let place = self.stand_of(name).filter(moves);
        let own = self.mode_and_priority(name).1;
        self.queue.set_priority(self.requests[name].node.as_ref(), priority);
        if let Some(place) = place {
            let stand = self.stands.remove(place);
            self.enlist(name, stand.mode, priority);
        } else {
            assert_eq!(
                self.mode_and_priority(name).1,
                own,
                "it waits no longer, its group is being granted, or it stays"
            );
        }
    }

    fn remove(&mut self, place: usize) {
        let name = self.stands.remove(place).name;
        let Request { node, waker } = &self.requests[name];
        let removed = self.queue.remove(node.as_ref());
        assert!(removed.is_some_and(|removed| removed.will_wake(waker)));
        assert_eq!(node.phase(), Phase::Idle);
    }

    fn pop(&mut self, phase: Phase) {
        let popped = self.queue.pop(phase);
        if self.stands.is_empty() {
            assert!(popped.is_none());
            return;
        }
        let first = self.stands.remove(0);
        assert!(popped.is_some_and(|popped| popped.will_wake(&self.requests[first.name].waker)));
        assert_eq!(self.node(first.name).phase(), phase);
    }

    fn commit_group(&mut self) {
        self.queue.commit_group();
        self.move_group();
    }

    fn move_group(&mut self) {
        let Some(first) = self.stands.first().copied().filter(|first| !first.committed) else { return };
        for stand in &mut self.stands {
            stand.committed = stand.mode == LockMode::Shared && stand.priority == first.priority;
        }
        self.stands.sort_by_key(|stand| !stand.committed); // Stable: the other requests keep their order.
    }

    fn commit_sharers(&mut self, limit: usize) {
        if self.queue.first_mode() == Some(LockMode::Shared) {
            self.move_group();
            let committed = self.stands.iter().filter(|stand| stand.committed).count();
            assert_eq!(self.queue.commit_sharers(limit), committed.min(limit));
        }
    }

    fn change_waker(&mut self, name: usize) {
        let new = Request::new(LockMode::Shared).waker;
        let Request { node, waker } = &mut self.requests[name];
        assert!(self.queue.wakes(node.as_ref(), waker) && !self.queue.wakes(node.as_ref(), &new));
        let old = self.queue.set_waker(node.as_ref(), new.clone());
        assert!(old.is_some_and(|old| old.will_wake(waker)));
        *waker = new;
    }

    /// Walks the queue, and checks it against its invariants, by number, and against the list.
    fn check(&mut self) {
        let (mut seen, mut previous, mut place) = (Vec::new(), None, self.queue.first);
        let mut committed = self.queue.committed.is_some();
        let mut class: Option<(Priority, Class)> = None;
        let mut open = false;
        while let Some(pointer) = place {
            let name = self.requests.iter().position(|request| NonNull::from(&*request.node) == pointer);
            let name = name.expect("1: a stranger is linked");
            assert_eq!(self.node(name).phase(), Phase::Waiting, "1: linked, so it waits");
            let links = |links: &mut Links| (links.previous, links.next, links.class);
            let (before, next, own_class) = self.queue.at(pointer, links);
            let (mode, priority) = self.mode_and_priority(name);
            assert_eq!(before, previous, "3: the links back are those forth");
            if committed {
                assert!(mode == LockMode::Shared && own_class.is_none(), "4: the committed are sharers");
            } else {
                let heads = class.is_none_or(|(current, _)| current != priority);
                assert_eq!(own_class.is_some(), heads, "4: the first of a priority has its class");
                assert!(class.is_none_or(|(current, _)| current <= priority), "4: priorities do not decrease");
                class = own_class.map(|class| (priority, class)).or(class);
                open |= class.and_then(|(_, class)| class.group).is_some_and(|(opener, _)| opener == pointer);
                assert_eq!(open, mode == LockMode::Shared, "5: the group stands side by side, and is all sharers");
                let (_, class) = class.expect("4: it has one");
                open &= class.group.is_none_or(|(_, last)| last != pointer);
                let last = next.is_none_or(|next| self.queue.priority(next) != priority.get());
                assert_eq!(class.last == pointer, last, "4: the class knows its last");
            }
            seen.push(Stand { name, mode, priority, committed });
            committed &= self.queue.committed != Some(pointer);
            (previous, place) = (Some(pointer), next);
            assert!(seen.len() <= self.requests.len(), "3: a ring");
        }
        assert!(!committed && !open, "4, 5: what is begun ends");
        assert_eq!(seen, self.stands);
        self.check_the_unlinked();
        let urgent = seen.first().is_none_or(|first| !first.committed && PRIORITIES[1] < first.priority);
        assert_eq!(self.queue.yields_to(PRIORITIES[1]), urgent);
        assert_eq!(self.queue.first_mode(), seen.first().map(|stand| stand.mode));
        assert_eq!(self.queue.is_empty(), seen.is_empty());
    }

    fn check_the_unlinked(&self) {
        for name in 0..self.requests.len() {
            if self.stand_of(name).is_none() {
                assert_ne!(self.node(name).phase(), Phase::Waiting, "1: waits, so it is linked");
            }
        }
    }
}

/// A xorshift generator: small, and the same on every platform.
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
        println!("seed {seed}"); // Shown if the test fails.
        let mut dice = Dice(seed);
        let mut story = Story::new(14);
        for _ in 0..80 {
            let name = dice.below(14);
            match (story.stand_of(name), dice.below(16)) {
                (_, 0) => story.pop(Phase::Deleted),
                (_, 1..=3) => story.pop(Phase::Granted),
                (_, 4) => story.commit_group(),
                (_, 5) => story.commit_sharers(dice.below(5)),
                (_, 6..=8) => story.set_priority(name, PRIORITIES[dice.below(3)]),
                (Some(place), 9..=11) => story.remove(place),
                (Some(_), 12) => story.change_waker(name),
                (Some(_), _) => {}
                (None, _) => story.push_at(name, PRIORITIES[dice.below(3)]),
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
    assert_eq!(story.order(), [0, 1, 2, 4, 3, 6]);
}

#[test]
fn nobody_joins_a_group_or_stands_before_it_once_its_granting_has_begun() {
    let mut story = Story::new(8);
    for name in [1, 2, 0] {
        story.push(name);
    }
    story.commit_sharers(1);
    story.pop(Phase::Granted);
    story.push_at(4, Priority::HIGHEST);
    story.push(5);
    story.check();
    assert_eq!(story.order(), [2, 4, 0, 5]);
}

#[test]
fn each_priority_has_a_group_of_its_own() {
    let mut story = Story::new(8);
    for (name, priority) in [(1, 2), (0, 1), (2, 0), (4, 1), (5, 2), (3, 0), (7, 1)] {
        story.push_at(name, PRIORITIES[priority]);
        story.check();
    }
    assert_eq!(story.order(), [2, 3, 0, 4, 7, 1, 5]);
}
