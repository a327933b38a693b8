//! Names that panic, and names that lie: the set stays intact, nothing stays locked, and no code of a name runs under
//! an internal lock of the set. (If it did, a name that uses its own set would wait for itself.)
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::{All, Entries, LockSet, OpenSet};
use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use tokio_test::{assert_pending, assert_ready_ok, block_on, task};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Hash,
    Eq,
    Cmp,
    Clone,
    Drop,
}

thread_local! {
    /// What is to panic, and after how many calls.
    static ARMED: Cell<Option<(Act, u32)>> = const { Cell::new(None) };
}

fn act(act: Act) {
    ARMED.with(|armed| match armed.get() {
        Some((what, 0)) if what == act && !std::thread::panicking() => {
            armed.set(None);
            panic!("{act:?} of a name");
        }
        Some((what, left)) if what == act => armed.set(Some((what, left.saturating_sub(1)))),
        _ => {}
    });
}

#[derive(Debug)]
struct HostileName(u32);

impl Hash for HostileName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        act(Act::Hash);
        (self.0 % 2).hash(state); // All names share two hashes.
    }
}

impl PartialEq for HostileName {
    fn eq(&self, other: &Self) -> bool {
        act(Act::Eq);
        self.0 == other.0
    }
}

impl Eq for HostileName {}

impl PartialOrd for HostileName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HostileName {
    fn cmp(&self, other: &Self) -> Ordering {
        act(Act::Cmp);
        self.0.cmp(&other.0)
    }
}

impl Clone for HostileName {
    fn clone(&self) -> Self {
        act(Act::Clone);
        Self(self.0)
    }
}

impl Drop for HostileName {
    fn drop(&mut self) {
        act(Act::Drop);
    }
}

fn hostile(names: impl IntoIterator<Item = u32>) -> Vec<HostileName> {
    names.into_iter().map(HostileName).collect()
}

/// Does everything that can be done to a set, and lets panics through.
fn everything(set: &LockSet<HostileName>) {
    let mut guard = block_on(set.exclusive(hostile([1, 2, 3]))).unwrap();
    let mut waiter = task::spawn(set.shared(hostile([2, 4])));
    assert_pending!(waiter.poll());
    assert!(guard.contains(HostileName(3)) && guard.get(HostileName(1)).is_some());
    drop(set.try_exclusive(hostile([3, 5])));
    guard.release(hostile([3])).unwrap();
    let _ = guard.remove(hostile([1]));
    drop(guard.downgrade());
    drop(assert_ready_ok!(waiter.poll()));
    let _ = block_on(set.remove(hostile([2, 99])));
    let _ = block_on(set.add(hostile([50, 51])));
    let _ = block_on(set.add(hostile([5, 60])));
    let mut all = block_on(set.exclusive(All)).unwrap();
    let _ = all.add_held(hostile([70]));
    let _ = all.add(hostile([71]));
    assert!(all.names().len() > 3);
    drop(all);
    drop(block_on(set.exclusive(hostile([4, 5, 77])).at_least(2)));
    drop(block_on(set.exclusive(hostile([4, 77])).opportunistic()));
    drop(block_on(set.shared(hostile([77]))));
    let _ = (set.names(), format!("{set:?}"));
}

#[test]
fn a_panic_in_any_code_of_a_name_leaves_the_set_whole_and_free() {
    for what in [Act::Hash, Act::Eq, Act::Cmp, Act::Clone, Act::Drop] {
        for after in (0..40).chain((40..400).step_by(7)) {
            let set: LockSet<HostileName> = (0..10).map(HostileName).collect();
            ARMED.set(Some((what, after)));
            let _ = catch_unwind(AssertUnwindSafe(|| everything(&set)));
            ARMED.set(None);
            let all = block_on(set.exclusive(All)).unwrap();
            let names = all.names().len();
            drop(all);
            assert_eq!(set.try_exclusive(set.names()).unwrap().len(), names, "after {after} times {what:?}");
            drop(block_on(set.add([HostileName(1_000)])));
            assert_eq!(block_on(set.remove([HostileName(1_000)])).unwrap().len(), 1);
        }
    }
}

#[test]
fn a_panic_in_any_code_of_a_name_leaves_an_open_set_empty() {
    for what in [Act::Hash, Act::Eq, Act::Cmp, Act::Clone, Act::Drop] {
        for after in 0..60 {
            let set: OpenSet<HostileName> = OpenSet::new();
            ARMED.set(Some((what, after)));
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let guard = block_on(set.exclusive(hostile([1, 3, 5, 3]))).unwrap();
                let mut waiter = task::spawn(set.shared(hostile([3, 7])));
                assert_pending!(waiter.poll());
                drop(set.try_shared(hostile([5, 9])));
                drop(block_on(set.exclusive(hostile([1, 9, 11])).opportunistic()));
                assert!(guard.names().len() == 3 && set.names().len() == 4);
                drop(guard);
                drop(assert_ready_ok!(waiter.poll()));
            }));
            ARMED.set(None);
            assert_eq!(set.names(), [], "after {after} times {what:?}");
        }
    }
}

