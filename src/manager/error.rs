//! The errors of sessions. They give the level and the names as text, so that one type serves all levels.

use super::order::OrderError;
use crate::abridged::{Abridged, Beginning};
use crate::error::{AcquireError, TryAcquireError};
use crate::error_kind::ErrorKind;
use crate::level::Level;
use crate::mode::LockMode;
use crate::set::{AddError, SetError};
use crate::table::{Holder, Span};
use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;
use thiserror::Error;

/// Why a session could not do what it was asked to.
///
/// If the session still exists, it holds what it held before. The error contains no lock and no session, so keeping it
/// keeps no request waiting. See [`Session::try_exclusive`](super::Session::try_exclusive) for an example.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The level has no such name. [Refused](ErrorKind::Refused): add it first, or leave it out.
    #[error("level {level} has no lock named `{}`: add it first, or leave it out", Beginning(name))]
    Unknown {
        /// The level.
        level: &'static str,
        /// The first unknown name, in name order.
        name: String,
    },
    /// The name was removed while the session waited for it, even if it has been added again since.
    /// [Refused](ErrorKind::Refused): look again whether it is still wanted.
    #[error(
        "lock `{}` of level {level} was removed while this session waited for it: look again whether it is still wanted",
        Beginning(name)
    )]
    Deleted {
        /// The level.
        level: &'static str,
        /// The removed name.
        name: String,
    },
    /// The session does not hold some of the names. Nothing was done. A [bug](ErrorKind::Bug): name only what it owns.
    #[error(
        "this session does not hold {} of level {level}: nothing was done; name only what it owns",
        Abridged::of(names)
    )]
    NotHeld {
        /// The level.
        level: &'static str,
        /// The names that are not held, in name order.
        names: Vec<String>,
    },
    /// Some names to add exist already. Nothing was added. [Refused](ErrorKind::Refused): leave them out, or acquire
    /// them.
    #[error(
        "cannot add {} to level {level}: already there; nothing was added; leave them out, or acquire them",
        Abridged::of(names)
    )]
    Exists {
        /// The level.
        level: &'static str,
        /// The names that exist, in name order.
        names: Vec<String>,
    },
    /// The call adds a name, or asks for its value, more than once. Nothing was done. [Refused](ErrorKind::Refused): name
    /// each lock once.
    #[error(
        "{} of level {level} named more than once in one call: name each once; nothing was done",
        Abridged::of(names)
    )]
    Repeated {
        /// The level.
        level: &'static str,
        /// The names that are repeated, each once, in name order.
        names: Vec<String>,
    },
    /// A session that holds only a part of a level cannot add to it. Nothing was added. A [bug](ErrorKind::Bug): acquire
    /// [`All`](crate::All) of it exclusively, and release no part.
    #[error(
        "cannot add to level {level} while holding only a part of it: acquire `All` of it exclusively, and release no part"
    )]
    NotWhole {
        /// The level.
        level: &'static str,
    },
    /// The deadline passed first. Nothing that was asked for is held, and the other requests keep their order.
    /// [Busy](ErrorKind::Busy): wait longer, or try again later.
    #[error(
        "gave up on level {level}, {mode}, after {waited:?}{}{}: others hold it or come first; wait longer, or try again later",
        blocked_on(names, *more),
        by(held_by)
    )]
    TimedOut {
        /// The level.
        level: &'static str,
        /// The names that other sessions hold, in name order; only some of them if the request is for `All`. Empty if
        /// other requests hold or await the whole level, or just come first.
        names: Vec<String>,
        /// How many more names other sessions hold, if the request is for `All`.
        more: usize,
        /// The mode asked for; exclusive for a request that adds or removes.
        mode: LockMode,
        /// How long the request has waited, by tokio's clock.
        waited: Duration,
        /// Sessions that hold what is in the way, longest first: at most three. Empty if other requests just come
        /// first.
        held_by: Vec<Holder>,
    },
    /// The request would have to wait. [Busy](ErrorKind::Busy): wait for it, or try again later.
    #[error(
        "cannot acquire level {level}, {mode}, without waiting{}: others hold it or come first; wait for it, or try again later",
        blocked_on(names, *more)
    )]
    WouldBlock {
        /// The level.
        level: &'static str,
        /// The names that other sessions hold, in name order; only some of them if the request is for `All`. Empty if
        /// other requests hold or await the whole level, or just come first.
        names: Vec<String>,
        /// How many more names other sessions hold, if the request is for `All`.
        more: usize,
        /// The mode asked for.
        mode: LockMode,
    },
    /// Fewer of the names exist than `at_least` asked for. [Refused](ErrorKind::Refused): add more of them, or ask for
    /// fewer.
    #[error(
        "asked for at least {wanted} names of level {level}, but only {existing} of those listed exist: add more of them, or ask for fewer"
    )]
    TooFew {
        /// The level.
        level: &'static str,
        /// How many names were asked for.
        wanted: usize,
        /// How many of them exist.
        existing: usize,
    },
    /// The session already holds or awaits the level, or one above it, and no type shows that: a nested session, or a
    /// request that was polled, has been forgotten (`mem::forget`, a leak). The session would wait for itself. A
    /// [bug](ErrorKind::Bug): drop what the session nests, and never forget it.
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
    /// The same flow tried to begin a second session within a [`LockManager::scope`](super::LockManager::scope). A
    /// [bug](ErrorKind::Bug): use the session that the flow has, or one nested in it.
    #[error(
        "cannot begin session `{}` inside of session `{}`: with both, this flow could wait for itself; use the \
         session that it has, or one nested in it",
        Beginning(inner),
        Beginning(outer)
    )]
    NestedSession {
        /// The label of the scope's session.
        outer: String,
        /// The label of the session that was not begun.
        inner: String,
    },
    /// The order of the levels does not allow the call. Only a [`DynSession`](super::DynSession) returns this: a
    /// [`Session`](super::Session) would not compile. It has the [kind](OrderError::kind) of the error inside: do what
    /// that says.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The root has as many sharers as it can count; see [`AcquireError::TooManySharers`]. A [bug](ErrorKind::Bug): look
    /// for sessions that are forgotten.
    #[error("the root {level} has too many sharers to count one more: look for sessions that are forgotten")]
    TooManySharers {
        /// The root.
        level: &'static str,
    },
}

