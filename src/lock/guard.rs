//! Guards: the ownership of a lock.

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
/// Sealed: a guard relies on the pointer to lead to the same lock each time, and to keep that lock alive. See
/// [`SharedLock::exclusive`] for an example of the first, and [`SharedLock::exclusive_owned`] for one of the second.
pub trait LockPointer: sealed::Sealed {
    /// The value that the lock protects.
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

/// The access that a mode gives to the value: reading under [`Shared`], writing under [`Exclusive`].
///
/// Sealed, as [`Mode`] is. See [`SharedLock::synchronized`] for an example.
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

/// A lock held in mode `M`; dropping the guard releases the lock and hands it over to the next request.
///
/// The guard gives `&T`, and `&mut T` if it is exclusive. It is one pointer wide. A guard that is forgotten
/// (`mem::forget`) holds its lock for ever. See [`SharedLock`] for an example.
///
/// `Send` and `Sync` follow from the pointer, and so from `SharedLock<T>: Sync`. A guard may be dropped on another
/// thread than the one that acquired it, because ownership is the guard itself: the lock does not remember the thread.
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
    /// The caller has a grant of the lock in mode `M`, and gives it to the guard.
    pub(crate) unsafe fn new(pointer: P) -> Self {
        Self { pointer, mode: PhantomData }
    }

    /// Takes the guard apart without giving the grant back.
    fn into_pointer(self) -> P {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used nor dropped after this, so the pointer is moved, not duplicated.
        unsafe { ptr::read(&raw const this.pointer) }
    }
}

impl<P: LockPointer> Guard<P, Shared> {
    /// Turns this shared hold into an exclusive one, if that is possible at once.
    ///
    /// There is no `upgrade` that waits: two sharers that called it would wait for each other.
    ///
    /// # Errors
    ///
    /// The same guard, if the lock has another sharer or a request waits for it.
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
    /// Turns this exclusive hold into a shared one, without another exclusive holder in between.
    ///
    /// See [`downgrade_map`](Self::downgrade_map) for an example.
    ///
    /// # Fairness
    ///
    /// If sharers wait at the most urgent priority in the queue, their group is granted at the same time. It passes the
    /// exclusive requests of that priority that stand before it, because the lock is shared from now on anyway.
    pub fn downgrade(self) -> Guard<P, Shared> {
        Panics::defer(|panics| self.into_shared(panics))
    }

    /// As [`downgrade`](Self::downgrade), but keeps the panic of a waker in `panics`.
    pub(crate) fn into_shared(self, panics: &mut Panics) -> Guard<P, Shared> {
        let pointer = self.into_pointer();
        // SAFETY: the exclusive grant was taken out of `self`, and goes on as that of the guard below (1).
        unsafe {
            pointer.lock().raw.downgrade(panics);
        }
        // SAFETY: that grant is shared now, and goes to this guard (1).
        unsafe { Guard::new(pointer) }
    }

    /// Deletes the lock, which also releases it: all requests, waiting and to come, resolve to `Deleted`.
    ///
    /// The value stays in the lock; [`SharedLock::get_mut`] and [`SharedLock::into_inner`] still reach it. See
    /// [`SharedLock::delete`] for an example.
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
        // SAFETY: this guard holds the lock (1), so there is no other exclusive holder (2); the guard itself is
        // borrowed shared.
        unsafe { &*self.pointer.lock().value.get() }
    }
}

impl<P: LockPointer> DerefMut for Guard<P, Exclusive> {
    fn deref_mut(&mut self) -> &mut P::Value {
        // SAFETY: this guard holds the lock exclusively (1), so there is no other holder (2); the guard itself is
        // borrowed mutably.
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
