//! What the users of one lock share: the lock, the truth about it, and a place to leave things for each other.

use super::hold::Hold;
use super::truth::{Cargo, Truth};
use lockladder::{Exclusive, Shared, SharedLock, TryAcquireError, futures::Acquire};
use lockladder_test_support::hostile::survive;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) type Lock = SharedLock<Cargo>;

/// What one task leaves for another, perhaps on another thread.
pub(crate) enum Parcel {
    Held(Hold<Arc<Lock>>),
    Shares(Pin<Box<Acquire<Arc<Lock>, Shared>>>),
    Owns(Pin<Box<Acquire<Arc<Lock>, Exclusive>>>),
}

pub(crate) struct Ground {
    pub(crate) lock: Arc<Lock>,
    pub(crate) truth: Arc<Truth>,
    /// Whether wakers may panic in this program.
    pub(crate) hostile: bool,
    /// A mutex of `std`, which shuttle's scheduler does not see.
    parcels: Mutex<Vec<Parcel>>,
}

impl Ground {
    pub(crate) fn new(hostile: bool) -> Self {
        let truth = Arc::new(Truth::default());
        Self { lock: Arc::new(Lock::new(truth.cargo())), truth, hostile, parcels: Mutex::default() }
    }

    pub(crate) fn leave(&self, parcel: Parcel) {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner).push(parcel);
    }

    pub(crate) fn find(&self) -> Option<Parcel> {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Does what may run wakers of other tasks. `None` if one of them panicked.
    pub(crate) fn bravely<R>(&self, deed: impl FnOnce() -> R) -> Option<R> {
        if self.hostile { survive(deed) } else { Some(deed()) }
    }
}

impl Parcel {
    /// Drops the parcel.
    pub(crate) fn forsake(self, ground: &Ground) {
        match self {
            Self::Held(hold) => hold.leave(ground),
            Self::Shares(request) => drop(ground.bravely(|| drop(request))),
            Self::Owns(request) => drop(ground.bravely(|| drop(request))),
        }
    }
}

impl Ground {
    /// Checks the end: all tasks have ended, and no other owner of the ground is left, not even a forgotten waker.
    pub(crate) fn at_rest(self: Arc<Self>) {
        let Some(Self { lock, truth, parcels, .. }) = Arc::into_inner(self) else { panic!("a waker is kept") };
        assert!(parcels.into_inner().unwrap_or_else(PoisonError::into_inner).is_empty());
        let shown = format!("{lock:?}");
        assert!(shown.contains("exclusive: false, sharers: 0, queued: false"), "not at rest: {shown}");
        match lock.try_exclusive() {
            Ok(owner) => {
                truth.own();
                truth.read(&owner.halves);
                truth.disown();
            }
            Err(error) => {
                assert_eq!(error, TryAcquireError::Deleted);
                truth.told_deleted();
            }
        }
        let Some(lock) = Arc::into_inner(lock) else { panic!("the lock is kept") };
        truth.at_rest(lock.into_inner());
    }
}
