//! Granting, in a round after each change: which requests to look at, and what a grant leads to.
//!
//! The round takes the requests that the change may have helped, in order, until nothing more can be granted. The
//! [`policy`](super::policy) says whether a request may be granted. This file says which requests to ask it about:
//!
//! * a member that is freed helps its sharers, and its first exclusive requests: one more than a request may pass;
//! * a sharer that is granted helps the sharers of its priority at its names, which can go along;
//! * a request that is *newly* held up by a grant can be passed by those behind it, at its other names;
//! * a request that leaves helps those at its names.
//!
//! A request that a member has no room for is looked at again when there is room: see [`line`](super::line).

use super::super::fault;
use super::data::Queue;
use super::line::Line;
use super::policy::{Grant, Groups, Verdict, verdict};
use super::terms::{Effects, Id, Member, Members, Outcome, Place, Reach, Waiter, Wakers};
use crate::clock::Moment;
use crate::mode::LockMode;
use crate::priority::Priority;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::mem;

/// How much space for requests to look at is kept between rounds.
const SPARE: usize = 1_024;

/// One run of granting.
#[derive(Debug, Default)]
pub(super) struct Round {
    todo: BinaryHeap<Reverse<Place>>,
    pub(super) groups: Groups,
    /// What the change has released. A request that was held up there before is not *newly* held up by the next holder.
    pub(super) freed: BTreeMap<Id, LockMode>,
    /// The requests that were refused, perhaps only because what the change has released is free for the moment.
    refused: Vec<Place>,
    /// Every request for names from this place on is to be looked at, after all before it.
    everybody_from: Option<Place>,
    pub(super) woken: Wakers,
}

impl Round {
    pub(super) fn note(&mut self, places: impl IntoIterator<Item = Place>) {
        self.todo.extend(places.into_iter().map(Reverse));
    }
}

impl<M: Member> Queue<M> {
    pub(super) fn round(&mut self) -> Round {
        Round { todo: mem::take(&mut self.todo), ..Round::default() }
    }

    /// Grants whatever can be granted. Every change ends here.
    pub(super) fn settle(&mut self, mut round: Round) -> Effects<M> {
        while let Some(place) = self.next(&mut round) {
            match verdict(self, place, &round.groups) {
                Verdict::Grant(grant) => self.grant(place, grant, &mut round),
                Verdict::NoRoom(member) => self.set_stuck(place, Some(member)),
                Verdict::NotYet => {
                    self.set_stuck(place, None);
                    if !round.freed.is_empty() {
                        round.refused.push(place);
                    }
                }
                Verdict::Gone => {}
            }
        }
        self.todo = round.todo;
        self.todo.shrink_to(SPARE);
        Effects { woken: round.woken, dropped: mem::take(&mut self.dropped) }
    }

    /// The first request that is to be looked at.
    fn next(&self, round: &mut Round) -> Option<Place> {
        let noted = round.todo.peek().map(|Reverse(place)| *place);
        let behind = round.everybody_from.and_then(|from| self.whole.names.first_from(from));
        let next = noted.into_iter().chain(behind).min()?;
        // A request that was noted more than once is looked at once.
        while round.todo.peek() == Some(&Reverse(next)) {
            round.todo.pop();
        }
        if behind.is_none() {
            round.everybody_from = None;
        } else if behind == Some(next) {
            round.everybody_from = Some(next.behind());
        }
        Some(next)
    }

    /// Notes the member that has no room for a request, or that there is none such.
    fn set_stuck(&mut self, place: Place, stuck: Option<Id>) {
        let Some(waiter) = self.requests.get_mut(&place.ticket) else { return };
        let before = mem::replace(&mut waiter.stuck, stuck);
        if before == stuck {
            return;
        }
        let (members, mode) = (&waiter.members, waiter.mode);
        let mut set_live = |id: Id, live| {
            if let Some((_, line)) = self.lines.get_mut(&id) {
                line.set_live(mode, place, live);
            }
        };
        if let (Some(before), Some(now)) = (before, stuck) {
            set_live(before, false);
            set_live(now, true);
            return;
        }
        for member in members {
            set_live(member.id(), stuck.is_none_or(|stuck| stuck == member.id()));
        }
    }

    fn grant(&mut self, place: Place, grant: Grant<M>, round: &mut Round) {
        for ticket in &grant.passed {
            if let Some(passed) = self.requests.get_mut(ticket) {
                passed.passed += if fault::PASSED_TWICE { 2 } else { 1 };
            }
        }
        let Some(waiter) = self.requests.get_mut(&place.ticket) else { return };
        let (mode, reach, named) = (waiter.mode, waiter.reach, mem::take(&mut waiter.members));
        let (held, others) = match grant.some {
            None => (named, Members::new()),
            Some(held) => {
                let is_held = |member: &M| held.binary_search_by_key(&member.id(), Member::id).is_ok();
                named.into_iter().partition(is_held)
            }
        };
        self.leave_whole(place, mode, reach);
        match reach {
            Reach::Names => {
                for member in &held {
                    self.give(member, mode, place, round);
                }
                for member in &others {
                    self.leave_line(member, mode, place);
                    self.touch(member, round);
                }
            }
            Reach::Every => self.hold_every(mode, place, round),
            Reach::Addition => self.whole.held.hold(mode),
        }
        if let Some(waiter) = self.requests.get_mut(&place.ticket) {
            waiter.members = held;
            waiter.outcome = Some(Outcome::Granted { others });
            waiter.granted = waiter.watched.then(Moment::now);
            round.woken.extend(waiter.waker.take());
        }
    }

