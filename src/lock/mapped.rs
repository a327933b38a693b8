//! Holding a lock, and looking at a part of its value.

#![allow(unsafe_code, reason = "borrows a part of the value from the guard beside it: see the invariants")]

use super::guard::{Guard, LockPointer};
use crate::mode::{Exclusive, Mode, Shared};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A lock held in mode `M`, that gives access to a part of its value. Made by [`Guard::map`] and [`Guard::map_mut`].
///
/// Dropping it releases the lock, as dropping the guard would.
///
/// # Invariants
///
/// 1. `part` points into the value of the lock that `guard` holds; that value does not move or die while it is held.
/// 2. `part` came from a reference of the kind that `M` allows, and the guard gives out no other while this exists.
#[must_use = "a guard that is dropped at once releases the lock at once"]
pub struct MappedGuard<P: LockPointer, M: Mode, U: ?Sized> {
    part: NonNull<U>,
    guard: Guard<P, M>,
    /// As if this had a `&mut U`, which is also right for `&U`, only stricter: the part must not vary.
    borrow: PhantomData<*mut U>,
}

// SAFETY: this is a guard and a reference to `U`. As a `&mut U` it may go to another thread if `U` may, as a `&U` if it
// may be shared; both are asked for whatever the mode.
unsafe impl<P: LockPointer, M: Mode, U: ?Sized + Send + Sync> Send for MappedGuard<P, M, U> where Guard<P, M>: Send {}
// SAFETY: sharing this shares the guard and gives `&U` to several threads.
unsafe impl<P: LockPointer, M: Mode, U: ?Sized + Sync> Sync for MappedGuard<P, M, U> where Guard<P, M>: Sync {}

/// The parts of a shared value.
impl<P: LockPointer> Guard<P, Shared> {
    /// Narrows the guard to a part of the value. For an exclusive guard there is [`map_mut`](Guard::map_mut).
    ///
    /// An associated function, so that it hides no method of the value.
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
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&P::Value) -> &U) -> MappedGuard<P, Shared, U> {
        let part = NonNull::from(part(&guard));
        MappedGuard { part, guard, borrow: PhantomData }
    }

    /// As [`map`](Self::map), where the part may be missing.
    ///
    /// # Errors
    ///
    /// The guard, if there is no such part.
    pub fn try_map<U: ?Sized>(
        guard: Self,
        part: impl FnOnce(&P::Value) -> Option<&U>,
    ) -> Result<MappedGuard<P, Shared, U>, Self> {
        match part(&guard).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard, borrow: PhantomData }),
            None => Err(guard),
        }
    }
}

/// The parts of an exclusive value.
impl<P: LockPointer> Guard<P, Exclusive> {
    /// Narrows the guard to a part of the value. For a shared guard there is [`map`](Guard::map).
    ///
    /// An associated function, so that it hides no method of the value.
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
    pub fn map_mut<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut P::Value) -> &mut U,
    ) -> MappedGuard<P, Exclusive, U> {
        let part = NonNull::from(part(&mut guard));
        MappedGuard { part, guard, borrow: PhantomData }
    }

    /// As [`map_mut`](Self::map_mut), where the part may be missing.
    ///
    /// # Errors
    ///
    /// The guard, if there is no such part.
    pub fn try_map_mut<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut P::Value) -> Option<&mut U>,
    ) -> Result<MappedGuard<P, Exclusive, U>, Self> {
        match part(&mut guard).map(NonNull::from) {
            Some(part) => Ok(MappedGuard { part, guard, borrow: PhantomData }),
            None => Err(guard),
        }
    }
}

impl<P: LockPointer, U: ?Sized> MappedGuard<P, Shared, U> {
    /// Narrows it further; see [`Guard::map`].
    pub fn map<V: ?Sized>(this: Self, part: impl FnOnce(&U) -> &V) -> MappedGuard<P, Shared, V> {
        let part = NonNull::from(part(&this));
        MappedGuard { part, guard: this.guard, borrow: PhantomData }
    }
}

impl<P: LockPointer, U: ?Sized> MappedGuard<P, Exclusive, U> {
    /// Narrows it further; see [`Guard::map_mut`].
    pub fn map_mut<V: ?Sized>(mut this: Self, part: impl FnOnce(&mut U) -> &mut V) -> MappedGuard<P, Exclusive, V> {
        let part = NonNull::from(part(&mut this));
        MappedGuard { part, guard: this.guard, borrow: PhantomData }
    }
}

impl<P: LockPointer, M: Mode, U: ?Sized> Deref for MappedGuard<P, M, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: the part is alive (1), and `&self` allows to read it in either mode (2).
        unsafe { self.part.as_ref() }
    }
}

impl<P: LockPointer, U: ?Sized> DerefMut for MappedGuard<P, Exclusive, U> {
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the part is alive (1) and came from a `&mut` (2), which `&mut self` hands on.
        unsafe { self.part.as_mut() }
    }
}

impl<P: LockPointer, M: Mode, U: ?Sized + fmt::Debug> fmt::Debug for MappedGuard<P, M, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<P: LockPointer, M: Mode, U: ?Sized + fmt::Display> fmt::Display for MappedGuard<P, M, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
