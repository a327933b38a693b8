//! Copies of requests, for a table of the locks.

use super::data::Queue;
use super::terms::{Holders, Member, Outcome, Reach, Waiter};
use crate::clock::Moment;
use crate::mode::LockMode;
use crate::priority::Priority;
use smallvec::SmallVec;

/// A copy of a request. `N` identifies a member for good.
#[derive(Debug)]
pub(crate) struct RequestCopy<M, N> {
    pub(crate) ticket: u64,
    pub(crate) mode: LockMode,
    pub(crate) priority: Priority,
    pub(crate) reach: Reach,
    pub(crate) state: Stage,
    /// Some of its members, pinned: first those that have no room for it.
    pub(crate) members: Vec<M>,
    /// Its members, but for those of a very long list.
    pub(crate) numbers: Vec<N>,
    /// How many members it has.
    pub(crate) count: usize,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Waits,
    /// It holds its members, since this moment if its owner has asked for that to be noted. Its owner has not collected
    /// it.
    Granted(Option<Moment>),
    /// It will get an error.
    Refused,
}

/// How much is copied of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// How many members are pinned.
    pub(crate) named: usize,
    /// How many members are looked at.
    pub(crate) looked: usize,
}

impl<M: Member> Queue<M> {
    /// The tickets of all requests that have not been collected, in no order.
    pub(crate) fn tickets(&self) -> Vec<u64> {
        self.requests.keys().copied().collect()
    }

    /// A copy of a request, if it has not been collected.
    pub(crate) fn copy<N>(&self, ticket: u64, extent: Extent, number: impl Fn(&M) -> N) -> Option<RequestCopy<M, N>> {
        let Waiter { mode, priority, reach, members, outcome, granted, stuck, .. } = self.requests.get(&ticket)?;
        let state = match outcome {
            None => Stage::Waits,
            Some(Outcome::Granted { .. }) => Stage::Granted(*granted),
            Some(Outcome::Deleted(_) | Outcome::TooFew) => Stage::Refused,
        };
        // The one that has no room is looked at, however long the list.
        let stuck = stuck.and_then(|id| members.binary_search_by_key(&id, Member::id).ok());
        let far = stuck.filter(|at| *at >= extent.looked).and_then(|at| members.get(at));
        let looked = || far.into_iter().chain(members.iter().take(extent.looked));
        let has_room = |member: &&M| self.has_room(member, *mode);
        let in_order = looked().filter(|member| !has_room(member)).chain(looked().filter(has_room));
        let named = in_order.take(extent.named).inspect(|member| member.pin()).cloned().collect();
        let numbers = looked().map(number).collect();
        let (mode, priority, reach) = (*mode, *priority, *reach);
        Some(RequestCopy { ticket, mode, priority, reach, state, members: named, numbers, count: members.len() })
    }

    /// Up to four members that have no room for a request; its first members if there is room at all.
    pub(crate) fn first_in_the_way<N>(&self, ticket: u64, number: impl Fn(&M) -> N) -> SmallVec<[N; 4]> {
        const LOOKED: usize = 256;
        let Some(Waiter { mode, members, .. }) = self.requests.get(&ticket) else { return SmallVec::new() };
        let in_the_way = members.iter().take(LOOKED).filter(|member| !self.has_room(member, *mode));
        let found: SmallVec<[N; 4]> = in_the_way.take(4).map(&number).collect();
        if found.is_empty() { members.iter().take(4).map(number).collect() } else { found }
    }

    /// Notes from now on when this request is granted.
    pub(crate) fn watch(&mut self, ticket: u64) {
        if let Some(waiter) = self.requests.get_mut(&ticket) {
            waiter.watched = true;
        }
    }

    /// The holders of the whole.
    pub(crate) fn whole_holders(&self) -> Holders {
        self.whole.held
    }
}
