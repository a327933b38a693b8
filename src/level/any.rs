//! Guards whose mode is known only at run time, and the check that a session holds what a type says.

use super::{Held, HeldList, Hierarchy, Level, NotRoot, SetAt, SetOf};
use crate::by_mode::ByMode;
use crate::lock::{Guard, SharedLock};
use crate::mode::{Exclusive, Mode, Shared};
use crate::set::{Copies, NamedLocks as _, SetGuard};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// The guard of level `L`, in a mode known only at run time.
pub(crate) type AnyGuard<L> = ByMode<SetGuard<SetOf<L>, Shared>, SetGuard<SetOf<L>, Exclusive>>;

/// The guard of the root, in a mode known only at run time.
#[doc(hidden)]
pub type AnyRoot = ByMode<Guard<Arc<SharedLock>, Shared>, Guard<Arc<SharedLock>, Exclusive>>;

/// The guard of level `L`, if that is held. It is opaque outside the crate: see [`SetAt`](super::SetAt).
#[doc(hidden)]
pub struct Slot<L: Level>(pub(crate) Option<AnyGuard<L>>);

impl<L: Level> Default for Slot<L> {
    fn default() -> Self {
        Self(None)
    }
}

impl<L: Level> fmt::Debug for Slot<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.0.as_ref().map(ByMode::mode)).finish()
    }
}

/// The sets of all levels but the root, as [`hierarchy!`](crate::hierarchy) nests them. Sealed.
#[doc(hidden)]
pub trait Sets: sealed::Sealed {
    /// The set of the level with this index.
    fn at(&self, level: usize) -> Option<&dyn Copies>;
}

impl Sets for () {
    fn at(&self, _level: usize) -> Option<&dyn Copies> {
        None
    }
}

impl<Rest: Sets, L: Level> Sets for (Rest, SetAt<L>) {
    fn at(&self, level: usize) -> Option<&dyn Copies> {
        let (rest, SetAt(set)) = self;
        if level == L::INDEX { Some(set.as_core()) } else { rest.at(level) }
    }
}

/// The slots of all levels but the root, as [`hierarchy!`](crate::hierarchy) nests them. Sealed.
#[doc(hidden)]
pub trait Slots: sealed::Sealed {
    /// The levels that are held. Bit `i` stands for the level with index `i`.
    fn held(&self) -> u16;
}

impl Slots for () {
    fn held(&self) -> u16 {
        0
    }
}

impl<Rest: Slots, L: Level> Slots for (Rest, Slot<L>) {
    fn held(&self) -> u16 {
        let (rest, slot) = self;
        rest.held() | u16::from(slot.0.is_some()) << L::INDEX
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<Rest, L: super::Level> Sealed for (Rest, super::Slot<L>) {}
    impl<Rest, L: super::Level> Sealed for (Rest, super::SetAt<L>) {}
}

impl<S: 'static, X: 'static> ByMode<S, X> {
    /// The guard, if its type is `G`.
    pub(crate) fn downcast<G: 'static>(self) -> Option<G> {
        match self {
            Self::Shared { it } => of_type(it),
            Self::Exclusive { it } => of_type(it),
        }
    }
}

/// Returns the guard if `F` and `G` are the same type. Modes are types, and only `Any` can compare types at run time.
fn of_type<F: 'static, G: 'static>(guard: F) -> Option<G> {
    let mut guard = Some(guard);
    (&mut guard as &mut dyn Any).downcast_mut::<Option<G>>().and_then(Option::take)
}

/// A list of levels that a [`DynSession`](crate::DynSession) of `H` can turn out to hold.
///
/// Every list that [`held!`](crate::held) writes is one, if its levels belong to the hierarchy `H`. An implementation
/// by hand, for any other list, gains nothing: such a conversion does not build, or fails at run time. See
/// [`DynSession`](crate::DynSession) for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a session of `{H}` can hold",
    label = "not a list of levels of `{H}`, the root lowest",
    note = "write it with `held!`, lowest level first: `held![shared <the root>, exclusive <a level>]`"
)]
pub trait HeldListOf<H: Hierarchy>: HeldList + Sized {
    /// Whether all levels in this list are held, in these modes. (The caller checks that no other level is held.)
    #[doc(hidden)]
    fn matches(root: &AnyRoot, slots: &H::Slots) -> bool;

    /// Takes the guards out of the slots.
    #[doc(hidden)]
    fn typed(root: AnyRoot, slots: &mut H::Slots) -> Option<Self>;
}

impl<H: Hierarchy, L: NotRoot<In = H>, M: Mode, R: HeldListOf<H>> HeldListOf<H> for Held<L, M, R> {
    fn matches(root: &AnyRoot, slots: &H::Slots) -> bool {
        L::slot(slots).0.as_ref().is_some_and(|guard| guard.mode() == M::MODE) && R::matches(root, slots)
    }

    fn typed(root: AnyRoot, slots: &mut H::Slots) -> Option<Self> {
        let guard = L::slot_mut(slots).0.take()?.downcast()?;
        Some(Self::new(guard, R::typed(root, slots)?))
    }
}
