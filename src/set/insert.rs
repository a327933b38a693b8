//! Adding members to a set.

use super::core::{Core, MemberRefs};
use super::error::AddError;
use super::names::Key;
use super::queue::Member;
use super::queue::{Effects, Members};
use super::shards::forget;
use super::sorted;
use crate::mode::LockMode;
use crate::panics::Panics;

impl<K: Key, T> Core<K, T> {
    /// Adds members in one step, held in mode `held` from the start, and returns them pinned. The caller holds the
    /// whole exclusively. Comparing names is foreign code; if it panics, nothing has been added.
    pub(super) fn add(
        &self,
        mut entries: Vec<(K, T)>,
        held: Option<LockMode>,
        panics: &mut Panics,
    ) -> Result<MemberRefs<K, T>, AddError<K>> {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(error) = self.why_not(&entries) {
            panics.catch(|| drop(entries)); // Foreign code: before the error is returned.
            return Err(error);
        }
        let tagged: Vec<_> = entries.into_iter().map(|(name, value)| (self.shards.tag(&name), name, value)).collect();
        Ok(self.insert(tagged, held, panics))
    }

    /// Why these sorted entries cannot be added, if so.
    fn why_not(&self, entries: &[(K, T)]) -> Option<AddError<K>> {
        let repeated = entries.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0.clone());
        let repeated = sorted(repeated.collect());
        if !repeated.is_empty() {
            return Some(AddError::Repeated { names: repeated });
        }
        let existing = entries.iter().filter(|(name, _)| self.exists(name)).map(|(name, _)| name.clone());
        let existing: Vec<_> = existing.collect();
        (!existing.is_empty()).then_some(AddError::Exists { names: existing })
    }

    /// Whether there is a member of this name.
    fn exists(&self, name: &K) -> bool {
        let found = self.shards.find(&name);
        Panics::defer(|panics| forget(found, panics));
        found.is_some()
    }

    fn insert(&self, tagged: Vec<(u64, K, T)>, held: Option<LockMode>, panics: &mut Panics) -> MemberRefs<K, T> {
        self.change(panics, |queue| {
            let added = tagged.into_iter().map(|(tag, name, value)| self.shards.insert(tag, name, value, held));
            let mut members: Members<_> = added.collect();
            members.sort_unstable_by_key(Member::id);
            let effects = held.map_or_else(Effects::none, |mode| queue.added(members.len(), mode));
            (members, effects)
        })
    }
}
