//! Guards of a part of a value.

#![allow(unsafe_code, reason = "borrows a part of the value from the guard beside it: see the invariants")]

use super::guard::{Guard, LockPointer};
use crate::mode::{Exclusive, Mode, Shared};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A guard `G` that gives access to only one part of what it protects.
///
/// It is made by `map` and its relatives, of a [`Guard`] or of a [`SetGuard`](crate::SetGuard); see [`Guard::map`] and
/// [`Guard::map_mut`] for examples. Dropping it releases all that `G` holds.
///
/// # Invariants
///
/// 1. `part` points into a value that `guard` protects; that value does not move or die while it is held.
/// 2. `part` came from a reference of the kind that `G::Mode` allows; `guard` gives out no other while this exists.
#[must_use = "a guard that is dropped at once releases the lock at once"]
pub struct MappedGuard<G: Mappable, U: ?Sized> {
    part: NonNull<U>,
    guard: G,
    /// Makes `U` invariant, as a `&mut U` needs; for a `&U` that is stricter than needed.
    borrow: PhantomData<*mut U>,
}

/// A guard that [`MappedGuard`] can narrow: a [`Guard`] or a [`SetGuard`](crate::SetGuard).
///
/// Sealed. See [`Guard::map`] for an example.
pub trait Mappable: sealed::Sealed {
    /// The mode of the guard.
    type Mode: Mode;
}

impl<P: LockPointer, M: Mode> Mappable for Guard<P, M> {
    type Mode = M;
}

pub(crate) mod sealed {
    use super::{Guard, LockPointer, Mode};

    pub trait Sealed {}
    impl<P: LockPointer, M: Mode> Sealed for Guard<P, M> {}
}

// SAFETY: this is a guard and a reference to `U`. A `&mut U` is `Send` if `U: Send`, a `&U` if `U: Sync`; both bounds
// are required in either mode.
unsafe impl<G: Mappable + Send, U: ?Sized + Send + Sync> Send for MappedGuard<G, U> {}
// SAFETY: sharing this shares the guard and gives `&U` to several threads.
unsafe impl<G: Mappable + Sync, U: ?Sized + Sync> Sync for MappedGuard<G, U> {}

impl<G: Mappable, U: ?Sized> MappedGuard<G, U> {
    /// # Safety
    ///
    /// `guard` and `part` satisfy invariants 1 and 2.
    pub(crate) unsafe fn new(guard: G, part: NonNull<U>) -> Self {
        Self { part, guard, borrow: PhantomData }
    }
}

/// Parts of a shared value.
impl<P: LockPointer> Guard<P, Shared> {
    /// Narrows the guard to a part of the value. For an exclusive guard there is [`map_mut`](Guard::map_mut).
    ///
    /// This is an associated function, so that it hides no method of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Guard, SharedLock};
    /// let lock = SharedLock::new((1, "one"));
    /// let word = Guard::map(lock.shared().await?, |pair| pair.1);
    /// assert_eq!(&*word, "one");
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&P::Value) -> &U) -> MappedGuard<Self, U> {
        let part = NonNull::from(part(&guard));
        MappedGuard { part, guard, borrow: PhantomData }
    }

    /// As [`map`](Self::map), for a part that may be missing.
    ///
    /// # Errors
    ///
    /// The guard, if there is no such part.
    pub fn try_map<U: ?Sized>(
        guard: Self,
        part: impl FnOnce(&P::Value) -> Option<&U>,
    ) -> Result<MappedGuard<Self, U>, Self> {
        match part(&guard).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard, borrow: PhantomData }),
            None => Err(guard),
        }
    }
}

/// Parts of an exclusive value.
impl<P: LockPointer> Guard<P, Exclusive> {
    /// Narrows the guard to a part of the value. For a shared guard there is [`map`](Guard::map).
    ///
    /// This is an associated function, so that it hides no method of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Guard, SharedLock};
    /// let lock = SharedLock::new((1, "one"));
    /// let mut number = Guard::map_mut(lock.exclusive().await?, |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(*lock.shared().await?, (2, "one"));
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn map_mut<U: ?Sized>(mut guard: Self, part: impl FnOnce(&mut P::Value) -> &mut U) -> MappedGuard<Self, U> {
        let part = NonNull::from(part(&mut guard));
        MappedGuard { part, guard, borrow: PhantomData }
    }

