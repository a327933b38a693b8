//! What can go wrong with one lock. The errors of sets and sessions stand beside them and name names.

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
}
