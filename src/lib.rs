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
mod level;
mod lock;
mod manager;
mod mode;
mod priority;
mod set;
mod sync;

pub use deadline::Deadline;
pub use error::{AcquireError, TryAcquireError};
pub use level::{
    Before, CanAcquire, CanAdd, Downgrade, Held, HeldList, Hierarchy, Holds, HoldsExclusive, Level, LevelGuard,
    LevelOf, Modifiable, NotRoot, Release, Top, Typed,
};
pub use lock::{Acquire, Delete, Guard, LockPointer, MappedGuard, SharedLock};
pub use manager::{
    Builder, Climb, DynClimb, DynRequest, DynSession, Enter, EnterAny, LockManager, Modify, NameArray, OrderError,
    Session, SessionError, SessionRequest,
};
pub use mode::{Exclusive, LockMode, Mode, Shared};
pub use priority::{Priority, PriorityError};
pub use set::{
    Add, AddError, Added, All, ClosedPointer, Free, Key, LockSet, Name, NameList, Names, OpenSet, Remove, SetAcquire,
    SetError, SetGuard, SetPointer,
};

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
