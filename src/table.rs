//! What the locks look like at a moment: the sessions, what each holds and awaits, and who blocks whom.
//!
//! [`LockManager::locks`](crate::LockManager::locks), [`LockSet::locks`](crate::LockSet::locks) and
//! [`OpenSet::locks`](crate::OpenSet::locks) return a [`LockTable`]: a copy, which locks nothing. Print it: its
//! `Display` is a table for a terminal. With the feature `serde` it can be serialized; `docs/SEEING.md` has the shape.
//!
//! # Examples
//!
//! ```
//! # tokio_test::block_on(async {
//! use lockladder::{LockManager, ganeti::seed::{Node, Seed}};
//!
//! let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
//! let busy = manager.shared("migrate web1").await?.exclusive::<Node>("node1").await?;
//! let mut late = Box::pin(manager.shared("reboot node1").await?.exclusive::<Node>("node1"));
//! assert!(futures::poll!(late.as_mut()).is_pending());
//!
//! let table = manager.locks();
//! let in_the_way = table.blockers("reboot node1");
//! assert_eq!(in_the_way[0].label, "migrate web1");
//! assert!(in_the_way[0].awaits.is_none(), "it holds the lock, and waits for no lock: look at what it does");
//! println!("{table}");
//! # drop(busy); Ok::<_, lockladder::SessionError>(()) }).unwrap();
//! ```

mod graph;
#[cfg(feature = "serde")]
mod json;
mod order;
mod text;

use crate::mode::LockMode;
use crate::priority::Priority;
use std::panic::Location;
use std::time::{Duration, SystemTime};

pub(crate) use order::natural;
pub(crate) use text::Span;

/// A copy of what the locks of a manager, or of a set, looked like.
///
/// See the [module](self) for an example.
///
/// # Consistency
///
/// The copy of one session is of one moment, and so is the copy of up to 64 waiting requests of one level. Two of them
/// may be of different moments, mostly some microseconds apart, because a table that stopped all locks at once would
/// stop the service. So a lock that changes hands meanwhile can seem to have two holders, or none; and a session whose
/// copy could not be taken in one piece is marked as [`uncertain`](SessionRow::uncertain).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockTable {
    /// The name of the hierarchy. Empty for the table of a set.
    pub hierarchy: &'static str,
    /// The lowest level. Empty for the table of a set.
    pub(crate) root: &'static str,
    /// When the copy was taken.
    pub at: SystemTime,
    /// The sessions, in the order of their numbers. Empty for the table of a set.
    pub sessions: Vec<SessionRow>,
    /// The locks that are held or awaited: those that are awaited first, then by level, then by name in natural order.
    ///
    /// At most 16 names of one hold that no request waits for are listed.
    pub locks: Vec<LockRow>,
    /// The names that were waited for the longest, since the locks were made. See [`hottest`](Self::hottest).
    pub(crate) hot: Vec<HotName>,
}

/// A session: what it is for, what it holds, and what it waits for.
///
/// See the [module](self) for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRow {
    /// The number of the session, unique within its manager.
    pub id: u64,
    /// The label that it was given.
    pub label: String,
    /// The tokio task that began it or, if a request of it has waited since, polled that request last. For diagnosis
    /// only: a session belongs to no task.
    pub task: Option<u64>,
    /// How long ago it began, or began to wait for the root.
    pub began: Duration,
    /// What it holds, lowest level first. Empty while it waits for the root.
    pub holds: Vec<Hold>,
    /// What it waits for.
    pub awaits: Option<Wait>,
    /// It changed while it was copied: what is shown may be of two moments.
    pub uncertain: bool,
}

/// What a session holds of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// The level.
    pub level: &'static str,
    /// The mode.
    pub mode: LockMode,
    /// Whether the level is held as a whole: the root, or [`All`](crate::All) of a level.
    pub whole: bool,
    /// The names, in natural order; at most 16.
    pub names: Vec<String>,
    /// How many more names are held.
    pub more: usize,
    /// For how long.
    pub held: Duration,
    /// Where the program asked for it.
    pub place: &'static Location<'static>,
}

