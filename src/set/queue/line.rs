//! The requests that wait for one member, in order.
//!
//! A request is *live* in a line if a change at that member may be what it waits for. If some member has no room for
//! it, the request is live at that member only, until there is room: nothing else can help it. So few requests are
//! looked at after a change.

use super::terms::Place;
use crate::mode::LockMode;
use std::collections::BTreeSet;

/// The requests that wait for one member.
#[derive(Debug, Default)]
pub(crate) struct Line {
    shared: Row,
    exclusive: Row,
}

/// The requests of one mode.
#[derive(Debug, Default)]
struct Row {
    all: BTreeSet<Place>,
    live: BTreeSet<Place>,
}

impl Line {
    pub(crate) fn insert(&mut self, mode: LockMode, place: Place) {
        self.row(mode).all.insert(place);
        self.row(mode).live.insert(place);
    }

    pub(crate) fn remove(&mut self, mode: LockMode, place: Place) {
        self.row(mode).all.remove(&place);
        self.row(mode).live.remove(&place);
    }

    /// Sets whether a change here may help the request.
    pub(crate) fn set_live(&mut self, mode: LockMode, place: Place, live: bool) {
        if live {
            self.row(mode).live.insert(place);
        } else {
            self.row(mode).live.remove(&place);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shared.all.is_empty() && self.exclusive.all.is_empty()
    }

    /// All requests here, live or not.
    pub(crate) fn into_all(self) -> impl Iterator<Item = (LockMode, Place)> {
        let shared = self.shared.all.into_iter().map(|place| (LockMode::Shared, place));
        shared.chain(self.exclusive.all.into_iter().map(|place| (LockMode::Exclusive, place)))
    }

    pub(crate) fn first(&self) -> Option<Place> {
        self.shared.all.first().into_iter().chain(self.exclusive.all.first()).min().copied()
    }

    /// The requests ahead of a place that conflict with one of this mode.
    pub(crate) fn ahead(&self, mode: LockMode, place: Place) -> impl Iterator<Item = Place> + '_ {
        let shared = (mode == LockMode::Exclusive).then(|| self.shared.all.range(..place));
        self.exclusive.all.range(..place).chain(shared.into_iter().flatten()).copied()
    }

    /// The first request at a place or behind it.
    pub(crate) fn first_from(&self, place: Place) -> Option<Place> {
        let first = |row: &Row| row.all.range(place..).next().copied();
        first(&self.shared).into_iter().chain(first(&self.exclusive)).min()
    }

    pub(crate) fn live(&self, mode: LockMode) -> impl Iterator<Item = Place> + '_ {
        match mode {
            LockMode::Shared => self.shared.live.iter().copied(),
            LockMode::Exclusive => self.exclusive.live.iter().copied(),
        }
    }

    fn row(&mut self, mode: LockMode) -> &mut Row {
        match mode {
            LockMode::Shared => &mut self.shared,
            LockMode::Exclusive => &mut self.exclusive,
        }
    }
}
