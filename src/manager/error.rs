//! What can go wrong in a session. The errors name the level and the names, as text, so that one type serves all levels.

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
    #[error("this session does not hold {} of level {level}: nothing was done; name only what it owns", list(names))]
    NotHeld {
        /// The level.
        level: &'static str,
        /// Those that are not held, in name order.
        names: Vec<String>,
    },
    /// Names to add exist already. Nothing was added.
    #[error("cannot add {} to level {level}: already there; nothing was added", list(names))]
    Exists {
        /// The level.
        level: &'static str,
        /// Those that exist, in name order.
        names: Vec<String>,
    },
    /// Names to add stand in the call more than once. Nothing was added.
    #[error("cannot add {} to level {level} twice in one call; nothing was added", list(names))]
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
        wanting(names)
    )]
    TimedOut {
        /// The level.
        level: &'static str,
        /// Those names that others hold, in name order. None, if others hold or await all, or just come first.
        names: Vec<String>,
        /// The mode asked for.
        mode: LockMode,
        /// How long it has waited, by tokio's clock.
        waited: Duration,
    },
    /// It cannot be had without waiting.
    #[error(
        "cannot acquire level {level}, {mode}, without waiting{}: others hold it or come first; wait for it, or try again later",
        wanting(names)
    )]
    WouldBlock {
        /// The level.
        level: &'static str,
        /// Those names that others hold, in name order. None, if others hold or await all, or just come first.
        names: Vec<String>,
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
}

fn wanting(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(", for want of {}", list(names)) }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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
            Self::TimedOut { names, mode, waited } => {
                SessionError::TimedOut { level, names: texts(&names), mode, waited }
            }
            Self::WouldBlock { names, mode } => SessionError::WouldBlock { level, names: texts(&names), mode },
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
                SessionError::TimedOut { level, names: Vec::new(), mode: LockMode::Exclusive, waited }
            }
        }
    }
}
