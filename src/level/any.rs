//! Guards whose mode is known at run time only, and lists of levels that are found to be what a type says.

use super::{Held, HeldList, Hierarchy, LevelGuard, NotRoot, SetOf};
use crate::lock::{Guard, SharedLock};
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use crate::set::SetGuard;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What is held of level `L`, in a mode that is known at run time.
#[doc(hidden)]
pub enum AnyGuard<L: NotRoot> {
    Shared(SetGuard<SetOf<L>, Shared>),
    Exclusive(SetGuard<SetOf<L>, Exclusive>),
}

impl<L: NotRoot> AnyGuard<L> {
    pub(crate) fn mode(&self) -> LockMode {
        match self {
            Self::Shared(_) => LockMode::Shared,
            Self::Exclusive(_) => LockMode::Exclusive,
        }
    }

    pub(crate) fn names(&self) -> Vec<&L::Name> {
        match self {
            Self::Shared(guard) => guard.names(),
            Self::Exclusive(guard) => guard.names(),
        }
    }

    pub(crate) fn downgrade(self) -> Self {
        match self {
            Self::Exclusive(guard) => Self::Shared(guard.downgrade()),
            shared @ Self::Shared(_) => shared,
        }
    }

    /// The guard of mode `M`, if it is that.
    fn downcast<M: Mode>(self) -> Option<LevelGuard<L, M>> {
        match self {
            Self::Shared(guard) => of_mode(guard),
            Self::Exclusive(guard) => of_mode(guard),
        }
    }
}

impl<L: NotRoot> fmt::Debug for AnyGuard<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.mode(), self.names()).fmt(f)
    }
}

type RootGuard<M> = Guard<Arc<SharedLock>, M>;

/// The root, held in a mode that is known at run time.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyRoot {
    Shared(RootGuard<Shared>),
    Exclusive(RootGuard<Exclusive>),
}

impl AnyRoot {
    #[doc(hidden)]
    pub fn mode(&self) -> LockMode {
        match self {
            Self::Shared(_) => LockMode::Shared,
            Self::Exclusive(_) => LockMode::Exclusive,
        }
    }

    pub(crate) fn downgrade(self) -> Self {
        match self {
            Self::Exclusive(guard) => Self::Shared(guard.downgrade()),
            shared @ Self::Shared(_) => shared,
        }
    }

    pub(crate) fn downcast<M: Mode>(self) -> Option<RootGuard<M>> {
        match self {
            Self::Shared(guard) => of_mode(guard),
            Self::Exclusive(guard) => of_mode(guard),
        }
    }
}

/// A guard as the type that it has anyhow, if that is `G`: modes are types, which only `Any` can compare.
fn of_mode<F: 'static, G: 'static>(guard: F) -> Option<G> {
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
pub trait Typed<H: Hierarchy>: HeldList + Sized {
    /// Whether all in this list is held so. (What is held beside it, the caller knows.)
    #[doc(hidden)]
    fn matches(root: &AnyRoot, slots: &H::Slots) -> bool;

    /// Takes what is held.
    #[doc(hidden)]
    fn typed(root: AnyRoot, slots: &mut H::Slots) -> Option<Self>;
}

impl<H: Hierarchy, L: NotRoot<In = H>, M: Mode, R: Typed<H>> Typed<H> for Held<L, M, R> {
    fn matches(root: &AnyRoot, slots: &H::Slots) -> bool {
        L::slot(slots).as_ref().is_some_and(|guard| guard.mode() == M::MODE) && R::matches(root, slots)
    }

    fn typed(root: AnyRoot, slots: &mut H::Slots) -> Option<Self> {
        let guard = L::slot_mut(slots).take()?.downcast()?;
        Some(Self::new(guard, R::typed(root, slots)?))
    }
}
