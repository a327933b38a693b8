//! What holders do to the queue of a set.

use super::super::fault;
use super::data::Queue;
use super::line::Line;
use super::round::Round;
use super::terms::{Effects, Member, Missing, Outcome, Place};
use crate::mode::LockMode;
use crate::priority::Priority;

impl<M: Member> Queue<M> {
    /// Gives back holds of members that are wanted or gated, or were so a moment ago.
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

    /// Turns exclusive holds of such members into shared ones. The sharers of the most urgent priority go along.
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

    /// The first of all requests that wait.
    fn first(&self) -> Option<Place> {
        self.lines.values().filter_map(|(_, line)| line.first()).chain(self.whole.line.first()).min()
    }

    /// Gives back a hold of the whole, perhaps with all members.
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

    /// Turns an exclusive hold of the whole, perhaps with all members, into a shared one.
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

    /// Gives a holder of all members a hold of each of these.
    pub(crate) fn single_out(&mut self, members: &[M], mode: LockMode) {
        for member in members {
            member.hold(mode);
            self.whole.count(|single| single.add(mode));
        }
    }

    /// The guard holds every member individually now: ends its hold of all together. It keeps the whole itself.
    pub(crate) fn singled_out(&mut self, mode: LockMode) -> Effects<M> {
        let round = self.round();
        self.whole.every.release(mode);
        self.settle(round)
    }

    /// Takes the whole with all members, if a new request for it would be granted at once. The set is gated.
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

    /// Whether no request that waits keeps a newcomer from the whole.
    pub(crate) fn nobody_is_ahead(&self, mode: LockMode, priority: Priority) -> bool {
        let newcomer = Place { priority, ticket: u64::MAX };
        let conflicts = |line: &Line| line.ahead(mode, newcomer).next().is_some();
        !self.lines.values().any(|(_, line)| conflicts(line)) && !conflicts(&self.whole.line)
    }

    /// Takes the whole, to add members, if it is not held and no request waits for it.
    pub(crate) fn try_addition(&mut self) -> bool {
        let is_free = self.whole_has_room(LockMode::Exclusive) && self.whole.line.is_empty();
        if is_free {
            self.whole.held.hold(LockMode::Exclusive);
        }
        is_free
    }

    /// Counts members that have been added and are held from the start. They hold up the requests for all members,
    /// which can be passed now.
    pub(crate) fn added(&mut self, members: usize, mode: LockMode) -> Effects<M> {
        let mut round = self.round();
        for _ in 0..members {
            self.whole.count(|single| single.add(mode));
        }
        self.whole_held_up_newly(&mut round);
        self.settle(round)
    }

    /// Takes a member if it has room and no request waits for it, nor a conflicting one for all members. Passes all
    /// others.
    pub(crate) fn seize(&mut self, member: &M, mode: LockMode) -> bool {
        let last = Place::LAST;
        let is_wanted = self.lines.contains_key(&member.id()) || self.wholes_ahead(last, Some(mode)).next().is_some();
        let seized = !is_wanted && self.whole.every.has_room(mode) && member.try_hold(mode);
        if seized {
            self.whole.count(|single| single.add(mode));
        }
        seized
    }

    /// Removes members. The caller holds each in mode `held`, or, with `None`, all members together. A request for one
    /// of them fails, or goes on without it.
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

    /// Takes a removed member from a request.
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
                self.touch(other, round); // What holds it up may have changed, so that later ones may pass it.
            }
        }
    }
}
