//! The record of a session: its label, and the levels that it holds or awaits.
//!
//! The types say what is held, as long as they contain all guards. A nested session that has been forgotten
//! (`mem::forget`) is in no type any more, but its locks stay locked. The record still has its levels, so a session
//! that would wait for them gets an error instead.
//!
//! The record is also what a [`LockTable`](crate::LockTable) reads, from any thread, while the session goes on. So what
//! it says of a hold is in atomics. Only code that owns the session, or borrows it mutably, writes them, one thread at a
//! time: a write is a plain store, and needs no locked instruction. A reader looks at `version` before and after: if it
//! is even and the same, and `levels` too, what was read belongs together (a sequence lock).
//!
//! # Invariant
//!
//! 1. `place` of a hold is null, or came from a `&'static Location`.

#![allow(unsafe_code, reason = "a place is a pointer in an atomic: see the invariant")]

use super::error::SessionError;
use crate::clock::Moment;
use crate::level::{Hierarchy as _, Level};
use crate::mode::{LockMode, Mode};
use crate::set::{Holding, SetGuard, SetPointer, SlotNumber};
use smallvec::SmallVec;
use std::array;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task;

/// The place in the source where something was asked for.
pub(super) type Place = &'static Location<'static>;

/// How many names of a hold are in its own words. More are in a list.
const INLINE: usize = 4;

/// The numbers up to that.
const INLINES: [u32; INLINE + 1] = [0, 1, 2, 3, 4];

/// What a session holds and awaits.
#[derive(Debug)]
pub(super) struct Record {
    /// Bit `i` stands for the level with index `i`: it is held or awaited. Bit `16 + i`: it is held.
    levels: AtomicU32,
    /// Odd while a hold is written, or its names change.
    version: AtomicUsize,
    /// By level.
    holds: Box<[Hold]>,
    /// The request that waits, or the last one that has waited.
    wait: Mutex<Option<Wait>>,
    /// Whether `wait` is of a request that has not ended, as far as the owner has noted.
    has_waited: AtomicBool,
    /// Whether a hold has a list of names, or had one.
    has_lists: AtomicBool,
}

/// How a level is held. What it says counts only while the level is held.
#[derive(Debug, Default)]
struct Hold {
    place: AtomicPtr<Location<'static>>,
    since: AtomicUsize,
    /// How many names; or [`Hold::WHOLE`]; with [`Hold::EXCLUSIVE`].
    names: AtomicU32,
    /// The shards of up to four names, a byte each.
    shards: AtomicU32,
    /// The slots of up to four names.
    slots: [AtomicU32; INLINE],
    /// The names, if there are more.
    list: Mutex<Option<Arc<[SlotNumber]>>>,
}

impl Hold {
    const EXCLUSIVE: u32 = 1 << 31;
    const WHOLE: u32 = (1 << 31) - 1;
}

/// A request that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// The index of the level. `None` once the session asks for something else.
    pub(super) level: Option<usize>,
    /// The ticket in the queue of the level's set; at the root, the address of the request.
    pub(super) ticket: u64,
    /// The mode in which the root is awaited: once that is granted, no queue tells it.
    pub(super) root: Option<LockMode>,
    pub(super) since: Moment,
    pub(super) place: Place,
    /// The task that polled it last.
    pub(super) task: Option<task::Id>,
    /// When a table first found that the root has been granted: the lock of the root does not note when it grants.
    seen_granted: Option<Moment>,
}

impl Record {
    /// A record for a hierarchy of this many levels.
    pub(super) fn new(levels: usize) -> Self {
        Self {
            levels: AtomicU32::new(0),
            version: AtomicUsize::new(0),
            holds: (0..levels).map(|_| Hold::default()).collect(),
            wait: Mutex::default(),
            has_waited: AtomicBool::new(false),
            has_lists: AtomicBool::new(false),
        }
    }

