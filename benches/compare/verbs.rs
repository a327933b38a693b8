//! The same two verbs for every lock, written as the users of that lock write them.
//!
//! An adapter makes the lock, and waits for it. It does not implement what its peer cannot do. Our adapter is here, the
//! others are in `peers`.

use std::future::Future;

use lockladder::SharedLock;

/// The value in every lock.
pub(crate) type Value = u64;

/// A lock that can be held exclusively.
pub(crate) trait Lock: Send + Sync + Sized + 'static {
    fn new() -> Self;

    /// Resolves to the guard, or to a result that holds it.
    fn exclusive(&self) -> impl Future<Output: Send> + Send;
}

/// A lock that can be shared as well.
pub(crate) trait Sharing: Lock {
    fn shared(&self) -> impl Future<Output: Send> + Send;
}

/// One of the two verbs, so that each workload is written once.
pub(crate) trait Access<L> {
    fn acquire(lock: &L) -> impl Future<Output: Send> + Send;
}

/// The verb `exclusive`.
pub(crate) struct Exclusive;

impl<L: Lock> Access<L> for Exclusive {
    fn acquire(lock: &L) -> impl Future<Output: Send> + Send {
        lock.exclusive()
    }
}

/// The verb `shared`.
pub(crate) struct Shared;

impl<L: Sharing> Access<L> for Shared {
    fn acquire(lock: &L) -> impl Future<Output: Send> + Send {
        lock.shared()
    }
}

impl Lock for SharedLock<Value> {
    fn new() -> Self {
        Self::new(0)
    }

    fn exclusive(&self) -> impl Future<Output: Send> + Send {
        self.exclusive()
    }
}

impl Sharing for SharedLock<Value> {
    fn shared(&self) -> impl Future<Output: Send> + Send {
        self.shared()
    }
}
