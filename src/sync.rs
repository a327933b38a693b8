//! The primitives that loom and shuttle replace, chosen once, here.
//!
//! The cfgs are private (`lockladder_loom`, `lockladder_shuttle`), because the public `--cfg loom` changes tokio as
//! well. Cells follow loom's interface (`with_mut`), so that a model sees every access; outside of models they cost
//! nothing.

#[cfg(not(lockladder_loom))]
mod cell {
    /// `std`'s cell with the interface of loom's cell.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(not(any(lockladder_loom, lockladder_shuttle)))]
mod chosen {
    pub(crate) use super::cell::UnsafeCell;
    pub(crate) use std::sync::atomic::{AtomicI8, AtomicU8, AtomicUsize};
    pub(crate) use std::sync::{Mutex, MutexGuard};

    /// The number of shards of a set. It is large, so that a shard is short enough to search or to grow while other
    /// threads wait for it, and few threads wait for the same one.
    pub(crate) const SHARDS: usize = 256;

    /// Waits a moment for a lock that is held for a few instructions only.
    ///
    /// Spins a short time, then yields: the holder may have been preempted, and on one core only a yield lets it run.
    #[cold]
    #[inline(never)]
    pub(crate) fn back_off(attempt: u32) {
        const SPINS: u32 = 6;
        if attempt < SPINS {
            (0..1 << attempt).for_each(|_| std::hint::spin_loop());
        } else {
            std::thread::yield_now();
        }
    }
}

#[cfg(lockladder_loom)]
mod chosen {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicI8, AtomicU8, AtomicUsize};
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    pub(crate) const SHARDS: usize = 1;

    /// Lets the other threads run. The number of vain attempts makes no difference to a model, but exploring them would
    /// never end: after the first one, the rest of the execution runs to its end and branches no more.
    pub(crate) fn back_off(attempt: u32) {
        if attempt > 0 {
            loom::skip_branch();
        }
        loom::thread::yield_now();
    }
}

#[cfg(lockladder_shuttle)]
mod chosen {
    pub(crate) use super::cell::UnsafeCell;
    pub(crate) use shuttle::sync::atomic::{AtomicI8, AtomicU8, AtomicUsize};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    pub(crate) const SHARDS: usize = 2;

    /// Lets the other threads run; the scheduler chooses which.
    pub(crate) fn back_off(_attempt: u32) {
        shuttle::thread::yield_now();
    }
}

pub(crate) use chosen::{AtomicI8, AtomicU8, AtomicUsize, Mutex, MutexGuard, SHARDS, UnsafeCell, back_off};
pub(crate) use std::sync::atomic::Ordering;

/// Defines functions that are `const`, except under loom, whose primitives cannot be made in a constant.
macro_rules! const_unless_loom {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty)?) -> $result:ty $body:block)+) => {$(
        #[cfg(not(lockladder_loom))]
        $(#[$attribute])* $visibility const fn $name($($argument: $type)?) -> $result $body
        #[cfg(lockladder_loom)]
        $(#[$attribute])* $visibility fn $name($($argument: $type)?) -> $result $body
    )+};
}
pub(crate) use const_unless_loom;
