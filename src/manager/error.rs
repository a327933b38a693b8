//! What can go wrong in a session. The errors name the level and the names, as text, so that one type serves all levels.

use crate::abridged::SHOWN;
use crate::error::{AcquireError, TryAcquireError};
use crate::level::Level;
use crate::mode::LockMode;
use crate::set::{AddError, SetError};
use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;
use thiserror::Error;

/// Why a session could not do what was asked. What it held before, it still holds, if it still exists.
///
/// It carries no lock and no session: keeping it keeps nobody waiting.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The level has no such name.
    #[error("level {level} has no lock named `{name}`: add it first, or leave it out")]
    Unknown {
        /// The level.
        level: &'static str,
        /// The first unknown name, in name order.
        name: String,
    },
    /// The name was removed while the session waited for it, even if it has been added again since.
    #[error(
        "lock `{name}` of level {level} was removed while this session waited for it: look again whether it is still wanted"
    )]
    Deleted {
        /// The level.
        level: &'static str,
        /// The removed name.
        name: String,
    },
    /// Names were to be released or removed that the session does not hold.
    #[error("this session does not hold {} of level {level}: nothing was done; name only what it owns", list(names, 0))]
    NotHeld {
        /// The level.
        level: &'static str,
        /// Those that are not held, in name order.
        names: Vec<String>,
    },
    /// Names to add exist already. Nothing was added.
    #[error("cannot add {} to level {level}: already there; nothing was added", list(names, 0))]
    Exists {
        /// The level.
        level: &'static str,
        /// Those that exist, in name order.
        names: Vec<String>,
    },
    /// Names stand in the call more than once, to be added or to be changed side by side. Nothing was done.
    #[error("{} of level {level} named more than once in one call: name each once; nothing was done", list(names, 0))]
    Repeated {
        /// The level.
        level: &'static str,
        /// Those that are repeated, each once, in name order.
        names: Vec<String>,
    },
    /// A session that holds only a part of a level cannot add to it. Nothing was added.
    #[error(
        "cannot add to level {level} while holding only a part of it: acquire `All` of it exclusively, and release no part"
    )]
    NotWhole {
        /// The level.
        level: &'static str,
    },
    /// The deadline passed first. Nothing of the level is held, and the others keep their order.
    #[error(
        "gave up on level {level}, {mode}, after {waited:?}{}: others hold it or come first; wait longer, or try again later",
        wanting(names, *more)
    )]
    TimedOut {
        /// The level.
        level: &'static str,
        /// Those names that others hold, in name order; of a request for `All`, some of them. None, if others hold or await
        /// all, or just come first.
        names: Vec<String>,
        /// How many more others hold, of a request for `All`.
        more: usize,
        /// The mode asked for.
        mode: LockMode,
        /// How long it has waited, by tokio's clock.
        waited: Duration,
    },
    /// It cannot be had without waiting.
    #[error(
        "cannot acquire level {level}, {mode}, without waiting{}: others hold it or come first; wait for it, or try again later",
        wanting(names, *more)
    )]
    WouldBlock {
        /// The level.
        level: &'static str,
        /// Those names that others hold, in name order; of a request for `All`, some of them. None, if others hold or await
        /// all, or just come first.
        names: Vec<String>,
        /// How many more others hold, of a request for `All`.
        more: usize,
        /// The mode asked for.
        mode: LockMode,
    },
    /// Fewer of the names exist than were asked for with `at_least`.
    #[error(
        "asked for at least {wanted} names of level {level}, of which {existing} exist: add more of them, or ask for fewer"
    )]
    TooFew {
        /// The level.
        level: &'static str,
        /// How many were asked for.
        wanted: usize,
        /// How many there are.
        existing: usize,
    },
    /// The session holds or awaits the level already, or one above it, where no type shows it: a nested session, or a
    /// request that was polled, has been forgotten (`mem::forget`, a leak). To wait would be to wait for oneself.
    #[error(
        "this session holds or awaits level {held} already, in a nested session or a request that was forgotten: \
         waiting for level {level} would be waiting for itself; drop what it nests, and never forget it"
    )]
    AlreadyHeld {
        /// The level asked for.
        level: &'static str,
        /// The level that is held or awaited: the same, or one above.
        held: &'static str,
    },
    /// A second session was begun inside of [`LockManager::scope`](super::LockManager::scope), by the same flow.
    #[error(
        "cannot begin session `{inner}` inside of session `{outer}`: with both, this flow could wait for itself; use the \
         session that it has, or one nested in it"
    )]
    NestedSession {
        /// The label of the session that the scope has.
        outer: String,
        /// The label of the one that was to begin.
        inner: String,
    },
    /// The order of the levels does not allow it: the answer to a [`DynSession`](super::DynSession), where a
    /// [`Session`](super::Session) is not compiled.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The root is shared as often as it can count; see [`AcquireError::TooManySharers`].
    #[error("the root {level} has too many sharers to count one more: look for sessions that are forgotten")]
    TooManySharers {
        /// The root.
        level: &'static str,
    },
}

