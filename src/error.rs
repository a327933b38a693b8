//! What can go wrong with one lock. The errors of sets and sessions stand beside them and name names.

use std::time::Duration;
use thiserror::Error;

/// Why waiting for a lock ended without the lock.
///
/// Small on purpose: a larger error makes every successful acquisition slower. A bare lock has no name, so there is
/// none in its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The lock was deleted, before the request or while it waited. It stays deleted: do not try again.
    #[error("the lock has been deleted: it can no longer be acquired")]
    Deleted,
    /// The deadline passed first. Nothing is held, and the others keep their order.
    #[error("gave up on the lock after {waited:?}: others hold it or come first; wait longer, or try again later")]
    TimedOut {
        /// How long it has waited, by tokio's clock.
        waited: Duration,
    },
    /// The lock is shared as often as it can count (2⁶⁰ times; on 32 bits 2²⁸): guards are forgotten somewhere.
    #[error("the lock has too many sharers to count one more: look for guards that are forgotten")]
    TooManySharers,
}

/// Why a lock could not be had at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// It is held in a way that excludes the request, or others wait and come first.
    #[error("the lock cannot be acquired without waiting: try again later, or wait for it")]
    WouldBlock,
    /// The lock was deleted. It stays deleted: do not try again.
    #[error("the lock has been deleted: it can no longer be acquired")]
    Deleted,
    /// See [`AcquireError::TooManySharers`].
    #[error("the lock has too many sharers to count one more: look for guards that are forgotten")]
    TooManySharers,
}
