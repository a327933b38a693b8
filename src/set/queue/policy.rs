//! Who may be granted, as a pure rule: it reads what is held and who waits, and changes nothing.
//!
//! Requests stand in the order of (priority, arrival), which never changes. A request is granted all its names at once,
//! or nothing. It must fit beside every holder, and with each earlier request that it conflicts with, one of two must
//! be true:
//!
//! * **(a) It passes.** Both have one priority; the earlier one has been passed fewer than [`Bounds::passes`] times; it
//!   could not be granted anyhow, because of a *holder* of a name that the later one does not touch; and the later one
//!   passes no more than [`Bounds::ahead`] at any one name, and of those who wait for the whole.
//! * **(b) It goes along.** It is shared, and what it conflicts about lies on names of sharers of its priority that stood
//!   ahead of the earlier request and are granted in this same round: their group.
//!
//! For one name, this is the fairness rule of [`SharedLock`](crate::SharedLock): whoever waits for that one name is held
//! up there, so nobody passes (a), and sharers go in groups (b). So a request is passed a bounded number of times, and the
//! members of groups ahead of it; and the first of all waits for holders only. Nobody holds anything while waiting, so
//! there is nothing to deadlock about.
//!
//! A request for the whole set touches every name: it passes nobody, and goes along with others of its kind only. One for
//! *at least n* of its names takes those that are free and that nobody ahead wants, as soon as these are enough; it passes
//! nobody either.

use super::super::fault;
use super::data::Queue;
use super::terms::{Bounds, Id, Member, Members, Place, Reach, Waiter, conflicts};
use crate::mode::LockMode;
use crate::priority::Priority;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The sharers granted in one round, by what later ones may go along for: for each name and priority, the first of them.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    names: BTreeMap<(Id, Priority), Place>,
    /// One entry for each priority, of which mostly one is there.
    every: SmallVec<[(Priority, Place); 1]>,
}

impl Groups {
    /// A sharer has been granted a name; true if the group of its priority there reaches further ahead now.
    pub(crate) fn open(&mut self, name: Id, priority: Priority, by: Place) -> bool {
        let first = self.names.entry((name, priority)).or_insert(Place::LAST);
        let reaches_further = by < *first;
        *first = by.min(*first);
        reaches_further
    }

    /// A sharer has been granted the whole set; as [`open`](Self::open).
    pub(crate) fn open_every(&mut self, priority: Priority, by: Place) -> bool {
        let Some((_, first)) = self.every.iter_mut().find(|(other, _)| *other == priority) else {
            self.every.push((priority, by));
            return true;
        };
        let reaches_further = by < *first;
        *first = by.min(*first);
        reaches_further
    }

    /// Where the group stands that a sharer of this priority could join at this name.
    fn at(&self, name: Id, priority: Priority) -> Option<Place> {
        let priority = if fault::GROUP_REACHES_TOO_FAR { Priority::default() } else { priority };
        let own = self.names.get(&(name, priority)).copied();
        own.into_iter().chain(self.whole(priority)).min()
    }

    fn whole(&self, priority: Priority) -> Option<Place> {
        self.every.iter().find(|(other, _)| *other == priority).map(|(_, first)| *first)
    }
}

/// What a request gets.
#[derive(Debug)]
pub(crate) struct Grant<M> {
    /// The members, if not all that it named.
    pub(crate) some: Option<Members<M>>,
    /// Those whom it passes by (a).
    pub(crate) passed: SmallVec<[u64; 8]>,
}

/// What is to become of a request.
#[derive(Debug)]
pub(crate) enum Verdict<M> {
    Grant(Grant<M>),
    /// It cannot be granted before this member has room.
    NoRoom(Id),
    /// Others come first.
    NotYet,
    /// There is no such request any more.
    Gone,
}

/// Whether the request at this place may be granted now.
pub(crate) fn verdict<M: Member>(queue: &Queue<M>, place: Place, groups: &Groups) -> Verdict<M> {
    let Some(waiter) = queue.waiting(place) else { return Verdict::Gone };
    let judge = Judge { queue, place, waiter, groups };
    let grant = match waiter.reach {
        Reach::Names if waiter.enough < waiter.members.len() => judge.enough(),
        Reach::Names => match waiter.members.iter().find(|member| !member.has_room(waiter.mode)) {
            Some(member) => return Verdict::NoRoom(member.id()),
            None => judge.names(),
        },
        Reach::Every => judge.every(),
        Reach::Addition => judge.addition(),
    };
    grant.map_or(Verdict::NotYet, Verdict::Grant)
}

struct Judge<'a, M> {
    queue: &'a Queue<M>,
    place: Place,
    waiter: &'a Waiter<M>,
    groups: &'a Groups,
}

