//! Which names exist, and the member of each: hash tables, in shards.
//!
//! A table knows names by their hashes only. A name is hashed before its shard is locked, the member is found by the
//! hash, and the names are compared when the shard is free again: so no code of theirs runs under a lock of ours, and a
//! table grows without asking them. A name that lies about its hash or its equals may not be found, or be there twice.
//! No more can come of it.

use super::fault;
use super::member::Entry;
use super::names::Name;
use super::queue::Members;
use crate::lock::Panics;
use crate::sync::{RwLock, SHARDS};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use smallvec::SmallVec;
use std::hash::{BuildHasher, Hash};
use std::mem;
use std::sync::{Arc, PoisonError};

#[cfg(not(any(lockladder_loom, lockladder_shuttle)))]
pub(crate) type Hashing = hashbrown::DefaultHashBuilder;

/// A model has to take the same course each time.
#[cfg(any(lockladder_loom, lockladder_shuttle))]
pub(crate) type Hashing = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// All members of a set.
#[derive(Debug)]
pub(crate) struct Directory<K, T> {
    hashing: Hashing,
    shards: Box<[Shard<K, T>]>,
}

/// A cache line of its own: whoever looks a name up writes to the lock of its shard.
#[derive(Debug)]
#[repr(align(64))]
struct Shard<K, T>(RwLock<HashTable<Slot<K, T>>>);

#[derive(Debug)]
struct Slot<K, T> {
    tag: u64,
    entry: Arc<Entry<K, T>>,
}

