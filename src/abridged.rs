//! Long lists, shortened for messages: the first few entries, and the number of the rest. Writing all names of a large
//! set into an error or a log line would stop the service.

use std::fmt;

/// The most entries that are shown.
pub(crate) const SHOWN: usize = 16;

/// A list of which only some entries are shown.
pub(crate) struct Abridged<T> {
    shown: Vec<T>,
    more: usize,
}

impl<T> Abridged<T> {
    /// Shows the first entries of a list.
    pub(crate) fn of<I: IntoIterator<Item = T, IntoIter: ExactSizeIterator>>(list: I) -> Self {
        let list = list.into_iter();
        let all = list.len();
        Self::out_of(list.take(SHOWN).collect(), all)
    }

    /// Shows the first entries of a list that leaves out `left_out` others.
    pub(crate) fn beside(list: Vec<T>, left_out: usize) -> Self {
        let all = list.len() + left_out;
        Self::out_of(list.into_iter().take(SHOWN).collect(), all)
    }

    /// Shows these entries, out of `all`.
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