    /// Makes this the record of another session. Nothing is allocated.
    pub(super) fn begin_again(&mut self) {
        *self.levels.get_mut() = 0;
        *self.has_waited.get_mut() = false;
        *self.wait.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        if mem::take(self.has_lists.get_mut()) {
            for hold in &mut self.holds {
                *hold.list.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
    }

    /// The levels that are held or awaited.
    #[inline]
    pub(super) fn levels(&self) -> u16 {
        (self.word() & 0xffff) as u16
    }

    /// The levels that are held.
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    pub(super) fn held(&self) -> u16 {
        (self.word() >> 16) as u16
    }

    /// Whether this level is held.
    pub(super) fn is_held(&self, level: usize) -> bool {
        self.word() & (1 << 16) << level != 0
    }

    #[inline]
    fn word(&self) -> u32 {
        self.levels.load(Ordering::Relaxed)
    }

    /// Notes that level `L` is held or awaited; fails if `L` or a level above is on the record already.
    pub(super) fn begin<L: Level>(&self) -> Result<(), SessionError> {
        let levels = self.levels();
        let reached = (levels >> L::INDEX).checked_ilog2();
        if let Some(held) = reached.and_then(|above| L::In::LEVELS.get(L::INDEX + above as usize)) {
            return Err(SessionError::AlreadyHeld { level: L::NAME, held });
        }
        if self.has_waited.load(Ordering::Relaxed) {
            self.asks_anew();
        }
        self.levels.store(self.word() | 1 << L::INDEX, Ordering::Relaxed);
        Ok(())
    }

    /// Notes that these levels are held again, as before.
    pub(super) fn resume(&self, levels: u16) {
        let levels = u32::from(levels);
        self.levels.store(self.word() | levels | levels << 16, Ordering::Relaxed);
    }

    /// Notes that these levels are no longer held or awaited.
    #[inline]
    pub(super) fn end(&self, levels: u16) {
        let levels = u32::from(levels);
        self.levels.store(self.word() & !(levels | levels << 16), Ordering::Relaxed);
    }
}

/// Writing holds and waits.
impl Record {
    /// Notes that a level is held from now on.
    #[inline]
    pub(super) fn holds<K, T>(&self, level: usize, mode: LockMode, place: Place, held: &Holding<K, T>) {
        self.write(level, |hold| {
            hold.place.store(ptr::from_ref(place).cast_mut(), Ordering::Relaxed);
            hold.since.store(Moment::now().number(), Ordering::Relaxed);
            hold.write_names(held, mode, &self.has_lists);
        });
    }

    /// Notes that the root is held from now on.
    #[inline]
    pub(super) fn holds_root(&self, mode: LockMode, place: Place) {
        self.write(0, |hold| {
            hold.place.store(ptr::from_ref(place).cast_mut(), Ordering::Relaxed);
            hold.since.store(Moment::now().number(), Ordering::Relaxed);
            hold.names.store(Hold::WHOLE | exclusive(mode), Ordering::Relaxed);
        });
    }

    /// A guard of a level, to change which names it holds. They are noted when this is dropped, also by a panic.
    pub(super) fn renaming<'r, P: SetPointer, M: Mode>(
        &'r self,
        level: usize,
        guard: &'r mut SetGuard<P, M>,
    ) -> Renaming<'r, P, M> {
        self.open();
        Renaming { record: self, level, guard }
    }

    /// Notes that a level is held shared from now on.
    pub(super) fn downgrades(&self, level: usize) {
        self.write(level, |hold| {
            hold.names.store(hold.names.load(Ordering::Relaxed) & !Hold::EXCLUSIVE, Ordering::Relaxed);
        });
    }

    /// Changes a hold of a level, which is held from now on.
    #[inline]
    fn write(&self, level: usize, change: impl FnOnce(&Hold)) {
        self.open();
        self.close(level, change);
    }

    /// From now on, until it is closed, what the record says may not belong together.
    #[inline]
    fn open(&self) {
        self.version.store(self.version.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release); // A reader that sees one of the stores that follow also sees the odd version.
    }

