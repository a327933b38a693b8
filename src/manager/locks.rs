//! The table of a manager's locks: copies of the records and of the queues, and what follows from both.
//!
//! Nothing is locked for long: the records are read as they are, a queue is copied in parts, and a name is looked up under
//! the lock of its shard alone.

use super::LockManager;
use super::flow::Flow;
use super::jam::{Held, Jam, Waits};
use super::record::{Copied, HoldCopy, NamesCopy, Place};
use crate::abridged::SHOWN;
use crate::clock::{Moment, time_of_day};
use crate::level::{Hierarchy, Sets as _};
use crate::lock::NodeCopy;
use crate::mode::LockMode;
use crate::set::{Copies, Reach, RequestSeen, SlotNumber, Stage};
use crate::table::{Hold, HotName, LockRow, LockTable, SessionRow, Wait, Waiter, natural};
use std::collections::{BTreeMap, HashMap};
use std::iter;
use std::time::Duration;

/// The most requests for the root that are copied: its queue is locked for all of them together.
const AT_ROOT: usize = 512;

impl<H: Hierarchy> LockManager<H> {
    /// A copy of what the locks look like now: the sessions, what each holds and awaits, since when, from where in the
    /// source, and who is in whose way.
    ///
    /// It copies in small parts, each under a lock of its own, so it may be taken of a service at work; see [`LockTable`]
    /// for how far its parts are of one moment. With 1,000 sessions that wait it takes tens of milliseconds of processor
    /// time: take it on a thread of its own then. See the [module](crate::table) for an example.
    ///
    /// # Panics
    ///
    /// If the `Debug` of a name panics.
    pub fn locks(&self) -> LockTable {
        let flows = self.locks.flows.all();
        // The records first: a request that is gone from its queue afterwards has moved on, and is looked at again.
        let copied: Vec<_> = flows.iter().map(|flow| flow.record.copy_soon()).collect();
        let queues = Queues::of(self);
        let seen =
            flows.iter().zip(copied).filter_map(|(flow, copied)| Seen::of(flow, copied, &queues, self)).collect();
        let hot = self.locks.hot.list(H::LEVELS);
        Scene { levels: H::LEVELS, seen, queues, now: Moment::now() }.table(name_of::<H>(), hot)
    }
}

/// The name of a type without its path.
fn name_of<H>() -> &'static str {
    std::any::type_name::<H>().rsplit("::").next().unwrap_or_default()
}

/// The requests of all levels, in the order in which they stand.
struct Queues {
    root: Vec<NodeCopy>,
    /// By the index of the level. The root has none here.
    levels: Vec<Vec<RequestSeen>>,
    /// The position of each, by its level and its ticket.
    places: HashMap<(usize, u64), usize>,
}

impl Queues {
    fn of<H: Hierarchy>(manager: &LockManager<H>) -> Self {
        let requests = |level| manager.locks.sets.at(level).map_or_else(Vec::new, Copies::requests);
        let levels: Vec<_> = iter::once(Vec::new()).chain((1..H::LEVELS.len()).map(requests)).collect();
        let root = manager.locks.root.queued(AT_ROOT);
        let mut places: HashMap<_, _> = root.iter().enumerate().map(|(at, node)| ((0, node.ticket), at)).collect();
        for (level, requests) in levels.iter().enumerate() {
            places.extend(requests.iter().enumerate().map(|(at, request)| ((level, request.ticket), at)));
        }
        Self { root, levels, places }
    }
}

/// A session as it was copied.
struct Seen {
    id: u64,
    label: String,
    task: Option<u64>,
    holds: Vec<HoldSeen>,
    awaits: Option<WaitSeen>,
    uncertain: bool,
}

/// A hold, with the names that are shown.
struct HoldSeen {
    copy: HoldCopy,
    names: Vec<(SlotNumber, String)>,
}

struct WaitSeen {
    level: usize,
    /// The position in the queue; `None` if the request is not there.
    at: Option<usize>,
    root: Option<LockMode>,
    since: Moment,
    place: Place,
    unclaimed: Option<Moment>,
}

impl WaitSeen {
    /// The mode in which it waits for the root.
    fn mode(&self) -> LockMode {
        self.root.unwrap_or(LockMode::Shared)
    }
}

impl Seen {
    /// `None` if the session has ended.
    fn of<H: Hierarchy>(flow: &Flow, mut copied: Copied, queues: &Queues, manager: &LockManager<H>) -> Option<Self> {
        const TRIES: usize = 4;
        let (mut names, mut awaits, mut is_missing, mut belongs_together);
        let mut tries = 0;
        loop {
            awaits = Self::wait(flow, &copied, queues);
            names = copied.holds.iter().map(|hold| Self::names(hold, manager)).collect::<Vec<_>>();
            // A request that is in no queue came after the queues were copied, or its end.
            is_missing = awaits.as_ref().is_some_and(|wait| wait.at.is_none() && wait.unclaimed.is_none());
            belongs_together = copied.is_whole && flow.record.is_as_in(&copied);
            if belongs_together && !(is_missing && tries == 0) || tries == TRIES {
                break;
            }
            tries += 1;
            copied = flow.record.copy_soon();
        }
        if copied.levels() == 0 {
            return None;
        }
        let task = copied.wait.map_or(flow.task, |wait| wait.task).and_then(|task| task.to_string().parse().ok());
        let holds = copied.holds.into_iter().zip(names).map(|(copy, names)| HoldSeen { copy, names }).collect();
        Some(Self {
            id: flow.id,
            label: flow.label.clone().into_owned(),
            task,
            holds,
            awaits,
            uncertain: is_missing || !belongs_together,
        })
    }

