//! The names that were waited for the longest.
//!
//! A request that has waited adds its time when the wait ends, however it ends, to the names that were in its way when
//! it began to wait. A request that does not wait comes nowhere near this.

use super::Locks;
use crate::clock::Moment;
use crate::level::{Hierarchy, Sets as _};
use crate::panics::Panics;
use crate::set::SlotNumber;
use crate::table::HotName;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many names are counted.
const COUNTED: usize = 64;

/// The waits at a name: how many, and how long in all.
type Heat = (u64, Duration);

/// The names of a manager for which requests have waited the longest: at most [`COUNTED`]. A name that finds no room
/// takes the place, and the figures, of the one with the least (the "space-saving" count): so no figure is too low.
#[derive(Debug, Default)]
pub(super) struct HotNames {
    names: Mutex<HashMap<(usize, Option<String>), Heat>>,
}

impl HotNames {
    fn add(&self, level: usize, name: Option<String>, waited: Duration) {
        let mut names = self.names();
        let name = (level, name);
        let mut before = Heat::default();
        let mut left = None; // Dropped when this is unlocked.
        if names.len() >= COUNTED && !names.contains_key(&name) {
            let least = names.iter().min_by_key(|(_, (_, waited))| *waited).map(|(name, _)| name.clone());
            if let Some((name, heat)) = least.and_then(|name| names.remove_entry(&name)) {
                (left, before) = (Some(name), heat);
            }
        }
        let (waits, all) = names.entry(name).or_insert(before);
        (*waits, *all) = (*waits + 1, *all + waited);
        drop(names);
        drop(left);
    }

    /// All of them, the longest first.
    pub(super) fn list(&self, levels: &[&'static str]) -> Vec<HotName> {
        let names: Vec<_> = self.names().iter().map(|(name, heat)| (name.clone(), *heat)).collect();
        let hot_name = |((level, name), (waits, waited))| HotName { level: levels[level], name, waits, waited };
        let mut list: Vec<HotName> = names.into_iter().map(hot_name).collect();
        list.sort_by(|one, other| {
            let order = |hot: &HotName| (Reverse(hot.waited), levels.iter().position(|level| *level == hot.level));
            order(one).cmp(&order(other)).then_with(|| one.name.cmp(&other.name))
        });
        list
    }

    fn names(&self) -> MutexGuard<'_, HashMap<(usize, Option<String>), Heat>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The locks of a manager, to which delays are told.
pub(super) trait Delayed: Send + Sync {
    /// The names in the way of a request that waits, or its first names if only other requests are.
    fn in_the_way_of(&self, level: usize, ticket: u64) -> SmallVec<[SlotNumber; 4]>;

    /// Notes a delay by these names, or by the whole of the level.
    fn delayed(&self, level: usize, by: &[SlotNumber], waited: Duration);
}

impl<H: Hierarchy> Delayed for Locks<H> {
    fn in_the_way_of(&self, level: usize, ticket: u64) -> SmallVec<[SlotNumber; 4]> {
        self.sets.at(level).map_or_else(SmallVec::new, |set| set.in_the_way_of(ticket))
    }

    fn delayed(&self, level: usize, by: &[SlotNumber], waited: Duration) {
        let Some(set) = self.sets.at(level).filter(|_| !by.is_empty()) else {
            return self.hot.add(level, None, waited);
        };
        for number in by {
            // A name that cannot be shown is not counted: the request has nothing to do with that.
            let mut name = None;
            Panics::forgetting(|| name = set.name_of(*number));
            if name.is_some() {
                self.hot.add(level, name, waited);
            }
        }
    }
}

/// The delay of a request that waits. Dropping this ends it.
pub struct Delay {
    locks: Arc<dyn Delayed>,
    level: usize,
    by: SmallVec<[SlotNumber; 4]>,
    since: Moment,
}

impl Delay {
    pub(super) fn begin(locks: Arc<dyn Delayed>, level: usize, ticket: u64) -> Self {
        let by = locks.in_the_way_of(level, ticket);
        Self { locks, level, by, since: Moment::now() }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        let waited = self.since.until(Moment::now());
        if !waited.is_zero() {
            self.locks.delayed(self.level, &self.by, waited);
        }
    }
}

impl std::fmt::Debug for Delay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delay").field("since", &self.since).finish_non_exhaustive()
    }
}