    /// Holds all members together. An exclusive hold leaves no room. A shared one leaves room for sharers: those that
    /// go along, and those that pass a request that is held up.
    pub(super) fn hold_every(&mut self, mode: LockMode, place: Place, round: &mut Round) {
        self.whole.held.hold(mode);
        self.whole.every.hold(mode);
        if mode == LockMode::Shared {
            self.open_every(place.priority, place, round);
            self.touch_wholes(round);
        }
    }

    /// Gives a request one of its members.
    fn give(&mut self, member: &M, mode: LockMode, place: Place, round: &mut Round) {
        let id = member.id();
        let before = exclusion(member.held()).max(exclusion(self.whole.every.mode()));
        member.hold(mode);
        self.whole.count(|single| single.add(mode));
        self.leave_line(member, mode, place);
        if exclusion(Some(mode)) > before {
            if exclusion(round.freed.get(&id).copied()) >= exclusion(Some(mode)) {
                // It excludes no more than before the change. But some requests were refused while it was free.
                let refused = mem::take(&mut round.refused);
                round.note(refused);
            } else {
                self.held_up_newly(member, mode, round);
            }
        }
        if mode == LockMode::Shared && round.groups.open(id, place.priority, place) {
            let group = self.line(id).into_iter().flat_map(|line| line.live(LockMode::Shared));
            round.note(group.filter(|other| other.priority == place.priority || fault::GROUP_REACHES_TOO_FAR));
        }
    }

    /// A member excludes more than before: notes the requests that may pass those that have to wait for it now.
    fn held_up_newly(&self, member: &M, mode: LockMode, round: &mut Round) {
        let mut seen = BTreeSet::from([member.id()]);
        for held_up in self.ahead_at(member.id(), mode, Place::LAST) {
            let passable = |waiter: &&Waiter<M>| waiter.passed < self.bounds().passes;
            for other in self.waiting(held_up).filter(passable).into_iter().flat_map(|waiter| &waiter.members) {
                if seen.insert(other.id()) {
                    self.touch(other, round);
                }
            }
        }
        self.whole_held_up_newly(round);
    }

    /// Requests for all members are newly held up: notes that all requests behind the first one may pass it.
    pub(super) fn whole_held_up_newly(&self, round: &mut Round) {
        if let Some(for_all) = self.first_for_all() {
            let from = round.everybody_from.map_or(for_all, |from| from.min(for_all));
            round.everybody_from = Some(from);
            self.touch_wholes(round);
        }
    }

    /// Opens the group of a sharer of the whole. Sharers of its priority can go along, for the whole or for names.
    pub(super) fn open_every(&self, priority: Priority, by: Place, round: &mut Round) {
        if round.groups.open_every(priority, by) {
            let is_of_group = |place: &Place| place.priority == priority;
            round.note(self.whole.line.live(LockMode::Shared).filter(is_of_group));
            self.touch_names(round);
        }
    }

    /// Notes the requests that a change at this member may help.
    pub(super) fn touch(&self, member: &M, round: &mut Round) {
        if let Some(line) = self.line(member.id()) {
            self.touch_sharers(member, line, round);
            self.touch_owners(member, line, round);
        }
    }

    fn touch_sharers(&self, member: &M, line: &Line, round: &mut Round) {
        if self.has_room(member, LockMode::Shared) {
            round.note(line.live(LockMode::Shared));
        }
    }

    /// Only one exclusive request can be granted, and it passes no more than `ahead` of the others.
    fn touch_owners(&self, member: &M, line: &Line, round: &mut Round) {
        if self.has_room(member, LockMode::Exclusive) {
            round.note(line.live(LockMode::Exclusive).take(self.bounds().ahead + 1));
        }
    }

    /// As [`touch`](Self::touch), for exclusive requests only.
    pub(super) fn touch_exclusive(&self, member: &M, round: &mut Round) {
        if let Some(line) = self.line(member.id()) {
            self.touch_owners(member, line, round);
        }
    }

    /// Notes the requests for names that a change at all members may help.
    pub(super) fn touch_names(&self, round: &mut Round) {
        for (member, line) in self.lines.values() {
            self.touch_sharers(member, line, round);
            self.touch_owners(member, line, round);
        }
    }

    /// Notes the requests for the whole that may be granted: the first sharer, which notes the next when it is granted;
    /// and the first exclusive ones, of which one passes no more than `ahead` others.
    pub(super) fn touch_wholes(&self, round: &mut Round) {
        round.note(self.whole.line.live(LockMode::Shared).next());
        round.note(self.whole.line.live(LockMode::Exclusive).take(self.bounds().ahead + 1));
    }
}

/// How much a hold keeps out.
fn exclusion(held: Option<LockMode>) -> u8 {
    match held {
        None => 0,
        Some(LockMode::Shared) => 1,
        Some(LockMode::Exclusive) => 2,
    }
}
