//! Levels: which locks may be taken while others are held, written as types.
//!
//! ```text
//!   Held<Node, Exclusive, Held<Instance, Shared, Held<Cluster, Shared>>>      what a session holds: a list of guards
//!    │
//!    ├── CanAcquire<L>, CanAdd<L>    nothing held at L or above
//!    ├── Holds<L>, HoldsExclusive<L> L is held
//!    ├── HoldsTop<L>                      L is held, and nothing above it
//!    └── CanRelease<L>, CanDowngrade<L>    L was acquired here, not by an outer session
//! ```
//!
//! The type parameter of a [`Session`](crate::Session) is that list, lowest level innermost. Each verb of a session
//! asks for one of these bounds; where the list does not satisfy it, rustc says so in the words of the bound. The bounds of
//! everyday helpers, such as [`CanAcquire`], are at the root of the crate.

mod any;
pub(crate) mod checks;
mod hierarchy;
pub(crate) mod rules;

pub use any::HeldListOf;
#[doc(hidden)]
pub use any::Slots;
pub(crate) use any::{AnyGuard, AnyRoot, Slot};
#[doc(hidden)]
pub use hierarchy::private;
pub(crate) use rules::{CanAcquire, CanAdd, Holds, HoldsExclusive};
pub use rules::{CanDowngrade, CanRelease, HoldsTop};

use crate::lock::{Guard, SharedLock};
use crate::mode::{LockMode, Mode, Shared};
use crate::set::{Key, LockSet, SetGuard};
use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

/// An order of lock levels, declared with [`hierarchy!`](crate::hierarchy).
pub trait Hierarchy: Sized + Send + Sync + 'static {
    /// The lowest level, which every session holds.
    type Root: Level<In = Self, Locks = SharedLock>;

    /// The names of all levels, in locking order, the root first.
    const LEVELS: &'static [&'static str];

    /// The sets of all levels but the root.
    #[doc(hidden)]
    type Sets: Default + Send + Sync + 'static;

    /// What may be held of each level but the root, known at run time only. Dropped highest level first.
    #[doc(hidden)]
    type Slots: Slots + Default + Send + Sync + 'static;
}

/// A level of a hierarchy: the root, or a set of named locks.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock level",
    label = "expected a level of the session's hierarchy",
    note = "declare levels with `hierarchy! {{ .. }}`"
)]
pub trait Level: Copy + fmt::Debug + Send + Sync + 'static {
    /// The hierarchy that it belongs to.
    type In: Hierarchy;

    /// What is locked at this level: one lock at the root, a set of them above.
    #[doc(hidden)]
    type Locks: Locks;

    /// What the locks of this level are named by. (The root has one lock, which needs no name.)
    type Name: Key + fmt::Debug + Send + Sync + 'static;

    /// What is in the locks of this level.
    type Value: Send + Sync + 'static;

    /// The name of the level, as declared.
    const NAME: &'static str;

    /// Its place in the locking order; the root is 0.
    const INDEX: usize;

    /// The guard of a part of this level's set as the guard of this level. Never called for the root: it is here, and
    /// not in [`NotRoot`], so that misusing the root is one error and not four.
    #[doc(hidden)]
    fn level_guard<M: Mode>(guard: SetGuard<SetOf<Self>, M>) -> LevelGuard<Self, M>;
}

/// `Self` is a level of the hierarchy `H`.
///
/// The same as `Level<In = H>`, in words that rustc can print. [`hierarchy!`](crate::hierarchy) implements it.
///
/// # Examples
///
/// A helper that is generic over the level:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{All, CanAcquire, Session, SessionError, level::{LevelOf, NotRoot}};
///
/// async fn count<L, H>(job: &mut Session<Seed, H>) -> Result<usize, SessionError>
/// where
///     L: NotRoot + LevelOf<Seed, Itself = L>,
///     H: CanAcquire<L>,
/// {
///     Ok(job.nest().shared::<L>(All).await?.owned::<L>().len())
/// }
///
/// # tokio_test::block_on(async {
/// let manager: lockladder::LockManager<Seed> = lockladder::LockManager::builder().names::<Node>(["node1"]).build();
/// let mut job = manager.shared("count").await?;
/// assert_eq!(count::<Node, _>(&mut job).await?, 1);
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "level `{Self}` does not belong to the hierarchy `{H}`",
    label = "this session climbs `{H}`, of which `{Self}` is no level",
    note = "hierarchies do not mix: use a level that is declared in `{H}`, or a session of the manager that has `{Self}`"
)]
pub trait LevelOf<H: Hierarchy>: Level<In = H> {
    /// The level itself: what can be named only if it is of `H`.
    ///
    /// The rules name a level by this way. Where it leads nowhere, since the level is of another hierarchy, rustc says
    /// so, and does not go on to say that the order is violated as well.
    type Itself: Level;
}

