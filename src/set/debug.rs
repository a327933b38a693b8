//! Snapshots of a set for diagnostics: its names, and the names in the way of a request.

use super::core::Core;
use super::names::Key;
use super::queue::Obstacles;
use super::shards::{MemberRef, Pinned};
use crate::abridged::{Beginning, SHOWN};
use crate::mode::LockMode;
use crate::panics::Panics;
use std::fmt;

impl<K: Key, T> Core<K, T> {
    /// Shows members in name order, and unpins them.
    fn shown<R>(members: Vec<MemberRef<K, T>>, show: impl FnOnce(&[MemberRef<K, T>]) -> R) -> R {
        Panics::defer(|panics| {
            let shown = Pinned::in_name_order(members);
            let result = show(&shown);
            panics.catch(|| drop(shown)); // Foreign code: before the result is returned.
            result
        })
    }

    /// The names of members, in name order. Unpins the members.
    pub(crate) fn names_of(members: Vec<MemberRef<K, T>>) -> Vec<K> {
        Self::shown(members, |members| members.iter().map(|member| member.name().clone()).collect())
    }

    /// All names, as they were at a moment when no call was adding or removing.
    pub(crate) fn names(&self) -> Vec<K> {
        let members = {
            let _settled = self.queue();
            self.shards.all()
        };
        Self::names_of(members)
    }

    /// The names in the way of a request that waits; of a request for all members, some, and how many more.
    pub(crate) fn obstacles(&self, ticket: u64) -> (Vec<K>, usize) {
        let obstacles = self.queue().obstacles(ticket);
        match obstacles {
            Obstacles::Members(members) => (Self::names_of(members.into_vec()), 0),
            Obstacles::Any(mode) => self.obstacles_of_whole(mode),
        }
    }

    /// The same, of a request for all members.
    pub(crate) fn obstacles_of_whole(&self, mode: LockMode) -> (Vec<K>, usize) {
        let (some, all) = self.shards.some_in_the_way(SHOWN, mode);
        let left_out = all.saturating_sub(some.len());
        (Self::names_of(some), left_out)
    }

    /// Shows some members and how they are held, and how many more there are.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result
    where
        K: fmt::Debug,
    {
        let (members, all) = (self.shards.some(SHOWN, |_| true), self.shards.len());
        Self::shown(members, |members| {
            let mut map = f.debug_map();
            map.entries(members.iter().map(|member| (Beginning(member.name()), member)));
            if all > members.len() {
                map.entry(&format_args!(".."), &format_args!("{} more", all - members.len()));
            }
            map.finish()
        })
    }
}
