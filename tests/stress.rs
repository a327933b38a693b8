//! Many tasks on several threads, with cancellations in every state; exclusion is checked through what the locks
//! protect. Finds little that a model would not, but runs the real thing, under a real runtime.
//!
//! Each test prints its seed when it fails.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, LockManager, LockMode, LockSet, SessionError, SetError, SharedLock};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::Poll;
use tokio::task::yield_now;

const TASKS: u64 = 16;
const ROUNDS: u64 = 6_000;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A small generator (xorshift): reproducible, one per task.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }

    fn patience(&mut self, polls: u64) -> Option<u64> {
        Some(self.roll(polls)).filter(|polls| polls % 2 == 0)
    }

    fn names(&mut self) -> Vec<&'static str> {
        let wanted = self.roll(1 << NAMES.len());
        NAMES.iter().enumerate().filter(|(bit, _)| wanted >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }
}

/// Polls a future so many times and drops it if it is still not ready: a cancellation, in whatever state that is.
/// Without a number it waits, as most do.
async fn impatient<F: Future>(future: F, polls: Option<u64>) -> Option<F::Output> {
    let Some(polls) = polls else { return Some(future.await) };
    let mut future = pin!(future);
    for _ in 0..polls {
        let mut once = future.as_mut();
        if let Poll::Ready(output) = poll_fn(|context| Poll::Ready(once.as_mut().poll(context))).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Runs one story per task, and fails with the seed if any of them does.
async fn crowd<F: Future<Output = ()> + Send + 'static>(story: impl Fn(Dice) -> F) {
    let tasks: Vec<_> = (0..TASKS).map(|seed| (seed, tokio::spawn(story(Dice::new(seed + 1))))).collect();
    for (seed, task) in tasks {
        task.await.unwrap_or_else(|error| panic!("the task with seed {seed}: {error}"));
    }
}

/// Notices holders who must not meet: -1 stands for an exclusive one.
#[derive(Default)]
struct Witness(AtomicI64);

impl Witness {
    fn enter(&self, mode: LockMode) {
        let before = match mode {
            LockMode::Shared => self.0.fetch_add(1, Ordering::SeqCst),
            LockMode::Exclusive => -self.0.swap(-1, Ordering::SeqCst).abs(),
        };
        assert!(before >= 0, "{mode} beside another holder: {before}");
    }

    fn leave(&self, mode: LockMode) {
        match mode {
            LockMode::Shared => assert!(self.0.fetch_sub(1, Ordering::SeqCst) > 0, "an exclusive holder came between"),
            LockMode::Exclusive => assert_eq!(self.0.swap(0, Ordering::SeqCst), -1, "somebody came between"),
        }
    }
}

type Witnesses = Arc<BTreeMap<&'static str, Witness>>;

fn witnesses() -> Witnesses {
    Arc::new(NAMES.iter().map(|name| (*name, Witness::default())).collect())
}

/// Is seen at all names for a moment.
async fn be_seen(witnesses: &Witnesses, names: &[&String], mode: LockMode) {
    for name in names {
        witnesses[name.as_str()].enter(mode);
    }
    yield_now().await;
    for name in names {
        witnesses[name.as_str()].leave(mode);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_keeps_its_value_whole() {
    let lock = Arc::new(SharedLock::new((0_u64, 0_u64)));
    let written = Arc::new(AtomicU64::new(0));
    crowd(|mut dice| {
        let (lock, written) = (Arc::clone(&lock), Arc::clone(&written));
        async move {
            for _ in 0..ROUNDS {
                let polls = dice.patience(8);
                if dice.roll(3) > 0 {
                    let Some(guard) = impatient(lock.shared(), polls).await else { continue };
                    let guard = guard.unwrap();
                    assert_eq!(guard.0, guard.1, "a half-written value was seen");
                    continue;
                }
                let Some(guard) = impatient(lock.exclusive(), polls).await else { continue };
                let mut guard = guard.unwrap();
                guard.0 += 1;
                yield_now().await;
                guard.1 += 1;
                written.fetch_add(1, Ordering::Relaxed);
                if dice.roll(4) == 0 {
                    let guard = guard.downgrade();
                    yield_now().await;
                    assert_eq!(guard.0, guard.1, "somebody wrote to a downgraded lock");
                }
            }
        }
    })
    .await;
    let count = written.load(Ordering::Relaxed);
    assert!(count > ROUNDS, "hardly anybody got the lock: {count}");
    assert_eq!(*lock.try_exclusive().unwrap(), (count, count), "an update was lost, or the lock is still held");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_set_keeps_its_names_apart() {
    let set: Arc<LockSet<String>> = Arc::new(LockSet::new(NAMES));
    let witnesses = witnesses();
    crowd(|mut dice| {
        let (set, witnesses) = (Arc::clone(&set), Arc::clone(&witnesses));
        async move {
            for _ in 0..ROUNDS {
                let (names, polls) = (dice.names(), dice.patience(16));
                match dice.roll(10) {
                    0 => {
                        let Some(guard) = impatient(set.shared(All), polls).await else { continue };
                        be_seen(&witnesses, &guard.unwrap().names(), LockMode::Shared).await;
                    }
                    1 => drop(impatient(set.remove(names), polls).await),
                    2 => drop(impatient(set.add(names), polls).await),
                    3..7 => match impatient(set.shared(names), polls).await {
                        Some(Ok(guard)) => be_seen(&witnesses, &guard.names(), LockMode::Shared).await,
                        Some(Err(SetError::Unknown { .. } | SetError::Deleted { .. })) | None => {}
                        Some(Err(error)) => panic!("{error}"),
                    },
                    _ => match impatient(set.exclusive(names), polls).await {
                        Some(Ok(guard)) => be_seen(&witnesses, &guard.names(), LockMode::Exclusive).await,
                        Some(Err(SetError::Unknown { .. } | SetError::Deleted { .. })) | None => {}
                        Some(Err(error)) => panic!("{error}"),
                    },
                }
            }
        }
    })
    .await;
    let all = impatient(set.exclusive(All), Some(1)).await;
    assert!(all.is_some_and(|all| all.unwrap().len() == set.names().len()), "something is still held");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_neither_meet_nor_block_each_other_for_good() {
    let manager: LockManager<Seed> = LockManager::builder().names::<Instance>(NAMES).names::<Node>(NAMES).build();
    let (instances, nodes) = (witnesses(), witnesses());
    crowd(|mut dice| {
        let (manager, instances, nodes) = (manager.clone(), Arc::clone(&instances), Arc::clone(&nodes));
        async move {
            for round in 0..ROUNDS {
                let polls = dice.patience(48);
                let story = session(&manager, &instances, &nodes, &mut dice, round);
                if let Some(Err(error @ SessionError::NotHeld { .. })) = impatient(story, polls).await {
                    panic!("{error}");
                }
            }
        }
    })
    .await;
    let alone = impatient(manager.exclusive("check"), Some(1)).await.expect("the root is still held").unwrap();
    let all = impatient(alone.exclusive::<Instance>(All), Some(1)).await.expect("an instance is still held").unwrap();
    drop(impatient(all.exclusive::<Node>(All), Some(1)).await.expect("a node is still held").unwrap());
}

/// One job: climbs, is seen, and goes; sometimes alone, sometimes removing and adding names. It is seen only between
/// awaits, so that a cancellation does not leave it standing there.
async fn session(
    manager: &LockManager<Seed>,
    instances: &Witnesses,
    nodes: &Witnesses,
    dice: &mut Dice,
    round: u64,
) -> Result<(), SessionError> {
    if dice.roll(40) == 0 {
        let mut alone = manager.exclusive(format!("members, round {round}")).await?;
        let removed = alone.remove::<Instance>(dice.names()).await?;
        return alone.add::<Instance>(removed).await;
    }
    let job = manager.shared("job").await?;
    let mut job = job.exclusive::<Instance>(dice.names()).await?;
    seen(instances, &job.owned::<Instance>().names(), LockMode::Exclusive);
    {
        let inner = job.nest().shared::<Node>(All).await?;
        seen(nodes, &inner.owned::<Node>().names(), LockMode::Shared);
    }
    let job = job.exclusive::<Node>(dice.names()).await?;
    seen(nodes, &job.owned::<Node>().names(), LockMode::Exclusive);
    let job = job.downgrade::<Instance>();
    yield_now().await;
    seen(instances, &job.owned::<Instance>().names(), LockMode::Shared);
    let job = job.release::<Instance>();
    yield_now().await;
    seen(nodes, &job.owned::<Node>().names(), LockMode::Exclusive);
    Ok(())
}

fn seen(witnesses: &Witnesses, names: &[&String], mode: LockMode) {
    for name in names {
        witnesses[name.as_str()].enter(mode);
    }
    for name in names {
        witnesses[name.as_str()].leave(mode);
    }
}
