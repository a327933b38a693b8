//! The modes, shared and exclusive, as types and as a value.

use std::fmt;

/// The mode of holders that share a lock: any number at once, but none beside an exclusive one.
///
/// See [`SharedLock::synchronized`](crate::SharedLock::synchronized) for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shared;

/// The mode of a holder that has a lock alone.
///
/// See [`SharedLock::synchronized`](crate::SharedLock::synchronized) for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Exclusive;

/// [`Shared`] or [`Exclusive`] as a value, for modes that are known only at run time, and for messages.
///
/// See [`DynSession`](crate::DynSession) for an example.
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

/// The mode of a hold: [`Shared`] or [`Exclusive`].
///
/// Sealed: there is no third mode. See [`SharedLock::synchronized`](crate::SharedLock::synchronized) for an example of
/// the modes.
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
