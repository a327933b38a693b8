//! The holders of the whole set, those who wait for it, and what is counted because of them.

use super::line::Line;
use super::terms::{Holders, Place, Tally};
use crate::mode::LockMode;

/// What a queue knows of the whole.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// The requests for the whole; an addition is exclusive.
    pub(super) line: Line,
    /// How many of them wait for all members.
    awaiting_all: usize,
    /// All requests for names, kept only while somebody waits for all members.
    pub(super) names: Line,
    /// The right to keep others from adding, and from holding the whole.
    pub(super) held: Holders,
    /// The holders of all members, which do not know of them.
    pub(super) every: Holders,
    /// The holds of single members, while the set is gated.
    single: Option<Tally>,
}

impl Whole {
    /// Whether all requests must come through the queue, and all holds go back there.
    pub(crate) fn is_gated(&self) -> bool {
        self.awaiting_all > 0 || self.every.any()
    }

    /// The gate is closed from now on, with so many holds of single members.
    pub(crate) fn gated(&mut self, single: Tally) {
        self.single = Some(single);
    }

    /// The gate is to be opened, if it is closed and nobody needs it.
    pub(crate) fn ungated(&mut self) -> bool {
        !self.is_gated() && self.single.take().is_some()
    }

    /// Counts on, while the set is gated.
    pub(super) fn count(&mut self, change: impl FnOnce(&mut Tally)) {
        if let Some(single) = &mut self.single {
            change(single);
        }
    }

    /// The holds of single members, if they are counted.
    pub(super) fn single(&self) -> Option<Tally> {
        self.single
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.awaiting_all > 0
    }

    /// A request for all members takes its place. True if it is the only one: then `names` is to be filled.
    pub(super) fn await_all(&mut self, mode: LockMode, place: Place) -> bool {
        self.line.insert(mode, place);
        self.awaiting_all += 1;
        self.awaiting_all == 1
    }

    /// A request for all members leaves.
    pub(super) fn leave_all(&mut self, mode: LockMode, place: Place) {
        self.line.remove(mode, place);
        self.awaiting_all -= 1;
        if self.awaiting_all == 0 {
            self.names = Line::default();
        }
    }
}
