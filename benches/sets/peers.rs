//! The peers. An adapter is a few lines; [`all`] says which peer takes part in what.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use dashmap::DashMap;
use keyed_lock::r#async::KeyedLock;
use lockable::LockPool;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use crate::comparison::contender::OURS;
use crate::contender::Contender;
use crate::rows::{HAND_MADE, KEYED_LOCK, LOCKABLE};
use crate::verbs::{Changing, Named, Several};

/// All contenders. The floor cannot wait, and its members never change.
pub(crate) fn all() -> Vec<Contender> {
    vec![
        Contender::ours(OURS, "lockladder"),
        Contender::resident::<HandMade>(HAND_MADE, "tokio"),
        Contender::resident::<OverDashMap>("hand-made, DashMap", "dashmap"),
        Contender::pool::<LockPool<String>>(LOCKABLE, "lockable"),
        Contender::pool::<KeyedLock<String>>(KEYED_LOCK, "keyed-lock"),
        Contender::floor::<Floor>("map + compare-exchange", "hashbrown"),
    ]
}

/// One lock of a hand-made set.
type Member = Arc<RwLock<()>>;

/// Acquires the members one by one in name order, so that no deadlock can arise.
async fn in_order(mut members: Vec<(&str, Member)>) -> Vec<OwnedRwLockWriteGuard<()>> {
    members.sort_unstable_by_key(|(name, _)| *name);
    let mut held = Vec::with_capacity(members.len());
    for (_, member) in members {
        held.push(member.write_owned().await);
    }
    held
}

/// A hand-made set, first attempt: a map behind a mutex.
#[derive(Debug)]
pub(crate) struct HandMade {
    members: Mutex<HashMap<String, Member>>,
}

impl HandMade {
    fn members(&self) -> MutexGuard<'_, HashMap<String, Member>> {
        self.members.lock().expect("nobody panics with the map locked")
    }
}

impl Named for HandMade {
    fn of(names: impl Iterator<Item = String>) -> Self {
        Self { members: Mutex::new(names.map(|name| (name, Member::default())).collect()) }
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        let member = Arc::clone(&self.members()[name]);
        member.write_owned()
    }
}

impl Several for HandMade {
    fn several(&self, names: &[&str]) -> impl Future<Output: Send> + Send {
        let members = {
            let members = self.members();
            names.iter().map(|name| (*name, Arc::clone(&members[*name]))).collect()
        };
        in_order(members)
    }
}

impl Changing for HandMade {
    async fn add(&self, name: String) {
        self.members().insert(name, Member::default());
    }

    async fn remove(&self, name: &str) {
        let member = Arc::clone(&self.members()[name]);
        let _alone = member.write_owned().await;
        let removed = self.members().remove(name);
        drop(removed);
    }
}

/// A hand-made set, second attempt: a concurrent map.
#[derive(Debug)]
pub(crate) struct OverDashMap {
    members: DashMap<String, Member>,
}

impl OverDashMap {
    fn member(&self, name: &str) -> Member {
        Arc::clone(&self.members.get(name).expect("all names are there"))
    }
}

impl Named for OverDashMap {
    fn of(names: impl Iterator<Item = String>) -> Self {
        Self { members: names.map(|name| (name, Member::default())).collect() }
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        let member = self.member(name);
        member.write_owned()
    }
}

impl Several for OverDashMap {
    fn several(&self, names: &[&str]) -> impl Future<Output: Send> + Send {
        in_order(names.iter().map(|name| (*name, self.member(name))).collect())
    }
}

impl Changing for OverDashMap {
    async fn add(&self, name: String) {
        self.members.insert(name, Member::default());
    }

    async fn remove(&self, name: &str) {
        let member = self.member(name);
        let _alone = member.write_owned().await;
        let removed = self.members.remove(name);
        drop(removed);
    }
}

impl Named for LockPool<String> {
    fn of(_: impl Iterator<Item = String>) -> Self {
        Self::new()
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        self.async_lock(name.to_owned())
    }
}

impl Named for KeyedLock<String> {
    fn of(_: impl Iterator<Item = String>) -> Self {
        Self::new()
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        self.lock(name.to_owned())
    }
}

/// The least that a named lock can do: one look-up in a map that never changes, one exchange to take the lock, one
/// store to give it back. Spins if it is taken.
#[derive(Debug)]
pub(crate) struct Floor {
    members: hashbrown::HashMap<String, AtomicBool>,
}

/// Gives the lock back when dropped.
struct Held<'a> {
    word: &'a AtomicBool,
}

impl Named for Floor {
    fn of(names: impl Iterator<Item = String>) -> Self {
        Self { members: names.map(|name| (name, AtomicBool::new(false))).collect() }
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        let word = &self.members[name];
        while word.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spin_loop();
        }
        ready(Held { word })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.word.store(false, Ordering::Release);
    }
}