#[test]
fn a_request_whose_names_have_panicked_never_gets_less_than_it_asked_for() {
    let set: LockSet<HostileName> = LockSet::new(hostile([1]));
    let mut request = task::spawn(set.exclusive(hostile([1, 8, 9])));
    ARMED.set(Some((Act::Cmp, 0)));
    assert!(catch_unwind(AssertUnwindSafe(|| request.poll().is_ready())).is_err());
    let again = catch_unwind(AssertUnwindSafe(|| request.poll().is_ready())).unwrap_err();
    assert!(again.downcast_ref::<&str>().unwrap().contains("make a new request"));
    drop(request);
    drop(set.try_exclusive(All).unwrap());
}

/// A name that takes locks of its own set whenever its code runs.
#[derive(Clone, Debug)]
struct Nosy(u32, Arc<Mutex<Weak<LockSet<Nosy>>>>);

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

impl Nosy {
    fn look(&self) {
        let set = self.1.lock().unwrap().upgrade();
        if let Some(set) = set.filter(|_| !BUSY.replace(true)) {
            drop(set.try_exclusive(All));
            drop(set.try_shared([Self(5, Arc::clone(&self.1))]));
            BUSY.set(false);
        }
    }
}

impl Hash for Nosy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.look();
        self.0.hash(state);
    }
}

impl PartialEq for Nosy {
    fn eq(&self, other: &Self) -> bool {
        self.look();
        self.0 == other.0
    }
}

impl Eq for Nosy {}

impl PartialOrd for Nosy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Nosy {
    fn cmp(&self, other: &Self) -> Ordering {
        self.look();
        self.0.cmp(&other.0)
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.look();
    }
}

#[test]
fn no_code_of_a_name_runs_under_a_lock_of_the_set() {
    let home: Arc<Mutex<Weak<LockSet<Nosy>>>> = Arc::default();
    let nosy = |names: &[u32]| names.iter().map(|name| Nosy(*name, Arc::clone(&home))).collect::<Vec<_>>();
    let set: Arc<LockSet<Nosy>> = Arc::new(LockSet::new(nosy(&[1, 2, 3, 4, 5])));
    *home.lock().unwrap() = Arc::downgrade(&set);
    let mut guard = block_on(set.exclusive(nosy(&[1, 2, 3]))).unwrap();
    let mut waiter = task::spawn(set.exclusive(nosy(&[2, 4])));
    assert_pending!(waiter.poll());
    guard.remove(nosy(&[1])).unwrap();
    drop(guard);
    drop(assert_ready_ok!(waiter.poll()));
    block_on(set.add(nosy(&[6]))).unwrap();
    assert_eq!(block_on(set.remove(nosy(&[6, 7]))).unwrap().len(), 1);
    drop(block_on(set.shared(All)).unwrap());
    assert_eq!(set.names().len(), 4);
}

/// A name whose hash, equality and order change from call to call.
#[derive(Clone, Debug)]
struct Liar(u32);

thread_local! {
    static LIES: Cell<u32> = const { Cell::new(0) };
}

impl Hash for Liar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        LIES.set(LIES.get() + 1);
        (LIES.get() % 3).hash(state);
    }
}

impl PartialEq for Liar {
    fn eq(&self, _other: &Self) -> bool {
        LIES.set(LIES.get() + 1);
        LIES.get() % 2 == 0
    }
}

impl Eq for Liar {}

impl PartialOrd for Liar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Liar {
    fn cmp(&self, other: &Self) -> Ordering {
        LIES.set(LIES.get() + 1);
        if LIES.get() % 2 == 0 { self.0.cmp(&other.0) } else { other.0.cmp(&self.0) }
    }
}

#[test]
fn names_that_lie_may_not_be_found_but_nothing_stays_held() {
    let set: LockSet<Liar, u32> = (0..4).map(|name| (Liar(name), name)).collect();
    let open: OpenSet<Liar> = OpenSet::new();
    for round in 0..200 {
        if let Ok(mut guard) = set.try_exclusive([Liar(round % 4), Liar(1)]) {
            for (_, value) in &mut guard {
                *value += 1;
            }
            let _ = guard.get_disjoint_mut([Liar(0), Liar(1)]).map(|[one, other]| std::mem::swap(one, other));
        }
        let _ = block_on(open.exclusive([Liar(round), Liar(1)])).map(|guard| guard.names().len());
    }
    assert!(open.names().is_empty());
    let all = set.try_exclusive(All).unwrap();
    assert!(all.iter().count() >= 1);
}

thread_local! {
    /// The number of drops until one panics, counted down; 0 if none is to.
    static PANICS_AT: Cell<usize> = const { Cell::new(0) };
}

thread_local! {
    /// Runs when a name is cloned next.
    static MEANWHILE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// A name whose destructor may panic (see [`PANICS_AT`]), and whose clone runs [`MEANWHILE`].
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Fragile(u32);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        if let Some(happens) = MEANWHILE.take() {
            happens();
        }
        Self(self.0)
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        dropped();
    }
}

