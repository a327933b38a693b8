//! Finds the slot of a name: a hash table in which a lookup mostly reads one cache line.
//!
//! (hashbrown keeps the marks of its entries apart from the entries, so it reads one line more. For names that are not
//! in the cache, each line is a quarter of the time of an acquisition.)
//!
//! An entry lies in the group that its hash selects, or, if that is full, in one of the next.

use super::slot::MemberRef;
use std::iter;

/// The number of entries in a group.
const WIDTH: usize = 7;

/// The most entries of a group, on average: most of them lie in the group that is looked at first.
const FILLED: usize = 5;

#[derive(Debug)]
pub(super) struct Index<K, T, H> {
    /// Empty, or a power of two long.
    groups: Vec<Group<K, T, H>>,
    len: usize,
}

/// One cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Group<K, T, H> {
    /// A few bits of each entry's hash; 0 if there is no entry. The last byte counts the entries that went on to the
    /// next group because this one was full; once it is at its maximum, it stays there.
    marks: [u8; WIDTH + 1],
    entries: [Option<MemberRef<K, T, H>>; WIDTH],
}

/// The mark of an entry, from other bits than those that select its group.
#[inline]
fn mark(tag: u64) -> u8 {
    tag.to_le_bytes()[3] | 0x80
}

impl<K, T, H> Group<K, T, H> {
    const EMPTY: Self = Self { marks: [0; WIDTH + 1], entries: [None; WIDTH] };

    #[inline]
    fn beyond(&self) -> u8 {
        self.marks[WIDTH]
    }

    /// The entries that may have this mark.
    #[inline]
    fn marked(&self, mark: u8) -> impl Iterator<Item = usize> + use<K, T, H> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let differ = u64::from_le_bytes(self.marks) ^ (ONES * u64::from(mark));
        let mut same = differ.wrapping_sub(ONES) & !differ & (ONES << 7); // Zero bytes, and some of those above them.
        iter::from_fn(move || {
            let at = same.trailing_zeros() as usize / 8;
            same &= same.wrapping_sub(1);
            (at < WIDTH).then_some(at) // The last byte is no mark.
        })
    }
}

impl<K, T, H> Index<K, T, H> {
    pub(super) const fn new() -> Self {
        Self { groups: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The groups in which an entry may be, in order.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are enough")]
    fn path(&self, tag: u64) -> impl Iterator<Item = usize> + use<K, T, H> {
        let mask = self.groups.len().wrapping_sub(1);
        let first = tag as usize & mask;
        (0..self.groups.len()).map(move |step| (first + step) & mask)
    }

    /// All members of this hash.
    #[inline]
    pub(super) fn tagged(&self, tag: u64) -> impl Iterator<Item = MemberRef<K, T, H>> + '_ {
        let mut goes_on = true;
        let groups = self.path(tag).map(|at| &self.groups[at]);
        let groups = groups.take_while(move |group| std::mem::replace(&mut goes_on, group.beyond() > 0));
        let entries = groups.flat_map(move |group| group.marked(mark(tag)).filter_map(|at| group.entries[at]));
        entries.filter(move |known| known.tag() == tag)
    }

    /// The first member of this hash: mostly the only one.
    #[inline]
    pub(super) fn first_tagged(&self, tag: u64) -> Option<MemberRef<K, T, H>> {
        for at in self.path(tag) {
            let group = &self.groups[at];
            for at in group.marked(mark(tag)) {
                if let Some(known) = group.entries[at].filter(|known| known.tag() == tag) {
                    return Some(known);
                }
            }
            if group.beyond() == 0 {
                break;
            }
        }
        None
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == self.groups.len() * FILLED
    }

    /// Whether most of the space is empty. After a rebuild it takes many removals for this to be true again.
    pub(super) fn is_spacious(&self) -> bool {
        self.groups.len() > 8 && self.len < self.groups.len() * FILLED / 8
    }

    /// Adds an entry. The index is not full.
    pub(super) fn insert(&mut self, known: MemberRef<K, T, H>) {
        self.len += 1;
        self.put(known);
    }

    fn put(&mut self, known: MemberRef<K, T, H>) {
        for at in self.path(known.tag()) {
            let group = &mut self.groups[at];
            if let Some(free) = group.entries.iter().position(Option::is_none) {
                group.entries[free] = Some(known);
                group.marks[free] = mark(known.tag());
                return;
            }
            group.marks[WIDTH] = group.beyond().saturating_add(1);
        }
        unreachable!("there is room in most groups")
    }

    /// Removes an entry, if it is there.
    pub(super) fn remove(&mut self, known: MemberRef<K, T, H>) {
        let is_it = |entry: &Option<MemberRef<K, T, H>>| *entry == Some(known);
        let place = |at: usize| self.groups[at].entries.iter().position(is_it).map(|entry| (at, entry));
        let Some((at, entry)) = self.path(known.tag()).find_map(place) else { return };
        for before in self.path(known.tag()).take_while(|before| *before != at) {
            let beyond = &mut self.groups[before].marks[WIDTH];
            if *beyond < u8::MAX {
                *beyond -= 1; // At the maximum, the true number is unknown.
            }
        }
        self.groups[at].entries[entry] = None;
        self.groups[at].marks[entry] = 0;
        self.len -= 1;
    }

    /// Makes room for twice as many entries as there are. `all` yields them in the order of their slots, so that their
    /// hashes are read in the order of memory.
    #[cold]
    pub(super) fn rebuild(&mut self, all: impl Iterator<Item = MemberRef<K, T, H>>) {
        let groups = (self.len * 2).div_ceil(FILLED).next_power_of_two();
        *self = Self { groups: iter::repeat_with(|| Group::EMPTY).take(groups).collect(), len: 0 };
        all.for_each(|known| self.insert(known));
    }
}
