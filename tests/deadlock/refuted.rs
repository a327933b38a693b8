//! Three simpler managers. Two of them can deadlock, and the exploration must find it.

use crate::programs::{LEVELS, OPEN, Program, Refused, Verb, Which};
use lockladder::{Exclusive, Guard, LockMode, LockSet, OpenSet, Shared, SharedLock};
use lockladder_test_support::steps::{Scene, Watch};
use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// A manager, reduced to what its sessions take and how. Dropping what was taken gives it back.
pub(crate) trait Manager: 'static {
    type Taken;

    /// Whether a session that holds these levels may ask for this one.
    fn may(&self, held: &BTreeMap<usize, Self::Taken>, level: usize) -> bool;

    /// Waits for names of a level.
    async fn take(&self, watch: &Watch, level: usize, names: &[char], mode: LockMode) -> Self::Taken;
}

/// A guard of one lock, in either mode.
#[allow(dead_code, reason = "they are there to be dropped")]
pub(crate) enum One {
    Shared(Guard<Arc<SharedLock>, Shared>),
    Exclusive(Guard<Arc<SharedLock>, Exclusive>),
}

async fn one(lock: &Arc<SharedLock>, mode: LockMode) -> One {
    let lock = Arc::clone(lock);
    match mode {
        LockMode::Shared => One::Shared(lock.shared_owned().await.expect("nobody deletes it")),
        LockMode::Exclusive => One::Exclusive(lock.exclusive_owned().await.expect("nobody deletes it")),
    }
}

/// The order in which a session takes several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InOrder {
    Sorted,
    AsGiven,
}

/// Takes names one by one; each is a lock of its own. Keeps to the order of levels.
pub(crate) struct TakesOneByOne {
    order: InOrder,
    locks: BTreeMap<(usize, char), Arc<SharedLock>>,
}

impl TakesOneByOne {
    pub(crate) fn new(order: InOrder, names: &[char]) -> Self {
        let all = (1..=LEVELS).flat_map(|level| names.iter().map(move |name| (level, *name)));
        Self { order, locks: all.map(|key| (key, Arc::default())).collect() }
    }
}

impl Manager for TakesOneByOne {
    type Taken = Vec<One>;

    fn may(&self, held: &BTreeMap<usize, Self::Taken>, level: usize) -> bool {
        held.last_key_value().is_none_or(|(highest, _)| *highest < level)
    }

    async fn take(&self, watch: &Watch, level: usize, names: &[char], mode: LockMode) -> Self::Taken {
        let mut wanted: Vec<char> = Vec::new();
        for name in names {
            if !wanted.contains(name) {
                wanted.push(*name);
            }
        }
        if self.order == InOrder::Sorted {
            wanted.sort_unstable();
        }
        let mut taken = Vec::new();
        for name in wanted {
            watch.touches(level);
            taken.push(one(&self.locks[&(level, name)], mode).await);
            watch.says(&format!("has {name} of level {level}, {mode}"));
            watch.pause().await;
        }
        taken
    }
}

/// Takes all names of a level at once, as the real manager does, but levels in any order.
pub(crate) struct ForgetsLevelOrder {
    levels: Vec<Names>,
}

/// The locks of a level, of either kind.
enum Names {
    Closed(Arc<LockSet<char>>),
    Open(Arc<OpenSet<char>>),
}

impl ForgetsLevelOrder {
    pub(crate) fn new(names: &[char]) -> Self {
        let level = |level| match level {
            OPEN => Names::Open(Arc::default()),
            _ => Names::Closed(Arc::new(LockSet::new(names))),
        };
        Self { levels: (1..=LEVELS).map(level).collect() }
    }
}

impl Manager for ForgetsLevelOrder {
    /// A guard of either kind, in either mode.
    type Taken = Box<dyn Any>;

    fn may(&self, held: &BTreeMap<usize, Self::Taken>, level: usize) -> bool {
        !held.contains_key(&level)
    }

    async fn take(&self, watch: &Watch, level: usize, names: &[char], mode: LockMode) -> Self::Taken {
        watch.touches(level);
        let taken: Self::Taken = match (&self.levels[level - 1], mode) {
            (Names::Closed(set), LockMode::Shared) => Box::new(set.clone().shared_owned(names).await.unwrap()),
            (Names::Closed(set), LockMode::Exclusive) => Box::new(set.clone().exclusive_owned(names).await.unwrap()),
            (Names::Open(set), LockMode::Shared) => Box::new(set.clone().shared_owned(names).await.unwrap()),
            (Names::Open(set), LockMode::Exclusive) => Box::new(set.clone().exclusive_owned(names).await.unwrap()),
        };
        watch.says(&format!("has {names:?} of level {level}, {mode}"));
        taken
    }
}

/// Runs the same programs under another manager. Everything but a request counts as a release.
pub(crate) fn under<M: Manager>(manager: M, programs: &[Program]) -> Scene {
    let (manager, root) = (Rc::new(manager), Arc::<SharedLock>::default());
    let mut scene = Scene::new(1 + LEVELS);
    for program in programs.iter().cloned() {
        let (manager, root) = (Rc::clone(&manager), Arc::clone(&root));
        scene.enter(|watch| run(manager, root, program, watch));
    }
    scene
}

async fn run<M: Manager>(manager: Rc<M>, root: Arc<SharedLock>, program: Program, watch: Rc<Watch>) {
    watch.touches(0);
    let _root = one(&root, program.root).await;
    watch.says("has the root");
    let mut held = BTreeMap::new();
    for (level, verb) in &program.lines {
        watch.pause().await;
        match verb {
            Verb::Acquire(Which::These(names), mode, _) if manager.may(&held, *level) => {
                let taken = manager.take(&watch, *level, names, *mode).await;
                held.insert(*level, taken);
            }
            Verb::Acquire(..) => {
                watch.says(&format!("is refused level {level}"));
                if program.refused == Refused::Ends {
                    break;
                }
            }
            _ => {
                watch.touches(*level);
                drop(held.remove(level));
                watch.says(&format!("has released level {level}"));
            }
        }
    }
    watch.pause().await;
    while let Some(highest) = held.pop_last() {
        drop(highest);
    }
}
