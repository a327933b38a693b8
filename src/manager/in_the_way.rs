//! Who is in the way of a request whose time is up.
//!
//! An error names them. So this is asked whenever a deadline passes, perhaps by many at once: it reads the records, and
//! makes no table.

use super::LockManager;
use super::record::{HoldCopy, NamesCopy};
use crate::clock::Moment;
use crate::level::{Hierarchy, Sets as _};
use crate::mode::LockMode;
use crate::set::{Reach, SlotNumber, conflicts};
use crate::table::Holder;
use std::cmp::Reverse;

/// The most holders that are named.
const NAMED: usize = 3;

impl<H: Hierarchy> LockManager<H> {
    /// The sessions that hold what the request of this ticket waits for, longest first: at most three. The mode is that
    /// of a request for the root; above, the queue knows it.
    pub(super) fn in_the_way(&self, level: usize, mode: LockMode, ticket: u64) -> Vec<Holder> {
        let (mode, reach, numbers) = match self.locks.sets.at(level).map(|set| set.asked(ticket)) {
            None => (mode, Reach::Every, Vec::new()),
            Some(None) => return Vec::new(), // It is granted.
            Some(Some(asked)) => asked,
        };
        let is_in_the_way = |hold: &&HoldCopy| {
            let meets = match (&hold.names, reach) {
                (NamesCopy::Whole, _) | (_, Reach::Every) => true,
                (_, Reach::Addition) => false,
                (names, Reach::Names) => names.slots().iter().any(|number: &SlotNumber| numbers.contains(number)),
            };
            hold.level == level && conflicts(hold.mode, mode) && meets
        };
        let now = Moment::now();
        let mut holders = Vec::new();
        // Most sessions are in no one's way: many may ask at once, when many give up.
        for flow in self.locks.flows.those(|record| record.is_held(level)) {
            let copied = flow.record.copy_soon();
            if let Some(hold) = copied.holds.iter().find(is_in_the_way) {
                let (label, held) = (flow.label.clone().into_owned(), hold.since.until(now));
                holders.push(Holder { label, mode: hold.mode, held, place: hold.place });
            }
        }
        holders.sort_by_key(|holder| Reverse(holder.held));
        holders.truncate(NAMED);
        holders
    }
}
