//! Guards whose mode is known at run time only, and lists of levels that are found to be what a type says.

use super::{Held, HeldList, Hierarchy, Level, NotRoot, SetOf};
use crate::by_mode::ByMode;
use crate::lock::{Guard, SharedLock};
use crate::mode::{Exclusive, Mode, Shared};
use crate::set::SetGuard;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What is held of level `L`, in a mode that is known at run time.
pub(crate) type AnyGuard<L> = ByMode<SetGuard<SetOf<L>, Shared>, SetGuard<SetOf<L>, Exclusive>>;

/// The root, held in a mode that is known at run time.
#[doc(hidden)]
pub type AnyRoot = ByMode<Guard<Arc<SharedLock>, Shared>, Guard<Arc<SharedLock>, Exclusive>>;

/// What may be held of level `L`. Nobody outside can look into it: see [`SetAt`](super::SetAt).
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

/// The slots of all levels but the root, as [`hierarchy!`](crate::hierarchy) nests them. Sealed.
#[doc(hidden)]
pub trait Slots: sealed::Sealed {
    /// A bit for each level that is held, by its index.
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
}

impl<S: 'static, X: 'static> ByMode<S, X> {
    /// The guard of type `G`, if it is that.
    pub(crate) fn downcast<G: 'static>(self) -> Option<G> {
        match self {
            Self::Shared { it } => of_type(it),
            Self::Exclusive { it } => of_type(it),
        }
    }
}

/// A guard as the type that it has anyhow, if that is `G`: modes are types, which only `Any` can compare.
fn of_type<F: 'static, G: 'static>(guard: F) -> Option<G> {
    let mut guard = Some(guard);
    (&mut guard as &mut dyn Any).downcast_mut::<Option<G>>().and_then(Option::take)
}

/// A list of levels as a type, which a session whose levels are known at run time can be found to hold. Sealed.
///
/// Every list that [`held!`](crate::held) writes is one, if its levels are of the hierarchy `H`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a session of `{H}` can hold",
    label = "not a list of levels of `{H}`, the root lowest",
    note = "write it with `held!`, lowest level first: `held![shared <the root>, exclusive <a level>]`"
)]
pub trait HeldListOf<H: Hierarchy>: HeldList + Sized {
    /// Whether all in this list is held so. (What is held beside it, the caller knows.)
    #[doc(hidden)]
    fn matches(root: &AnyRoot, slots: &H::Slots) -> bool;

    /// Takes what is held.
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
