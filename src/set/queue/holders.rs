//! What holders do to the queue of a set.

use super::super::fault;
use super::data::Queue;
use super::line::Line;
use super::round::Round;
use super::terms::{Effects, Member, Missing, Outcome, Place};
use crate::mode::LockMode;
use crate::priority::Priority;

impl<M: Member> Queue<M> {
    /// Holds of members are given back that are wanted, or may be awaited with the whole.
    pub(crate) fn release(&mut self, members: &[M], mode: LockMode) -> Effects<M> {
        let mut round = self.round();
        for member in members {
            let made_room = member.release(mode);
            self.whole.count(|single| single.remove(mode));
            if made_room {
                self.freed(member, mode, &mut round);
            }
        }
        self.touch_wholes(&mut round);
        self.settle(round)
    }

    /// Such members go from exclusive to shared: the sharers of the most urgent priority go along.
    pub(crate) fn downgrade(&mut self, members: &[M]) -> Effects<M> {
        let mut round = self.round();
        for member in members {
            member.downgrade();
            self.whole.count(|single| {
                single.remove(LockMode::Exclusive);
                single.add(LockMode::Shared);
            });
            let named = self.line(member.id()).and_then(Line::first);
            if let Some(first) = named.into_iter().chain(self.first_for_all()).min() {
                round.groups.open(member.id(), first.priority, Place::FIRST);
            }
            self.freed(member, LockMode::Exclusive, &mut round);
        }
        self.touch_wholes(&mut round);
        self.settle(round)
    }

    fn freed(&mut self, member: &M, mode: LockMode, round: &mut Round) {
        round.freed.insert(member.id(), mode);
        self.touch(member, round);
    }

    /// The first of all who wait.
    fn first(&self) -> Option<Place> {
        self.lines.values().filter_map(|(_, line)| line.first()).chain(self.whole.line.first()).min()
    }

    /// A holder of the whole, perhaps with all members, gives it back.
    pub(crate) fn release_whole(&mut self, mode: LockMode, with_members: bool) -> Effects<M> {
        let mut round = self.round();
        self.whole.held.release(mode);
        if with_members {
            self.whole.every.release(mode);
        }
        if !self.whole.held.any() {
            self.touch_wholes(&mut round);
        }
        if with_members && !self.whole.every.any() {
            self.touch_names(&mut round);
        }
        self.settle(round)
    }

    /// A holder of the whole, perhaps with all members, shares it from now on.
    pub(crate) fn downgrade_whole(&mut self, with_members: bool) -> Effects<M> {
        let mut round = self.round();
        self.whole.held.downgrade();
        self.touch_wholes(&mut round);
        if with_members {
            self.whole.every.downgrade();
            if let Some(first) = self.first() {
                self.open_every(first.priority, Place::FIRST, &mut round);
            }
        }
        self.settle(round)
    }

    /// A holder of all members gets a hold of these by themselves.
    pub(crate) fn single_out(&mut self, members: &[M], mode: LockMode) {
        for member in members {
            member.hold(mode);
            self.whole.count(|single| single.add(mode));
        }
    }

    /// A holder of all members has been given each by itself, and holds but those from now on.
    pub(crate) fn singled_out(&mut self, mode: LockMode) -> Effects<M> {
        let round = self.round();
        self.whole.every.release(mode);
        self.settle(round)
    }

    /// Takes the whole with all members, if a request for it would be granted as it comes. The set is gated.
    pub(crate) fn try_every(&mut self, mode: LockMode, priority: Priority) -> (bool, Effects<M>) {
        let has_room = self.whole_has_room(mode) && self.everything_has_room(mode);
        let is_free = has_room && self.nobody_is_ahead(mode, priority);
        let mut round = self.round();
        if is_free {
            let newcomer = Place { priority, ticket: self.last_ticket + 1 };
            self.hold_every(mode, newcomer, &mut round);
        }
        (is_free, self.settle(round))
    }

    /// Whether nobody waits who keeps a newcomer from the whole.
    pub(crate) fn nobody_is_ahead(&self, mode: LockMode, priority: Priority) -> bool {
        let newcomer = Place { priority, ticket: u64::MAX };
        let conflicts = |line: &Line| line.ahead(mode, newcomer).next().is_some();
        !self.lines.values().any(|(_, line)| conflicts(line)) && !conflicts(&self.whole.line)
    }

    /// Takes the whole, to add members, if nobody has it or waits for it.
    pub(crate) fn try_addition(&mut self) -> bool {
        let is_free = self.whole_has_room(LockMode::Exclusive) && self.whole.line.is_empty();
        if is_free {
            self.whole.held.hold(LockMode::Exclusive);
        }
        is_free
    }

    /// So many members have been added that are held from the start: whoever waits for all members is held up by them now,
    /// and can be passed.
    pub(crate) fn added(&mut self, members: usize, mode: LockMode) -> Effects<M> {
        let mut round = self.round();
        for _ in 0..members {
            self.whole.count(|single| single.add(mode));
        }
        self.whole_held_up_newly(&mut round);
        self.settle(round)
    }

    /// Takes a member that is free and that nobody waits for, past all who wait for others.
    pub(crate) fn seize(&mut self, member: &M, mode: LockMode) -> bool {
        let last = Place::LAST;
        let is_wanted = self.lines.contains_key(&member.id()) || self.wholes_ahead(last, Some(mode)).next().is_some();
        let seized = !is_wanted && self.whole.every.has_room(mode) && member.try_hold(mode);
        if seized {
            self.whole.count(|single| single.add(mode));
        }
        seized
    }

    /// Members are removed by who holds them so, or the whole: whoever waits for them fails, or goes on without.
    pub(crate) fn retire(&mut self, members: &[M], held: Option<LockMode>) -> Effects<M> {
        let mut round = self.round();
        for member in members {
            member.delete(held);
            if let Some(mode) = held {
                self.whole.count(|single| single.remove(mode));
            }
            let Some((_, line)) = self.lines.remove(&member.id()) else { continue };
            for (_, place) in line.into_all() {
                self.lose(place, member, &mut round);
            }
        }
        self.touch_wholes(&mut round);
        self.settle(round)
    }

    /// A request loses a member.
    fn lose(&mut self, place: Place, member: &M, round: &mut Round) {
        let Some(waiter) = self.requests.get_mut(&place.ticket) else { return };
        let Ok(at) = waiter.members.binary_search_by_key(&member.id(), Member::id) else { return };
        let lost = waiter.members.remove(at);
        let outcome = match waiter.missing {
            Missing::Fails => Some(Outcome::Deleted(lost.clone())),
            Missing::Counted if waiter.members.len() < waiter.enough => Some(Outcome::TooFew),
            Missing::Counted => None,
            Missing::Skipped => {
                waiter.enough = waiter.members.len();
                None
            }
        };
        if waiter.missing != Missing::Fails {
            self.dropped.push(lost);
        }
        if outcome.is_some() {
            if !fault::REMOVAL_FORGETS {
                round.woken.extend(waiter.waker.take());
            }
            self.delist(place, round);
            if let Some(waiter) = self.requests.get_mut(&place.ticket) {
                waiter.outcome = outcome;
            }
        } else {
            round.note([place]);
            for other in self.waiting(place).into_iter().flat_map(|waiter| &waiter.members) {
                self.touch(other, round); // It may be held up for other reasons now, so that others may pass it.
            }
        }
    }
}
