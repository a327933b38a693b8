//! How guards and futures reach their set.

use super::core::{Core, Holding};
use super::names::Key;
use super::shards::MemberRef;

/// How a guard reaches its set: by `&` or `Arc` of a [`LockSet`](super::LockSet) or an [`OpenSet`](super::OpenSet).
///
/// Sealed: a guard relies on the pointer to lead to the same set each time, and to keep it alive. See
/// [`LockSet::exclusive`](super::LockSet::exclusive) for an example of a guard by `&`.
pub trait SetPointer: Clone + sealed::Sealed {
    /// The names of the locks.
    type Name: Key;

    /// The values in the locks.
    type Value;

    #[doc(hidden)]
    fn core(&self) -> &Core<Self::Name, Self::Value>;
}

/// How a guard reaches a [`LockSet`](super::LockSet), which adds and removes members. Sealed.
///
/// See [`SetGuard::remove`](super::SetGuard::remove) for an example of such a guard.
pub trait LockSetPointer: SetPointer {}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// A member and a hold, by the pointer to their set.
pub(crate) type MemberRefOf<P> = MemberRef<<P as SetPointer>::Name, <P as SetPointer>::Value>;
pub(crate) type HoldingOf<P> = Holding<<P as SetPointer>::Name, <P as SetPointer>::Value>;
