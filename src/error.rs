//! The errors of one lock. Sets and sessions have errors of their own, which contain names.

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
    /// The lock was deleted, before the request or while it waited. A deleted lock stays deleted: do not try again.
    #[error("the lock has been deleted: it can no longer be acquired")]
    Deleted,
    /// The deadline passed first. The request holds nothing, and the other requests keep their order.
    #[error("gave up on the lock after {waited:?}: others hold it or come first; wait longer, or try again later")]
    TimedOut {
        /// The time that the request waited, by tokio's clock.
        waited: Duration,
    },
    /// The lock has the most sharers that it can count (2⁶⁰ − 1; on 32 bits 2²⁸ − 1): some code forgets guards.
    #[error("the lock has too many sharers to count one more: look for guards that are forgotten")]
    TooManySharers,
}

/// The error of taking a lock at once.
///
/// See [`SharedLock::try_shared`](crate::SharedLock::try_shared).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// The lock is held in a mode that excludes the request, or other requests wait and come first.
    #[error("the lock cannot be acquired without waiting: try again later, or wait for it")]
    WouldBlock,
    /// The lock was deleted. A deleted lock stays deleted: do not try again.
    #[error("the lock has been deleted: it can no longer be acquired")]
    Deleted,
    /// See [`AcquireError::TooManySharers`].
    #[error("the lock has too many sharers to count one more: look for guards that are forgotten")]
    TooManySharers,
}
