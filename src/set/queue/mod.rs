//! Who waits, who holds the whole, and what a change lets run. Plain data: whoever changes it has it to themselves.
//!
//! ```text
//!   requests   ticket ─► Waiter { members, mode, … }       until its owner collects how it ended
//!   lines      member ─► those who wait for it, in order   } a request stands in the line of each of its names,
//!   wholes     those who wait for All, or to add           } or here
//! ```
//!
//! Each change notes the requests that it may have helped, and ends in [`Queue::settle`], which grants what can be granted:
//! see [`pass`](super::pass).
//!
//! # The whole
//!
//! The members do not know who holds `All`. While somebody holds or awaits it the set is *gated*: all requests come
//! through this queue, and all holds are given back here. So how many holds of single members there are is known by
//! counting on from when the gate was closed: see [`whole`].
//!
//! # Invariants
//!
//! 1. A member is marked as wanted while it has a line, and only then.
//! 2. A request stands in the lines of all its members from `enter` until it is settled or cancelled, and then in none.
//! 3. While the set is gated, `single` counts all holds of single members.
//! 4. Nothing of foreign make is dropped or called here: wakers and members are handed out, to be woken and given back later.
//! 5. A clone of a member is a mention. Whoever keeps one for longer than a change has it pinned, and hands it out once.

mod holders;
mod line;
mod pass;
pub(crate) mod policy;
mod whole;

use super::fault;
use crate::mode::LockMode;
use crate::priority::Priority;
use hashbrown::HashMap;
use line::Line;
use pass::Pass;
use policy::{Bounds, Holders, Id, Member, Place, conflicts};
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::mem;
use std::task::Waker;
pub(crate) use whole::Tally;

/// Members of a set in the order of their ids, each once. Up to four need no allocation.
pub(crate) type Members<M> = SmallVec<[M; 4]>;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its members.
    Names,
    /// The whole set.
    Every,
    /// To add members: the set is held as a whole for a moment.
    Addition,
}

/// What becomes of a request when one of its members is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The request fails.
    Fails,
    /// It goes on for the others.
    Skipped,
    /// It goes on as long as there are as many as it needs.
    Counted,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Waiter<M> {
    pub(crate) reach: Reach,
    pub(crate) mode: LockMode,
    pub(crate) priority: Priority,
    pub(crate) members: Members<M>,
    /// So many of the members suffice.
    pub(crate) enough: usize,
    pub(crate) missing: Missing,
    /// How often others have passed it.
    pub(crate) passed: u32,
    /// The member that has no room for it, if that is known: it is live there only.
    pub(crate) stuck: Option<Id>,
    pub(crate) waker: Option<Waker>,
    pub(crate) outcome: Option<Outcome<M>>,
}

impl<M> Waiter<M> {
    pub(crate) fn new(reach: Reach, mode: LockMode, priority: Priority, members: Members<M>) -> Self {
        let enough = members.len();
        let (missing, passed, stuck, waker, outcome) = (Missing::Fails, 0, None, None, None);
        Self { reach, mode, priority, members, enough, missing, passed, stuck, waker, outcome }
    }

    /// How many of its members it can do without.
    pub(crate) fn spare(&self) -> usize {
        self.members.len() - self.enough
    }
}

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Outcome<M> {
    /// The members are held; the others of those it named are not.
    Granted { others: Members<M> },
    /// This member was removed.
    Deleted(M),
    /// Removals have left fewer members than it asked for.
    TooFew,
}

/// What is in the way of a request.
#[derive(Debug)]
pub(crate) enum Obstacles<M> {
    /// These members.
    Members(Members<M>),
    /// Any member of the set that has no room for this mode.
    Any(LockMode),
}

/// Mostly one, which needs no allocation.
pub(crate) type Woken = SmallVec<[Waker; 1]>;

/// What a change has led to: to be done once the queue is free.
#[derive(Debug)]
pub(crate) struct Effects<M> {
    pub(crate) woken: Woken,
    pub(crate) dropped: Vec<M>,
}

impl<M> Effects<M> {
    pub(crate) fn none() -> Self {
        Self { woken: Woken::new(), dropped: Vec::new() }
    }
}

