//! Many tasks on several threads, with cancellations in every state; what the locks protect shows whether they exclude.
//! This finds little that a model would not, but it runs the real code under a real runtime.
//!
//! A test that fails prints the seed of the task that failed; the seeds are the same in each run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{All, LockManager, LockMode, LockSet, SessionError, SetError, SharedLock};
use lockladder_test_support::dice::Dice;
use lockladder_test_support::patience::polls;
use lockladder_test_support::rooms::Room;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::yield_now;

const TASKS: u64 = 16;
const ROUNDS: u64 = 6_000;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// How often a task polls before it gives up; half of the time it never does.
fn patience(dice: &mut Dice, polls: usize) -> Option<usize> {
    Some(dice.below(polls)).filter(|polls| polls % 2 == 0)
}

fn names(dice: &mut Dice) -> Vec<&'static str> {
    let wanted = dice.below(1 << NAMES.len());
    NAMES.iter().enumerate().filter(|(bit, _)| wanted >> bit & 1 == 1).map(|(_, name)| *name).collect()
}

/// Polls a future `times` times, then drops it if it is still not ready: a cancellation, in any state. With `None`,
/// awaits the future.
async fn impatient<F: Future>(future: F, times: Option<usize>) -> Option<F::Output> {
    match times {
        Some(times) => polls(pin!(future), times, yield_now).await,
        None => Some(future.await),
    }
}

/// Runs the story in each task; if one fails, fails with its seed.
async fn crowd<F: Future<Output = ()> + Send + 'static>(story: impl Fn(Dice) -> F) {
    let tasks: Vec<_> = (0..TASKS).map(|seed| (seed, tokio::spawn(story(Dice::new(seed + 1))))).collect();
    for (seed, task) in tasks {
        task.await.unwrap_or_else(|error| panic!("the task with seed {seed}: {error}"));
    }
}

/// A room for each name.
type Rooms = Arc<BTreeMap<&'static str, Room>>;

fn rooms() -> Rooms {
    Arc::new(NAMES.iter().map(|name| (*name, Room::default())).collect())
}

/// Stays in the rooms of these names for a moment.
async fn be_seen(rooms: &Rooms, names: &[&String], mode: LockMode) {
    for name in names {
        rooms[name.as_str()].enter(mode, name);
    }
    yield_now().await;
    for name in names {
        rooms[name.as_str()].leave(mode, name);
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
                let polls = patience(&mut dice, 8);
                if dice.below(3) > 0 {
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
                if dice.once_in(4) {
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
    let rooms = rooms();
    crowd(|mut dice| {
        let (set, rooms) = (Arc::clone(&set), Arc::clone(&rooms));
        async move {
            for _ in 0..ROUNDS {
                let (names, polls) = (names(&mut dice), patience(&mut dice, 16));
                match dice.below(10) {
                    0 => {
                        let Some(guard) = impatient(set.shared(All), polls).await else { continue };
                        be_seen(&rooms, &guard.unwrap().names(), LockMode::Shared).await;
                    }
                    1 => drop(impatient(set.remove(names), polls).await),
                    2 => drop(impatient(set.add(names), polls).await),
                    3..7 => match impatient(set.shared(names), polls).await {
                        Some(Ok(guard)) => be_seen(&rooms, &guard.names(), LockMode::Shared).await,
                        Some(Err(SetError::Unknown { .. } | SetError::Deleted { .. })) | None => {}
                        Some(Err(error)) => panic!("{error}"),
                    },
                    _ => match impatient(set.exclusive(names), polls).await {
                        Some(Ok(guard)) => be_seen(&rooms, &guard.names(), LockMode::Exclusive).await,
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
    let (instances, nodes) = (rooms(), rooms());
    crowd(|mut dice| {
        let (manager, instances, nodes) = (manager.clone(), Arc::clone(&instances), Arc::clone(&nodes));
        async move {
            for round in 0..ROUNDS {
                let polls = patience(&mut dice, 48);
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

/// One job: it climbs, enters rooms, and leaves; now and then it holds the root alone instead, and removes and adds
/// names. It is in a room only between awaits, so that a cancellation does not leave it there.
async fn session(
    manager: &LockManager<Seed>,
    instances: &Rooms,
    nodes: &Rooms,
    dice: &mut Dice,
    round: u64,
) -> Result<(), SessionError> {
    if dice.once_in(40) {
        let mut alone = manager.exclusive(format!("members, round {round}")).await?;
        let removed = alone.remove::<Instance>(names(dice)).await?;
        return alone.add::<Instance>(removed).await;
    }
    let job = manager.shared("job").await?;
    let mut job = job.exclusive::<Instance>(names(dice)).await?;
    seen(instances, &job.owned::<Instance>().names(), LockMode::Exclusive);
    {
        let inner = job.nest().shared::<Node>(All).await?;
        seen(nodes, &inner.owned::<Node>().names(), LockMode::Shared);
    }
    let job = job.exclusive::<Node>(names(dice)).await?;
    seen(nodes, &job.owned::<Node>().names(), LockMode::Exclusive);
    let job = job.downgrade::<Instance>();
    yield_now().await;
    seen(instances, &job.owned::<Instance>().names(), LockMode::Shared);
    let job = job.release::<Instance>();
    yield_now().await;
    seen(nodes, &job.owned::<Node>().names(), LockMode::Exclusive);
    Ok(())
}

fn seen(rooms: &Rooms, names: &[&String], mode: LockMode) {
    for name in names {
        rooms[name.as_str()].enter(mode, name);
    }
    for name in names {
        rooms[name.as_str()].leave(mode, name);
    }
}
