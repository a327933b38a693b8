//! Holding a lock.

#![allow(unsafe_code, reason = "gives access to the value: see the invariants of `Guard`")]

use super::SharedLock;
use crate::mode::{Exclusive, Mode, Shared};
use crate::panics::Panics;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Arc;

/// How a guard reaches its lock: `&SharedLock<T>` or `Arc<SharedLock<T>>`.
///
/// Sealed: a guard relies on it that the pointer leads to the same lock each time, and keeps that lock alive.
pub trait LockPointer: sealed::Sealed {
    /// What the lock protects.
    type Value: ?Sized;

    #[doc(hidden)]
    fn lock(&self) -> &SharedLock<Self::Value>;
}

impl<T: ?Sized> LockPointer for &SharedLock<T> {
    type Value = T;

    fn lock(&self) -> &SharedLock<T> {
        self
    }
}

impl<T: ?Sized> LockPointer for Arc<SharedLock<T>> {
    type Value = T;

    fn lock(&self) -> &SharedLock<T> {
        self
    }
}

mod sealed {
    use super::{Arc, SharedLock};

    pub trait Sealed {}
    impl<T: ?Sized> Sealed for &SharedLock<T> {}
    impl<T: ?Sized> Sealed for Arc<SharedLock<T>> {}
}

/// What a holder may do with the value: read it under [`Shared`], write it under [`Exclusive`]. Sealed, as [`Mode`] is.
pub trait Access: Mode {
    /// `&T` or `&mut T`.
    type Value<'a, T: ?Sized + 'a>;

    /// Borrows the value from a guard of this mode.
    #[doc(hidden)]
    fn value<'a, T: ?Sized>(guard: &'a mut Guard<&SharedLock<T>, Self>) -> Self::Value<'a, T>;
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

/// A lock held in mode `M`; dropping it releases the lock and hands it over to whoever is next.
///
/// Gives `&T`, and `&mut T` if exclusive. It is one pointer wide. A guard that is forgotten (`mem::forget`) holds its
/// lock for ever.
///
/// `Send` and `Sync` follow from the pointer, and so from `SharedLock<T>: Sync`: a guard may be released on another
/// thread than the one that acquired it, because ownership is the guard itself and nothing remembers the thread.
///
/// # Invariants
///
/// 1. While a guard lives, the lock counts one grant in its mode, which the guard gives back exactly once.
/// 2. A shared grant excludes exclusive ones, and an exclusive grant excludes all others.
#[must_use = "a guard that is dropped at once releases the lock at once"]
pub struct Guard<P: LockPointer, M: Mode> {
    pointer: P,
    mode: PhantomData<M>,
}

impl<P: LockPointer, M: Mode> Guard<P, M> {
    /// # Safety
    ///
    /// The caller has been granted the lock in mode `M`, and gives this grant to the guard.
    pub(crate) unsafe fn new(pointer: P) -> Self {
        Self { pointer, mode: PhantomData }
    }

    /// Takes the guard apart without giving the grant back.
    fn into_pointer(self) -> P {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used nor dropped after this, so the pointer is moved, not doubled.
        unsafe { ptr::read(&raw const this.pointer) }
    }
}

impl<P: LockPointer> Guard<P, Shared> {
    /// Turns this shared hold into an exclusive one, if that is possible at once.
    ///
    /// There is no `upgrade` that waits: two sharers who did so would wait for each other.
    ///
    /// # Errors
    ///
    /// The same guard, if others share the lock or anybody waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let lock = lockladder::SharedLock::new(1);
    /// let sharer = lock.shared().await?;
    /// let mut owner = sharer.try_upgrade().expect("nobody else is there");
    /// *owner += 1;
    /// # Ok::<_, lockladder::AcquireError>(()) }).unwrap();
    /// ```
    pub fn try_upgrade(self) -> Result<Guard<P, Exclusive>, Self> {
        // SAFETY: this guard has a shared grant (1), which goes on as an exclusive one just below.
        if unsafe { self.pointer.lock().raw.try_upgrade() } {
            // SAFETY: the grant was taken out of `self`, and is exclusive now (1).
            Ok(unsafe { Guard::new(self.into_pointer()) })
        } else {
            Err(self)
        }
    }
}

impl<P: LockPointer> Guard<P, Exclusive> {
    /// Turns this exclusive hold into a shared one, without letting another exclusive holder in between.
    ///
    /// # Fairness
    ///
    /// The group of sharers that waits at the most urgent priority is granted along with it, ahead of exclusive requests
    /// of that priority that stand before the group: the lock is shared from now on anyway.
    pub fn downgrade(self) -> Guard<P, Shared> {
        Panics::defer(|panics| self.into_shared(panics))
    }

    /// The shared guard; what panics is kept.
    pub(crate) fn into_shared(self, panics: &mut Panics) -> Guard<P, Shared> {
        let pointer = self.into_pointer();
        // SAFETY: the exclusive grant was taken out of `self`, and goes on as that of the guard below (1).
        unsafe {
            pointer.lock().raw.downgrade(panics);
        }
        // SAFETY: as above.
        unsafe { Guard::new(pointer) }
    }

    /// Deletes the lock, which implies releasing it: everyone who waits, and everyone who comes, gets `Deleted`.
    ///
    /// The value stays where it is; [`SharedLock::get_mut`] and [`SharedLock::into_inner`] still reach it.
    pub fn delete(self) {
        let pointer = self.into_pointer();
        // SAFETY: the exclusive grant was taken out of `self`, and ends here (1).
        unsafe {
            pointer.lock().raw.delete();
        }
    }
}

impl<P: LockPointer, M: Mode> Drop for Guard<P, M> {
    fn drop(&mut self) {
        // SAFETY: the grant of this guard has not been given back (1), and ends here.
        unsafe {
            self.pointer.lock().raw.release(M::MODE);
        }
    }
}

impl<P: LockPointer, M: Mode> Deref for Guard<P, M> {
    type Target = P::Value;

    fn deref(&self) -> &P::Value {
        // SAFETY: the lock is held in some mode (1), so nobody has it exclusively but perhaps this guard (2), which
        // is borrowed shared.
        unsafe { &*self.pointer.lock().value.get() }
    }
}

impl<P: LockPointer> DerefMut for Guard<P, Exclusive> {
    fn deref_mut(&mut self) -> &mut P::Value {
        // SAFETY: the lock is held exclusively (1), so nobody else holds it (2), and this guard is borrowed mutably.
        unsafe { &mut *self.pointer.lock().value.get() }
    }
}

impl<P: LockPointer<Value: fmt::Debug>, M: Mode> fmt::Debug for Guard<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<P: LockPointer<Value: fmt::Display>, M: Mode> fmt::Display for Guard<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
