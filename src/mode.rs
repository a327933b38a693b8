//! Shared and exclusive, as types and as a value.

use crate::lock::{Guard, SharedLock};
use std::fmt;

/// Any number of shared holders at once, none beside an exclusive one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shared;

/// One exclusive holder, alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Exclusive;

/// [`Shared`] or [`Exclusive`] as a value, for programs that learn the mode at run time, and for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockMode {
    /// See [`Shared`].
    Shared,
    /// See [`Exclusive`].
    Exclusive,
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        })
    }
}

/// How a lock is held: [`Shared`] or [`Exclusive`]. Sealed: there is no third mode.
pub trait Mode: sealed::Access + Copy + Default + fmt::Debug + Send + Sync + Unpin + 'static {
    /// This mode as a value.
    const MODE: LockMode;
}

impl Mode for Shared {
    const MODE: LockMode = LockMode::Shared;
}

impl Mode for Exclusive {
    const MODE: LockMode = LockMode::Exclusive;
}

pub(crate) mod sealed {
    use super::{Exclusive, Guard, Shared, SharedLock};

    /// What a holder may do with the value: read it under `Shared`, write it under `Exclusive`.
    pub trait Access: Sized + 'static {
        /// `&T` or `&mut T`.
        type Value<'a, T: ?Sized + 'a>
        where
            Self: 'a;

        /// Borrows the value from a guard of this mode.
        fn value<'a, T: ?Sized>(guard: &'a mut Guard<&SharedLock<T>, Self>) -> Self::Value<'a, T>
        where
            Self: super::Mode;
    }

    impl Access for Shared {
        type Value<'a, T: ?Sized + 'a> = &'a T;

        fn value<'a, T: ?Sized>(guard: &'a mut Guard<&SharedLock<T>, Self>) -> &'a T {
            guard
        }
    }

    impl Access for Exclusive {
        type Value<'a, T: ?Sized + 'a> = &'a mut T;

        fn value<'a, T: ?Sized>(guard: &'a mut Guard<&SharedLock<T>, Self>) -> &'a mut T {
            guard
        }
    }
}
