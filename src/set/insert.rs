//! How members come into a set.

use super::core::{Core, KnownMembers};
use super::error::AddError;
use super::names::Key;
use super::queue::Members;
use super::queue::policy::Member;
use super::shards::forget;
use super::sorted;
use crate::lock::Panics;
use crate::mode::LockMode;

impl<K: Key, T> Core<K, T> {
    /// Adds members that are held so from the start, in one step, and are known to the caller, who holds the whole
    /// exclusively. Comparing names runs code of strangers: if that panics, nothing has been added.
    pub(super) fn add(
        &self,
        mut entries: Vec<(K, T)>,
        held: Option<LockMode>,
    ) -> Result<KnownMembers<K, T>, AddError<K>> {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let repeated = entries.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0.clone());
        let repeated = sorted(repeated.collect());
        if !repeated.is_empty() {
            return Err(AddError::Repeated { names: repeated });
        }
        let existing = entries.iter().filter(|(name, _)| self.exists(name)).map(|(name, _)| name.clone());
        let existing: Vec<_> = existing.collect();
        if !existing.is_empty() {
            return Err(AddError::Exists { names: existing });
        }
        let tagged: Vec<_> = entries.into_iter().map(|(name, value)| (self.shards.tag(&name), name, value)).collect();
        Ok(self.insert(tagged, held))
    }

    /// Whether there is a member of this name.
    fn exists(&self, name: &K) -> bool {
        let found = self.shards.find(&name);
        Panics::defer(|panics| forget(found, panics));
        found.is_some()
    }

    fn insert(&self, tagged: Vec<(u64, K, T)>, held: Option<LockMode>) -> KnownMembers<K, T> {
        let mut queue = self.queue();
        let added = tagged.into_iter().map(|(tag, name, value)| self.shards.insert(tag, name, value, held));
        let mut members: Members<_> = added.collect();
        if let Some(mode) = held {
            queue.added(members.len(), mode);
        }
        drop(queue);
        members.sort_unstable_by_key(Member::id);
        members
    }
}