    fn wait(flow: &Flow, copied: &Copied, queues: &Queues) -> Option<WaitSeen> {
        let (level, wait) = copied.awaits.zip(copied.wait)?;
        if wait.level != Some(level) {
            return None; // It is about to ask.
        }
        let at = queues.places.get(&(level, wait.ticket)).copied();
        let unclaimed = match at {
            None if level == 0 && queues.root.len() < AT_ROOT => Some(flow.record.seems_granted()),
            Some(at) if level > 0 => match queues.levels[level][at].stage {
                Stage::Granted(since) => Some(since.unwrap_or(wait.since)),
                Stage::Waits | Stage::Refused => None,
            },
            _ => None,
        };
        Some(WaitSeen { level, at, root: wait.root, since: wait.since, place: wait.place, unclaimed })
    }

    /// The first names of a hold, by their places in the set.
    fn names<H: Hierarchy>(hold: &HoldCopy, manager: &LockManager<H>) -> Vec<(SlotNumber, String)> {
        let Some(set) = manager.locks.sets.at(hold.level) else { return Vec::new() };
        let numbers = hold.names.slots().iter().take(SHOWN);
        numbers.filter_map(|number| Some((*number, set.name_at(*number, hold.mode)?))).collect()
    }
}

/// Everything that was copied.
struct Scene {
    levels: &'static [&'static str],
    /// In the order of their numbers.
    seen: Vec<Seen>,
    queues: Queues,
    now: Moment,
}

impl Scene {
    fn table(&self, hierarchy: &'static str, hot: Vec<HotName>) -> LockTable {
        let jams: Vec<Jam> = (0..self.levels.len()).map(|level| self.jam(level)).collect();
        let sessions = self.seen.iter().map(|seen| self.session(seen, &jams)).collect();
        let locks = jams.iter().enumerate().flat_map(|(level, jam)| self.locks(level, jam)).collect();
        LockTable { hierarchy, root: self.levels[0], at: time_of_day(), sessions, locks, hot }.in_order(self.levels)
    }

    fn ago(&self, moment: Moment) -> Duration {
        moment.until(self.now)
    }

    /// The request that a session waits for, unless it waits for the root.
    fn request(&self, wait: &WaitSeen) -> Option<&RequestSeen> {
        self.queues.levels.get(wait.level)?.get(wait.at?)
    }

    /// Who holds and who awaits what at a level.
    fn jam(&self, level: usize) -> Jam {
        let mut jam = Jam::default();
        let mut waits = Vec::new();
        for (at, seen) in self.seen.iter().enumerate() {
            for hold in seen.holds.iter().filter(|hold| hold.copy.level == level) {
                let whole = matches!(hold.copy.names, NamesCopy::Whole);
                jam.holders.push(Held { by: at, mode: hold.copy.mode, whole, since: hold.copy.since });
            }
            let Some(wait) = seen.awaits.as_ref().filter(|wait| wait.level == level) else { continue };
            let (mode, reach) =
                self.request(wait).map_or((wait.mode(), Reach::Every), |request| (request.mode, request.reach));
            match (wait.unclaimed, wait.at) {
                (Some(since), _) => jam.holders.push(Held { by: at, mode, whole: reach == Reach::Every, since }),
                (None, Some(place)) => waits.push((place, Waits { by: at, mode, reach })),
                (None, None) => {}
            }
        }
        waits.sort_by_key(|(place, _)| *place);
        jam.waits = waits.into_iter().map(|(_, waits)| waits).collect();
        let numbers = |by: usize| self.numbers(by, level);
        jam.settle(numbers);
        jam
    }

    /// The places of the names that a session holds or awaits of a level.
    fn numbers(&self, by: usize, level: usize) -> &[SlotNumber] {
        let seen = &self.seen[by];
        let own = seen.holds.iter().find(|hold| hold.copy.level == level);
        match (own, &seen.awaits) {
            (Some(hold), _) => hold.copy.names.slots(),
            (None, Some(wait)) => self.request(wait).map_or(&[], |request| &request.numbers),
            (None, None) => &[],
        }
    }

    fn session(&self, seen: &Seen, jams: &[Jam]) -> SessionRow {
        let Seen { id, label, task, holds, awaits, uncertain } = seen;
        let began = holds.first().map(|root| root.copy.since).or(awaits.as_ref().map(|wait| wait.since));
        SessionRow {
            id: *id,
            label: label.clone(),
            task: *task,
            began: began.map_or(Duration::ZERO, |began| self.ago(began)),
            holds: holds.iter().map(|hold| self.hold(hold)).collect(),
            awaits: awaits.as_ref().map(|wait| self.awaits(seen, wait, &jams[wait.level])),
            uncertain: *uncertain,
        }
    }

