//! Wakers that misbehave.

use super::ground::Ground;
use lockladder_test_support::hostile::throw;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// What a waker does besides waking its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// It uses the lock as it is woken.
    Enters,
    /// It uses the lock as it is woken, and panics.
    Throws,
    /// It drops a parcel, which may release the lock or cancel a request for it.
    Drops,
    /// It panics as it is dropped.
    ThrowsLast,
}

struct Rude {
    ground: Arc<Ground>,
    wakes: Waker,
    manners: Manners,
}

/// A waker that wakes what `wakes` wakes, and misbehaves.
pub(crate) fn rude(ground: &Arc<Ground>, wakes: &Waker, manners: Manners) -> Waker {
    Waker::from(Arc::new(Rude { ground: Arc::clone(ground), wakes: wakes.clone(), manners }))
}

impl Wake for Rude {
    fn wake(self: Arc<Self>) {
        let Self { ground, wakes, manners } = &*self;
        wakes.wake_by_ref();
        match manners {
            Manners::Enters | Manners::Throws => enter(ground),
            Manners::Drops => drop(ground.find().map(|parcel| parcel.forsake(ground))),
            Manners::ThrowsLast => {}
        }
        if *manners == Manners::Throws {
            throw();
        }
    }
}

fn enter(ground: &Ground) {
    let Ground { lock, truth, .. } = ground;
    if let Ok(mut owner) = lock.try_exclusive() {
        truth.own();
        truth.write(&mut owner.halves);
        truth.disown();
    } else if let Ok(sharer) = lock.try_shared() {
        truth.share();
        truth.read(&sharer.halves);
        truth.unshare();
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        if self.manners == Manners::ThrowsLast && !std::thread::panicking() {
            throw();
        }
    }
}
