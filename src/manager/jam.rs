//! Who is in whose way at one level.

use crate::clock::Moment;
use crate::mode::LockMode;
use crate::set::{Reach, SlotNumber, conflicts};
use std::collections::{HashMap, HashSet};

/// The most parties in the way of another one that are listed.
const LISTED: usize = 16;

/// The holders of a level, the requests that wait there, and what is in the way of each.
#[derive(Debug, Default)]
pub(super) struct Jam {
    pub(super) holders: Vec<Held>,
    /// In the order in which they stand.
    pub(super) waits: Vec<Waits>,
    /// What is in the way of a party.
    pub(super) ways: HashMap<usize, Way>,
}

/// A hold of the party at position `by`.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) by: usize,
    pub(super) mode: LockMode,
    /// Whether it is of the whole.
    pub(super) whole: bool,
    pub(super) since: Moment,
}

/// A request of the party at position `by`.
#[derive(Debug)]
pub(super) struct Waits {
    pub(super) by: usize,
    pub(super) mode: LockMode,
    pub(super) reach: Reach,
}

/// What is in the way of a request.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// How many requests that it conflicts with stand ahead, at the name where most do.
    pub(super) ahead: usize,
    /// The parties in its way: holders, and the nearest request ahead.
    pub(super) behind: Vec<usize>,
}

/// The requests that have been met so far at a name, or at all.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    all: usize,
    exclusive: usize,
    last: Option<usize>,
    last_exclusive: Option<usize>,
}

impl Line {
    fn push(&mut self, at: usize, mode: LockMode) {
        (self.all, self.last) = (self.all + 1, Some(at));
        if mode == LockMode::Exclusive {
            (self.exclusive, self.last_exclusive) = (self.exclusive + 1, Some(at));
        }
    }

    /// How many conflict with a request of this mode, and the last of them.
    fn ahead(&self, mode: LockMode) -> (usize, Option<usize>) {
        match mode {
            LockMode::Exclusive => (self.all, self.last),
            LockMode::Shared => (self.exclusive, self.last_exclusive),
        }
    }
}

impl Jam {
    /// Finds what is in the way of each request. `numbers` tells which names a party holds or awaits here.
    pub(super) fn settle<'n>(&mut self, numbers: impl Fn(usize) -> &'n [SlotNumber]) {
        let names = |waits: &Waits| if waits.reach == Reach::Names { numbers(waits.by) } else { &[] };
        let wanted: HashSet<SlotNumber> = self.waits.iter().flat_map(&names).copied().collect();
        let mut held: HashMap<SlotNumber, Vec<&Held>> = HashMap::new();
        for holder in self.holders.iter().filter(|holder| !holder.whole) {
            for number in numbers(holder.by).iter().filter(|number| wanted.contains(number)) {
                held.entry(*number).or_default().push(holder);
            }
        }
        let mut lines: HashMap<SlotNumber, Line> = HashMap::new();
        let (mut all_names, mut wholes, mut additions) = (Line::default(), Line::default(), Line::default());
        let mut ways = HashMap::with_capacity(self.waits.len());
        for (at, waits) in self.waits.iter().enumerate() {
            // An addition excludes holds of the whole, and nothing else.
            let mode = if waits.reach == Reach::Addition { LockMode::Exclusive } else { waits.mode };
            let whole_holders = self.holders.iter().filter(|held| held.whole || waits.reach == Reach::Every);
            let own_names = names(waits);
            let name_holders = own_names.iter().filter_map(|number| held.get(number)).flatten().copied();
            let in_the_way =
                whole_holders.chain(name_holders).filter(|held| conflicts(held.mode, mode)).map(|held| held.by);
            let mut way = Way::default();
            for by in in_the_way.filter(|by| *by != waits.by) {
                if way.behind.len() + 1 == LISTED {
                    break;
                }
                if !way.behind.contains(&by) {
                    way.behind.push(by);
                }
            }
            let at_names = own_names.iter().filter_map(|number| lines.get(number)).map(|line| line.ahead(mode));
            let at_whole = if waits.reach == Reach::Every { all_names.ahead(mode) } else { (0, None) };
            let (whole_count, whole_last) = wholes.ahead(mode);
            let (added_count, added_last) = if waits.reach == Reach::Names { (0, None) } else { additions.ahead(mode) };
            let (most, last) = at_names
                .chain([at_whole])
                .fold((0, None), |(most, last), (count, nearest)| (most.max(count), last.max(nearest)));
            way.ahead = most + whole_count + added_count;
            let nearest = last.max(whole_last).max(added_last).map(|at: usize| self.waits[at].by);
            way.behind.extend(nearest.filter(|by| !way.behind.contains(by)));
            ways.insert(waits.by, way);
            for number in own_names {
                lines.entry(*number).or_default().push(at, mode);
            }
            let line = match waits.reach {
                Reach::Names => &mut all_names,
                Reach::Every => &mut wholes,
                Reach::Addition => &mut additions,
            };
            line.push(at, mode);
        }
        self.ways = ways;
    }
}
