//! Guards of named locks, narrowed to one value or a part of it.

#![allow(unsafe_code, reason = "borrows a value from the guard beside it: see the invariants of `MappedGuard`")]

use super::SetPointer;
use super::guard::SetGuard;
use super::names::AsName;
use crate::lock::{Mappable, MappedGuard, sealed};
use crate::mode::{Exclusive, Mode, Shared};
use std::ptr::NonNull;

impl<P: SetPointer, M: Mode> sealed::Sealed for SetGuard<P, M> {}

impl<P: SetPointer, M: Mode> Mappable for SetGuard<P, M> {
    type Mode = M;
}

/// Narrowing a shared guard.
impl<P: SetPointer> SetGuard<P, Shared> {
    /// Narrows the guard to the value of one name, or a part of it.
    ///
    /// Everything that the guard holds stays held. For an exclusive guard, see [`map_mut`](SetGuard::map_mut).
    ///
    /// # Errors
    ///
    /// The guard itself, if it does not hold the name.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let nodes: LockSet<String, (u32, &str)> = LockSet::from_entries([("a", (1, "up")), ("b", (2, "down"))]);
    /// let state = nodes.shared(["a", "b"]).await?.map("a", |node| node.1).expect("a is held");
    /// assert_eq!(&*state, "up");
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn map<U: ?Sized>(
        self,
        name: impl AsName<P::Name>,
        part: impl FnOnce(&P::Value) -> &U,
    ) -> Result<MappedGuard<Self, U>, Self> {
        match self.get(name).map(|value| NonNull::from(part(value))) {
            // SAFETY: the value stays in its slot as long as the guard holds the name (1); a shared guard gives out
            // only `&` (2).
            Some(part) => Ok(unsafe { MappedGuard::new(self, part) }),
            None => Err(self),
        }
    }
}

/// Narrowing an exclusive guard.
impl<P: SetPointer> SetGuard<P, Exclusive> {
    /// Narrows the guard to the value of one name, or a part of it, to be changed.
    ///
    /// Everything that the guard holds stays held. For a shared guard, see [`map`](SetGuard::map).
    ///
    /// # Errors
    ///
    /// The guard itself, if it does not hold the name.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::LockSet;
    /// let nodes: LockSet<String, (u32, &str)> = LockSet::from_entries([("a", (1, "up")), ("b", (2, "down"))]);
    /// let mut state = nodes.exclusive("b").await?.map_mut("b", |node| &mut node.1).expect("b is held");
    /// *state = "up";
    /// drop(state);
    /// assert_eq!(nodes.shared("b").await?["b"], (2, "up"));
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn map_mut<U: ?Sized>(
        mut self,
        name: impl AsName<P::Name>,
        part: impl FnOnce(&mut P::Value) -> &mut U,
    ) -> Result<MappedGuard<Self, U>, Self> {
        match self.get_mut(name).map(|value| NonNull::from(part(value))) {
            // SAFETY: as in `map` (1); the result keeps the guard to itself, so it gives out no other reference (2).
            Some(part) => Ok(unsafe { MappedGuard::new(self, part) }),
            None => Err(self),
        }
    }
}
