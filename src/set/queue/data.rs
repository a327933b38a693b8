//! The data of a queue: the requests that wait, and the holders of the whole. How they are read, and kept in lines.

use super::super::fault;
use super::line::Line;
use super::terms::{Bounds, Id, Member, Place, Reach, Tally, Waiter, conflicts};
use super::whole::Whole;
use crate::mode::LockMode;
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;

/// The requests that wait for a set, and the holders of the whole.
#[derive(Debug)]
pub(crate) struct Queue<M> {
    pub(super) bounds: Bounds,
    pub(super) last_ticket: u64,
    pub(super) requests: HashMap<u64, Waiter<M>>,
    /// The requests in a line have its member pinned.
    pub(super) lines: HashMap<Id, (M, Line)>,
    pub(crate) whole: Whole,
    /// The heap of a round, kept between rounds for its space only.
    pub(super) todo: BinaryHeap<Reverse<Place>>,
    pub(super) dropped: Vec<M>,
}

/// Reading.
impl<M: Member> Queue<M> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            last_ticket: 0,
            requests: HashMap::new(),
            lines: HashMap::new(),
            whole: Whole::default(),
            todo: BinaryHeap::new(),
            dropped: Vec::new(),
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The request at this place, if it still waits there.
    pub(crate) fn waiting(&self, place: Place) -> Option<&Waiter<M>> {
        let waits = |waiter: &&Waiter<M>| waiter.outcome.is_none() && waiter.priority == place.priority;
        self.requests.get(&place.ticket).filter(waits)
    }

    /// Whether the holders of a member, and those of all members together, leave room at it.
    pub(crate) fn has_room(&self, member: &M, mode: LockMode) -> bool {
        member.has_room(mode) && self.whole.every.has_room(mode)
    }

    pub(crate) fn whole_has_room(&self, mode: LockMode) -> bool {
        self.whole.held.has_room(mode)
    }

    /// Whether all members are held together so that it excludes `mode`.
    pub(crate) fn is_every_held(&self, mode: LockMode) -> bool {
        !self.whole.every.has_room(mode)
    }

    /// Whether the holds of single members leave room at all of them. The set is gated.
    pub(crate) fn everything_has_room(&self, mode: LockMode) -> bool {
        self.whole.single().is_some_and(|single| single.has_room(mode))
    }

    /// Whether members other than these are held singly so that they exclude `mode`. The set is gated.
    pub(crate) fn is_held_beside(&self, members: &[M], mode: LockMode) -> bool {
        let beside = |single: Tally| members.iter().map(Member::holds).fold(single, Tally::minus);
        self.whole.single().is_some_and(|single| !beside(single).has_room(mode))
    }

    /// The line of a member, if it has one.
    pub(super) fn line(&self, name: Id) -> Option<&Line> {
        self.lines.get(&name).map(|(_, line)| line)
    }

    /// The requests for a member that stand ahead of a place and conflict with this mode.
    pub(crate) fn ahead_at(&self, name: Id, mode: LockMode, place: Place) -> impl Iterator<Item = Place> + '_ {
        self.line(name).into_iter().flat_map(move |line| line.ahead(mode, place))
    }

    /// The requests for any names that stand ahead of a place and conflict with this mode. Kept only while a request
    /// waits for all members.
    pub(crate) fn names_ahead(&self, mode: LockMode, place: Place) -> impl Iterator<Item = Place> + '_ {
        self.whole.names.ahead(mode, place)
    }

    /// Whole-set requests ahead of a place. With a mode: those for `All` that conflict with it. With `None`: all of
    /// them, also those that add.
    pub(crate) fn wholes_ahead(&self, place: Place, mode: Option<LockMode>) -> impl Iterator<Item = Place> + '_ {
        let concerns = move |waiter: &Waiter<M>| {
            mode.is_none_or(|mode| waiter.reach == Reach::Every && conflicts(waiter.mode, mode))
        };
        let ahead = self.whole.line.ahead(LockMode::Exclusive, place);
        ahead.filter(move |other| self.waiting(*other).is_some_and(concerns))
    }

    /// The first request for all members.
    pub(super) fn first_for_all(&self) -> Option<Place> {
        let waits_for_all = |place: &Place| self.waiting(*place).is_some_and(|waiter| waiter.reach == Reach::Every);
        let first = |mode| self.whole.line.live(mode).find(waits_for_all);
        first(LockMode::Shared).into_iter().chain(first(LockMode::Exclusive)).min()
    }
}

/// Lines.
impl<M: Member> Queue<M> {
    /// Puts a request into its lines.
    pub(super) fn enlist(&mut self, place: Place) {
        let Some(waiter) = self.requests.get(&place.ticket) else { return };
        let mode = waiter.mode;
        match waiter.reach {
            Reach::Names => {
                for member in &waiter.members {
                    let (_, line) = self.lines.entry(member.id()).or_insert_with(|| {
                        member.want();
                        (member.clone(), Line::default())
                    });
                    line.insert(mode, place);
                }
                if self.whole.is_awaited() {
                    self.whole.names.insert(mode, place);
                }
            }
            Reach::Every => {
                if self.whole.await_all(mode, place) {
                    self.list_names();
                }
            }
            Reach::Addition => self.whole.line.insert(mode, place),
        }
    }

    /// Lists all requests for names, because a request waits for all members now.
    fn list_names(&mut self) {
        for (ticket, waiter) in &self.requests {
            if waiter.reach == Reach::Names && waiter.outcome.is_none() {
                self.whole.names.insert(waiter.mode, Place { priority: waiter.priority, ticket: *ticket });
            }
        }
    }

    /// Takes a request out of the lines of the whole.
    pub(super) fn leave_whole(&mut self, place: Place, mode: LockMode, reach: Reach) {
        match reach {
            Reach::Names => self.whole.names.remove(mode, place),
            Reach::Every => self.whole.leave_all(mode, place),
            Reach::Addition => self.whole.line.remove(mode, place),
        }
    }

    /// Takes a request out of the line of a member.
    pub(super) fn leave_line(&mut self, member: &M, mode: LockMode, place: Place) {
        if let Some((_, line)) = self.lines.get_mut(&member.id()) {
            line.remove(mode, place);
            if fault::WANTED_LOST {
                member.unwant();
            }
            if line.is_empty() {
                self.lines.remove(&member.id());
                shrink(&mut self.lines);
                member.unwant();
            }
        }
    }
}

/// Gives space back when entries have gone.
pub(super) fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if is_spacious(map.len(), map.capacity()) {
        map.shrink_to(map.len() * 2);
    }
}

/// Whether most of a space is empty. Once it has been made smaller, it takes many removals for this to be true again.
fn is_spacious(len: usize, capacity: usize) -> bool {
    const SMALL: usize = 64;
    capacity > SMALL && len < capacity / 8
}
