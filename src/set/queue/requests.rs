//! How requests enter, move, are cancelled, and are collected.

use super::data::{Queue, shrink};
use super::round::Round;
use super::terms::{Effects, Member, Members, Obstacles, Place, Reach, Waiter};
use crate::mode::LockMode;
use crate::priority::Priority;
use std::mem;

impl<M: Member> Queue<M> {
    /// Gives a request a ticket and its place, and grants it if it can be granted.
    pub(crate) fn enter(&mut self, waiter: Waiter<M>) -> (u64, Effects<M>) {
        let mut round = self.round();
        round.note(self.admit(Some(waiter)));
        (self.last_ticket, self.settle(round))
    }

    /// A request that has not been collected yet.
    pub(crate) fn request(&mut self, ticket: u64) -> Option<&mut Waiter<M>> {
        self.requests.get_mut(&ticket)
    }

    /// The members that have no room for a request, pinned. None if other requests or holders of the whole are in the
    /// way.
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

    /// Takes a request out that is settled or cancelled, for its owner.
    pub(crate) fn collect(&mut self, ticket: u64) -> Option<Waiter<M>> {
        let waiter = self.requests.remove(&ticket);
        shrink(&mut self.requests);
        waiter
    }

    /// Cancels a request. One that is settled already is only collected.
    pub(crate) fn cancel(&mut self, ticket: u64) -> (Option<Waiter<M>>, Effects<M>) {
        let mut round = self.round();
        if let Some(waiter) = self.requests.get(&ticket).filter(|waiter| waiter.outcome.is_none()) {
            let place = Place { priority: waiter.priority, ticket };
            self.delist(place, &mut round);
        }
        (self.collect(ticket), self.settle(round))
    }

    /// Moves a waiting request behind those of another priority. It gets a new ticket, which is returned.
    pub(crate) fn set_priority(&mut self, ticket: u64, priority: Priority) -> (u64, Effects<M>) {
        let moves = |waiter: &&Waiter<M>| waiter.outcome.is_none() && waiter.priority != priority;
        let Some(waiter) = self.requests.get(&ticket).filter(moves) else {
            return (ticket, Effects::none());
        };
        let place = Place { priority: waiter.priority, ticket };
        let mut round = self.round();
        self.delist(place, &mut round);
        let waiter = self.requests.remove(&ticket);
        let place = self.admit(waiter.map(|waiter| Waiter { priority, stuck: None, ..waiter }));
        round.note(place);
        (self.last_ticket, self.settle(round))
    }

    /// Gives a request a ticket and its place.
    fn admit(&mut self, waiter: Option<Waiter<M>>) -> Option<Place> {
        let waiter = waiter?;
        self.last_ticket += 1;
        let place = Place { priority: waiter.priority, ticket: self.last_ticket };
        self.requests.insert(place.ticket, waiter);
        self.enlist(place);
        Some(place)
    }

    /// Takes a request out of all lines, and notes the requests that this may help.
    pub(super) fn delist(&mut self, place: Place, round: &mut Round) {
        let Some(waiter) = self.requests.get_mut(&place.ticket) else { return };
        let (mode, reach, members) = (waiter.mode, waiter.reach, mem::take(&mut waiter.members));
        self.leave_whole(place, mode, reach);
        for member in &members {
            self.leave_line(member, mode, place);
            match mode {
                LockMode::Shared => self.touch_exclusive(member, round), // Other sharers did not conflict with it.
                LockMode::Exclusive => self.touch(member, round),
            }
        }
        if let Some(waiter) = self.requests.get_mut(&place.ticket) {
            waiter.members = members;
        }
        if reach == Reach::Every {
            self.touch_names(round);
        }
        self.touch_wholes(round);
    }
}
