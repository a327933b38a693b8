//! Wakers that count, remember, or run a closure when they are woken, cloned or dropped: to panic, to re-enter the
//! lock, to drop requests.

#![allow(unsafe_code, reason = "only a `RawWaker` can look at how it is cloned")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

/// Counts how often its wakers are woken.
#[derive(Debug, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    /// A count of zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// A waker whose wakes are counted.
    pub fn waker(&self) -> Waker {
        let count = Arc::clone(&self.0);
        on_wake(move || {
            count.fetch_add(1, SeqCst);
        })
    }

    /// How often its wakers were woken.
    pub fn get(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// Whether one of its wakers is still kept.
    pub fn is_kept(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Rings from a wake on, until it is hushed.
#[derive(Debug)]
pub struct Alarm(AtomicBool);

impl Alarm {
    /// An alarm that rings from the beginning, because a task that has never run must be polled.
    pub fn ringing() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    /// A waker that makes it ring.
    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// Whether it has been woken since it was last hushed.
    pub fn rings(&self) -> bool {
        self.0.load(SeqCst)
    }

    /// Silences it until it is woken again.
    pub fn hush(&self) {
        self.0.store(false, SeqCst);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// A waker that runs `action` when it is woken.
pub fn on_wake(action: impl Fn() + Send + Sync + 'static) -> Waker {
    struct OnWake<F>(F);
    impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(OnWake(action)))
}

/// A waker that runs `action` when its last clone is dropped.
pub fn on_drop(action: impl Fn() + Send + Sync + 'static) -> Waker {
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

/// A waker that panics when its last clone is dropped.
pub fn panics_on_drop() -> Waker {
    on_drop(|| panic!("hostile drop"))
}

/// A waker that runs `action` when it is cloned.
pub fn on_clone(action: impl Fn() + Send + Sync + 'static) -> Waker {
    type Action = Box<dyn Fn() + Send + Sync>;
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, release, |_| {}, release);

    fn clone(data: *const ()) -> RawWaker {
        // SAFETY: `data` came from `Arc::into_raw`, and the waker that is being cloned keeps it alive.
        let action = unsafe { &*data.cast::<Action>() };
        action();
        // SAFETY: as above.
        unsafe { Arc::increment_strong_count(data.cast::<Action>()) };
        RawWaker::new(data, &VTABLE)
    }

    fn release(data: *const ()) {
        // SAFETY: `data` came from `Arc::into_raw`, and this gives up the one count that this waker stands for.
        drop(unsafe { Arc::from_raw(data.cast::<Action>()) });
    }

    let action: Arc<Action> = Arc::new(Box::new(action));
    let raw = RawWaker::new(Arc::into_raw(action).cast(), &VTABLE);
    // SAFETY: the table keeps the contract: it counts the clones of an `Arc` whose content is `Send` and `Sync`.
    unsafe { Waker::from_raw(raw) }
}
