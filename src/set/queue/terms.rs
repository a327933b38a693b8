//! The vocabulary of the queue: the id of a member, the place of a request, what it asks for and how it ends.

use crate::clock::Moment;
use crate::mode::LockMode;
use crate::priority::Priority;
use smallvec::SmallVec;
use std::task::Waker;

/// Members of a set in the order of their ids, each once. Up to four need no allocation.
pub(crate) type Members<M> = SmallVec<[M; 4]>;

/// Identifies a member, and puts members in order. It is the same for all threads, and stays as long as the member is
/// pinned.
pub(crate) type Id = (u64, usize);

/// One thing that can be held: a member of a set, as the queue sees it. A clone is a mention, and does not pin it.
pub(crate) trait Member: Clone {
    fn id(&self) -> Id;

    /// Whether its holders leave room for one more.
    fn has_room(&self, mode: LockMode) -> bool;

    /// The mode in which it is held.
    fn held(&self) -> Option<LockMode>;

    /// How many holds of it there are, by mode.
    fn holds(&self) -> Tally;

    /// Adds a hold. The member is wanted, or the whole is held, and it has room.
    fn hold(&self, mode: LockMode);

    /// Adds a hold if there is room.
    fn try_hold(&self, mode: LockMode) -> bool;

    /// Ends a hold. True if that made room.
    fn release(&self, mode: LockMode) -> bool;

    /// Turns its exclusive hold into a shared one.
    fn downgrade(&self);

    /// Removes it: it cannot be held from now on. The caller holds it exclusively; by itself in mode `held`, and that
    /// hold ends here, or with the whole.
    fn delete(&self, held: Option<LockMode>);

    /// Marks it as wanted: from now on it is taken and released through the queue only.
    fn want(&self);

    /// Takes the mark away.
    fn unwant(&self);

    /// Adds a pin.
    fn pin(&self);
}

/// How often a request can be passed, and how many others one request may pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How often a request can be passed (`k`).
    pub(crate) passes: u32,
    /// How many requests one may pass at any one name (`L`).
    pub(crate) ahead: usize,
}

impl Bounds {
    /// From a simulation of a cluster's work: more passes gain little throughput, and make the longest waits much
    /// longer.
    pub(crate) const DEFAULT: Self = Self { passes: 16, ahead: 8 };
}

/// Where a request stands: by priority, the most urgent first, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) priority: Priority,
    pub(crate) ticket: u64,
}

impl Place {
    /// Ahead of every request.
    pub(crate) const FIRST: Self = Self { priority: Priority::HIGHEST, ticket: 0 };

    /// Behind every request.
    pub(crate) const LAST: Self = Self { priority: Priority::LOWEST, ticket: u64::MAX };

    /// Right behind this one.
    pub(crate) fn behind(self) -> Self {
        Self { ticket: self.ticket + 1, ..self }
    }
}

/// The holders of something, by mode.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holders {
    sharers: u64,
    exclusive: bool,
}

impl Holders {
    pub(crate) fn has_room(self, mode: LockMode) -> bool {
        !self.exclusive && (mode == LockMode::Shared || self.sharers == 0)
    }

    pub(crate) fn any(self) -> bool {
        self.exclusive || self.sharers > 0
    }

    pub(crate) fn hold(&mut self, mode: LockMode) {
        match mode {
            LockMode::Shared => self.sharers += 1,
            LockMode::Exclusive => self.exclusive = true,
        }
    }

    pub(crate) fn count(self) -> usize {
        usize::try_from(self.sharers).unwrap_or(usize::MAX).max(usize::from(self.exclusive))
    }

    /// The stronger of their modes.
    pub(crate) fn mode(self) -> Option<LockMode> {
        match self {
            Self { exclusive: true, .. } => Some(LockMode::Exclusive),
            Self { sharers: 1.., .. } => Some(LockMode::Shared),
            _ => None,
        }
    }

    /// Turns the exclusive hold into a shared one.
    pub(crate) fn downgrade(&mut self) {
        *self = Self { sharers: 1, exclusive: false };
    }