    #[inline]
    fn close(&self, level: usize, change: impl FnOnce(&Hold)) {
        if let Some(hold) = self.holds.get(level) {
            change(hold);
        }
        self.levels.store(self.word() | (1 | 1 << 16) << level, Ordering::Relaxed);
        self.version.store(self.version.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// Notes that a request waits, or that its ticket has changed.
    #[cold]
    pub(super) fn waits(&self, level: usize, ticket: u64, place: Place) {
        self.waits_in(level, ticket, place, None);
    }

    /// Notes that a session waits for its root, in this mode.
    #[cold]
    pub(super) fn waits_for_root(&self, mode: LockMode, ticket: u64, place: Place) {
        self.waits_in(0, ticket, place, Some(mode));
        self.levels.store(self.word() | 1, Ordering::Relaxed);
    }

    /// Notes that the request which has waited is not the one that is made now. Its task is still the last one known.
    #[cold]
    fn asks_anew(&self) {
        self.has_waited.store(false, Ordering::Relaxed);
        if let Some(wait) = &mut *self.wait.lock().unwrap_or_else(PoisonError::into_inner) {
            wait.level = None;
        }
    }

    fn waits_in(&self, level: usize, ticket: u64, place: Place, root: Option<LockMode>) {
        let task = task::try_id();
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let level = Some(level);
        let since = wait.filter(|wait| wait.level == level && wait.ticket == ticket).map(|wait| wait.since);
        self.has_waited.store(true, Ordering::Relaxed);
        *wait = Some(Wait {
            level,
            ticket,
            root,
            since: since.unwrap_or_else(Moment::now),
            place,
            task,
            seen_granted: None,
        });
    }

    /// Notes that the ticket of the request that waits has changed.
    #[cold]
    pub(super) fn moves(&self, ticket: u64) {
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = &mut *wait {
            wait.ticket = ticket;
        }
    }
}

/// A guard that is about to hold other names.
pub(super) struct Renaming<'r, P: SetPointer, M: Mode> {
    record: &'r Record,
    level: usize,
    guard: &'r mut SetGuard<P, M>,
}

impl<P: SetPointer, M: Mode> Deref for Renaming<'_, P, M> {
    type Target = SetGuard<P, M>;

    fn deref(&self) -> &Self::Target {
        self.guard
    }
}

impl<P: SetPointer, M: Mode> DerefMut for Renaming<'_, P, M> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.guard
    }
}

impl<P: SetPointer, M: Mode> Drop for Renaming<'_, P, M> {
    fn drop(&mut self) {
        let Self { record, level, guard } = self;
        record.close(*level, |hold| hold.write_names(guard.held(), M::MODE, &record.has_lists));
    }
}

fn exclusive(mode: LockMode) -> u32 {
    match mode {
        LockMode::Exclusive => Hold::EXCLUSIVE,
        LockMode::Shared => 0,
    }
}

impl Hold {
    #[inline]
    fn write_names<K, T>(&self, held: &Holding<K, T>, mode: LockMode, has_lists: &AtomicBool) {
        let members = &held.members[..];
        let count = if held.has_all_members() {
            Self::WHOLE
        } else if members.len() > INLINE {
            has_lists.store(true, Ordering::Relaxed);
            self.write_list(held)
        } else {
            let mut shards = 0;
            for (at, (member, slot)) in members.iter().zip(&self.slots).enumerate() {
                let number = SlotNumber::of(*member);
                shards |= u32::from(number.shard) << (8 * at);
                slot.store(number.slot, Ordering::Relaxed);
            }
            self.shards.store(shards, Ordering::Relaxed);
            INLINES[members.len()]
        };
        self.names.store(count | exclusive(mode), Ordering::Relaxed);
    }

    #[cold]
    fn write_list<K, T>(&self, held: &Holding<K, T>) -> u32 {
        let list: Arc<[SlotNumber]> = held.members.iter().map(|member| SlotNumber::of(*member)).collect();
        let count = u32::try_from(list.len()).map_or(Self::WHOLE - 1, |count| count.min(Self::WHOLE - 1));
        let before = self.list.lock().unwrap_or_else(PoisonError::into_inner).replace(list);
        drop(before);
        count
    }
}

/// A copy of a record.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) holds: SmallVec<[HoldCopy; 3]>,
    /// The level that is awaited.
    pub(super) awaits: Option<usize>,
    pub(super) wait: Option<Wait>,
    /// Whether the parts belong together.
    pub(super) is_whole: bool,
    version: usize,
    levels: u32,
}

