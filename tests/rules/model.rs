//! The oracle: what the seed's manager and its sets allow to an owner that is alone. It is transcribed from their
//! assertions, not from our code. Levels are numbers, as there; level 0 is the Big Ganeti Lock.
//!
//! Where we differ on purpose, a function here says so by its name:
//! [`emptied_counts_as_held`], [`root_is_kept`], [`root_has_no_names`], [`nested_owns_what_it_acquired`],
//! [`repeated_names_are_refused`], [`downgrade_of_shared_is_refused`], [`free_names_are_added_by_guards_only`],
//! [`open_names_exist_while_owned`], [`open_levels_have_no_whole`].

use lockladder::LockMode;
use std::collections::BTreeSet;

pub(crate) type Names = BTreeSet<char>;

/// What the owner has of a level: the seed's `__owners`, and whether the set-lock is among it.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) mode: LockMode,
    pub(crate) whole: bool,
    pub(crate) names: Names,
    /// Acquired by this session, not by one around it.
    pub(crate) here: bool,
}

/// Which names a level has. The seed has the first two kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Fixed,
    Modifiable,
    Open,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub(crate) kind: Kind,
    /// None if the level is open: see [`Level::names`].
    pub(crate) members: Names,
    pub(crate) owned: Option<Owned>,
}

impl Level {
    /// The names that exist.
    pub(crate) fn names(&self) -> Names {
        open_names_exist_while_owned(self).unwrap_or_else(|| self.members.clone())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) levels: Vec<Level>,
}

/// How the seed answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done, with these names (those acquired, or removed).
    Done(Names),
    /// An assertion failed: a mistake of the caller, no matter which other owners there are.
    Assertion,
    /// `LockError`: names that other owners might have added or removed.
    LockError,
    /// An answer of the library only; see [`repeated_names_are_refused`].
    Repeated,
    /// An answer of the library only; see [`open_levels_have_no_whole`].
    Open,
}

/// The seed forgets a level when its last name is released. Here the level counts as held until it is released itself,
/// so that both branches of an `if` have one type.
fn emptied_counts_as_held(owned: Option<&Owned>) -> bool {
    owned.is_some()
}

/// The seed releases the root once nothing else is owned; here, dropping the session does.
fn root_is_kept(level: usize) -> bool {
    level == 0
}

/// The seed lists the one name of the root; here the root is one lock and needs no name.
fn root_has_no_names(level: usize) -> bool {
    level == 0
}

/// The seed has no nested sessions. Here they release what they acquired, and nothing else.
fn nested_owns_what_it_acquired(owned: Option<&Owned>) -> bool {
    owned.is_some_and(|owned| owned.here)
}

/// The seed adds a name twice if it is named twice, and loses a lock (bug B11).
fn repeated_names_are_refused(names: &[char]) -> bool {
    names.iter().collect::<BTreeSet<_>>().len() < names.len()
}

/// Later versions treat the downgrade of a shared lock as done. Here it is refused, because the type of a shared hold
/// has no downgrade.
fn downgrade_of_shared_is_refused(owned: &Owned) -> bool {
    owned.mode == LockMode::Shared
}

/// The seed lets an exclusive owner of a whole set add free names; here a guard of a set does, but a session adds only
/// names that it holds.
fn free_names_are_added_by_guards_only(owned: Option<&Owned>) -> bool {
    owned.is_some()
}

/// The seed has no open levels. Here their names come with the owner, and go with it; there is no other owner.
fn open_names_exist_while_owned(level: &Level) -> Option<Names> {
    let owned = || level.owned.as_ref().map(|owned| owned.names.clone()).unwrap_or_default();
    (level.kind == Kind::Open).then(owned)
}

/// See [`open_names_exist_while_owned`]: there is no set-lock of all names that could exist.
fn open_levels_have_no_whole(level: &Level) -> bool {
    level.kind == Kind::Open
}

/// The assertions of the seed's manager, and those of its sets that do not depend on names.
impl Model {
    fn is_owned(&self, level: usize) -> bool {
        emptied_counts_as_held(self.levels[level].owned.as_ref())
    }

    fn is_modifiable(&self, level: usize) -> bool {
        self.levels[level].kind == Kind::Modifiable
    }

    fn is_exclusive(&self, level: usize) -> bool {
        self.levels[level].owned.as_ref().is_some_and(|owned| owned.mode == LockMode::Exclusive)
    }

    fn is_here(&self, level: usize) -> bool {
        nested_owns_what_it_acquired(self.levels[level].owned.as_ref())
    }

    fn upper_owned(&self, level: usize) -> bool {
        (level + 1..self.levels.len()).any(|upper| self.is_owned(upper))
    }

    fn bgl_owned(&self) -> bool {
        self.is_owned(0)
    }

    pub(crate) fn may_acquire(&self, level: usize) -> bool {
        (level == 0 || self.bgl_owned()) && !self.upper_owned(level) && !self.is_owned(level)
    }

    pub(crate) fn may_acquire_whole(&self, level: usize) -> bool {
        self.may_acquire(level) && !open_levels_have_no_whole(&self.levels[level])
    }

    pub(crate) fn may_release(&self, level: usize) -> bool {
        self.is_owned(level) && !root_is_kept(level) && self.is_here(level)
    }

