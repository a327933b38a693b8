//! Copies of a set for a table of the locks: the requests, and the names of members.
//!
//! The queue is locked for a part of the requests at a time, and a shard for one name. Names are shown, which is foreign
//! code, with nothing locked.

use super::core::Core;
use super::names::Key;
use super::queue::{Extent, Member as _, Reach, RequestCopy, Stage};
use super::shards::{MemberRef, Pinned, SlotNumber};
use crate::abridged::{Beginning, SHOWN};
use crate::clock::time_of_day;
use crate::mode::LockMode;
use crate::panics::Panics;
use crate::priority::Priority;
use crate::table::{LockRow, LockTable, Waiter, natural};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;

/// A request, as a table shows it.
#[derive(Debug)]
pub struct RequestSeen {
    pub(crate) ticket: u64,
    pub(crate) mode: LockMode,
    pub(crate) priority: Priority,
    pub(crate) reach: Reach,
    pub(crate) stage: Stage,
    /// Some of its names: first those that have no room for it.
    pub(crate) names: Vec<(SlotNumber, String)>,
    /// Its members, but for those of a very long list.
    pub(crate) numbers: Vec<SlotNumber>,
    /// How many members it has.
    pub(crate) count: usize,
}

/// A set of names of any type, as a table sees it.
pub trait Copies {
    /// The requests in the order in which they stand: by priority, then by arrival.
    fn requests(&self) -> Vec<RequestSeen>;

    /// The mode of a request that waits, what it is about, and the places of its first names.
    fn asked(&self, ticket: u64) -> Option<(LockMode, Reach, Vec<SlotNumber>)>;

    /// Up to four members that have no room for a request; its first members if there is room at all.
    fn in_the_way_of(&self, ticket: u64) -> SmallVec<[SlotNumber; 4]>;

    /// The name of the member at this place.
    fn name_of(&self, number: SlotNumber) -> Option<String>;

    /// The name of the member at this place, if it is held in this mode.
    fn name_at(&self, number: SlotNumber, mode: LockMode) -> Option<String>;
}

impl<K: Key + fmt::Debug, T> Copies for Core<K, T> {
    fn requests(&self) -> Vec<RequestSeen> {
        let mut tickets = self.queue().tickets();
        tickets.sort_unstable();
        let mut seen = Vec::with_capacity(tickets.len());
        let mut left = &tickets[..];
        while !left.is_empty() {
            // All pins have an owner before the first name is shown, which may panic.
            let own = |copy: &mut RequestCopy<_, _>| Pinned::each_of(mem::take(&mut copy.members));
            let copies = self.some_requests(&mut left).into_iter();
            let copies: Vec<_> = copies.map(|mut copy| (own(&mut copy), copy)).collect();
            seen.extend(copies.into_iter().map(|(members, copy)| Self::seen(&members, copy)));
        }
        seen.sort_by_key(|request| (request.priority, request.ticket));
        seen
    }

    fn asked(&self, ticket: u64) -> Option<(LockMode, Reach, Vec<SlotNumber>)> {
        const EXTENT: Extent = Extent { named: 0, looked: 256 };
        let copy = self.queue().copy(ticket, EXTENT, |member| SlotNumber::of(*member))?;
        (copy.state == Stage::Waits).then_some((copy.mode, copy.reach, copy.numbers))
    }

    fn in_the_way_of(&self, ticket: u64) -> SmallVec<[SlotNumber; 4]> {
        self.queue().first_in_the_way(ticket, |member| SlotNumber::of(*member))
    }

    fn name_of(&self, number: SlotNumber) -> Option<String> {
        let known = Pinned::of(self.shards.at(number, |_| true)?);
        Some(text(known[0].name()))
    }

    fn name_at(&self, number: SlotNumber, mode: LockMode) -> Option<String> {
        let known = Pinned::of(self.shards.at(number, |known| known.held() == Some(mode))?);
        Some(text(known[0].name()))
    }
}

