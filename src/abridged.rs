//! Long lists and long names, shortened for messages: the first few entries, the beginning of each, and the number of
//! the rest. Writing all names of a large set, or one name of a megabyte, into an error or a log line would stop the
//! service.

use std::fmt::{self, Write as _};

/// The most entries that are shown.
pub(crate) const SHOWN: usize = 16;

/// The most bytes of an entry that are shown.
const LONGEST: usize = 128;

/// A list of which only some entries are shown.
pub(crate) struct Abridged<T> {
    shown: Vec<T>,
    more: usize,
}

impl<T> Abridged<T> {
    /// Shows the first entries of a list.
    pub(crate) fn of<I: IntoIterator<Item = T, IntoIter: ExactSizeIterator>>(list: I) -> Self {
        Self::beside(list, 0)
    }

    /// Shows the first entries of a list that leaves out `left_out` others.
    pub(crate) fn beside<I: IntoIterator<Item = T, IntoIter: ExactSizeIterator>>(list: I, left_out: usize) -> Self {
        let list = list.into_iter();
        let all = list.len().saturating_add(left_out);
        Self::out_of(list.take(SHOWN).collect(), all)
    }

    /// Shows these entries, out of `all`.
    pub(crate) fn out_of(shown: Vec<T>, all: usize) -> Self {
        let more = all.saturating_sub(shown.len());
        Self { shown, more }
    }
}

/// As the list of the entries: `["a", "b", 7 more]`.
impl<T: fmt::Debug> fmt::Debug for Abridged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(self.shown.iter().map(Beginning));
        if self.more > 0 {
            list.entry(&format_args!("{} more", self.more));
        }
        list.finish()
    }
}

/// As part of a sentence: `` `a`, `b`, 7 more ``.
impl<T: AsRef<str>> fmt::Display for Abridged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for entry in &self.shown {
            write!(f, "{separator}`{}`", Beginning(entry))?;
            separator = ", ";
        }
        if self.more > 0 { write!(f, "{separator}{} more", self.more) } else { Ok(()) }
    }
}

/// The beginning of a value's text, and `…` in place of the rest.
pub(crate) struct Beginning<T>(pub(crate) T);

/// As the value's own `Debug`.
impl<T: fmt::Debug> fmt::Debug for Beginning<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pretty = f.alternate();
        Cut::write(f, |cut| if pretty { write!(cut, "{:#?}", self.0) } else { write!(cut, "{:?}", self.0) })
    }
}

/// As it is, except for control characters: a name must not begin a new line in a log.
impl<T: AsRef<str>> fmt::Display for Beginning<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Cut::write(f, |cut| {
            self.0.as_ref().chars().try_for_each(|char| {
                if char.is_control() { write!(cut, "{}", char.escape_debug()) } else { cut.write_char(char) }
            })
        })
    }
}

/// Passes on as much text as fits, and stops the code that writes more by an error.
struct Cut<'f, 'o> {
    out: &'f mut fmt::Formatter<'o>,
    room: usize,
    full: bool,
}

impl<'f, 'o> Cut<'f, 'o> {
    fn write(out: &'f mut fmt::Formatter<'o>, write: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        let mut cut = Self { out, room: LONGEST, full: false };
        let written = write(&mut cut);
        if cut.full { cut.out.write_char('…') } else { written }
    }
}

impl fmt::Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.room {
            self.room -= text.len();
            return self.out.write_str(text);
        }
        let end = (0..=self.room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        (self.room, self.full) = (0, true);
        self.out.write_str(&text[..end])?;
        Err(fmt::Error)
    }
}
