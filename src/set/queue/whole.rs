//! Who holds or awaits the whole, and what that means for single members.

use super::line::Line;
use super::pass::Pass;
use super::policy::{Member, Place};
use super::{Effects, Queue};
use crate::mode::LockMode;
use crate::priority::Priority;

/// How many holds there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// As many as members, at most.
    pub(crate) exclusive: usize,
    /// Guards that are forgotten count, too: on 32 bits there can be more than a word counts.
    pub(crate) shared: u64,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, mode: LockMode) {
        match mode {
            LockMode::Shared => self.shared += 1,
            LockMode::Exclusive => self.exclusive += 1,
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, mode: LockMode) {
        match mode {
            LockMode::Shared => self.shared -= 1,
            LockMode::Exclusive => self.exclusive -= 1,
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { exclusive: self.exclusive + other.exclusive, shared: self.shared + other.shared }
    }

    fn minus(self, other: Self) -> Self {
        Self { exclusive: self.exclusive - other.exclusive, shared: self.shared - other.shared }
    }

    /// Whether these leave room for somebody who touches all that is counted.
    fn has_room(self, mode: LockMode) -> bool {
        self.exclusive == 0 && (mode == LockMode::Shared || self.shared == 0)
    }
}

impl<M: Member> Queue<M> {
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

    /// Whether all members have room.
    pub(crate) fn everything_has_room(&self, mode: LockMode) -> bool {
        self.single.is_some_and(|single| single.has_room(mode))
    }

    /// Whether members other than these are held so that they exclude `mode`.
    pub(crate) fn is_held_beside(&self, members: &[M], mode: LockMode) -> bool {
        let beside = |single: Tally| members.iter().map(Member::holds).fold(single, Tally::minus);
        self.single.is_some_and(|single| !beside(single).has_room(mode))
    }

    /// Whether nobody waits who keeps a newcomer from the whole.
    pub(crate) fn nobody_is_ahead(&self, mode: LockMode, priority: Priority) -> bool {
        let newcomer = Place { priority, ticket: u64::MAX };
        let conflicts = |line: &Line| line.ahead(mode, newcomer).next().is_some();
        !self.lines.values().any(|(_, line)| conflicts(line)) && !conflicts(&self.wholes)
    }

    /// Takes the whole with all members, if a request for it would be granted as it comes. The set is gated.
    pub(crate) fn try_every(&mut self, mode: LockMode, priority: Priority) -> (bool, Effects<M>) {
        let has_room = self.whole_has_room(mode) && self.everything_has_room(mode);
        let is_free = has_room && self.nobody_is_ahead(mode, priority);
        let mut pass = self.pass();
        if is_free {
            let newcomer = Place { priority, ticket: self.last_ticket + 1 };
            self.hold_every(mode, newcomer, &mut pass);
        }
        (is_free, self.settle(pass))
    }

    /// All members are held from now on. Beside their owner there is room for nobody. Beside sharers there is for sharers:
    /// those who can go along, or pass those who are held up.
    pub(super) fn hold_every(&mut self, mode: LockMode, place: Place, pass: &mut Pass) {
        self.whole.hold(mode);
        self.every.hold(mode);
        if mode == LockMode::Shared {
            self.open_every(place.priority, place, pass);
            self.touch_wholes(pass);
        }
    }

    /// Takes the whole, to add members, if nobody has it or waits for it.
    pub(crate) fn try_addition(&mut self) -> bool {
        let is_free = self.whole_has_room(LockMode::Exclusive) && self.wholes.is_empty();
        if is_free {
            self.whole.hold(LockMode::Exclusive);
        }
        is_free
    }

    /// So many members have been added that are held from the start: whoever waits for all members is held up by them now,
    /// and can be passed.
    pub(crate) fn added(&mut self, members: usize, mode: LockMode) -> Effects<M> {
        let mut pass = self.pass();
        for _ in 0..members {
            self.count(|single| single.add(mode));
        }
        self.whole_held_up_newly(&mut pass);
        self.settle(pass)
    }
}