    pub(crate) fn may_add(&self, level: usize) -> bool {
        self.is_modifiable(level)
            && self.bgl_owned()
            && !self.upper_owned(level)
            && !free_names_are_added_by_guards_only(self.levels[level].owned.as_ref())
    }

    /// Leaves out the set-lock, which is known at run time only.
    pub(crate) fn may_add_held(&self, level: usize) -> bool {
        self.is_modifiable(level) && self.bgl_owned() && !self.upper_owned(level) && self.is_exclusive(level)
    }

    pub(crate) fn may_remove(&self, level: usize) -> bool {
        self.is_modifiable(level) && self.bgl_owned() && !self.upper_owned(level) && !self.is_owned(level)
    }

    /// Leaves out the names, which are known at run time only.
    pub(crate) fn may_remove_held(&self, level: usize) -> bool {
        self.is_modifiable(level) && self.bgl_owned() && self.is_exclusive(level) && self.is_here(level)
    }

    pub(crate) fn may_downgrade(&self, level: usize) -> bool {
        let owned = self.levels[level].owned.as_ref();
        owned.is_some_and(|owned| !downgrade_of_shared_is_refused(owned)) && self.is_here(level)
    }

    pub(crate) fn may_list_owned(&self, level: usize) -> bool {
        self.is_owned(level) && !root_has_no_names(level)
    }
}

/// The same with names: what an owner that is alone is answered, and has afterwards.
impl Model {
    /// `names` is `None` for the whole set.
    pub(crate) fn acquire(&mut self, level: usize, names: Option<&[char]>, mode: LockMode) -> Answer {
        if !self.may_acquire(level) {
            return Answer::Assertion;
        }
        if names.is_none() && !self.may_acquire_whole(level) {
            return Answer::Open;
        }
        let Level { kind, members, owned } = &mut self.levels[level];
        let wanted: Names = names.map_or_else(|| members.clone(), |names| names.iter().copied().collect());
        if *kind != Kind::Open && !wanted.is_subset(members) {
            return Answer::LockError;
        }
        *owned = Some(Owned { mode, whole: names.is_none(), names: wanted.clone(), here: true });
        Answer::Done(wanted)
    }

    pub(crate) fn release(&mut self, level: usize) -> Answer {
        if !self.may_release(level) {
            return Answer::Assertion;
        }
        self.levels[level].owned = None;
        Answer::Done(Names::new())
    }

    pub(crate) fn release_names(&mut self, level: usize, names: &[char]) -> Answer {
        let may = self.may_release(level);
        match &mut self.levels[level].owned {
            Some(owned) if may && names.iter().all(|name| owned.names.contains(name)) => {
                owned.whole = false; // "First of all let's release the 'all elements' lock, if set."
                owned.names.retain(|name| !names.contains(name));
                Answer::Done(Names::new())
            }
            _ => Answer::Assertion,
        }
    }

    pub(crate) fn downgrade(&mut self, level: usize) -> Answer {
        match &mut self.levels[level].owned {
            Some(owned) if !downgrade_of_shared_is_refused(owned) => {
                owned.mode = LockMode::Shared;
                Answer::Done(Names::new())
            }
            _ => Answer::Assertion,
        }
    }

    /// With a mode, the names are acquired, too.
    pub(crate) fn add(&mut self, level: usize, names: &[char], acquired: Option<LockMode>) -> Answer {
        if !self.may_add(level) {
            return Answer::Assertion;
        }
        let answer = self.insert(level, names);
        if let (Answer::Done(names), Some(mode)) = (&answer, acquired) {
            self.levels[level].owned = Some(Owned { mode, whole: false, names: names.clone(), here: true });
        }
        answer
    }

    pub(crate) fn add_held(&mut self, level: usize, names: &[char]) -> Answer {
        let has_set_lock = self.levels[level].owned.as_ref().is_some_and(|owned| owned.whole);
        if !self.may_add_held(level) || !has_set_lock {
            return Answer::Assertion;
        }
        let answer = self.insert(level, names);
        if let (Answer::Done(names), Some(owned)) = (&answer, &mut self.levels[level].owned) {
            owned.names.extend(names);
        }
        answer
    }

    fn insert(&mut self, level: usize, names: &[char]) -> Answer {
        if repeated_names_are_refused(names) {
            return Answer::Repeated;
        }
        let members = &mut self.levels[level].members;
        if names.iter().any(|name| members.contains(name)) {
            return Answer::LockError;
        }
        members.extend(names);
        Answer::Done(names.iter().copied().collect())
    }

    pub(crate) fn remove(&mut self, level: usize, names: &[char]) -> Answer {
        if !self.may_remove(level) {
            return Answer::Assertion;
        }
        let removed: Names = names.iter().copied().filter(|name| self.levels[level].members.contains(name)).collect();
        self.levels[level].members.retain(|name| !removed.contains(name));
        Answer::Done(removed)
    }

    pub(crate) fn remove_held(&mut self, level: usize, names: &[char]) -> Answer {
        let may = self.may_remove_held(level);
        let Level { members, owned, .. } = &mut self.levels[level];
        match owned {
            Some(owned) if may && names.iter().all(|name| owned.names.contains(name)) => {
                owned.names.retain(|name| !names.contains(name));
                members.retain(|name| !names.contains(name));
                Answer::Done(Names::new())
            }
            _ => Answer::Assertion,
        }
    }
}