#[test]
fn a_name_that_panics_as_it_is_dropped_loses_no_value_of_those_removed() {
    for (at, whole) in (1..8).flat_map(|at| [(at, false), (at, true)]) {
        let value = Arc::new(());
        let set: LockSet<Fragile, Arc<()>> =
            LockSet::from_entries([1, 2].map(|name| (Fragile(name), Arc::clone(&value))));
        let names = [Fragile(1), Fragile(2)];
        let mut guard = if whole { set.try_exclusive(All).unwrap() } else { set.try_exclusive(&names).unwrap() };
        PANICS_AT.set(at);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(guard.remove(&names))));
        PANICS_AT.set(0);
        drop(guard);
        drop(set);
        assert_eq!(Arc::strong_count(&value), 1, "a value is lost when drop {at} of a name panics");
    }
}

/// Counts a drop, and panics if it is the one that [`PANICS_AT`] selects.
fn dropped() {
    let left = PANICS_AT.get();
    PANICS_AT.set(left.saturating_sub(1));
    assert!(left != 1 || std::thread::panicking(), "fragile");
}

/// A name whose copies are counted by its token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    number: u32,
    _token: Arc<()>,
}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number % 2).hash(state);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        dropped();
    }
}

/// A value, counted in the same way.
struct Value {
    _token: Arc<()>,
}

impl Drop for Value {
    fn drop(&mut self) {
        dropped();
    }
}

/// Makes names and values that share one token.
struct Made(Arc<()>);

impl Made {
    fn names<const N: usize>(&self, numbers: [u32; N]) -> [Counted; N] {
        numbers.map(|number| Counted { number, _token: Arc::clone(&self.0) })
    }

    fn entries<const N: usize>(&self, numbers: [u32; N]) -> [(Counted, Value); N] {
        self.names(numbers).map(|name| (name, Value { _token: Arc::clone(&self.0) }))
    }
}

type Verb = fn(&LockSet<Counted, Value>, &Made);

/// Some of the names are unknown, some exist, some are repeated.
const VERBS: [(&str, Verb); 9] = [
    ("opportunistic", |set, made| drop(block_on(set.exclusive(made.names([1, 2, 9, 8])).opportunistic()))),
    ("at_least", |set, made| drop(block_on(set.exclusive(made.names([1, 2, 9, 8])).at_least(1)))),
    ("remove", |set, made| drop(block_on(set.remove(made.names([1, 2, 9, 8]))))),
    ("try_exclusive", |set, made| drop(set.try_exclusive(made.names([1, 2, 9, 8])))),
    ("get_disjoint_mut", |set, made| {
        drop(set.try_exclusive(All).unwrap().get_disjoint_mut(made.names([1, 1, 9])).map(drop));
    }),
    ("add, what exists", |set, made| drop(block_on(set.add(Entries(made.entries([5, 1])))))),
    ("add, twice", |set, made| drop(block_on(set.add(Entries(made.entries([5, 5])))))),
    ("add_held", |set, made| drop(set.try_exclusive(All).unwrap().add_held(Entries(made.entries([5, 2]))))),
    ("deleted", |set, made| {
        let mut owner = set.try_exclusive(made.names([1])).unwrap();
        let mut waiter = task::spawn(set.exclusive(made.names([1])));
        assert_pending!(waiter.poll());
        drop(owner.remove(made.names([1])));
        drop(owner);
        drop(waiter.poll());
    }),
];

#[test]
fn what_panics_as_it_is_dropped_loses_no_member_and_no_error() {
    for (at, (what, verb)) in (1..40).flat_map(|at| VERBS.map(|verb| (at, verb))) {
        let made = Made(Arc::new(()));
        let set: LockSet<Counted, Value> = LockSet::from_entries(made.entries([1, 2]));
        PANICS_AT.set(at);
        let _ = catch_unwind(AssertUnwindSafe(|| verb(&set, &made)));
        PANICS_AT.set(0);
        let left = set.names();
        drop(set.try_exclusive(All).expect("nothing stays held").remove(&left));
        drop(left);
        assert_eq!(Arc::strong_count(&made.0), 1, "of {what}, something is lost when drop {at} panics");
    }
}

#[test]
fn what_is_granted_while_the_names_in_its_way_are_copied_is_not_lost() {
    let set: Arc<LockSet<Fragile>> = Arc::new(LockSet::new([Fragile(1)]));
    let holder = Arc::clone(&set).try_exclusive_owned([Fragile(1)]).unwrap();
    MEANWHILE.set(Some(Box::new(move || drop(holder)))); // As another thread could, at this moment.
    PANICS_AT.set(2); // The first drop is of the name asked for, the second of the copy, which is not needed any more.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(set.try_exclusive([Fragile(1)]))));
    PANICS_AT.set(0);
    drop(set.try_exclusive(All).expect("nobody holds it any more"));
}
