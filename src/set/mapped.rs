//! Holding named locks, and looking at one value, or a part of it.

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

/// One shared value.
impl<P: SetPointer> SetGuard<P, Shared> {
    /// Narrows the guard to the value of one name, or a part of it. All that it holds stays held. For an exclusive guard
    /// there is [`map_mut`](SetGuard::map_mut).
    ///
    /// # Errors
    ///
    /// The guard, if it does not hold the name.
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
            // SAFETY: the value stands in its slot, which the guard keeps as long as it holds the name; and a shared guard
            // gives out nothing but `&`.
            Some(part) => Ok(unsafe { MappedGuard::new(self, part) }),
            None => Err(self),
        }
    }
}

/// One exclusive value.
impl<P: SetPointer> SetGuard<P, Exclusive> {
    /// Narrows the guard to the value of one name, or a part of it, to be changed. All that it holds stays held. For a
    /// shared guard there is [`map`](SetGuard::map).
    ///
    /// # Errors
    ///
    /// The guard, if it does not hold the name.
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
            // SAFETY: as in `map`; and the guard, which the result keeps to itself, gives out no other way to the value.
            Some(part) => Ok(unsafe { MappedGuard::new(self, part) }),
            None => Err(self),
        }
    }
}