/// A level whose locks have names: every level but the root.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is the root: it has no names, and is held to the end of the session",
    label = "the root of the hierarchy cannot be used here",
    note = "the root is acquired by `manager.shared(..)` or `manager.exclusive(..)`, and released when the session is dropped"
)]
pub trait NotRoot: Level<Locks = LockSet<<Self as Level>::Name, <Self as Level>::Value>> {
    /// The set of this level.
    #[doc(hidden)]
    fn set(sets: &<Self::In as Hierarchy>::Sets) -> &SetAt<Self>;

    /// What is held of this level.
    #[doc(hidden)]
    fn slot(slots: &<Self::In as Hierarchy>::Slots) -> &Slot<Self>;

    /// What is held of this level, to be changed.
    #[doc(hidden)]
    fn slot_mut(slots: &mut <Self::In as Hierarchy>::Slots) -> &mut Slot<Self>;
}

/// The set behind a level, as sessions reach it.
#[doc(hidden)]
pub type SetOf<L> = Arc<LockSet<<L as Level>::Name, <L as Level>::Value>>;

/// The set of a level, in a manager. Nobody outside can look into it: so a level that was written by hand, and claims the
/// place of another, does not get at the locks of that.
#[doc(hidden)]
pub struct SetAt<L: Level>(pub(crate) SetOf<L>);

impl<L: Level> Default for SetAt<L> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<L: Level> fmt::Debug for SetAt<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A level whose members may be added and removed: declared as `level`, not as `fixed level`.
#[diagnostic::on_unimplemented(
    message = "level `{Self}` is fixed: its members were given when the manager was built",
    label = "nothing can be added to or removed from `{Self}`",
    note = "declare it as `level {Self}`, without `fixed`, if its members may change"
)]
pub trait Modifiable: NotRoot {}

/// `Self` stands below `L` in the locking order.
///
/// [`hierarchy!`](crate::hierarchy) implements it for each pair. Implemented by hand against the declared order, it does
/// not help, and neither do the other bounds: a program that acquires so is not built.
///
/// ```compile_fail,E0080
/// lockladder::hierarchy! {
///     struct Ladder { root Cluster, level Instance: String, level Node: String }
/// }
/// impl lockladder::level::Before<Instance> for Node {}
///
/// let manager: lockladder::LockManager<Ladder> = lockladder::LockManager::builder().build();
/// # tokio_test::block_on(async {
/// let job = manager.shared("job").await?.shared::<Node>([""; 0]).await?;
/// let job = job.shared::<Instance>([""; 0]).await?;
/// # Ok::<_, lockladder::SessionError>(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "lock order violation: cannot acquire level `{L}` while holding level `{Self}`",
    label = "`{L}` is not above `{Self}`, the highest level held here",
    note = "levels must be acquired in increasing order, and each level at most once: take all names of a level in one call",
    note = "release `{Self}` first (`session.release::<{Self}>()`), or acquire `{L}` earlier"
)]
pub trait Before<L: Level>: Level {}

/// What a guard of a level is.
#[doc(hidden)]
pub trait Locks: sealed::Sealed {
    type Guard<M: Mode>: Send + Sync + 'static;

    /// A guard as people read it.
    fn shown<M: Mode>(guard: &Self::Guard<M>) -> impl fmt::Debug;
}

impl Locks for SharedLock {
    type Guard<M: Mode> = Guard<Arc<SharedLock>, M>;

    fn shown<M: Mode>(_guard: &Self::Guard<M>) -> impl fmt::Debug {
        M::MODE
    }
}

impl<K, T> Locks for LockSet<K, T>
where
    K: Key + fmt::Debug + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    type Guard<M: Mode> = SetGuard<Arc<Self>, M>;

    fn shown<M: Mode>(guard: &Self::Guard<M>) -> impl fmt::Debug {
        (M::MODE, guard.shown_names())
    }
}

/// The guard of level `L` in mode `M`.
pub type LevelGuard<L, M> = <<L as Level>::Locks as Locks>::Guard<M>;

/// Level `L` held in mode `M`, on top of what `Rest` holds. Write it with [`held!`](crate::held).
///
/// It really contains the guards. They are dropped highest level first, the root last.
pub struct Held<L: Level, M: Mode, Rest = ()> {
    pub(crate) guard: LevelGuard<L, M>,
    pub(crate) rest: Rest,
}

impl<L: Level, M: Mode, Rest> Held<L, M, Rest> {
    pub(crate) fn new(guard: LevelGuard<L, M>, rest: Rest) -> Self {
        Self { guard, rest }
    }
}