impl SessionError {
    fn timed_out(level: &'static str, names: Vec<String>, left_out: usize, mode: LockMode, waited: Duration) -> Self {
        Self::TimedOut { level, names, more: left_out, mode, waited, held_by: Vec::new() }
    }

    /// If a deadline has passed, names the sessions in the way.
    pub(super) fn with_holders(self, holders: Vec<Holder>) -> Self {
        match self {
            Self::TimedOut { level, names, more, mode, waited, .. } => {
                Self::TimedOut { level, names, more, mode, waited, held_by: holders }
            }
            other => other,
        }
    }

    /// Whether to try again, to refuse, or to mend the code.
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut { .. } | Self::WouldBlock { .. } => ErrorKind::Busy,
            // The names come from outside.
            Self::Unknown { .. }
            | Self::Deleted { .. }
            | Self::Exists { .. }
            | Self::Repeated { .. }
            | Self::TooFew { .. } => ErrorKind::Refused,
            // The code knows what its session holds, whatever comes from outside.
            Self::NotHeld { .. }
            | Self::NotWhole { .. }
            | Self::AlreadyHeld { .. }
            | Self::NestedSession { .. }
            | Self::TooManySharers { .. } => ErrorKind::Bug,
            Self::Order(error) => error.kind(),
        }
    }
}

/// Converts an error of the root, which was asked for in this mode.
pub(super) fn at_root(level: &'static str, mode: LockMode, error: AcquireError) -> SessionError {
    match error {
        AcquireError::TimedOut { waited } => SessionError::timed_out(level, Vec::new(), 0, mode, waited),
        AcquireError::TooManySharers => SessionError::TooManySharers { level },
        AcquireError::Deleted => unreachable!("the root is never deleted"),
    }
}

/// As [`at_root`], for a call that does not wait.
pub(super) fn now_at_root(level: &'static str, mode: LockMode, error: TryAcquireError) -> SessionError {
    match error {
        TryAcquireError::WouldBlock => SessionError::WouldBlock { level, names: Vec::new(), more: 0, mode },
        TryAcquireError::TooManySharers => SessionError::TooManySharers { level },
        TryAcquireError::Deleted => unreachable!("the root is never deleted"),
    }
}

/// Who holds what is in the way: the first in full, the others counted.
fn by(holders: &[Holder]) -> String {
    let Some((Holder { label, held, place, .. }, others)) = holders.split_first() else { return String::new() };
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    format!(", held by `{}` for {} ({place}){more}", Beginning(label), Span(*held))
}

fn blocked_on(names: &[String], more: usize) -> String {
    if names.is_empty() { String::new() } else { format!(", blocked on {}", Abridged::beside(names, more)) }
}

/// A name as text: a string as it is, any other name as `Debug` shows it.
fn text<K: Debug + 'static>(name: &K) -> String {
    (name as &dyn Any).downcast_ref::<String>().cloned().unwrap_or_else(|| format!("{name:?}"))
}

fn texts<K: Debug + 'static>(names: &[K]) -> Vec<String> {
    names.iter().map(text).collect()
}

/// An error of the set of level `L`.
pub trait AtLevel<L: Level> {
    /// Converts it to an error of a session.
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
                SessionError::timed_out(level, texts(&names), more, mode, waited)
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
            Self::TimedOut { waited } => SessionError::timed_out(level, Vec::new(), 0, LockMode::Exclusive, waited),
        }
    }
}
