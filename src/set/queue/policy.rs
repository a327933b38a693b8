//! Which requests may be granted, as a pure rule: it reads the holders and the requests, and changes nothing.
//!
//! Requests stand in the order of (priority, arrival), which never changes. A request is granted all its names at once,
//! or nothing. It must fit beside every holder, and for each earlier request that it conflicts with, one of two must
//! be true:
//!
//! * **(a) It passes.** Both have one priority; the earlier one has been passed fewer than [`Bounds::passes`] times; a
//!   *holder* of a name that the later one does not touch keeps the earlier one waiting anyhow; and the later one
//!   passes no more than [`Bounds::ahead`] requests at any one name, and no more than that for the whole.
//! * **(b) It goes along.** It is shared, and the conflict lies on names of sharers of its priority that stood ahead of
//!   the earlier request and are granted in this same round: their group.
//!
//! For one name, this is the fairness rule of [`SharedLock`](crate::SharedLock), with the one difference that `LockSet`
//! states: a request for that name alone is held up there, so no request passes it (a), and sharers go in groups (b).
//! So a request is passed a bounded number of times, and by the members of groups ahead of it. The first of all waits
//! for holders only. A request holds nothing while it waits, so requests cannot deadlock.
//!
//! A request for the whole set touches every name: it passes no request, and goes along only with others for the whole.
//! A request for *at least n* of its names takes those that are free and that no conflicting request ahead waits for,
//! as soon as there are enough; it passes no request either, but goes along (b).

use super::super::fault;
use super::data::Queue;
use super::terms::{Bounds, Id, Member, Members, Place, Reach, Waiter, conflicts};
use crate::mode::LockMode;
use crate::priority::Priority;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The groups of sharers granted in one round, with which later ones may go along: for each name and priority, the
/// place of the first.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    names: BTreeMap<(Id, Priority), Place>,
    /// One entry for each priority; mostly there is one.
    every: SmallVec<[(Priority, Place); 1]>,
}

impl Groups {
    /// Notes that a sharer has been granted a name. True if the group of its priority there reaches further ahead now.
    pub(crate) fn open(&mut self, name: Id, priority: Priority, by: Place) -> bool {
        let first = self.names.entry((name, priority)).or_insert(Place::LAST);
        let reaches_further = by < *first;
        *first = by.min(*first);
        reaches_further
    }

    /// As [`open`](Self::open), for a sharer of the whole set.
    pub(crate) fn open_every(&mut self, priority: Priority, by: Place) -> bool {
        let Some((_, first)) = self.every.iter_mut().find(|(other, _)| *other == priority) else {
            self.every.push((priority, by));
            return true;
        };
        let reaches_further = by < *first;
        *first = by.min(*first);
        reaches_further
    }

    /// The place of the group that a sharer of this priority can join at this name.
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
    /// The members, if these are not all that it named.
    pub(crate) some: Option<Members<M>>,
    /// The requests that it passes by (a).
    pub(crate) passed: SmallVec<[u64; 8]>,
}

/// The answer for one request.
#[derive(Debug)]
pub(crate) enum Verdict<M> {
    Grant(Grant<M>),
    /// It cannot be granted before this member has room.
    NoRoom(Id),
    /// It cannot be granted for other reasons, such as requests ahead of it.
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
    /// A request for all of its names, which have room.
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

    /// A request for some of its names.
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

    /// A request for the whole set. It touches every name, so it waits for every conflicting request ahead.
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

    /// A request to add members. The whole must not be held. It can pass a request for all members that is held up at
    /// one.
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

    /// Adds the requests `ahead` to `passed`, or returns `None` if one of them cannot be passed. Leaves out those
    /// behind the group that this request goes along with.
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

    /// Whether the holders of names that this request does not touch are enough to keep the other waiting.
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