impl<K, T> Directory<K, T> {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Shard(RwLock::new(HashTable::new()))).collect();
        Self { hashing: Hashing::default(), shards }
    }

    /// The hash by which a name is known here.
    pub(crate) fn tag(&self, name: &(impl Hash + ?Sized)) -> u64 {
        self.hashing.hash_one(name)
    }

    pub(crate) fn tag_of(&self, name: &impl Name<K>) -> u64 {
        name.tag(&self.hashing)
    }

    /// The member of this name.
    #[inline]
    pub(crate) fn find<N: Name<K>>(&self, name: &N) -> Option<Arc<Entry<K, T>>> {
        let tag = self.tag_of(name);
        let first =
            self.read(tag, |table| table.find(tag, |slot| slot.tag == tag).map(|slot| Arc::clone(&slot.entry)))?;
        if name.is(&first.name) { Some(first) } else { self.find_among_tagged(tag, name) }
    }

    #[cold]
    fn find_among_tagged(&self, tag: u64, name: &impl Name<K>) -> Option<Arc<Entry<K, T>>> {
        self.all_tagged(tag).into_iter().find(|entry| name.is(&entry.name))
    }

    /// Those few whose names have the same hash.
    fn all_tagged(&self, tag: u64) -> Vec<Arc<Entry<K, T>>> {
        self.read(tag, |table| {
            table.iter_hash(tag).filter(|slot| slot.tag == tag).map(|slot| Arc::clone(&slot.entry)).collect()
        })
    }

    /// Adds a member whose name does not exist.
    pub(crate) fn insert(&self, entry: Arc<Entry<K, T>>) {
        self.write(entry.tag, |table| insert(table, entry));
    }

    /// Takes a member out.
    pub(crate) fn remove(&self, entry: &Arc<Entry<K, T>>) -> Option<Arc<Entry<K, T>>> {
        self.write(entry.tag, |table| remove(table, entry))
    }

    /// A copy of the whole directory, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Entry<K, T>>> {
        let mut all = Vec::new();
        for shard in 0..self.shards.len() {
            self.each_of(shard, |entry| all.push(Arc::clone(entry)));
        }
        all
    }

    /// Some of those that `are_meant`, up to so many.
    pub(crate) fn some(&self, most: usize, are_meant: impl Fn(&Entry<K, T>) -> bool) -> Vec<Arc<Entry<K, T>>> {
        let mut some = Vec::new();
        for shard in &self.shards {
            let table = shard.0.read().unwrap_or_else(PoisonError::into_inner);
            let meant = table.iter().map(|slot| &slot.entry).filter(|entry| are_meant(entry));
            some.extend(meant.take(most - some.len()).cloned());
        }
        some
    }

    pub(crate) fn len(&self) -> usize {
        let len = |shard: &Shard<K, T>| shard.0.read().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(len).sum()
    }

    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Shows each member of one shard; returns how many there are. The shard is locked meanwhile.
    pub(crate) fn each_of(&self, shard: usize, mut show: impl FnMut(&Arc<Entry<K, T>>)) -> usize {
        let table = self.shards[shard].0.read().unwrap_or_else(PoisonError::into_inner);
        table.iter().for_each(|slot| show(&slot.entry));
        table.len()
    }

    fn shard(&self, tag: u64) -> &Shard<K, T> {
        // The tables use the lowest and the highest bits.
        let middle = (tag >> 32) as u32 as usize;
        &self.shards[middle % SHARDS]
    }

    fn read<R>(&self, tag: u64, look: impl FnOnce(&HashTable<Slot<K, T>>) -> R) -> R {
        look(&self.shard(tag).0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, tag: u64, change: impl FnOnce(&mut HashTable<Slot<K, T>>) -> R) -> R {
        change(&mut self.shard(tag).0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// For sets whose names exist while somebody knows them.
///
/// A member is known to the directory and to whoever has a clone of its `Arc`. Clones are made from the directory, under
/// the lock of the shard, or from another clone; each is given back by [`forget`](Self::forget), under the lock of the
/// shard. So a member that two know there, the directory and who forgets it, is known to nobody else, and nobody can come
/// to know it: it goes. Two members of one name are never there at once.
impl<K: Hash + Eq, T> Directory<K, T> {
    /// Adds the member of this name to `found`, new if there is none: before anything is dropped, as that may panic.
    pub(crate) fn find_or_insert(&self, name: K, fresh: fn() -> T, found: &mut Members<Arc<Entry<K, T>>>) {
        let tag = self.tag(&name);
        let value = fresh(); // Foreign code, so it runs before the shard is locked.
        let first = self.write(tag, |table| match table.entry(tag, |slot| slot.tag == tag, |slot| slot.tag) {
            Place::Occupied(slot) => Err((Arc::clone(&slot.get().entry), name, value)),
            Place::Vacant(place) => {
                let entry = Arc::new(Entry::new(tag, name, value, None));
                place.insert(Slot { tag, entry: Arc::clone(&entry) });
                Ok(entry)
            }
        });
        match first {
            Ok(entry) => found.push(entry),
            Err((entry, name, value)) => self.find_or_insert_other(entry, name, value, found),
        }
    }

    /// The member of this name; when this one, of the same hash, is known.
    fn find_or_insert_other(&self, first: Arc<Entry<K, T>>, name: K, value: T, found: &mut Members<Arc<Entry<K, T>>>) {
        let tag = first.tag;
        let mut new = Some((name, value));
        let mut known = Known { directory: self, entries: SmallVec::new() }; // All of this hash that were looked at.
        known.entries.push(first);
        loop {
            if known.last_is(new.as_ref().map(|(name, _)| name)) {
                found.extend(known.entries.pop());
                return;
            }
            let next = self.write(tag, |table| {
                let is_unknown = |slot: &&Slot<K, T>| slot.tag == tag && !known.has(&slot.entry);
                if let Some(slot) = table.iter_hash(tag).find(is_unknown) {
                    return Ok(Arc::clone(&slot.entry));
                }
                let Some((name, value)) = new.take() else { unreachable!("it is made into a member once") };
                let entry = Arc::new(Entry::new(tag, name, value, None));
                insert(table, Arc::clone(&entry));
                Err(entry)
            });
            match next {
                Err(made) => return found.push(made),
                Ok(other) => known.entries.push(other),
            }
        }
    }

    /// Gives back what somebody knew of members, last of all their own destructors.
    pub(crate) fn forget(&self, members: impl IntoIterator<Item = Arc<Entry<K, T>>>, panics: &mut Panics) {
        for entry in members {
            let gone = self.write(entry.tag, |table| {
                let known = if fault::NAME_DROPPED_EARLY { 3 } else { 2 };
                let gone = if Arc::strong_count(&entry) <= known { remove(table, &entry) } else { None };
                drop(entry); // Not the last: the directory has it, or `gone`.
                gone
            });
            panics.catch(|| drop(gone));
        }
    }
}

/// Members that are forgotten in the end, even if the comparison of their names panics.
struct Known<'a, K: Hash + Eq, T> {
    directory: &'a Directory<K, T>,
    entries: SmallVec<[Arc<Entry<K, T>>; 1]>,
}

impl<K: Hash + Eq, T> Known<'_, K, T> {
    fn has(&self, entry: &Arc<Entry<K, T>>) -> bool {
        self.entries.iter().any(|known| Arc::ptr_eq(known, entry))
    }

    fn last_is(&self, name: Option<&K>) -> bool {
        self.entries.last().is_some_and(|entry| Some(&entry.name) == name)
    }
}

impl<K: Hash + Eq, T> Drop for Known<'_, K, T> {
    fn drop(&mut self) {
        Panics::defer(|panics| self.directory.forget(mem::take(&mut self.entries), panics));
    }
}

fn insert<K, T>(table: &mut HashTable<Slot<K, T>>, entry: Arc<Entry<K, T>>) {
    table.insert_unique(entry.tag, Slot { tag: entry.tag, entry }, |slot| slot.tag);
}

fn remove<K, T>(table: &mut HashTable<Slot<K, T>>, entry: &Arc<Entry<K, T>>) -> Option<Arc<Entry<K, T>>> {
    let slot = table.find_entry(entry.tag, |slot| Arc::ptr_eq(&slot.entry, entry)).ok()?;
    let (slot, _) = slot.remove();
    shrink(table);
    Some(slot.entry)
}

/// Gives space back when names have gone, at most once for as many as are left: names that are gone cost nothing.
fn shrink<K, T>(table: &mut HashTable<Slot<K, T>>) {
    const SMALL: usize = 64;
    let (capacity, len) = (table.capacity(), table.len());
    if capacity > SMALL && len < capacity / 8 {
        table.shrink_to(len * 2, |slot| slot.tag);
    }
}
