//! Levels: which locks may be taken while others are held, written as types.
//!
//! ```text
//!   Held<Node, Exclusive, Held<Instance, Shared, Held<Cluster, Shared>>>      what a session holds: a list of guards
//!    │
//!    ├── CanAcquire<L>, CanAdd<L>         nothing is held at L or above
//!    ├── Holds<L>, HoldsExclusive<L>      L is held
//!    ├── HoldsTop<L>                      L is held, and nothing above it
//!    └── CanRelease<L>, CanDowngrade<L>   L was acquired here, not by an outer session
//! ```
//!
//! The type parameter of a [`Session`](crate::Session) is that list, lowest level innermost. Each method of a session
//! has one of these bounds. If the list does not satisfy it, rustc prints the message of the bound. The bounds that
//! helpers need every day, such as [`CanAcquire`], are at the root of the crate; see there for an example.

mod any;
pub(crate) mod checks;
mod hierarchy;
mod names;
pub(crate) mod rules;

pub use any::HeldListOf;
pub(crate) use any::{AnyGuard, AnyRoot, Slot};
#[doc(hidden)]
pub use any::{Sets, Slots};
#[doc(hidden)]
pub use hierarchy::private;
pub use names::NamesOf;
pub(crate) use rules::{CanAcquire, CanAdd, Holds, HoldsExclusive};
pub use rules::{CanDowngrade, CanRelease, HoldsTop};

use crate::lock::{Guard, SharedLock};
use crate::mode::{LockMode, Mode, Shared};
use crate::set::{Key, LockSet, NamedLocks, SetGuard};
use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

/// An order of lock levels, declared with [`hierarchy!`](crate::hierarchy); see there for an example.
pub trait Hierarchy: Sized + Send + Sync + 'static {
    /// The lowest level, which every session holds.
    type Root: Level<In = Self, Locks = SharedLock>;

    /// The names of all levels, in locking order, the root first.
    const LEVELS: &'static [&'static str];

    /// The sets of all levels but the root.
    #[doc(hidden)]
    type Sets: Sets + Default + Send + Sync + 'static;

    /// The guards of all levels but the root, in modes known only at run time. The highest level is dropped first.
    #[doc(hidden)]
    type Slots: Slots + Default + Send + Sync + 'static;
}

/// A level of a hierarchy: the root, or a set of named locks.
///
/// [`hierarchy!`](crate::hierarchy) declares levels; see there for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock level",
    label = "expected a level of the session's hierarchy",
    note = "declare levels with `hierarchy! {{ .. }}`"
)]
pub trait Level: Copy + fmt::Debug + Send + Sync + 'static {
    /// The hierarchy that it belongs to.
    type In: Hierarchy;

    /// The locks of this level: one lock at the root, the set above it.
    #[doc(hidden)]
    type Locks: Locks;

    /// The set of this level: a [`LockSet`], or an [`OpenSet`](crate::OpenSet) for an open level. Never made for the
    /// root.
    #[doc(hidden)]
    type Set: NamedLocks<Name = Self::Name, Value = Self::Value, Sought: Send + Sync>
        + Default
        + fmt::Debug
        + Send
        + Sync
        + 'static;

    /// The type of the names of this level's locks. (The root's only lock needs no name.)
    type Name: Key + fmt::Debug + Send + Sync + 'static;

    /// The type of the values in the locks of this level.
    type Value: Send + Sync + 'static;

    /// The name of the level, as declared.
    const NAME: &'static str;

    /// Its position in the locking order; the root is 0.
    const INDEX: usize;

    /// Turns a guard of this level's set into the guard of this level. Never called for the root: it is here, and not
    /// in [`NotRoot`], so that misusing the root is one compiler error and not four.
    #[doc(hidden)]
    fn level_guard<M: Mode>(guard: SetGuard<SetOf<Self>, M>) -> LevelGuard<Self, M>;
}