/// What a session waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// The level.
    pub level: &'static str,
    /// The mode.
    pub mode: LockMode,
    /// Whether it waits for the level as a whole: for the root, for [`All`](crate::All), or to add names.
    pub whole: bool,
    /// The names, in natural order; at most 16, and first those that are not free.
    pub names: Vec<String>,
    /// How many more names it waits for.
    pub more: usize,
    /// The priority of the request.
    pub priority: Priority,
    /// For how long it has waited. It ends when the session takes the grant, not when it is granted.
    pub waited: Duration,
    /// Where the program asked for it.
    pub place: &'static Location<'static>,
    /// `Some` if it is granted, and its task has not polled it since: for how long. It holds the locks.
    pub unclaimed: Option<Duration>,
    /// How many requests that it conflicts with stand ahead of it. Some of them it may pass.
    pub ahead: usize,
    /// The numbers of the sessions in its way: those that hold what it asks for, and the nearest that stands ahead; at
    /// most 16.
    pub behind: Vec<u64>,
}

/// A session that holds what another one has asked for in vain, as
/// [`SessionError::TimedOut`](crate::SessionError::TimedOut) names it.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), lockladder::SessionError> {
/// use lockladder::{LockManager, SessionError, ganeti::seed::{Node, Seed}};
/// use std::time::Duration;
///
/// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
/// let _busy = manager.shared("migrate web1").await?.exclusive::<Node>("node1").await?;
/// let late = manager.shared("reboot").await?.exclusive::<Node>("node1").timeout(Duration::from_millis(50)).await;
/// let Err(SessionError::TimedOut { held_by, .. }) = late else { panic!("it is held") };
/// assert_eq!(held_by[0].label, "migrate web1");
/// assert!(held_by[0].place.file().ends_with(".rs"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The label of the session.
    pub label: String,
    /// The mode in which it holds what is in the way.
    pub mode: LockMode,
    /// For how long.
    pub held: Duration,
    /// Where the program asked for it.
    pub place: &'static Location<'static>,
}

/// A lock that is held or awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockRow {
    /// The level. Empty for the table of a set.
    pub level: &'static str,
    /// The name. `None` for the root, and for the whole of a level or a set.
    pub name: Option<String>,
    /// The stronger mode in which it is held; `None` if it is free.
    pub mode: Option<LockMode>,
    /// How many hold it, with those that have not claimed their grants.
    pub holders: usize,
    /// The numbers of the sessions that hold it, longest first; at most 16. Empty for the table of a set.
    pub held_by: Vec<u64>,
    /// The requests that wait for it, in the order in which they stand.
    pub waiters: Vec<Waiter>,
    /// It has been removed, and requests for it have not been told yet.
    pub removed: bool,
}

/// A request in the row of a lock that it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiter {
    /// The number of its session. `None` in the table of a set.
    pub session: Option<u64>,
    /// The mode that it asks for.
    pub mode: LockMode,
    /// Its priority.
    pub priority: Priority,
}

/// A name, and for how long requests have waited for it.
///
/// See [`LockTable::hottest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HotName {
    /// The level.
    pub level: &'static str,
    /// The name. `None` for the root, and for the whole of a level.
    pub name: Option<String>,
    /// How many requests have waited for it.
    pub waits: u64,
    /// For how long, in all.
    pub waited: Duration,
}

impl LockTable {
    /// The session of this number.
    ///
    /// See the [module](self) for an example of a table.
    pub fn session(&self, id: u64) -> Option<&SessionRow> {
        let at = self.sessions.binary_search_by_key(&id, |session| session.id).ok()?;
        self.sessions.get(at)
    }

    /// The sessions that wait, the longest wait first.
    ///
    /// See the [module](self) for an example of a table.
    pub fn waiting(&self) -> Vec<&SessionRow> {
        let mut waiting: Vec<_> = self.sessions.iter().filter(|session| session.awaits.is_some()).collect();
        waiting.sort_by_key(|session| std::cmp::Reverse(session.awaits.as_ref().map(|wait| wait.waited)));
        waiting
    }

    /// The `n` names for which requests of sessions have waited the longest, in all, since the manager was built.
    ///
    /// Waits of less than a millisecond do not count. A manager counts 64 names at most: among more, the figures of the
    /// lighter ones are estimates, never too low.
    ///
    /// See the [module](self) for an example of a table.
    pub fn hottest(&self, n: usize) -> &[HotName] {
        &self.hot[..n.min(self.hot.len())]
    }
}

impl LockRow {
    /// A lock that no request waits for, and whose holders are not known one by one.
    pub(crate) fn new(level: &'static str, name: Option<String>, mode: Option<LockMode>, holders: usize) -> Self {
        Self { level, name, mode, holders, held_by: Vec::new(), waiters: Vec::new(), removed: false }
    }
}

impl SessionRow {
    /// Whether it waits for something.
    pub fn is_waiting(&self) -> bool {
        self.awaits.is_some()
    }
}
