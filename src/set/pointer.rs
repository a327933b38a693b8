//! How guards and futures reach their set, of either kind.

use super::core::{Core, Holding};
use super::names::Key;
use super::shards::MemberRef;
use super::{LockSet, OpenSet};
use smallvec::Array;
use std::sync::Arc;

/// Named locks of either kind: a [`LockSet`], or an [`OpenSet`]. Sealed.
///
/// See [`SetPointer`] for how guards reach them.
pub trait NamedLocks: sealed::Sealed {
    /// The names of the locks.
    type Name: Key;

    /// The values in the locks.
    type Value;

    /// Whether it is known which names exist, so that all of them can be taken together.
    const HAS_WHOLE: bool;

    /// Where a request keeps the names that have no member yet.
    #[doc(hidden)]
    type Sought: Array<Item = Self::Name>;

    #[doc(hidden)]
    fn as_core(&self) -> &Core<Self::Name, Self::Value>;
}

impl<K: Key, T> NamedLocks for LockSet<K, T> {
    type Name = K;
    type Value = T;
    /// One: nearly all names are found at the call. More would make each future longer, by a tenth of the time of an
    /// acquisition.
    type Sought = [K; 1];
    const HAS_WHOLE: bool = true;

    #[inline]
    fn as_core(&self) -> &Core<K, T> {
        &self.core
    }
}

impl<K: Key, T> NamedLocks for OpenSet<K, T> {
    type Name = K;
    type Value = T;
    /// Names are looked up by the first poll. As many as the members that are kept without an allocation.
    type Sought = [K; 4];
    const HAS_WHOLE: bool = false;

    #[inline]
    fn as_core(&self) -> &Core<K, T> {
        &self.core
    }
}

/// How a guard reaches its set: by `&` or `Arc` of a [`LockSet`] or an [`OpenSet`].
///
/// Sealed: a guard relies on the pointer to lead to the same set each time, and to keep it alive. See
/// [`LockSet::exclusive`] for an example of a guard by `&`.
pub trait SetPointer: Clone + sealed::Sealed {
    /// The names of the locks.
    type Name: Key;

    /// The values in the locks.
    type Value;

    #[doc(hidden)]
    type Sought: Array<Item = Self::Name>;

    #[doc(hidden)]
    fn core(&self) -> &Core<Self::Name, Self::Value>;
}

impl<S: NamedLocks> SetPointer for &S {
    type Name = S::Name;
    type Value = S::Value;
    type Sought = S::Sought;

    #[inline]
    fn core(&self) -> &Core<S::Name, S::Value> {
        self.as_core()
    }
}

impl<S: NamedLocks> SetPointer for Arc<S> {
    type Name = S::Name;
    type Value = S::Value;
    type Sought = S::Sought;

    #[inline]
    fn core(&self) -> &Core<S::Name, S::Value> {
        self.as_core()
    }
}

/// How a guard reaches a [`LockSet`], which adds and removes members. Sealed.
///
/// See [`SetGuard::remove`](super::SetGuard::remove) for an example of such a guard.
pub trait LockSetPointer: SetPointer {}

impl<K: Key, T> LockSetPointer for &LockSet<K, T> {}
impl<K: Key, T> LockSetPointer for Arc<LockSet<K, T>> {}

mod sealed {
    use super::{Arc, LockSet, NamedLocks, OpenSet};

    pub trait Sealed {}
    impl<K, T> Sealed for LockSet<K, T> {}
    impl<K, T> Sealed for OpenSet<K, T> {}
    impl<S: NamedLocks> Sealed for &S {}
    impl<S: NamedLocks> Sealed for Arc<S> {}
}

/// A member and a hold, by the pointer to their set.
pub(crate) type MemberRefOf<P> = MemberRef<<P as SetPointer>::Name, <P as SetPointer>::Value>;
pub(crate) type HoldingOf<P> = Holding<<P as SetPointer>::Name, <P as SetPointer>::Value>;
