//! What holders do to the queue of a set, and how held members are counted for those who wait for all of them.

use super::fault;
use super::line::Line;
use super::pass::Pass;
use super::policy::{Member, Place};
use super::queue::{Count, Effects, Missing, Outcome, Queue, Reach, Waiter};
use crate::mode::LockMode;

/// What holders do.
impl<M: Member> Queue<M> {
    /// Members that were wanted have been released from `mode`.
    pub(crate) fn released<'a>(&mut self, members: impl IntoIterator<Item = &'a M>, mode: LockMode) -> Effects<M>
    where
        M: 'a,
    {
        let mut pass = self.pass();
        for member in members {
            self.freed(member, mode, &mut pass);
        }
        self.settle(pass)
    }

    /// Members that were wanted have gone from exclusive to shared: the sharers of the most urgent priority go along.
    pub(crate) fn downgraded<'a>(&mut self, members: impl IntoIterator<Item = &'a M>) -> Effects<M>
    where
        M: 'a,
    {
        let mut pass = self.pass();
        for member in members {
            let named = self.lines.get(&member.id()).and_then(Line::first);
            if let Some(first) = named.into_iter().chain(self.first_for_all()).min() {
                pass.groups.open(member.id(), first.priority, Place::FIRST);
            }
            self.freed(member, LockMode::Exclusive, &mut pass);
        }
        self.settle(pass)
    }

    /// The first of all who wait.
    fn first(&self) -> Option<Place> {
        let waiting = self.requests.iter().filter(|(_, waiter)| waiter.outcome.is_none());
        waiting.map(|(ticket, waiter)| Place { priority: waiter.priority, ticket: *ticket }).min()
    }

    /// The first of those who wait for all members.
    pub(super) fn first_for_all(&self) -> Option<Place> {
        let waits_for_all = |waiter: &Waiter<M>| waiter.reach == Reach::Every;
        self.wholes.iter().copied().find(|place| self.waiting(*place).is_some_and(waits_for_all))
    }

    fn freed(&mut self, member: &M, mode: LockMode, pass: &mut Pass) {
        let id = member.id();
        self.note_held(member);
        pass.freed.insert(id, mode);
        self.touch(member, pass);
        if !self.lines.contains_key(&id) {
            self.relax(member);
        }
        self.touch_wholes(pass);
    }

    /// A holder of the whole, perhaps with all members, gives it back.
    pub(crate) fn release_whole(&mut self, mode: LockMode, with_members: bool) -> Effects<M> {
        let mut pass = self.pass();
        self.whole.release(mode);
        if with_members {
            self.every.release(mode);
            self.touch_everybody(&mut pass);
        }
        self.touch_wholes(&mut pass);
        self.settle(pass)
    }

    /// A holder of the whole, perhaps with all members, shares it from now on.
    pub(crate) fn downgrade_whole(&mut self, with_members: bool) -> Effects<M> {
        let mut pass = self.pass();
        self.whole.downgrade();
        self.touch_wholes(&mut pass);
        if with_members {
            self.every.downgrade();
            self.touch_everybody(&mut pass);
            if let Some(first) = self.first() {
                pass.groups.open_every(first.priority, Place::FIRST);
            }
        }
        self.settle(pass)
    }

    /// A holder of all members gets a hold of this one by itself, unless somebody has it who is about to give it back.
    pub(crate) fn single_out(&mut self, member: &M, mode: LockMode) -> bool {
        member.want(); // From now on, it changes under this queue only.
        let has_room = member.has_room(mode);
        if has_room {
            member.hold(mode);
            self.note_held(member);
        }
        if !self.lines.contains_key(&member.id()) {
            self.relax(member);
        }
        has_room
    }

    /// A member has come to be held without a request, or is held in another way than before.
    pub(crate) fn note_held(&mut self, member: &M) {
        if self.is_gated() {
            // In one step with the look: somebody who comes fast may have the member for a moment, and would give it back
            // past this queue, which would take it for held for ever.
            let held = if fault::NOTED_UNMARKED { member.held() } else { member.want_if_held() };
            self.held.set(member.id(), held);
        }
    }

    /// A holder of all members has been given each by itself, and holds but those from now on.
    pub(crate) fn singled_out(&mut self, mode: LockMode) -> Effects<M> {
        let pass = self.pass();
        self.every.release(mode);
        self.settle(pass)
    }

    /// Takes a member that is free and that nobody waits for, past all who wait for others.
    pub(crate) fn seize(&mut self, member: &M, mode: LockMode) -> bool {
        let last = Place::LAST;
        let is_wanted = self.lines.contains_key(&member.id()) || self.wholes_ahead(last, Some(mode)).next().is_some();
        if is_wanted || !self.every.has_room(mode) {
            return false;
        }
        self.single_out(member, mode)
    }

    /// Members are removed: whoever waits for them fails, or goes on without.
    pub(crate) fn retire(&mut self, members: &[M]) -> Effects<M> {
        let mut pass = self.pass();
        for member in members {
            self.held.set(member.id(), None);
            let Some(line) = self.lines.remove(&member.id()) else { continue };
            for (_, place) in line.into_all() {
                self.lose(place, member, &mut pass);
            }
        }
        self.touch_wholes(&mut pass);
        self.settle(pass)
    }

    /// A request loses a member.
    fn lose(&mut self, place: Place, member: &M, pass: &mut Pass) {
        let Some(waiter) = self.requests.get_mut(&place.ticket) else { return };
        if let Ok(at) = waiter.members.binary_search_by_key(&member.id(), Member::id) {
            self.dropped.push(waiter.members.remove(at));
        }
        let outcome = match waiter.missing {
            Missing::Fails => Some(Outcome::Deleted(member.clone())),
            Missing::Counted if waiter.members.len() < waiter.enough => Some(Outcome::TooFew),
            Missing::Counted => None,
            Missing::Skipped => {
                waiter.enough = waiter.members.len();
                None
            }
        };
        if outcome.is_some() {
            if !fault::REMOVAL_FORGETS {
                pass.woken.extend(waiter.waker.take());
            }
            self.delist(place, pass);
            if let Some(waiter) = self.requests.get_mut(&place.ticket) {
                waiter.outcome = outcome;
            }
        } else {
            pass.note([place]);
            for other in self.waiting(place).into_iter().flat_map(|waiter| &waiter.members) {
                self.touch(other, pass); // It may be held up for other reasons now, so that others may pass it.
            }
        }
    }
}

/// Counting the members that are held.
impl<M: Member> Queue<M> {
    /// The shard to be counted next, if somebody waits for all members and has to know.
    pub(crate) fn to_count(&self) -> Option<usize> {
        match self.count {
            Count::At(shard) if self.awaiting_all > 0 => Some(shard),
            _ => None,
        }
    }

    /// A shard has been looked through; these of its members were held.
    pub(crate) fn counted(&mut self, shard: usize, members: &[M], next: Count) -> Effects<M> {
        let mut pass = self.pass();
        if self.count == Count::At(shard) {
            for member in members {
                self.note_held(member); // Some have been released meanwhile.
            }
            self.count = next;
            if next == Count::Done {
                self.touch_everybody(&mut pass);
            }
        }
        self.settle(pass)
    }
}
