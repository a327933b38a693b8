//! The lock of a shard: locked for a few instructions, and never while foreign code runs.

pub(super) use chosen::{Locked, SpinLock};

#[cfg(not(any(lockladder_loom, lockladder_shuttle)))]
#[allow(unsafe_code, reason = "the thread that has set the flag reaches the content: see `SpinLock`")]
mod chosen {
    use crate::sync::back_off;
    use std::cell::UnsafeCell;
    use std::fmt;
    use std::marker::PhantomData;
    use std::ops::{Deref, DerefMut};
    use std::panic::RefUnwindSafe;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Content that one thread at a time works on. A thread that waits for it spins briefly, then yields.
    ///
    /// # Invariant
    ///
    /// At most one `Locked` exists, from when its thread has set the flag until it clears it; and only it leads to the
    /// content.
    pub(in super::super) struct SpinLock<T> {
        locked: AtomicBool,
        content: UnsafeCell<T>,
    }

    // SAFETY: one thread at a time reaches the content.
    unsafe impl<T: Send> Sync for SpinLock<T> {}

    /// No foreign code runs while it is locked, so a panic leaves nothing half changed.
    impl<T> RefUnwindSafe for SpinLock<T> {}

    impl<T> SpinLock<T> {
        pub(in super::super) fn new(content: T) -> Self {
            Self { locked: AtomicBool::new(false), content: UnsafeCell::new(content) }
        }

        #[inline]
        pub(in super::super) fn lock(&self) -> Locked<'_, T> {
            if self.locked.swap(true, Ordering::Acquire) {
                self.wait();
            }
            Locked { lock: self, stays: PhantomData }
        }

        #[cold]
        fn wait(&self) {
            let mut attempt = 0;
            // The load only spares the cache line; the swap decides.
            while self.locked.load(Ordering::Relaxed) || self.locked.swap(true, Ordering::Acquire) {
                back_off(attempt);
                attempt += 1;
            }
        }
    }

    impl<T> fmt::Debug for SpinLock<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("SpinLock").field("locked", &self.locked).finish_non_exhaustive()
        }
    }

    /// The content, until this is dropped.
    pub(in super::super) struct Locked<'a, T> {
        lock: &'a SpinLock<T>,
        /// Keeps this with its thread: `&Locked` gives out `&T`, and `T` may not be `Sync`.
        stays: PhantomData<*const ()>,
    }

    impl<T> Deref for Locked<'_, T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: by the invariant of `SpinLock`, nothing changes the content while `self` is borrowed.
            unsafe { &*self.lock.content.get() }
        }
    }

    impl<T> DerefMut for Locked<'_, T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: by the invariant of `SpinLock`, nothing else reaches the content while `self` is borrowed.
            unsafe { &mut *self.lock.content.get() }
        }
    }

    impl<T> Drop for Locked<'_, T> {
        #[inline]
        fn drop(&mut self) {
            self.lock.locked.store(false, Ordering::Release);
        }
    }
}

/// In a model, the mutex of the model.
#[cfg(any(lockladder_loom, lockladder_shuttle))]
mod chosen {
    use crate::sync::{Mutex, MutexGuard};
    use std::sync::PoisonError;

    #[derive(Debug)]
    pub(in super::super) struct SpinLock<T>(Mutex<T>);

    pub(in super::super) type Locked<'a, T> = MutexGuard<'a, T>;

    impl<T> SpinLock<T> {
        pub(in super::super) fn new(content: T) -> Self {
            Self(Mutex::new(content))
        }

        pub(in super::super) fn lock(&self) -> Locked<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
