//! The errors of one lock. Sets and sessions have errors of their own, which contain names.

use crate::error_kind::ErrorKind;
use std::time::Duration;
use thiserror::Error;

/// The error of waiting for a lock.
///
/// It is small on purpose: a larger error makes every successful acquisition slower. It contains no name, because a
/// bare lock has none. See [`SharedLock::delete`](crate::SharedLock::delete) and
/// [`Acquire::timeout`](crate::futures::Acquire::timeout) for examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The lock was deleted, before the request or while it waited. [Refused](ErrorKind::Refused): a deleted lock stays
    /// deleted, so use another one.
    #[error("the lock has been deleted: it can no longer be acquired; use another one")]
    Deleted,
    /// The deadline passed first. The request holds nothing, and the other requests keep their order.
    /// [Busy](ErrorKind::Busy): wait longer, or try again later.
    #[error("gave up on the lock after {waited:?}: others hold it or come first; wait longer, or try again later")]
    TimedOut {
        /// The time that the request waited, by tokio's clock.
        waited: Duration,
    },
    /// The lock has the most sharers that it can count (2⁶⁰ − 1; on 32 bits 2²⁸ − 1). A [bug](ErrorKind::Bug): look for
    /// guards that are forgotten.
    #[error("the lock has too many sharers to count one more: look for guards that are forgotten")]
    TooManySharers,
}

impl AcquireError {
    /// Whether to try again, to refuse, or to mend the code.
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut { .. } => ErrorKind::Busy,
            Self::Deleted => ErrorKind::Refused,
            Self::TooManySharers => ErrorKind::Bug, // The count falls only if guards that were forgotten could be dropped.
        }
    }
}

/// The error of taking a lock at once.
///
/// See [`SharedLock::try_shared`](crate::SharedLock::try_shared).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// The lock is held in a mode that excludes the request, or other requests wait and come first.
    /// [Busy](ErrorKind::Busy): wait for it, or try again later.
    #[error("the lock cannot be acquired without waiting: try again later, or wait for it")]
    WouldBlock,
    /// The lock was deleted. [Refused](ErrorKind::Refused): a deleted lock stays deleted, so use another one.
    #[error("the lock has been deleted: it can no longer be acquired; use another one")]
    Deleted,
    /// See [`AcquireError::TooManySharers`]. A [bug](ErrorKind::Bug): look for guards that are forgotten.
    #[error("the lock has too many sharers to count one more: look for guards that are forgotten")]
    TooManySharers,
}

impl TryAcquireError {
    /// Whether to try again, to refuse, or to mend the code.
    ///
    /// See [`ErrorKind`] for an example.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::WouldBlock => ErrorKind::Busy,
            Self::Deleted => ErrorKind::Refused,
            Self::TooManySharers => ErrorKind::Bug, // See `AcquireError::kind`.
        }
    }
}
