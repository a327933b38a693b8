//! What a session must hold, level by level, and the rooms that it enters for that.

use super::{Floor, High, Job, Loft, Low, Roof};
use lockladder::LockMode;
use std::collections::BTreeSet;

/// A level that is held.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) mode: LockMode,
    /// Whether it is held as a whole.
    pub(super) whole: bool,
    pub(super) names: BTreeSet<u8>,
}

impl Held {
    pub(super) fn is_exclusive(&self) -> bool {
        self.mode == LockMode::Exclusive
    }
}

impl Job<'_> {
    pub(super) fn held<L: Floor>(&mut self) -> &mut Option<Held> {
        &mut self.held[L::INDEX]
    }

    /// Whether this level, or one above it, is held.
    pub(super) fn is_above<L: Floor>(&self) -> bool {
        self.held[L::INDEX..].iter().any(Option::is_some)
    }

    /// The session holds the level from now on.
    pub(super) fn enter<L: Floor>(&mut self, mode: LockMode, whole: bool) {
        let names: BTreeSet<u8> = self.session.names::<L>().into_iter().collect();
        for name in &names {
            self.enter_one::<L>(*name, mode);
        }
        *self.held::<L>() = Some(Held { mode, whole, names });
    }

    pub(super) fn enter_one<L: Floor>(&self, name: u8, mode: LockMode) {
        self.ledger.enter(L::place(name), mode, self.session.get::<L>(name).expect("it holds the name"));
    }

    pub(super) fn leave_one<L: Floor>(&self, name: u8, mode: LockMode) {
        self.ledger.leave(L::place(name), mode, self.session.get::<L>(name).expect("it holds the name"));
    }

    /// The session is about to release the level.
    pub(super) fn leave<L: Floor>(&self) {
        if let Some(held) = &self.held[L::INDEX] {
            for name in &held.names {
                self.leave_one::<L>(*name, held.mode);
            }
        }
    }

    /// Asserts that the session says it holds what it must and no more, that all of it exists, and that a level held as
    /// a whole has no other members.
    pub(super) fn assert_known(&self) {
        self.assert_level::<Low>();
        self.assert_level::<High>();
        self.assert_level::<Loft>();
        self.assert_level::<Roof>();
    }

    fn assert_level<L: Floor>(&self) {
        let held = self.held[L::INDEX].as_ref();
        assert_eq!(self.session.holds::<L>(), held.is_some(), "{} is held", L::NAME);
        assert_eq!(self.session.mode::<L>(), held.map(|held| held.mode));
        let names: Vec<u8> = held.map(|held| held.names.iter().copied().collect()).unwrap_or_default();
        assert_eq!(self.session.names::<L>(), names);
        let exist = self.session.manager().names::<L>();
        assert!(names.iter().all(|name| exist.contains(name)), "{names:?} are held, and {exist:?} exist");
        if held.is_some_and(|held| held.whole) {
            assert_eq!(exist, names, "a whole {} has come or gone in part", L::NAME);
        }
    }
}
