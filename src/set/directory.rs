//! Which names exist, and the lock of each.
//!
//! A name leaves the directory only while its lock is held exclusively by whoever removes it, and that lock is deleted
//! right after: so a lock found here is either alive, or about to tell its waiters that it is gone.

use crate::lock::SharedLock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One named lock.
#[derive(Debug)]
pub(crate) struct Member<K> {
    pub(crate) name: Arc<K>,
    pub(crate) lock: Arc<SharedLock>,
}

impl<K> Member<K> {
    pub(crate) fn new(name: K) -> Self {
        Self { name: Arc::new(name), lock: Arc::new(SharedLock::new(())) }
    }
}

impl<K> Clone for Member<K> {
    fn clone(&self) -> Self {
        Self { name: Arc::clone(&self.name), lock: Arc::clone(&self.lock) }
    }
}

/// All members, in name order.
#[derive(Debug)]
pub(crate) struct Directory<K> {
    members: Mutex<BTreeMap<Arc<K>, Arc<SharedLock>>>,
}

impl<K: Ord> Directory<K> {
    pub(crate) fn new(names: impl Iterator<Item = K>) -> Self {
        let members = names.map(Member::new).map(|member| (member.name, member.lock)).collect();
        Self { members: Mutex::new(members) }
    }

    /// The members of these names, in the order given; `None` where there is no such name.
    pub(crate) fn find(&self, names: &[K]) -> Vec<Option<Member<K>>> {
        let members = self.members();
        let find = |name| members.get_key_value(name);
        let member =
            |(name, lock): (&Arc<K>, &Arc<SharedLock>)| Member { name: Arc::clone(name), lock: Arc::clone(lock) };
        names.iter().map(|name| find(name).map(member)).collect()
    }

    /// A copy of all members, in name order.
    pub(crate) fn all(&self) -> Vec<Member<K>> {
        let members = self.members();
        members.iter().map(|(name, lock)| Member { name: Arc::clone(name), lock: Arc::clone(lock) }).collect()
    }

    /// Inserts all of them in one step; or none, and returns those whose names exist.
    pub(crate) fn insert(&self, new: &[Member<K>]) -> Result<(), Vec<Member<K>>> {
        let mut members = self.members();
        let existing: Vec<_> = new.iter().filter(|member| members.contains_key(&member.name)).cloned().collect();
        if !existing.is_empty() {
            return Err(existing);
        }
        for Member { name, lock } in new {
            members.insert(Arc::clone(name), Arc::clone(lock));
        }
        Ok(())
    }

    /// Removes all of them in one step. The caller holds their locks exclusively.
    pub(crate) fn remove(&self, names: &[Arc<K>]) {
        let mut members = self.members();
        let removed: Vec<_> = names.iter().map(|name| members.remove_entry(name)).collect();
        drop(members);
        drop(removed); // Keys may have destructors of their own: none runs under the lock.
    }

    /// A panic in the `Ord` of a key can poison the mutex, but leaves the map whole: each change is one insertion or
    /// removal, and a search changes nothing.
    fn members(&self) -> MutexGuard<'_, BTreeMap<Arc<K>, Arc<SharedLock>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