    pub(crate) fn release(&mut self, mode: LockMode) {
        match mode {
            LockMode::Shared => self.sharers -= 1,
            LockMode::Exclusive => self.exclusive = false,
        }
    }
}

/// How many holds there are, by mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// At most the number of members.
    pub(crate) exclusive: usize,
    /// Includes the holds of forgotten guards: on 32 bits there can be more than a word counts.
    pub(crate) shared: u64,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, mode: LockMode) {
        match mode {
            LockMode::Shared => self.shared += 1,
            LockMode::Exclusive => self.exclusive += 1,
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, mode: LockMode) {
        match mode {
            LockMode::Shared => self.shared -= 1,
            LockMode::Exclusive => self.exclusive -= 1,
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { exclusive: self.exclusive + other.exclusive, shared: self.shared + other.shared }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self { exclusive: self.exclusive - other.exclusive, shared: self.shared - other.shared }
    }

    /// Whether these holds leave room for a request that touches all members counted.
    pub(crate) fn has_room(self, mode: LockMode) -> bool {
        self.exclusive == 0 && (mode == LockMode::Shared || self.shared == 0)
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its members.
    Names,
    /// The whole set, with all members.
    Every,
    /// The right to add members: holds the whole, without members, for a moment.
    Addition,
}

/// What becomes of a request when one of its members is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The request fails.
    Fails,
    /// It goes on for the other members.
    Skipped,
    /// It goes on as long as there are as many members as it needs.
    Counted,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Waiter<M> {
    pub(crate) reach: Reach,
    pub(crate) mode: LockMode,
    pub(crate) priority: Priority,
    pub(crate) members: Members<M>,
    /// How many of the members suffice.
    pub(crate) enough: usize,
    pub(crate) missing: Missing,
    /// How often it has been passed.
    pub(crate) passed: u32,
    /// The member that has no room for it, if one is known. The request is live there only.
    pub(crate) stuck: Option<Id>,
    pub(crate) waker: Option<Waker>,
    pub(crate) outcome: Option<Outcome<M>>,
    /// Whether to note when it is granted.
    pub(crate) watched: bool,
    /// When it was granted, if it is watched.
    pub(crate) granted: Option<Moment>,
}

impl<M> Waiter<M> {
    pub(crate) fn new(reach: Reach, mode: LockMode, priority: Priority, members: Members<M>) -> Self {
        let enough = members.len();
        let (missing, passed, stuck, waker, outcome) = (Missing::Fails, 0, None, None, None);
        let (watched, granted) = (false, None);
        Self { reach, mode, priority, members, enough, missing, passed, stuck, waker, outcome, watched, granted }
    }

    /// How many of its members it can do without.
    pub(crate) fn spare(&self) -> usize {
        self.members.len() - self.enough
    }
}

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Outcome<M> {
    /// The members are held. `others` are the rest of those that it named.
    Granted { others: Members<M> },
    /// This member was removed.
    Deleted(M),
    /// Removals have left fewer members than it asked for.
    TooFew,
}

/// What is in the way of a request.
#[derive(Debug)]
pub(crate) enum Obstacles<M> {
    /// These members.
    Members(Members<M>),
    /// Any member of the set that has no room for this mode.
    Any(LockMode),
}

/// Mostly one, which needs no allocation.
pub(crate) type Wakers = SmallVec<[Waker; 1]>;

/// What a change has led to: to be carried out once the queue is unlocked.
#[derive(Debug)]
pub(crate) struct Effects<M> {
    pub(crate) woken: Wakers,
    pub(crate) dropped: Vec<M>,
}

impl<M> Effects<M> {
    pub(crate) fn none() -> Self {
        Self { woken: Wakers::new(), dropped: Vec::new() }
    }
}

/// Whether requests of these modes exclude each other where they meet.
pub(crate) fn conflicts(one: LockMode, other: LockMode) -> bool {
    one == LockMode::Exclusive || other == LockMode::Exclusive
}
