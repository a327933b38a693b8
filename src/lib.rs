//! Fair async locks: one lock, named sets of locks, and lock levels whose order is checked by types.
//!
//! ```text
//!   LockManager<H>   levels in a fixed order; a Session climbs them
//!      └─ LockSet<K, T>   named locks; several at once, all or nothing
//!           └─ SharedLock<T>   one fair shared/exclusive lock
//! ```
//!
//! At each layer there is one pair of verbs, `shared` and `exclusive`, each of which makes a future that resolves to a
//! guard (at the top: to a [`Session`], which contains the guards). Ownership is the guard itself, never a thread or a
//! task. Every future is cancel safe: dropped at any time, it leaves nothing behind.
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
//! let pair = nodes.exclusive(["node2", "node1"]).await?; // all or nothing, whatever the order
//! # drop(pair); Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | one lock; the fairness rule | [`SharedLock`], [`Guard`] |
//! | several locks by name, with or without values | [`LockSet`], [`SetGuard`], [`All`] |
//! | locks by any name, without adding it first | [`OpenSet`] |
//! | locks in levels, in an order that the compiler checks | [`hierarchy!`], [`held!`], [`LockManager`], [`Session`] |
//! | helpers that are generic over what a session holds | [`CanAcquire`], [`CanAdd`], [`Holds`], [`HoldsExclusive`] |
//! | lists of locks known at run time only | [`DynSession`] |
//! | the types and traits behind these, by name | [`mod@futures`], [`level`], [`names`], [`guards`] |
//! | ready hierarchies | [`ganeti`] |
//!
//! # When not to use it
//!
//! If nothing is awaited while a lock is held and fairness does not matter, `std::sync::Mutex` is smaller and faster.
//! These locks are of one process, do not poison, and cannot stop one task from opening two sessions; see the limits
//! named at [`SharedLock`], [`LockSet`] and [`LockManager`].

mod abridged;
mod by_mode;
mod deadline;
mod error;
pub mod ganeti;
pub mod level;
mod lock;
mod manager;
mod mode;
mod panics;
mod priority;
mod set;
mod sync;

pub use error::{AcquireError, TryAcquireError};
pub use level::HeldList;
pub use level::rules::{CanAcquire, CanAdd, Holds, HoldsExclusive};
pub use lock::{Guard, MappedGuard, SharedLock};
pub use manager::{Builder, DynSession, LockManager, OrderError, Session, SessionError};
pub use mode::{Exclusive, LockMode, Mode, Shared};
pub use priority::{Priority, PriorityError};
pub use set::{AddError, All, Entries, LockSet, OpenSet, SetError, SetGuard};

/// The futures that wait, by name: for structs that keep one, and for their verbs.
///
/// A verb of a lock, a set or a session returns one of these. Most code awaits it at once and never writes its name.
pub mod futures {
    pub use crate::deadline::Deadline;
    pub use crate::lock::{Acquire, Delete};
    pub use crate::manager::{Climb, DynClimb, DynRequest, Enter, EnterAny, Modify, SessionRequest};
    pub use crate::set::{Add, Added, Remove, SetAcquire, Unheld};
}

/// What names a lock, and what may stand for several names in a call.
///
/// These traits are bounds for generic helpers. [`Key`](names::Key) holds for any suitable type; the others are sealed.
pub mod names {
    pub use crate::set::{AsName, IntoEntries, Key, NameArray, Names, NamesOrAll};
}

/// What guards are made of: bounds for helpers that take any guard. All of them are sealed.
pub mod guards {
    pub use crate::lock::{Access, LockPointer, Mappable};
    pub use crate::set::{LockSetPointer, SetPointer};
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