/// How a [`DynSession`](super::DynSession) was to break the rules that a [`Session`](super::Session) has in its types.
/// Nothing was done, and nobody waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A level was to be waited for while it, or one above it, is held.
    #[error(
        "lock order violation: cannot acquire, add to or remove from level `{level}` while holding level `{held}`: \
         acquire levels in increasing order, all names of a level in one call; release `{held}` first"
    )]
    NotAbove {
        /// The level asked for.
        level: &'static str,
        /// The highest level held.
        held: &'static str,
    },
    /// A level was to be given back, or changed, that is not held.
    #[error("this session does not hold level `{level}`: acquire it first")]
    NotHeld {
        /// The level.
        level: &'static str,
    },
    /// A level was to be changed, or downgraded, that is held shared.
    #[error("this session does not hold level `{level}` exclusively: acquire it in that mode")]
    NotExclusive {
        /// The level.
        level: &'static str,
    },
    /// A held level was to be added to though one above it is held.
    #[error("level `{level}` is not the highest level held by this session: release level `{held}` first")]
    NotTop {
        /// The level.
        level: &'static str,
        /// The highest level held.
        held: &'static str,
    },
}

/// What becomes of an error of the root, asked for in this mode.
pub(super) fn at_root(level: &'static str, mode: LockMode, error: AcquireError) -> SessionError {
    match error {
        AcquireError::TimedOut { waited } => SessionError::TimedOut { level, names: Vec::new(), more: 0, mode, waited },
        AcquireError::TooManySharers => SessionError::TooManySharers { level },
        AcquireError::Deleted => unreachable!("the root is never deleted"),
    }
}

/// As [`at_root`], where nobody waits.
pub(super) fn now_at_root(level: &'static str, mode: LockMode, error: TryAcquireError) -> SessionError {
    match error {
        TryAcquireError::WouldBlock => SessionError::WouldBlock { level, names: Vec::new(), more: 0, mode },
        TryAcquireError::TooManySharers => SessionError::TooManySharers { level },
        TryAcquireError::Deleted => unreachable!("the root is never deleted"),
    }
}

fn wanting(names: &[String], more: usize) -> String {
    if names.is_empty() { String::new() } else { format!(", for want of {}", list(names, more)) }
}

fn list(names: &[String], more: usize) -> String {
    let mut shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = more + names.len() - shown.len();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// A name as text: strings as they are, others as `Debug` shows them.
fn text<K: Debug + 'static>(name: &K) -> String {
    (name as &dyn Any).downcast_ref::<String>().cloned().unwrap_or_else(|| format!("{name:?}"))
}

fn texts<K: Debug + 'static>(names: &[K]) -> Vec<String> {
    names.iter().map(text).collect()
}

/// An error of a set, told of the level `L` that the set belongs to.
pub trait AtLevel<L: Level> {
    /// The same as an error of a session.
    fn at_level(self) -> SessionError;
}

impl<L: Level> AtLevel<L> for SetError<L::Name> {
    fn at_level(self) -> SessionError {
        let level = L::NAME;
        match self {
            Self::Unknown { name } => SessionError::Unknown { level, name: text(&name) },
            Self::Deleted { name } => SessionError::Deleted { level, name: text(&name) },
            Self::NotHeld { names } => SessionError::NotHeld { level, names: texts(&names) },
            Self::TimedOut { names, more, mode, waited } => {
                SessionError::TimedOut { level, names: texts(&names), more, mode, waited }
            }
            Self::WouldBlock { names, more, mode } => {
                SessionError::WouldBlock { level, names: texts(&names), more, mode }
            }
            Self::TooFew { wanted, existing } => SessionError::TooFew { level, wanted, existing },
            Self::Repeated { name } => SessionError::Repeated { level, names: vec![text(&name)] },
        }
    }
}

impl<L: Level> AtLevel<L> for AddError<L::Name> {
    fn at_level(self) -> SessionError {
        let level = L::NAME;
        match self {
            Self::Exists { names } => SessionError::Exists { level, names: texts(&names) },
            Self::Repeated { names } => SessionError::Repeated { level, names: texts(&names) },
            Self::NotWhole => SessionError::NotWhole { level },
            Self::TimedOut { waited } => {
                SessionError::TimedOut { level, names: Vec::new(), more: 0, mode: LockMode::Exclusive, waited }
            }
        }
    }
}
