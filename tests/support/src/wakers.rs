//! Wakers that count, or run a closure at one moment or another: to panic, to re-enter the lock, to drop requests.

#![allow(unsafe_code, reason = "only a `RawWaker` can look at how it is cloned")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

/// Counts how often its wakers are woken.
#[derive(Clone)]
pub(crate) struct Count(pub(crate) Arc<AtomicUsize>);

impl Count {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(0)))
    }

    pub(crate) fn waker(&self) -> Waker {
        let count = self.clone();
        on_wake(move || {
            count.0.fetch_add(1, Relaxed);
        })
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// A waker that runs `action` when it is woken.
pub(crate) fn on_wake(action: impl Fn() + Send + Sync + 'static) -> Waker {
    struct OnWake<F>(F);
    impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(OnWake(action)))
}

/// A waker that runs `action` when its last clone is dropped.
pub(crate) fn on_drop(action: impl Fn() + Send + Sync + 'static) -> Waker {
    struct OnDrop<F: Fn()>(F);
    impl<F: Fn()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let action = OnDrop(action);
    on_wake(move || {
        let _kept = &action;
    })
}

pub(crate) fn panics_on_drop() -> Waker {
    on_drop(|| panic!("hostile drop"))
}

/// A waker that runs `action` when it is cloned.
pub(crate) fn on_clone(action: impl Fn() + Send + Sync + 'static) -> Waker {
    type Action = Box<dyn Fn() + Send + Sync>;
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, release, |_| {}, release);

    fn clone(data: *const ()) -> RawWaker {
        // SAFETY: `data` came from `Arc::into_raw`, and the waker that is cloned keeps it alive.
        let action = unsafe { &*data.cast::<Action>() };
        action();
        // SAFETY: as above.
        unsafe { Arc::increment_strong_count(data.cast::<Action>()) };
        RawWaker::new(data, &VTABLE)
    }

    fn release(data: *const ()) {
        // SAFETY: `data` came from `Arc::into_raw`, and the count that this waker stands for is given up here.
        drop(unsafe { Arc::from_raw(data.cast::<Action>()) });
    }

    let action: Arc<Action> = Arc::new(Box::new(action));
    let raw = RawWaker::new(Arc::into_raw(action).cast(), &VTABLE);
    // SAFETY: the table keeps to the contract: it counts the clones of an `Arc` whose content is `Send` and `Sync`.
    unsafe { Waker::from_raw(raw) }
}
