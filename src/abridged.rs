//! Long lists for people: the first few, and how many more there are. A list of all names of a large set, in an error or
//! a line of a log, would stop the service that writes it.

use std::fmt;

/// So many are shown.
pub(crate) const SHOWN: usize = 16;

/// A list of which some are shown.
pub(crate) struct Abridged<'a, T> {
    shown: &'a [T],
    more: usize,
}

impl<'a, T> Abridged<'a, T> {
    /// The first ones of a list.
    pub(crate) fn of(list: &'a [T]) -> Self {
        Self::out_of(&list[..list.len().min(SHOWN)], list.len())
    }

    /// These, out of so many.
    pub(crate) fn out_of(shown: &'a [T], all: usize) -> Self {
        Self { shown, more: all.saturating_sub(shown.len()) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Abridged<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(self.shown);
        if self.more > 0 {
            list.entry(&format_args!("{} more", self.more));
        }
        list.finish()
    }
}