/// The requests that wait for a set, and the holders of the whole.
#[derive(Debug)]
pub(crate) struct Queue<M> {
    bounds: Bounds,
    last_ticket: u64,
    requests: HashMap<u64, Waiter<M>>,
    /// Whoever stands in a line has its member pinned.
    lines: HashMap<Id, (M, Line)>,
    /// Those who wait for the whole; an addition is exclusive.
    wholes: Line,
    /// How many of `wholes` wait for all members.
    awaiting_all: usize,
    /// All who wait for names, kept only while somebody waits for all members.
    names: Line,
    /// The right to keep others from adding, and from holding the whole.
    whole: Holders,
    /// Those who hold all members without having them marked.
    every: Holders,
    /// The holds of single members, while the set is gated.
    single: Option<Tally>,
    /// Requests to look at, kept between changes for its space only.
    todo: BinaryHeap<Reverse<Place>>,
    dropped: Vec<M>,
}

/// What the policy reads.
impl<M: Member> Queue<M> {
    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The request at this place, if it still waits there.
    pub(crate) fn waiting(&self, place: Place) -> Option<&Waiter<M>> {
        let waits = |waiter: &&Waiter<M>| waiter.outcome.is_none() && waiter.priority == place.priority;
        self.requests.get(&place.ticket).filter(waits)
    }

    /// Whether holders leave room at a member: its own, and those of all members.
    pub(crate) fn has_room(&self, member: &M, mode: LockMode) -> bool {
        member.has_room(mode) && self.every.has_room(mode)
    }

    pub(crate) fn whole_has_room(&self, mode: LockMode) -> bool {
        self.whole.has_room(mode)
    }

    /// Whether somebody holds all members together so that it excludes `mode`.
    pub(crate) fn is_every_held(&self, mode: LockMode) -> bool {
        !self.every.has_room(mode)
    }

    /// Those who wait for a member.
    fn line(&self, name: Id) -> Option<&Line> {
        self.lines.get(&name).map(|(_, line)| line)
    }

    /// Who waits for a member ahead of a place and conflicts with this mode.
    pub(crate) fn ahead_at(&self, name: Id, mode: LockMode, place: Place) -> impl Iterator<Item = Place> + '_ {
        self.line(name).into_iter().flat_map(move |line| line.ahead(mode, place))
    }

    /// Who waits for any names ahead of a place and conflicts with this mode. Only while somebody waits for all.
    pub(crate) fn names_ahead(&self, mode: LockMode, place: Place) -> impl Iterator<Item = Place> + '_ {
        self.names.ahead(mode, place)
    }

    /// Who waits for the whole ahead of a place: for all members so that it conflicts with `mode`, or, without one, for
    /// whatever.
    pub(crate) fn wholes_ahead(&self, place: Place, mode: Option<LockMode>) -> impl Iterator<Item = Place> + '_ {
        let concerns = move |waiter: &Waiter<M>| {
            mode.is_none_or(|mode| waiter.reach == Reach::Every && conflicts(waiter.mode, mode))
        };
        let ahead = self.wholes.ahead(LockMode::Exclusive, place);
        ahead.filter(move |other| self.waiting(*other).is_some_and(concerns))
    }
}