/// `Self` is a level of the hierarchy `H`.
///
/// The same as `Level<In = H>`, as a trait that rustc can print a message for. [`hierarchy!`](crate::hierarchy)
/// implements it.
///
/// # Examples
///
/// A helper that is generic over the level:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{All, CanAcquire, Session, SessionError, level::{LevelOf, NamesOf, NotRoot}};
///
/// async fn count<L, H>(job: &mut Session<Seed, H>, names: impl NamesOf<L>) -> Result<usize, SessionError>
/// where
///     L: NotRoot + LevelOf<Seed>,
///     H: CanAcquire<L>,
/// {
///     Ok(job.nest().shared::<L>(names).await?.owned::<L>().len())
/// }
///
/// # tokio_test::block_on(async {
/// let manager: lockladder::LockManager<Seed> = lockladder::LockManager::builder().names::<Node>(["node1"]).build();
/// let mut job = manager.shared("count").await?;
/// assert_eq!(count::<Node, _>(&mut job, All).await?, 1);
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "level `{Self}` does not belong to the hierarchy `{H}`",
    label = "`{Self}` is not a level of `{H}`, which this session climbs",
    note = "hierarchies do not mix: use a level that is declared in `{H}`, or a session of the manager that has `{Self}`"
)]
pub trait LevelOf<H: Hierarchy>: Level<In = H> {
    /// The level itself. This type exists only if the level belongs to `H`.
    ///
    /// The rules name a level through it. If the level belongs to another hierarchy, rustc reports that, and does not
    /// add that the order is violated.
    type Itself: Level;
}

/// A level whose locks have names: every level but the root.
///
/// [`hierarchy!`](crate::hierarchy) implements it. See [`LevelOf`] for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is the root: it has no names, and is held to the end of the session",
    label = "the root of the hierarchy cannot be used here",
    note = "the root is acquired by `manager.shared(..)` or `manager.exclusive(..)`, and released when the session is dropped"
)]
pub trait NotRoot: Level<Locks = <Self as Level>::Set> {
    /// The set of this level.
    #[doc(hidden)]
    fn set(sets: &<Self::In as Hierarchy>::Sets) -> &SetAt<Self>;

    /// The slot for the guard of this level.
    #[doc(hidden)]
    fn slot(slots: &<Self::In as Hierarchy>::Slots) -> &Slot<Self>;

    /// The slot for the guard of this level, mutably.
    #[doc(hidden)]
    fn slot_mut(slots: &mut <Self::In as Hierarchy>::Slots) -> &mut Slot<Self>;
}

/// The set of a level, as a session refers to it.
#[doc(hidden)]
pub type SetOf<L> = Arc<<L as Level>::Set>;

/// The set of a level, in a manager. It is opaque outside the crate, so a handwritten level that poses as another one
/// does not get at the other one's locks.
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

/// A level of which it is known which names exist: declared as `level` or `fixed level`, not as `open level`.
///
/// All its names can be taken together, as [`All`](crate::All). [`hierarchy!`](crate::hierarchy) implements it; see
/// there for an example of each kind of level.
#[diagnostic::on_unimplemented(
    message = "level `{Self}` is open: every name exists, so there is no whole of it to take, and nothing to add",
    label = "`{Self}` is declared as `open level`",
    note = "acquire the names that you need: each exists while it is held or waited for",
    note = "declare it as `level {Self}`, without `open`, if names are to exist only once they are added",
    note = "in a generic function, ask for it: `where {Self}: Closed`, or take `impl NamesOf<{Self}>`"
)]
pub trait Closed: Level<Set = LockSet<<Self as Level>::Name, <Self as Level>::Value>> {}

/// A level whose members may be added and removed: declared as `level`, not as `fixed level` or `open level`.
///
/// See [`hierarchy!`](crate::hierarchy) for an example.
#[diagnostic::on_unimplemented(
    message = "nothing can be added to or removed from level `{Self}`",
    label = "`{Self}` is not declared as a plain `level`",
    note = "a `fixed level` keeps the members that it was given when the manager was built",
    note = "in an `open level`, every name exists without being added; the root has no names",
    note = "declare it as `level {Self}` if its members are to be added and removed"
)]
pub trait Modifiable: NotRoot + Closed {}

/// `Self` is below `L` in the locking order.
///
/// [`hierarchy!`](crate::hierarchy) implements it for each pair of levels. An implementation by hand, of this bound or
/// of another one, for the levels that the macro declares cannot break the declared order: a program that relies on it
/// does not build. (A `Level` that is itself written by hand, and poses as a declared one, is not found out.)
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

