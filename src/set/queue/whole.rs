//! The holders of the whole set, the requests for it, and what is counted because of them.

use super::line::Line;
use super::terms::{Holders, Place, Tally};
use crate::mode::LockMode;

/// The part of a queue that is about the whole.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// The requests for the whole; an addition is exclusive.
    pub(super) line: Line,
    /// How many of them are for all members.
    awaiting_all: usize,
    /// All requests for names, kept only while a request waits for all members.
    pub(super) names: Line,
    /// The holders of the whole, with or without the members. They keep others from adding; an exclusive one keeps
    /// others from holding the whole, too.
    pub(super) held: Holders,
    /// The holders of all members together. The words of the members do not show them.
    pub(super) every: Holders,
    /// The number of holds of single members, while the set is gated.
    single: Option<Tally>,
}

impl Whole {
    /// Whether all requests must come through the queue, and all holds go back there.
    pub(crate) fn is_gated(&self) -> bool {
        self.is_awaited() || self.every.any()
    }

    /// Notes that the gate has been closed, with this number of holds of single members.
    pub(crate) fn gated(&mut self, single: Tally) {
        self.single = Some(single);
    }

    /// Whether the gate is to be opened: it is closed and no longer needed. True once.
    pub(crate) fn ungated(&mut self) -> bool {
        !self.is_gated() && self.single.take().is_some()
    }

    /// Changes the number of holds of single members, if they are counted.
    pub(super) fn count(&mut self, change: impl FnOnce(&mut Tally)) {
        if let Some(single) = &mut self.single {
            change(single);
        }
    }

    /// The number of holds of single members, if they are counted.
    pub(super) fn single(&self) -> Option<Tally> {
        self.single
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.awaiting_all > 0
    }

    /// Gives a request for all members its place. True if it is the only one: then `names` is to be filled.
    pub(super) fn await_all(&mut self, mode: LockMode, place: Place) -> bool {
        self.line.insert(mode, place);
        self.awaiting_all += 1;
        self.awaiting_all == 1
    }

    /// Takes out a request for all members.
    pub(super) fn leave_all(&mut self, mode: LockMode, place: Place) {
        self.line.remove(mode, place);
        self.awaiting_all -= 1;
        if self.awaiting_all == 0 {
            self.names = Line::default();
        }
    }
}