/// Coming and going.
impl<M: Member> Queue<M> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            last_ticket: 0,
            requests: HashMap::new(),
            lines: HashMap::new(),
            wholes: Line::default(),
            awaiting_all: 0,
            names: Line::default(),
            whole: Holders::default(),
            every: Holders::default(),
            single: None,
            todo: BinaryHeap::new(),
            dropped: Vec::new(),
        }
    }

    /// A request takes its place, and is granted if it can be.
    pub(crate) fn enter(&mut self, waiter: Waiter<M>) -> (u64, Effects<M>) {
        let mut pass = self.pass();
        pass.note(self.admit(Some(waiter)));
        (self.last_ticket, self.settle(pass))
    }

    /// What became of a request.
    pub(crate) fn request(&mut self, ticket: u64) -> Option<&mut Waiter<M>> {
        self.requests.get_mut(&ticket)
    }

    /// The members that are in the way of a request, pinned; none if that is not members, but who comes first or has the whole.
    pub(crate) fn obstacles(&self, ticket: u64) -> Obstacles<M> {
        match self.requests.get(&ticket) {
            None => Obstacles::Members(Members::new()),
            Some(Waiter { reach: Reach::Every, mode, .. }) => Obstacles::Any(*mode),
            Some(Waiter { members, mode, .. }) => {
                let obstacles = members.iter().filter(|member| !member.has_room(*mode));
                Obstacles::Members(obstacles.inspect(|member| member.pin()).cloned().collect())
            }
        }
    }

    /// The owner of a settled request collects it.
    pub(crate) fn collect(&mut self, ticket: u64) -> Option<Waiter<M>> {
        let waiter = self.requests.remove(&ticket);
        shrink(&mut self.requests);
        waiter
    }

    /// The owner of a request gives up. If it is settled already, nothing happens but that it is collected.
    pub(crate) fn cancel(&mut self, ticket: u64) -> (Option<Waiter<M>>, Effects<M>) {
        let mut pass = self.pass();
        if let Some(waiter) = self.requests.get(&ticket).filter(|waiter| waiter.outcome.is_none()) {
            let place = Place { priority: waiter.priority, ticket };
            self.delist(place, &mut pass);
        }
        (self.collect(ticket), self.settle(pass))
    }

    /// Moves a waiting request behind those of another priority. It comes anew, by the ticket returned.
    pub(crate) fn set_priority(&mut self, ticket: u64, priority: Priority) -> (u64, Effects<M>) {
        let moves = |waiter: &&Waiter<M>| waiter.outcome.is_none() && waiter.priority != priority;
        let Some(waiter) = self.requests.get(&ticket).filter(moves) else {
            return (ticket, Effects::none());
        };
        let place = Place { priority: waiter.priority, ticket };
        let mut pass = self.pass();
        self.delist(place, &mut pass);
        let waiter = self.requests.remove(&ticket);
        let place = self.admit(waiter.map(|waiter| Waiter { priority, stuck: None, ..waiter }));
        pass.note(place);
        (self.last_ticket, self.settle(pass))
    }

    /// Gives a request a ticket, and the place that follows from it.
    fn admit(&mut self, waiter: Option<Waiter<M>>) -> Option<Place> {
        let waiter = waiter?;
        self.last_ticket += 1;
        let place = Place { priority: waiter.priority, ticket: self.last_ticket };
        self.requests.insert(place.ticket, waiter);
        self.enlist(place);
        Some(place)
    }

    /// Puts a request into the lines of its members.
    fn enlist(&mut self, place: Place) {
        let Some(waiter) = self.requests.get(&place.ticket) else { return };
        let mode = waiter.mode;
        if waiter.reach == Reach::Names {
            for member in &waiter.members {
                let (_, line) = self.lines.entry(member.id()).or_insert_with(|| {
                    member.want();
                    (member.clone(), Line::default())
                });
                line.insert(mode, place);
            }
            if self.awaiting_all > 0 {
                self.names.insert(mode, place);
            }
            return;
        }
        if waiter.reach == Reach::Every {
            self.awaiting_all += 1;
            if self.awaiting_all == 1 {
                self.list_names();
            }
        }
        self.wholes.insert(mode, place);
    }

    /// Lists all who wait for names, as somebody waits for all members now.
    fn list_names(&mut self) {
        for (ticket, waiter) in &self.requests {
            if waiter.reach == Reach::Names && waiter.outcome.is_none() {
                self.names.insert(waiter.mode, Place { priority: waiter.priority, ticket: *ticket });
            }
        }
    }

    /// Takes a request out of all lines, and notes whom that may help.
    fn delist(&mut self, place: Place, pass: &mut Pass) {
        let Some(waiter) = self.requests.get_mut(&place.ticket) else { return };
        let (mode, reach, members) = (waiter.mode, waiter.reach, mem::take(&mut waiter.members));
        self.leave_wholes(place, mode, reach);
        for member in &members {
            self.leave_line(member, mode, place);
            match mode {
                LockMode::Shared => self.touch_exclusive(member, pass), // Sharers had nothing against it.
                LockMode::Exclusive => self.touch(member, pass),
            }
        }
        if let Some(waiter) = self.requests.get_mut(&place.ticket) {
            waiter.members = members;
        }
        if reach == Reach::Every {
            self.touch_names(pass);
        }
        self.touch_wholes(pass);
    }

    /// Takes a request out of what is kept for those who wait for the whole.
    fn leave_wholes(&mut self, place: Place, mode: LockMode, reach: Reach) {
        match reach {
            Reach::Names => {
                self.names.remove(mode, place);
                return;
            }
            Reach::Every => self.awaiting_all -= 1,
            Reach::Addition => {}
        }
        self.wholes.remove(mode, place);
        if self.awaiting_all == 0 {
            self.names = Line::default();
        }
    }

    fn leave_line(&mut self, member: &M, mode: LockMode, place: Place) {
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
fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if is_spacious(map.len(), map.capacity()) {
        map.shrink_to(map.len() * 2);
    }
}

/// Whether most of a space is empty: so it is made smaller at most once for as many as have gone.
fn is_spacious(len: usize, capacity: usize) -> bool {
    const SMALL: usize = 64;
    capacity > SMALL && len < capacity / 8
}
