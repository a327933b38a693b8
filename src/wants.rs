//! What a request asks for, as those who watch it are told.

use crate::abridged::{Abridged, SHOWN};
use crate::mode::LockMode;
use crate::priority::Priority;
use std::fmt;

/// A request that can tell what it asks for, before its first poll.
pub trait Wants {
    /// In which mode it will wait, and how urgent it is.
    fn wants(&self) -> (LockMode, Priority);

    /// The names that it asks for; `None` for one lock, which has no name. Their `Debug`, foreign code, runs here.
    fn names_wanted(&self) -> Option<NamesWanted>;
}

/// The names that a request asks for, as text: some of them if they are many.
pub struct NamesWanted(Option<Abridged<String>>);

impl NamesWanted {
    /// The whole of a set.
    pub(crate) fn whole() -> Self {
        Self(None)
    }

    /// These names, out of `all`. The first few are taken.
    pub(crate) fn these(names: impl Iterator<Item = String>, all: usize) -> Self {
        Self(Some(Abridged::out_of(names.take(SHOWN).collect(), all)))
    }
}

/// As `["node1", "node2", 7 more]`, or `All`.
impl fmt::Debug for NamesWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(names) => names.fmt(f),
            None => f.write_str("All"),
        }
    }
}
