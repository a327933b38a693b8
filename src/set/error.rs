//! What can go wrong with named locks. The errors name the names.

use std::fmt::Debug;
use thiserror::Error;

/// Why names could not be acquired, released or removed. Nothing was done, and nothing is held on account of the call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetError<K> {
    /// The set has no such name.
    #[error("there is no lock named {name:?} in this set: add it first, or leave it out")]
    Unknown {
        /// The first unknown name, in name order.
        name: K,
    },
    /// The name was removed while the request waited for it, even if it has been added again since: that is another
    /// lock.
    #[error(
        "the lock named {name:?} was removed while this request waited for it: look again whether it is still wanted"
    )]
    Deleted {
        /// The removed name.
        name: K,
    },
    /// A part of a guard was named that the guard does not hold.
    #[error("this guard does not hold {names:?}: nothing was done; name only what `names()` lists")]
    NotHeld {
        /// Those that are not held, in name order.
        names: Vec<K>,
    },
}

/// Why names could not be added. Nothing was added.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddError<K> {
    /// Some names exist already.
    #[error("cannot add {names:?}: already in this set; nothing was added")]
    Exists {
        /// Those that exist, in name order.
        names: Vec<K>,
    },
    /// Some names stand in the call more than once.
    #[error("cannot add {names:?} twice in one call; nothing was added")]
    Repeated {
        /// Those that are repeated, each once, in name order.
        names: Vec<K>,
    },
    /// A guard can add to its set only while it holds the whole set.
    #[error(
        "this guard does not hold the whole set, so it cannot add to it: acquire `All` exclusively, and release no part"
    )]
    NotWhole,
}
