//! What can go wrong with named locks. The errors name the names.

use crate::abridged::Abridged;
use crate::mode::LockMode;
use std::fmt::{self, Debug};
use std::time::Duration;
use thiserror::Error;

/// Why names could not be acquired, released or removed. Nothing was done, and the call holds nothing.
///
/// The text of an error with many names shows the first ones, and how many more there are. See
/// [`LockSet::shared`](super::LockSet::shared) for an example.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetError<K> {
    /// The set has no such name.
    #[error("there is no lock named {name:?} in this set: add it first, or leave it out")]
    Unknown {
        /// The first unknown name, in name order.
        name: K,
    },
    /// The name was removed while the request waited for it. It may have been added again since, but that is another
    /// lock.
    #[error(
        "the lock named {name:?} was removed while this request waited for it: look again whether it is still wanted"
    )]
    Deleted {
        /// The removed name.
        name: K,
    },
    /// The deadline passed first. The other requests keep their order.
    #[error(
        "gave up on {mode} locks after {waited:?}{}: others hold them or come first; wait longer, or try again later",
        wanting(names, *more)
    )]
    TimedOut {
        /// The names that other holders have, in name order; for a request for [`All`](super::All), some of them. Empty
        /// if other requests hold or await the whole set, or only come first.
        names: Vec<K>,
        /// For a request for `All`: how many more names other holders have.
        more: usize,
        /// The mode asked for.
        mode: LockMode,
        /// How long the request has waited, by tokio's clock.
        waited: Duration,
    },
    /// The request would have to wait.
    #[error(
        "cannot acquire {mode} locks without waiting{}: others hold them or come first; wait for them, or try again later",
        wanting(names, *more)
    )]
    WouldBlock {
        /// The names that other holders have, in name order; for a request for [`All`](super::All), some of them. Empty
        /// if other requests hold or await the whole set, or only come first.
        names: Vec<K>,
        /// For a request for `All`: how many more names other holders have.
        more: usize,
        /// The mode asked for.
        mode: LockMode,
    },
    /// Fewer of the names exist than were asked for with `at_least`.
    #[error(
        "asked for at least {wanted} names, but only {existing} of those listed exist: add more of them, or ask for fewer"
    )]
    TooFew {
        /// How many were asked for.
        wanted: usize,
        /// How many of the names exist.
        existing: usize,
    },
    /// The call names locks that the guard does not hold.
    #[error("this guard does not hold {:?}: nothing was done; name only what `names()` lists", Abridged::of(names))]
    NotHeld {
        /// The names that are not held, in name order.
        names: Vec<K>,
    },
    /// A name is repeated in a call that gives out each value once.
    #[error("cannot give out the value of {name:?} twice: name each lock once")]
    Repeated {
        /// The name.
        name: K,
    },
}

fn wanting<K: Debug>(names: &[K], more: usize) -> String {
    let names: Vec<_> = names.iter().collect();
    if names.is_empty() { String::new() } else { format!(", blocked on {:?}", Abridged::beside(names, more)) }
}

/// Why names could not be added. Nothing was added.
///
/// See [`LockSet::add`](super::LockSet::add) for an example.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddError<K> {
    /// Some names exist already.
    Exists {
        /// The names that exist, in name order.
        names: Vec<K>,
    },
    /// The call repeats some names.
    Repeated {
        /// The repeated names, each once, in name order.
        names: Vec<K>,
    },
    /// A guard can add to its set only while it holds the whole set.
    NotWhole,
    /// The deadline passed first: the set is held as a whole, or other requests come first.
    TimedOut {
        /// How long the request has waited, by tokio's clock.
        waited: Duration,
    },
}

impl<K: Debug> fmt::Display for AddError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { names } => {
                write!(f, "cannot add {:?}: already in this set; nothing was added", Abridged::of(names))
            }
            Self::Repeated { names } => {
                write!(f, "cannot add {:?} twice in one call; nothing was added", Abridged::of(names))
            }
            Self::NotWhole => f.write_str(
                "this guard does not hold the whole set, so it cannot add to it: \
                 acquire `All` exclusively, and release no part",
            ),
            Self::TimedOut { waited } => write!(
                f,
                "gave up on adding after {waited:?}: others hold the set as a whole or come first; nothing was added"
            ),
        }
    }
}