impl Copied {
    /// The levels that are held or awaited.
    pub(super) fn levels(&self) -> u16 {
        (self.levels & 0xffff) as u16
    }
}

/// A copy of what a record says of a hold.
#[derive(Clone, Debug)]
pub(super) struct HoldCopy {
    /// The index of the level.
    pub(super) level: usize,
    pub(super) mode: LockMode,
    pub(super) since: Moment,
    pub(super) place: Place,
    pub(super) names: NamesCopy,
}

/// Which names are held.
#[derive(Clone, Debug)]
pub(super) enum NamesCopy {
    /// All of the level, and all that is added.
    Whole,
    Few(SmallVec<[SlotNumber; INLINE]>),
    Many(Arc<[SlotNumber]>),
}

impl NamesCopy {
    pub(super) fn slots(&self) -> &[SlotNumber] {
        match self {
            Self::Whole => &[],
            Self::Few(few) => few,
            Self::Many(many) => many,
        }
    }
}

/// Reading.
impl Record {
    /// A copy whose parts belong together; if the session changes all the time, one whose parts may not.
    pub(super) fn copy_soon(&self) -> Copied {
        const TRIES: usize = 8;
        (0..TRIES).map(|_| self.copy()).find(|copied| copied.is_whole).unwrap_or_else(|| self.copy())
    }

    fn copy(&self) -> Copied {
        let version = self.version.load(Ordering::Acquire);
        let levels = self.word();
        let (noted, held) = (levels & 0xffff, levels >> 16);
        let wait = *self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let mut holds = SmallVec::new();
        for (level, hold) in self.holds.iter().enumerate().filter(|(level, _)| held & 1 << level != 0) {
            holds.extend(hold.copy(level));
        }
        let awaits = (noted & !held).checked_ilog2().map(|level| level as usize);
        let mut copied = Copied { holds, awaits, wait, is_whole: false, version, levels };
        copied.is_whole = version % 2 == 0 && self.is_as_in(&copied);
        copied
    }

    /// Since when a table has found the request for the root granted.
    pub(super) fn seems_granted(&self) -> Moment {
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *wait {
            Some(wait) => *wait.seen_granted.get_or_insert_with(Moment::now),
            None => Moment::now(),
        }
    }

    /// Whether nothing has changed since this copy was made.
    pub(super) fn is_as_in(&self, copied: &Copied) -> bool {
        fence(Ordering::Acquire); // What was read before this was read before the version below.
        self.version.load(Ordering::Relaxed) == copied.version && self.word() == copied.levels
    }
}

impl Hold {
    fn copy(&self, level: usize) -> Option<HoldCopy> {
        let names = self.names.load(Ordering::Relaxed);
        let mode = if names & Self::EXCLUSIVE == 0 { LockMode::Shared } else { LockMode::Exclusive };
        let place = self.place.load(Ordering::Relaxed);
        // SAFETY: it is null, or a reference that is valid for ever (1).
        let place = unsafe { place.as_ref() }?;
        let since = Moment::of_number(self.since.load(Ordering::Relaxed));
        let names = match (names & Self::WHOLE) as usize {
            count if count == Self::WHOLE as usize => NamesCopy::Whole,
            count if count > INLINE => {
                NamesCopy::Many(self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()?)
            }
            count => {
                let shards = self.shards.load(Ordering::Relaxed).to_le_bytes();
                let slots: [_; INLINE] = array::from_fn(|at| self.slots[at].load(Ordering::Relaxed));
                let numbers = shards.into_iter().zip(slots).map(|(shard, slot)| SlotNumber { shard, slot });
                NamesCopy::Few(numbers.take(count).collect())
            }
        };
        Some(HoldCopy { level, mode, since, place, names })
    }
}

/// A level that is awaited while the session is borrowed. Dropping this takes the level off the record.
#[derive(Debug)]
pub(super) struct Awaited<'s> {
    record: &'s Record,
    levels: u16,
}

impl<'s> Awaited<'s> {
    pub(super) fn begin<L: Level>(record: &'s Record) -> Result<Self, SessionError> {
        record.begin::<L>()?;
        Ok(Self { record, levels: 1 << L::INDEX })
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.record.end(self.levels);
    }
}