    /// As [`map_mut`](Self::map_mut), for a part that may be missing.
    ///
    /// # Errors
    ///
    /// The guard, if there is no such part.
    pub fn try_map_mut<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut P::Value) -> Option<&mut U>,
    ) -> Result<MappedGuard<Self, U>, Self> {
        match part(&mut guard).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard, borrow: PhantomData }),
            None => Err(guard),
        }
    }

    /// Narrows the guard to a part of the value and [downgrades](Guard::downgrade) it.
    ///
    /// There is no other exclusive holder in between.
    ///
    /// This is an associated function, so that it hides no method of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{Guard, SharedLock};
    /// let lock = SharedLock::new((1, "one"));
    /// let mut owner = lock.exclusive().await?;
    /// *owner = (2, "two");
    /// let word = Guard::downgrade_map(owner, |pair| pair.1);
    /// assert_eq!((&*word, lock.try_shared().is_ok()), ("two", true));
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn downgrade_map<U: ?Sized>(
        guard: Self,
        part: impl FnOnce(&P::Value) -> &U,
    ) -> MappedGuard<Guard<P, Shared>, U> {
        let part = NonNull::from(part(&guard));
        MappedGuard { part, guard: guard.downgrade(), borrow: PhantomData }
    }

    /// As [`downgrade_map`](Self::downgrade_map), for a part that may be missing.
    ///
    /// # Errors
    ///
    /// The guard, still exclusive, if there is no such part.
    pub fn try_downgrade_map<U: ?Sized>(
        guard: Self,
        part: impl FnOnce(&P::Value) -> Option<&U>,
    ) -> Result<MappedGuard<Guard<P, Shared>, U>, Self> {
        match part(&guard).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard: guard.downgrade(), borrow: PhantomData }),
            None => Err(guard),
        }
    }
}

impl<G: Mappable<Mode = Shared>, U: ?Sized> MappedGuard<G, U> {
    /// Narrows the guard further; see [`Guard::map`].
    pub fn map<V: ?Sized>(this: Self, part: impl FnOnce(&U) -> &V) -> MappedGuard<G, V> {
        let part = NonNull::from(part(&this));
        MappedGuard { part, guard: this.guard, borrow: PhantomData }
    }

    /// Narrows the guard further, for a part that may be missing; see [`Guard::map`].
    ///
    /// # Errors
    ///
    /// The guard as it was, if there is no such part.
    pub fn try_map<V: ?Sized>(this: Self, part: impl FnOnce(&U) -> Option<&V>) -> Result<MappedGuard<G, V>, Self> {
        match part(&this).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard: this.guard, borrow: PhantomData }),
            None => Err(this),
        }
    }
}

impl<G: Mappable<Mode = Exclusive>, U: ?Sized> MappedGuard<G, U> {
    /// Narrows the guard further; see [`Guard::map_mut`].
    pub fn map_mut<V: ?Sized>(mut this: Self, part: impl FnOnce(&mut U) -> &mut V) -> MappedGuard<G, V> {
        let part = NonNull::from(part(&mut this));
        MappedGuard { part, guard: this.guard, borrow: PhantomData }
    }

    /// Narrows the guard further, for a part that may be missing; see [`Guard::map_mut`].
    ///
    /// # Errors
    ///
    /// The guard as it was, if there is no such part.
    pub fn try_map_mut<V: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<MappedGuard<G, V>, Self> {
        match part(&mut this).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard: this.guard, borrow: PhantomData }),
            None => Err(this),
        }
    }
}

impl<G: Mappable, U: ?Sized> Deref for MappedGuard<G, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: the part is alive (1), and `&self` allows reading in either mode (2).
        unsafe { self.part.as_ref() }
    }
}

impl<G: Mappable<Mode = Exclusive>, U: ?Sized> DerefMut for MappedGuard<G, U> {
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the part is alive (1) and came from a `&mut` (2), which `&mut self` reborrows.
        unsafe { self.part.as_mut() }
    }
}

impl<G: Mappable, U: ?Sized + fmt::Debug> fmt::Debug for MappedGuard<G, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<G: Mappable, U: ?Sized + fmt::Display> fmt::Display for MappedGuard<G, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
