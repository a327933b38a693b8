//! Fair async locks: one lock, named sets of locks, and lock levels whose order is checked by types.
//!
//! ```text
//!   LockManager<H>   levels in a fixed order; a Session climbs them
//!      └─ LockSet<K, T>   named locks; several at once, all or nothing
//!           └─ SharedLock<T>   one fair shared/exclusive lock
//! ```
//!
//! Each layer has the same two methods, `shared` and `exclusive`. Each returns a future that resolves to a guard (at
//! the top layer: to a [`Session`], which contains the guards). A lock belongs to its guard, never to a thread or a
//! task. Every future is cancel safe: dropping it gives up its place in the queue, and a grant that it has not returned
//! yet passes to the next request.
//!
//! # Example
//!
//! ```
//! # tokio_test::block_on(async {
//! use lockladder::{LockSet, SharedLock};
//!
//! let total = SharedLock::new(0);                        // one lock, around a value
//! *total.exclusive().await? += 1;
//!
//! let nodes: LockSet<String> = LockSet::new(["node1", "node2"]); // many, by name
//! let pair = nodes.exclusive(["node2", "node1"]).await?; // all or nothing, in any order
//! # drop(pair); Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | one lock; the fairness rule | [`SharedLock`], [`Guard`] |
//! | several locks by name, with or without values | [`LockSet`], [`SetGuard`], [`All`] |
//! | locks by any name, which need not be added first | [`OpenSet`]; in a hierarchy, `open level` |
//! | locks in levels, in an order that the compiler checks | [`hierarchy!`], [`held!`], [`LockManager`], [`Session`] |
//! | helpers that are generic over what a session holds | [`CanAcquire`], [`CanAdd`], [`Holds`], [`HoldsExclusive`] |
//! | lists of locks that are known only at run time | [`DynSession`] |
//! | an error: try again, refuse, or mend the code | [`ErrorKind`] |
//! | spans, warnings and figures of sessions | the features `tracing` and `metrics`: `docs/WATCHING.md` |
//! | a service that hangs: who holds, who waits, behind whom | [`LockManager::locks`], [`mod@table`] |
//! | the types and traits behind these, by name | [`mod@futures`], [`level`], [`names`], [`guards`] |
//! | ready hierarchies | [`ganeti`] |
//!
//! # When not to use it
//!
//! If no task awaits while it holds the lock, and fairness does not matter, `std::sync::Mutex` is smaller and faster.
//! These locks work within one process, do not poison, and cannot stop a task from opening two sessions; see the limits
//! of [`SharedLock`], [`LockSet`] and [`LockManager`].

mod abridged;
mod by_mode;
mod clock;
mod deadline;
mod error;
mod error_kind;
pub mod ganeti;
pub mod level;
mod lock;
mod manager;
mod mode;
mod panics;
mod priority;
mod set;
mod sync;
pub mod table;
mod wants;

pub use error::{AcquireError, TryAcquireError};
pub use error_kind::ErrorKind;
pub use level::HeldList;
pub use level::rules::{CanAcquire, CanAdd, Holds, HoldsExclusive};
pub use lock::{Guard, MappedGuard, SharedLock};
pub use manager::{Builder, DynSession, LockManager, OrderError, Session, SessionError};
pub use mode::{Exclusive, LockMode, Mode, Shared};
pub use priority::{Priority, PriorityError};
pub use set::{AddError, All, Entries, LockSet, OpenSet, SetError, SetGuard};
pub use table::LockTable;

/// The futures that wait, by name, for structs that store one, and for their methods.
///
/// The methods of a lock, a set or a session return them. Most code awaits them at once and never writes their names.
/// See [`Acquire::set_priority`](crate::futures::Acquire::set_priority) for an example of one that is kept.
pub mod futures {
    pub use crate::deadline::Deadline;
    pub use crate::lock::{Acquire, Delete};
    pub use crate::manager::{Climb, DynClimb, DynRequest, Enter, EnterAny, Modify, SessionRequest};
    pub use crate::set::{Add, Added, Remove, SetAcquire, Unheld};
}

/// The traits of lock names, and of arguments that list several names.
///
/// They are bounds for generic helpers. [`Key`](names::Key) is implemented for every suitable type; the others are
/// sealed. See [`LockSet`] for an example of such arguments.
pub mod names {
    pub use crate::set::{AsName, IntoEntries, Key, NameArray, Names, NamesOrAll};
}

/// The traits of what guards are made of, as bounds for helpers that take any guard. All are sealed.
///
/// See [`SharedLock::synchronized`] for an example of a method with such a bound.
pub mod guards {
    pub use crate::lock::{Access, LockPointer, Mappable};
    pub use crate::set::{LockSetPointer, NamedLocks, SetPointer};
}

#[doc(hidden)]
pub use level::private as __private;

/// The example of the README, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The snippets of the guide, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/GUIDE.md")]
struct Guide;

/// The recipes, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/HOWTO.md")]
struct HowTo;

/// The page on watching, run as a test.
#[cfg(all(doctest, feature = "tracing", feature = "metrics"))]
#[doc = include_str!("../docs/WATCHING.md")]
struct Watching;

/// The page on tables, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/SEEING.md")]
struct Seeing;

/// The table beside tokio's locks, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/FROM_TOKIO.md")]
struct FromTokio;
