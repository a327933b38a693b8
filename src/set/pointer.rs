//! How guards and futures reach their set.

use super::core::{Core, Holding};
use super::names::Key;
use super::shards::MemberRef;

/// How a guard reaches its set: by `&` or `Arc` of a [`LockSet`] or an [`OpenSet`].
///
/// Sealed: a guard relies on it that the pointer leads to the same set each time, and keeps it alive.
pub trait SetPointer: Clone + sealed::Sealed {
    /// What the locks are named by.
    type Name: Key;

    /// What is in the locks.
    type Value;

    #[doc(hidden)]
    fn core(&self) -> &Core<Self::Name, Self::Value>;
}

/// How a guard reaches a [`LockSet`], whose members are added and removed. Sealed.
pub trait LockSetPointer: SetPointer {}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// In terms of the pointer to a set.
pub(crate) type MemberRefOf<P> = MemberRef<<P as SetPointer>::Name, <P as SetPointer>::Value>;
pub(crate) type HoldingOf<P> = Holding<<P as SetPointer>::Name, <P as SetPointer>::Value>;