/// What is locked at a level, and the guards of that.
#[doc(hidden)]
pub trait Locks: sealed::Locks {
    type Guard<M: Mode>: Send + Sync + 'static;

    /// What `Debug` shows of a guard.
    fn shown<M: Mode>(guard: &Self::Guard<M>) -> impl fmt::Debug;
}

impl Locks for SharedLock {
    type Guard<M: Mode> = Guard<Arc<SharedLock>, M>;

    fn shown<M: Mode>(_guard: &Self::Guard<M>) -> impl fmt::Debug {
        M::MODE
    }
}

impl<S> Locks for S
where
    S: NamedLocks<Name: fmt::Debug + Send + Sync, Value: Send + Sync> + Send + Sync + 'static,
{
    type Guard<M: Mode> = SetGuard<Arc<Self>, M>;

    fn shown<M: Mode>(guard: &Self::Guard<M>) -> impl fmt::Debug {
        (M::MODE, guard.shown_names())
    }
}

/// The guard of level `L` in mode `M`.
///
/// [`Session::owned`](crate::Session::owned) returns it; see [`Session`](crate::Session) for an example.
pub type LevelGuard<L, M> = <<L as Level>::Locks as Locks>::Guard<M>;

/// Level `L` held in mode `M`, on top of what `Rest` holds.
///
/// Write it with [`held!`](crate::held); see there for an example. It contains the guards themselves. They are dropped
/// highest level first, the root last.
pub struct Held<L: Level, M: Mode, Rest = ()> {
    pub(crate) guard: LevelGuard<L, M>,
    pub(crate) rest: Rest,
}

impl<L: Level, M: Mode, Rest> Held<L, M, Rest> {
    pub(crate) fn new(guard: LevelGuard<L, M>, rest: Rest) -> Self {
        Self { guard, rest }
    }
}

/// What a session can hold: a list of [`Held`] levels, or `&mut` to the list of an outer session. Sealed.
///
/// See [`Session`](crate::Session) for an example.
pub trait HeldList: sealed::Sealed {
    /// The levels in this list itself, without those behind `&mut`. Bit `i` stands for the level with index `i`.
    #[doc(hidden)]
    const OWN: u16;

    /// All levels, with those behind `&mut`.
    #[doc(hidden)]
    const ALL: u16;

    /// The levels of [`ALL`](Self::ALL) that are held exclusively.
    #[doc(hidden)]
    const EXCLUSIVE: u16;

    /// Whether each level is above all levels that follow it.
    #[doc(hidden)]
    const IN_ORDER: bool;

    /// Whether all levels in this list itself belong to this hierarchy.
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
    use super::{Held, Level, Mode, NamedLocks, SharedLock};

    pub trait Sealed {}
    impl Sealed for () {}
    impl<L: Level, M: Mode, Rest> Sealed for Held<L, M, Rest> {}
    impl<S: Sealed> Sealed for &mut S {}

    pub trait Locks {}
    impl Locks for SharedLock {}
    impl<S: NamedLocks> Locks for S {}
}

/// Levels that belong to no hierarchy. They let a bound fail with its own message where no level satisfies it: if rustc
/// had no candidate at all, it would say that the method does not exist. There are two, because rustc would infer a
/// single one as the level that was meant.
pub(crate) mod nowhere {
    use super::{Hierarchy, Level, LevelGuard, LockSet, Mode, SetGuard, SetOf, SharedLock};

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
                type Set = LockSet<(), ()>;
                type Name = ();
                type Value = ();
                const NAME: &'static str = "";
                const INDEX: usize = 0;

                fn level_guard<M: Mode>(_guard: SetGuard<SetOf<Self>, M>) -> LevelGuard<Self, M> {
                    unreachable!("no session holds a level of no hierarchy")
                }
            }
        )+};
    }

    levels!(NoLevel, NorThis);
}

/// A list that holds only the root, in mode `M`.
pub(crate) type RootHeld<H, M> = Held<<H as Hierarchy>::Root, M>;

const _: () = {
    const fn is_send_and_sync<T: Send + Sync + 'static>() {}
    is_send_and_sync::<Held<nowhere::NoLevel, Shared>>();
};