/// What a session can hold: a list of [`Held`] levels, or `&mut` of one that an outer session holds. Sealed.
pub trait HeldList: sealed::Sealed {
    /// The levels in this list itself, not behind `&mut`: a bit for each, by its index.
    #[doc(hidden)]
    const OWN: u16;

    /// All levels, also those behind `&mut`.
    #[doc(hidden)]
    const ALL: u16;

    /// Of these, those that are held exclusively.
    #[doc(hidden)]
    const EXCLUSIVE: u16;

    /// Whether each level stands above all that follow it.
    #[doc(hidden)]
    const IN_ORDER: bool;

    /// Whether all levels in this list itself are of this hierarchy.
    #[doc(hidden)]
    fn is_of(hierarchy: TypeId) -> bool;

    /// Shows each level, highest first.
    #[doc(hidden)]
    fn show(&self, list: &mut fmt::DebugStruct<'_, '_>);
}

impl HeldList for () {
    const OWN: u16 = 0;
    const ALL: u16 = 0;
    const EXCLUSIVE: u16 = 0;
    const IN_ORDER: bool = true;

    fn is_of(_hierarchy: TypeId) -> bool {
        true
    }

    fn show(&self, _list: &mut fmt::DebugStruct<'_, '_>) {}
}

impl<L: Level, M: Mode, Rest: HeldList> HeldList for Held<L, M, Rest> {
    const OWN: u16 = 1 << L::INDEX | Rest::OWN;
    const ALL: u16 = 1 << L::INDEX | Rest::ALL;
    const EXCLUSIVE: u16 = Rest::EXCLUSIVE
        | match M::MODE {
            LockMode::Exclusive => 1 << L::INDEX,
            LockMode::Shared => 0,
        };
    const IN_ORDER: bool = Rest::IN_ORDER && Rest::ALL >> L::INDEX == 0;

    fn is_of(hierarchy: TypeId) -> bool {
        TypeId::of::<L::In>() == hierarchy && Rest::is_of(hierarchy)
    }

    fn show(&self, list: &mut fmt::DebugStruct<'_, '_>) {
        list.field(L::NAME, &L::Locks::shown(&self.guard));
        self.rest.show(list);
    }
}

impl<S: HeldList> HeldList for &mut S {
    const OWN: u16 = 0;
    const ALL: u16 = S::ALL;
    const EXCLUSIVE: u16 = S::EXCLUSIVE;
    const IN_ORDER: bool = S::IN_ORDER;

    fn is_of(_hierarchy: TypeId) -> bool {
        true
    }

    fn show(&self, list: &mut fmt::DebugStruct<'_, '_>) {
        (**self).show(list);
    }
}

impl<L: Level, M: Mode, Rest: HeldList> fmt::Debug for Held<L, M, Rest> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_struct("Held");
        self.show(&mut list);
        list.finish()
    }
}

mod sealed {
    use super::{Held, Level, LockSet, Mode, SharedLock};

    pub trait Sealed {}
    impl Sealed for () {}
    impl<L: Level, M: Mode, Rest> Sealed for Held<L, M, Rest> {}
    impl<S: Sealed> Sealed for &mut S {}
    impl Sealed for SharedLock {}
    impl<K, T> Sealed for LockSet<K, T> {}
}

/// Levels that are in no hierarchy. They let a bound fail with its own message where no level satisfies it: without any
/// candidate, rustc would say that the method does not exist. Two, because of one it would infer that it was meant.
pub(crate) mod nowhere {
    use super::{Hierarchy, Level, LevelGuard, Mode, SetGuard, SetOf, SharedLock};

    #[derive(Debug)]
    pub enum Nowhere {}

    impl Hierarchy for Nowhere {
        type Root = NoLevel;
        type Sets = ();
        type Slots = ();
        const LEVELS: &'static [&'static str] = &[];
    }

    macro_rules! levels {
        ($($level:ident),+) => {$(
            #[derive(Clone, Copy, Debug)]
            pub enum $level {}

            impl Level for $level {
                type In = Nowhere;
                type Locks = SharedLock;
                type Name = ();
                type Value = ();
                const NAME: &'static str = "";
                const INDEX: usize = 0;

                fn level_guard<M: Mode>(_guard: SetGuard<SetOf<Self>, M>) -> LevelGuard<Self, M> {
                    unreachable!("nobody holds a level of no hierarchy")
                }
            }
        )+};
    }

    levels!(NoLevel, NorThis);
}

/// The bottom of a list is the root, shared or exclusive.
pub(crate) type RootHeld<H, M> = Held<<H as Hierarchy>::Root, M>;

const _: () = {
    const fn is_send_and_sync<T: Send + Sync + 'static>() {}
    is_send_and_sync::<Held<nowhere::NoLevel, Shared>>();
};
