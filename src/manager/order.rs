//! The rules of sessions as errors, where no type checks them.

use crate::error_kind::ErrorKind;
use thiserror::Error;

/// The rule that a [`DynSession`](super::DynSession) would have broken.
///
/// A [`Session`](super::Session) has these rules in its types. Nothing was done, and the call did not wait. See
/// [`DynSession`](super::DynSession) for an example.
///
/// Each but [`Open`](Self::Open) is a [bug](ErrorKind::Bug): a list of levels from outside must be put in order before a
/// session climbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The call would wait for a level while the session holds it, or one above it. A [bug](ErrorKind::Bug): acquire
    /// levels in increasing order, all names of a level in one call.
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
    /// The call gives back or changes a level that is not held. A [bug](ErrorKind::Bug): acquire it first.
    #[error("this session does not hold level `{level}`: acquire it first")]
    NotHeld {
        /// The level.
        level: &'static str,
    },
    /// The call changes or downgrades a level that is held shared. A [bug](ErrorKind::Bug): acquire it exclusively.
    #[error("this session does not hold level `{level}` exclusively: acquire it in that mode")]
    NotExclusive {
        /// The level.
        level: &'static str,
    },
    /// The call takes the whole of an open level. [Refused](ErrorKind::Refused): name the locks that
    /// you need.
    #[error(
        "level `{level}` is open: every name exists, so there is no whole of it to take; name the locks that you need"
    )]
    Open {
        /// The level.
        level: &'static str,
    },
    /// The call adds to a held level while one above it is held. A [bug](ErrorKind::Bug): release the higher level first.
    #[error("level `{level}` is not the highest level held by this session: release level `{held}` first")]
    NotTop {
        /// The level.
        level: &'static str,
        /// The highest level held.
        held: &'static str,
    },
}

impl OrderError {
    /// Whether to try again, to refuse, or to mend the code.
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            // Whether some names or all of them are wanted may come from outside.
            Self::Open { .. } => ErrorKind::Refused,
            // Levels that come from outside can be put in order first.
            Self::NotAbove { .. } | Self::NotTop { .. } | Self::NotHeld { .. } | Self::NotExclusive { .. } => {
                ErrorKind::Bug
            }
        }
    }
}
