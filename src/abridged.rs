//! Long lists for people: the first few, and how many more there are. A list of all names of a large set, in an error or
//! a line of a log, would stop the service that writes it.

use std::fmt;

/// So many are shown.
pub(crate) const SHOWN: usize = 16;

/// A list of which some are shown.
pub(crate) struct Abridged<T> {
    shown: Vec<T>,
    more: usize,
}

impl<T> Abridged<T> {
    /// The first ones of a list.
    pub(crate) fn of<I: IntoIterator<Item = T, IntoIter: ExactSizeIterator>>(list: I) -> Self {
        let list = list.into_iter();
        let all = list.len();
        Self::out_of(list.take(SHOWN).collect(), all)
    }

    /// The first ones of a list, which leaves out so many.
    pub(crate) fn beside(list: Vec<T>, left_out: usize) -> Self {
        let all = list.len() + left_out;
        Self::out_of(list.into_iter().take(SHOWN).collect(), all)
    }

    /// These, out of so many.
    pub(crate) fn out_of(shown: Vec<T>, all: usize) -> Self {
        let more = all.saturating_sub(shown.len());
        Self { shown, more }
    }
}

impl<T: fmt::Debug> fmt::Debug for Abridged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(&self.shown);
        if self.more > 0 {
            list.entry(&format_args!("{} more", self.more));
        }
        list.finish()
    }
}