impl<K: Key + fmt::Debug, T> Core<K, T> {
    /// Copies of the first of these requests: as many as can be copied in some microseconds.
    fn some_requests(&self, tickets: &mut &[u64]) -> Vec<RequestCopy<MemberRef<K, T>, SlotNumber>> {
        const EXTENT: Extent = Extent { named: SHOWN, looked: 256 };
        const REQUESTS: usize = 64;
        const MEMBERS: usize = 256;
        let (mut copies, mut members) = (Vec::with_capacity(REQUESTS), 0);
        let queue = self.queue();
        while let Some((first, rest)) = tickets.split_first().filter(|_| copies.len() < REQUESTS && members < MEMBERS) {
            *tickets = rest;
            if let Some(copy) = queue.copy(*first, EXTENT, |member| SlotNumber::of(*member)) {
                members += copy.numbers.len();
                copies.push(copy);
            }
        }
        copies
    }

    fn seen(members: &Pinned<K, T>, copy: RequestCopy<MemberRef<K, T>, SlotNumber>) -> RequestSeen {
        let RequestCopy { ticket, mode, priority, reach, state, numbers, count, .. } = copy;
        let names = members.iter().map(|member| (SlotNumber::of(*member), text(member.name()))).collect();
        RequestSeen { ticket, mode, priority, reach, stage: state, names, numbers, count }
    }

    /// The table of a set that belongs to no manager.
    pub(crate) fn table(&self) -> LockTable {
        let is_meant = |known: &MemberRef<K, T>| known.look().is_held() || known.look().is_queued();
        let mut locks: BTreeMap<SlotNumber, LockRow> = BTreeMap::new();
        Panics::defer(|panics| {
            let known = Pinned::each_of(self.shards.some(usize::MAX, is_meant));
            for member in known.iter() {
                let state = member.look();
                let row = LockRow::new("", Some(text(member.name())), state.mode(), state.holders());
                locks.insert(SlotNumber::of(*member), LockRow { removed: state.is_deleted(), ..row });
            }
            panics.catch(|| drop(known));
        });
        let whole = self.queue().whole_holders();
        let mut whole = LockRow::new("", None, whole.mode(), whole.count());
        for request in self.requests().into_iter().filter(|request| request.stage == Stage::Waits) {
            let waiter = || Waiter { session: None, mode: request.mode, priority: request.priority };
            for number in &request.numbers {
                if let Some(row) = locks.get_mut(number) {
                    row.waiters.push(waiter());
                }
            }
            if request.reach != Reach::Names {
                whole.waiters.push(waiter());
            }
        }
        let is_whole_used = whole.holders > 0 || !whole.waiters.is_empty();
        let locks = is_whole_used.then_some(whole).into_iter().chain(locks.into_values()).collect();
        LockTable { hierarchy: "", root: "", at: time_of_day(), sessions: Vec::new(), locks, hot: Vec::new() }
            .in_order(&[""])
    }
}

/// A name as text: as its `Debug`, without the quotes of a string, and cut if it is long.
pub(crate) fn text(name: &impl fmt::Debug) -> String {
    let text = format!("{:?}", Beginning(name));
    match text.strip_prefix('"') {
        Some(inside) => inside.strip_suffix('"').unwrap_or(inside).to_owned(),
        None => text,
    }
}

impl LockTable {
    /// Puts the locks into their order. These are the levels in theirs.
    pub(crate) fn in_order(mut self, levels: &[&str]) -> Self {
        self.locks.sort_by(|one, other| {
            let level = |row: &LockRow| levels.iter().position(|level| *level == row.level);
            let place = |row: &LockRow| (row.waiters.is_empty(), level(row), row.name.is_some());
            let names = || natural(one.name.as_deref().unwrap_or(""), other.name.as_deref().unwrap_or(""));
            place(one).cmp(&place(other)).then_with(names)
        });
        self
    }
}