impl<M: Member> Judge<'_, M> {
    /// All of some names, which have room.
    fn names(&self) -> Option<Grant<M>> {
        let Waiter { mode, members, .. } = self.waiter;
        let mut passed = SmallVec::new();
        if members.is_empty() {
            return Some(Grant { some: None, passed }); // They were removed: nothing is left to conflict about.
        }
        if self.queue.is_every_held(*mode) {
            return None;
        }
        let mut goes_along_everywhere = (*mode == LockMode::Shared).then_some(Place::FIRST);
        for member in members {
            let group = self.group(member.id());
            goes_along_everywhere = group.and_then(|group| goes_along_everywhere.map(|far| far.max(group)));
            self.pass_all(self.queue.ahead_at(member.id(), *mode, self.place), group, &mut passed)?;
        }
        self.pass_all(self.queue.wholes_ahead(self.place, Some(*mode)), goes_along_everywhere, &mut passed)?;
        Some(Grant { some: None, passed })
    }

    /// Enough of some names.
    fn enough(&self) -> Option<Grant<M>> {
        let Waiter { mode, members, enough, .. } = self.waiter;
        let is_free = |member: &&M| {
            let group = self.group(member.id());
            let ahead = self.queue.ahead_at(member.id(), *mode, self.place);
            let mut ahead = ahead.chain(self.queue.wholes_ahead(self.place, Some(*mode)));
            self.queue.has_room(member, *mode) && ahead.all(|other| group.is_some_and(|group| group < other))
        };
        let some: Members<M> = members.iter().filter(is_free).cloned().collect();
        (some.len() >= *enough).then(|| Grant { some: Some(some), passed: SmallVec::new() })
    }

    /// The whole set: it waits for everybody ahead, because it touches whatever they wait for.
    fn every(&self) -> Option<Grant<M>> {
        let mode = self.waiter.mode;
        let group = self.groups.whole(self.place.priority).filter(|_| mode == LockMode::Shared);
        let goes_along = |other: Place| group.is_some_and(|group| group < other);
        let gives_way = |other: Place| {
            goes_along(other) || self.queue.waiting(other).is_some_and(|waiter| !conflicts(waiter.mode, mode))
        };
        let is_granted = self.queue.whole_has_room(mode)
            && self.queue.everything_has_room(mode)
            && self.queue.names_ahead(mode, self.place).all(goes_along)
            && self.queue.wholes_ahead(self.place, None).all(gives_way);
        is_granted.then(|| Grant { some: None, passed: SmallVec::new() })
    }

    /// To add members: nobody must hold the set as a whole. It can pass who waits for all of it, held up at a member.
    fn addition(&self) -> Option<Grant<M>> {
        let mut passed = SmallVec::new();
        if !self.queue.whole_has_room(LockMode::Exclusive) && !fault::ADDED_TOO_EARLY {
            return None;
        }
        self.pass_all(self.queue.wholes_ahead(self.place, None), None, &mut passed)?;
        Some(Grant { some: None, passed })
    }

    /// The group that this request may join at a name.
    fn group(&self, name: Id) -> Option<Place> {
        if self.waiter.mode == LockMode::Shared { self.groups.at(name, self.place.priority) } else { None }
    }

    /// Whether each of these can be passed, but for those behind the group that this request goes along with.
    fn pass_all(
        &self,
        ahead: impl Iterator<Item = Place>,
        group: Option<Place>,
        passed: &mut SmallVec<[u64; 8]>,
    ) -> Option<()> {
        let bounds = self.queue.bounds();
        let ahead = ahead.filter(|other| group.is_none_or(|group| group > *other));
        for (count, other) in ahead.enumerate() {
            if count >= bounds.ahead || !self.can_pass(other, bounds) {
                return None;
            }
            if !passed.contains(&other.ticket) {
                passed.push(other.ticket);
            }
        }
        Some(())
    }

    fn can_pass(&self, other: Place, bounds: Bounds) -> bool {
        let Some(waiter) = self.queue.waiting(other) else { return false };
        other.priority == self.place.priority && waiter.passed < bounds.passes && self.is_held_up_elsewhere(waiter)
    }

    /// Whether holders of what this request does not touch are enough to keep the other waiting.
    fn is_held_up_elsewhere(&self, other: &Waiter<M>) -> bool {
        match (other.reach, self.waiter.reach) {
            (Reach::Addition, _) | (_, Reach::Every) => false,
            (Reach::Every, Reach::Addition) => self.queue.is_held_beside(&[], other.mode),
            (Reach::Every, Reach::Names) => {
                self.queue.is_every_held(other.mode) || self.queue.is_held_beside(&self.waiter.members, other.mode)
            }
            (Reach::Names, _) => {
                let elsewhere = |member: &&M| !touches(&self.waiter.members, member.id());
                let held_up = other.members.iter().filter(elsewhere);
                let held_up = held_up.filter(|member| !self.queue.has_room(*member, other.mode));
                held_up.take(other.spare() + 1).count() > other.spare()
            }
        }
    }
}

fn touches<M: Member>(members: &[M], id: Id) -> bool {
    members.binary_search_by_key(&id, Member::id).is_ok()
}
