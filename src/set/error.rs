//! What can go wrong with named locks. The errors name the names.

use crate::abridged::{Abridged, Beginning};
use crate::error_kind::ErrorKind;
use crate::mode::LockMode;
use std::error::Error;
use std::fmt::{self, Debug};
use std::time::Duration;

/// Why names could not be acquired, released or removed. Nothing was done, and the call holds nothing.
///
/// The text of an error with many names shows the first ones, and how many more there are. See
/// [`LockSet::shared`](super::LockSet::shared) for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetError<K> {
    /// The set has no such name. [Refused](ErrorKind::Refused): add it first, or leave it out.
    Unknown {
        /// The first unknown name, in name order.
        name: K,
    },
    /// The name was removed while the request waited for it. It may have been added again since, but that is another
    /// lock. [Refused](ErrorKind::Refused): look again whether it is still wanted.
    Deleted {
        /// The removed name.
        name: K,
    },
    /// The deadline passed first. The other requests keep their order. [Busy](ErrorKind::Busy): wait longer, or try
    /// again later.
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
    /// The request would have to wait. [Busy](ErrorKind::Busy): wait for the names, or try again later.
    WouldBlock {
        /// The names that other holders have, in name order; for a request for [`All`](super::All), some of them. Empty
        /// if other requests hold or await the whole set, or only come first.
        names: Vec<K>,
        /// For a request for `All`: how many more names other holders have.
        more: usize,
        /// The mode asked for.
        mode: LockMode,
    },
    /// Fewer of the names exist than were asked for with `at_least`. [Refused](ErrorKind::Refused): add more of them, or
    /// ask for fewer.
    TooFew {
        /// How many were asked for.
        wanted: usize,
        /// How many of the names exist.
        existing: usize,
    },
    /// The call names locks that the guard does not hold. A [bug](ErrorKind::Bug): name only what the guard's `names`
    /// lists.
    NotHeld {
        /// The names that are not held, in name order.
        names: Vec<K>,
    },
    /// A name is repeated in a call that gives out each value once. [Refused](ErrorKind::Refused): name each lock once.
    Repeated {
        /// The name.
        name: K,
    },
}

impl<K> SetError<K> {
    /// Whether to try again, to refuse, or to mend the code.
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut { .. } | Self::WouldBlock { .. } => ErrorKind::Busy,
            // The names come from outside. So does a repetition: both accounts of a transfer can be the same.
            Self::Unknown { .. } | Self::Deleted { .. } | Self::TooFew { .. } | Self::Repeated { .. } => {
                ErrorKind::Refused
            }
            // The guard shows what it holds, so the names need not come from outside.
            Self::NotHeld { .. } => ErrorKind::Bug,
        }
    }
}

impl<K: Debug> fmt::Display for SetError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                write!(f, "there is no lock named {:?} in this set: add it first, or leave it out", Beginning(name))
            }
            Self::Deleted { name } => write!(
                f,
                "the lock named {:?} was removed while this request waited for it: look again whether it is still wanted",
                Beginning(name)
            ),
            Self::TimedOut { names, more, mode, waited } => write!(
                f,
                "gave up on {mode} locks after {waited:?}{}: others hold them or come first; \
                 wait longer, or try again later",
                blocked_on(names, *more)
            ),
            Self::WouldBlock { names, more, mode } => write!(
                f,
                "cannot acquire {mode} locks without waiting{}: others hold them or come first; \
                 wait for them, or try again later",
                blocked_on(names, *more)
            ),
            Self::TooFew { wanted, existing } => write!(
                f,
                "asked for at least {wanted} names, but only {existing} of those listed exist: \
                 add more of them, or ask for fewer"
            ),
            Self::NotHeld { names } => write!(
                f,
                "this guard does not hold {:?}: nothing was done; name only what `names()` lists",
                Abridged::of(names)
            ),
            Self::Repeated { name } => {
                write!(f, "cannot give out the value of {:?} twice: name each lock once", Beginning(name))
            }
        }
    }
}

fn blocked_on<K: Debug>(names: &[K], more: usize) -> String {
    if names.is_empty() { String::new() } else { format!(", blocked on {:?}", Abridged::beside(names, more)) }
}

impl<K: Debug> Error for SetError<K> {}

/// Why names could not be added. Nothing was added.
///
/// See [`LockSet::add`](super::LockSet::add) for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddError<K> {
    /// Some names exist already. [Refused](ErrorKind::Refused): leave them out, or acquire them.
    Exists {
        /// The names that exist, in name order.
        names: Vec<K>,
    },
    /// The call repeats some names. [Refused](ErrorKind::Refused): name each lock once.
    Repeated {
        /// The repeated names, each once, in name order.
        names: Vec<K>,
    },
    /// A guard can add to its set only while it holds the whole set. A [bug](ErrorKind::Bug): acquire
    /// [`All`](super::All) exclusively, and release no part.
    NotWhole,
    /// The deadline passed first: the set is held as a whole, or other requests come first. [Busy](ErrorKind::Busy):
    /// wait longer, or try again later.
    TimedOut {
        /// How long the request has waited, by tokio's clock.
        waited: Duration,
    },
}

impl<K> AddError<K> {
    /// Whether to try again, to refuse, or to mend the code.
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut { .. } => ErrorKind::Busy,
            // The names to add come from outside.
            Self::Exists { .. } | Self::Repeated { .. } => ErrorKind::Refused,
            Self::NotWhole => ErrorKind::Bug,
        }
    }
}

impl<K: Debug> fmt::Display for AddError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { names } => write!(
                f,
                "cannot add {:?}: already in this set; nothing was added; leave them out, or acquire them",
                Abridged::of(names)
            ),
            Self::Repeated { names } => {
                write!(f, "cannot add {:?} twice in one call; nothing was added; name each once", Abridged::of(names))
            }
            Self::NotWhole => f.write_str(
                "this guard does not hold the whole set, so it cannot add to it: \
                 acquire `All` exclusively, and release no part",
            ),
            Self::TimedOut { waited } => write!(
                f,
                "gave up on adding after {waited:?}: others hold the set as a whole or come first; nothing was added; \
                 wait longer, or try again later"
            ),
        }
    }
}

impl<K: Debug> Error for AddError<K> {}
