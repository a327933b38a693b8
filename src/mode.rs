//! Shared and exclusive, as types and as a value.

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
pub trait Mode: sealed::Sealed + Copy + Default + fmt::Debug + Send + Sync + Unpin + 'static {
    /// This mode as a value.
    const MODE: LockMode;
}

impl Mode for Shared {
    const MODE: LockMode = LockMode::Shared;
}

impl Mode for Exclusive {
    const MODE: LockMode = LockMode::Exclusive;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Shared {}
    impl Sealed for super::Exclusive {}
}
