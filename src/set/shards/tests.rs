//! A shard against a plain map, in random stories, and the invariants that hold whenever it is unlocked.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use super::shard::MemberRef;
use super::shard::{Contents, Shard};
use crate::mode::{Exclusive, LockMode};
use crate::set::queue::Member;
use crate::set::queue::Tally;
use crate::set::{OpenSet, SetGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl<K, T> Contents<K, T> {
    /// Checks the invariants, and that the index finds each slot.
    fn check_invariants(&self) {
        let (mut holds, mut held, mut seen) = (Tally::default(), 0, 0);
        let mut next = Some(0);
        while let Some(place) = next {
            next = self.some_from(place, |known| {
                holds = holds.plus(known.holds());
                held += usize::from(known.held().is_some());
                seen += 1;
                assert_eq!(self.tagged(known.tag()).filter(|other| *other == known).count(), 1, "it is found, once");
            });
        }
        assert_eq!(seen, self.len(), "nothing else is found");
        assert_eq!((holds, held), (self.holds(), self.in_the_way(LockMode::Exclusive)), "as many as are counted");
    }
}

/// What the story expects of a member.
struct Told {
    known: MemberRef<u32, Arc<()>>,
    pins: u32,
    held: Option<LockMode>,
}

/// Pseudorandom numbers, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Many names crowd one group, and some have one hash. Few names exist at once, so that the index grows and shrinks
/// often.
fn tag(number: u32) -> u64 {
    let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match number % 32 {
        0 => 0b10 | 1 << 40,
        1..12 => 0b10 | spread << 42,
        _ => spread,
    }
}

fn story(is_open: bool, seed: u64) {
    let (shard, mut random) = (Shard::new(is_open), Random(seed));
    let value = Arc::new(());
    let mut told: BTreeMap<u32, Told> = BTreeMap::new();
    let (mut told_most, mut shrunk) = (0, false);
    for step in 0..if cfg!(miri) { 600 } else { 6_000 } {
        // Waves: up to some hundreds of names, and down to none.
        let grows = random.below(100) < if step % 3_000 < 600 { 80 } else { 5 };
        if grows {
            let name = step;
            let mut room = shard.lock();
            let known = shard.insert(&mut room, tag(name), name, Arc::clone(&value));
            told.insert(name, Told { known, pins: 1, held: None });
        } else if !told.is_empty() {
            let at = usize::try_from(random.below(told.len() as u64)).unwrap();
            let name = *told.keys().nth(at).unwrap();
            let it = told.get_mut(&name).unwrap();
            let mut room = shard.lock();
            match (random.below(4), it.held) {
                (0, _) => {
                    room.pin(it.known);
                    it.pins += 1;
                }
                (1, None) => {
                    let mode = if random.below(2) == 0 { LockMode::Shared } else { LockMode::Exclusive };
                    assert!(room.admits(it.known, mode));
                    room.hold(it.known, mode);
                    it.held = Some(mode);
                }
                (1, Some(LockMode::Exclusive)) => {
                    room.downgrade(it.known);
                    it.held = Some(LockMode::Shared);
                }
                (_, held) => {
                    if let Some(mode) = it.held.take() {
                        room.release(it.known, mode);
                    }
                    if !is_open && it.pins == 1 {
                        room.delete(it.known, None);
                    }
                    let gone = room.unpin(it.known);
                    shrunk |= held.is_none() && told_most > 200 && room.len() < 20;
                    assert_eq!(gone.is_some(), it.pins == 1, "it goes with its last pin: {held:?}");
                    it.pins -= 1;
                    if it.pins == 0 {
                        told.remove(&name);
                    }
                }
            }
        }
        told_most = told_most.max(told.len());
        if step % 100 == 0 {
            let room = shard.lock();
            room.check_invariants();
            assert_eq!(room.len(), told.len());
            for (name, it) in &told {
                let tagged: BTreeSet<u32> = room.tagged(tag(*name)).map(|known| *known.name()).collect();
                assert!(tagged.contains(name) && it.known.held() == it.held);
            }
            assert_eq!(Arc::strong_count(&value), told.len() + 1, "a value for each name");
        }
    }
    assert!(shrunk || cfg!(miri), "it has grown, and given space back");
    drop(shard);
    assert_eq!(Arc::strong_count(&value), 1, "values are dropped with the set");
}

#[test]
fn a_shard_keeps_its_invariants_and_its_names_in_random_stories() {
    for seed in 0..if cfg!(miri) { 1 } else { 8 } {
        story(true, seed);
        story(false, seed);
    }
}

#[test]
fn a_name_known_more_often_than_can_be_counted_stays_for_ever() {
    let value = Arc::new(());
    let shard = Shard::new(true);
    let known = shard.insert(&mut shard.lock(), 1, 1, Arc::clone(&value));
    *known.slot().pins_mut() = u32::MAX - 1;
    for _ in 0..3 {
        shard.lock().pin(known); // As forgotten guards do. A count that wrapped would be 1 in the end.
    }
    for _ in 0..3 {
        assert!(shard.lock().unpin(known).is_none(), "somebody may know it still");
    }
    assert_eq!(*known.slot().pins_mut(), u32::MAX, "it is not counted any more");
    assert_eq!(*known.name(), 1);
    drop(shard);
    assert_eq!(Arc::strong_count(&value), 1);
}

/// Runs in a process of its own, which aborts.
#[test]
#[cfg(all(unix, not(miri)))]
fn a_sharer_too_many_is_never_counted_as_none() {
    use crate::lock::State;
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    const CHILD: &str = "LOCKLADDER_ONE_SHARER_TOO_MANY";
    if std::env::var_os(CHILD).is_some() {
        let shard: Shard<u32, ()> = Shard::new(false);
        let known = shard.insert(&mut shard.lock(), 1, 1, ());
        let full = State::FREE.shared_by(usize::MAX >> 4);
        assert!(full.is_full());
        known.slot().set_state(full);
        return known.hold(LockMode::Shared);
    }
    let own = "set::shards::tests::a_sharer_too_many_is_never_counted_as_none";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([own, "--exact"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(SIGABRT), "{child:?}");
}

/// So large that each has a chunk of its own, which goes with it.
struct Large([u64; 512]);

impl Default for Large {
    fn default() -> Self {
        Self([7; 512])
    }
}

#[test]
fn large_values_that_come_and_go_in_any_order_are_those_of_their_names() {
    let (set, mut random) = (OpenSet::<u64, Large>::new(), Random(1));
    let mut held: BTreeMap<u64, SetGuard<&OpenSet<u64, Large>, Exclusive>> = BTreeMap::new();
    for _ in 0..200 {
        let name = random.below(12);
        if let Some(guard) = held.remove(&name) {
            assert_eq!((guard[name].0[0], guard[name].0[511]), (7, name));
        } else {
            let mut guard = set.try_exclusive(name).unwrap();
            assert_eq!(guard[name].0[511], 7, "it is a fresh one");
            guard[name].0[511] = name;
            held.insert(name, guard);
        }
        assert_eq!(set.names(), held.keys().copied().collect::<Vec<_>>());
    }
}