    fn hold(&self, HoldSeen { copy, names }: &HoldSeen) -> Hold {
        let (mut names, all): (Vec<_>, _) =
            (names.iter().map(|(_, name)| name.clone()).collect(), copy.names.slots().len());
        names.sort_by(|one, other| natural(one, other));
        Hold {
            level: self.levels[copy.level],
            mode: copy.mode,
            whole: matches!(copy.names, NamesCopy::Whole),
            more: all.saturating_sub(names.len()),
            names,
            held: self.ago(copy.since),
            place: copy.place,
        }
    }

    fn awaits(&self, seen: &Seen, wait: &WaitSeen, jam: &Jam) -> Wait {
        let request = self.request(wait);
        let at_root = wait.at.filter(|_| wait.level == 0).and_then(|at| self.queues.root.get(at));
        let mut names: Vec<String> =
            request.iter().flat_map(|request| &request.names).map(|(_, name)| name.clone()).collect();
        names.sort_by(|one, other| natural(one, other));
        let by = self.seen.binary_search_by_key(&seen.id, |other| other.id);
        let way = by.ok().and_then(|by| jam.ways.get(&by));
        Wait {
            level: self.levels[wait.level],
            mode: request.map_or(wait.mode(), |request| request.mode),
            whole: request.is_none_or(|request| request.reach != Reach::Names),
            more: request.map_or(0, |request| request.count.saturating_sub(names.len())),
            names,
            priority: request.map(|request| request.priority).or(at_root.map(|node| node.priority)).unwrap_or_default(),
            waited: self.ago(wait.since),
            place: wait.place,
            unclaimed: wait.unclaimed.map(|since| self.ago(since)),
            ahead: way.map_or(0, |way| way.ahead),
            behind: way.map_or_else(Vec::new, |way| way.behind.iter().map(|by| self.seen[*by].id).collect()),
        }
    }

    /// The locks of a level that are held or awaited.
    fn locks(&self, level: usize, jam: &Jam) -> Vec<LockRow> {
        let name = self.levels[level];
        let mut names: BTreeMap<SlotNumber, String> = BTreeMap::new();
        for seen in &self.seen {
            let holds = seen.holds.iter().filter(|hold| hold.copy.level == level);
            names.extend(holds.flat_map(|hold| hold.names.iter().cloned()));
            let request = seen.awaits.as_ref().filter(|wait| wait.level == level).and_then(|wait| self.request(wait));
            names.extend(request.into_iter().flat_map(|request| request.names.iter().cloned()));
        }
        let mut parties: HashMap<SlotNumber, (Vec<&Held>, Vec<&Waits>)> =
            names.keys().map(|number| (*number, Default::default())).collect();
        let (mut whole_holders, mut whole_waits) = (Vec::new(), Vec::new());
        for held in &jam.holders {
            if held.whole {
                whole_holders.push(held);
            }
            for number in self.numbers(held.by, level) {
                if let Some((holders, _)) = parties.get_mut(number) {
                    holders.push(held);
                }
            }
        }
        for waits in &jam.waits {
            if waits.reach != Reach::Names {
                whole_waits.push(waits);
            }
            for number in self.numbers(waits.by, level) {
                if let Some((_, waiting)) = parties.get_mut(number) {
                    waiting.push(waits);
                }
            }
        }
        let lone = names.into_iter().map(|(number, text)| {
            let (holders, waits) = parties.remove(&number).unwrap_or_default();
            self.row(name, Some(text), holders, &waits)
        });
        let whole = self.row(name, None, whole_holders, &whole_waits);
        let is_used = whole.holders > 0 || !whole.waiters.is_empty();
        is_used
            .then_some(whole)
            .into_iter()
            .chain(lone)
            .filter(|row| row.holders > 0 || !row.waiters.is_empty())
            .collect()
    }

    fn row(&self, level: &'static str, name: Option<String>, mut holders: Vec<&Held>, waits: &[&Waits]) -> LockRow {
        holders.sort_by_key(|held| std::cmp::Reverse(self.ago(held.since)));
        let mode = holders.iter().map(|held| held.mode).max_by_key(|mode| *mode == LockMode::Exclusive);
        let mut row = LockRow::new(level, name, mode, holders.len());
        row.held_by = holders.iter().take(SHOWN).map(|held| self.seen[held.by].id).collect();
        row.waiters = waits.iter().map(|waits| self.waiter(waits)).collect();
        row
    }

    fn waiter(&self, waits: &Waits) -> Waiter {
        let seen = &self.seen[waits.by];
        let wait = seen.awaits.as_ref();
        let priority = wait.and_then(|wait| match self.request(wait) {
            Some(request) => Some(request.priority),
            None => Some(self.queues.root.get(wait.at?)?.priority),
        });
        Waiter { session: Some(seen.id), mode: waits.mode, priority: priority.unwrap_or_default() }
    }
}
