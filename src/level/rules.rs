//! The rules, as bounds on what a session holds. Each has its own message.
//!
//! | bound | the seed's assertion that it replaces |
//! |---|---|
//! | [`CanAcquire`] | nothing owned at this level or a greater one |
//! | [`CanAdd`] | the same, for `add` and for `remove` of a level that is not owned |
//! | [`Holds`], [`HoldsExclusive`] | the level is owned; `remove` of owned names needs it exclusively |
//! | [`HoldsTop`] | `add` on an owned level: nothing owned at a greater one |
//! | [`CanRelease`], [`CanDowngrade`] | only an owner releases |
//!
//! Each method that relies on one of them checks it again: see [`checks`](super::checks).
//!
//! The impls here hold for any level. For each pair of levels of a hierarchy, [`hierarchy!`](crate::hierarchy) adds
//! impls that look past the higher level at the lower one.

use super::nowhere::{NoLevel, NorThis};
use super::{Before, Held, HeldList, Level, LevelGuard, LevelOf, NotRoot};
use crate::mode::{Exclusive, Mode, Shared};
use crate::panics::Panics;

/// Level `L` may be acquired now: nothing is held at `L` or above.
///
/// # Examples
///
/// A helper for any session that can still acquire nodes:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{CanAcquire, Session, SessionError};
///
/// async fn count_nodes<H: CanAcquire<Node>>(session: &mut Session<Seed, H>) -> Result<usize, SessionError> {
///     let nodes = session.nest().shared::<Node>(lockladder::All).await?;
///     Ok(nodes.owned::<Node>().len())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "level `{L}` cannot be acquired by this session",
    label = "this session may hold `{L}`, or a level above it",
    note = "the session holds `{Self}`",
    note = "in a generic function, ask for it: `where H: CanAcquire<{L}>`"
)]
pub trait CanAcquire<L: Level>: HeldList {}

impl<T: Level, M: Mode, R: HeldList, L> CanAcquire<L> for Held<T, M, R>
where
    L: LevelOf<<T as Level>::In>,
    T: Before<<L as LevelOf<<T as Level>::In>>::Itself>,
{
}

#[diagnostic::do_not_recommend]
impl<S: CanAcquire<L>, L: Level> CanAcquire<L> for &mut S {}

/// Members may be added to level `L`, or removed from it, without holding it: nothing is held at `L` or above.
///
/// # Examples
///
/// A helper that adds a node, for any session that holds no nodes and nothing above them:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{CanAdd, LockManager, Session, SessionError};
///
/// async fn join<H: CanAdd<Node>>(job: &mut Session<Seed, H>, node: &str) -> Result<(), SessionError> {
///     job.add::<Node>(node).await
/// }
///
/// # tokio_test::block_on(async {
/// let manager: LockManager<Seed> = LockManager::builder().build();
/// join(&mut manager.shared("join").await?, "node1").await?;
/// assert_eq!(manager.names::<Node>(), ["node1"]);
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "lock order violation: cannot add to or remove from level `{L}` here",
    label = "this session holds `{L}`, or a level above it",
    note = "the session holds `{Self}`",
    note = "`add` and `remove` wait for locks of `{L}`: do it before that level or a higher one is acquired, or release those first",
    note = "a session that holds `{L}` exclusively can use `add_held` and `remove_held`, which do not wait"
)]
pub trait CanAdd<L: Level>: CanAcquire<L> {}

#[diagnostic::do_not_recommend]
impl<S: CanAcquire<L>, L: Level> CanAdd<L> for S {}

/// Level `L` is held, in either mode.
///
/// # Examples
///
/// A helper that looks at what its caller holds:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{Holds, LockManager, Session, SessionError};
///
/// fn first<H: Holds<Node>>(job: &Session<Seed, H>) -> Option<&String> {
///     job.owned::<Node>().names().first().copied()
/// }
///
/// # tokio_test::block_on(async {
/// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1", "node2"]).build();
/// let job = manager.shared("look").await?.shared::<Node>(["node2", "node1"]).await?;
/// assert_eq!(first(&job).map(String::as_str), Some("node1"));
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "this session does not hold level `{L}`",
    label = "needs a session that holds `{L}`",
    note = "no `{L}` in `{Self}`: acquire it first, with `session.shared::<{L}>(..)` or `session.exclusive::<{L}>(..)`",
    note = "in a generic function, ask for it: `where H: Holds<{L}>`"
)]
pub trait Holds<L: Level>: HeldList {
    /// The mode in which it is held.
    type Mode: Mode;

    #[doc(hidden)]
    fn guard(&self) -> &LevelGuard<L, Self::Mode>;
}

impl<L: NotRoot, M: Mode, R: HeldList> Holds<L> for Held<L, M, R> {
    type Mode = M;

    fn guard(&self) -> &LevelGuard<L, M> {
        &self.guard
    }
}

#[diagnostic::do_not_recommend]
impl<S: Holds<L>, L: NotRoot> Holds<L> for &mut S {
    type Mode = S::Mode;

    fn guard(&self) -> &LevelGuard<L, S::Mode> {
        (**self).guard()
    }
}

/// Level `L` is held exclusively.
///
/// # Examples
///
/// A helper that changes the value in a lock, also through a nested session:
///
/// ```
/// use lockladder::{HoldsExclusive, LockManager, Session, SessionError, hierarchy};
///
/// hierarchy! { struct Farm { root Gate, level Node: String => u64 } }
///
/// fn count<H: HoldsExclusive<Node>>(job: &mut Session<Farm, H>) {
///     job.get_mut::<Node>("node1").map(|count| *count += 1);
/// }
///
/// # tokio_test::block_on(async {
/// let farm: LockManager<Farm> = LockManager::builder().names::<Node>(["node1"]).build();
/// let mut job = farm.shared("count").await?.exclusive::<Node>("node1").await?;
/// count(&mut job);
/// count(&mut job.nest());
/// assert_eq!(job.get::<Node>("node1"), Some(&2));
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "this session does not hold level `{L}` exclusively",
    label = "needs a session that holds `{L}` exclusively",
    note = "the session holds `{Self}`",
    note = "acquire it with `session.exclusive::<{L}>(..)`; a downgraded level is shared"
)]
pub trait HoldsExclusive<L: Level>: Holds<L> {
    #[doc(hidden)]
    fn exclusive_guard(&mut self) -> &mut LevelGuard<L, Exclusive>;
}

impl<L: NotRoot, R: HeldList> HoldsExclusive<L> for Held<L, Exclusive, R> {
    fn exclusive_guard(&mut self) -> &mut LevelGuard<L, Exclusive> {
        &mut self.guard
    }
}

#[diagnostic::do_not_recommend]
impl<S: HoldsExclusive<L>, L: NotRoot> HoldsExclusive<L> for &mut S {
    fn exclusive_guard(&mut self) -> &mut LevelGuard<L, Exclusive> {
        (**self).exclusive_guard()
    }
}

/// Level `L` is held, and nothing above it.
///
/// # Examples
///
/// With [`HoldsExclusive`], a helper that adds to a level that its caller holds as [`All`](crate::All):
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{All, HoldsExclusive, LockManager, Session, SessionError, level::HoldsTop};
///
/// fn join<H: HoldsTop<Node> + HoldsExclusive<Node>>(job: &mut Session<Seed, H>) -> Result<(), SessionError> {
///     job.add_held::<Node>("node2")
/// }
///
/// # tokio_test::block_on(async {
/// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
/// let mut job = manager.shared("join").await?.exclusive::<Node>(All).await?;
/// join(&mut job)?;
/// assert_eq!(job.owned::<Node>().names(), ["node1", "node2"]);
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{L}` is not the highest level held by this session",
    label = "release the levels above `{L}` first",
    note = "the session holds `{Self}`"
)]
pub trait HoldsTop<L: Level>: Holds<L> {}

impl<L: NotRoot, M: Mode, R: HeldList> HoldsTop<L> for Held<L, M, R> {}

#[diagnostic::do_not_recommend]
impl<S: HoldsTop<L>, L: NotRoot> HoldsTop<L> for &mut S {}

/// This session acquired level `L` itself, and may release it.
///
/// # Examples
///
/// A helper that releases the nodes and keeps everything else:
///
/// ```
/// use lockladder::ganeti::seed::{Instance, Node, Seed};
/// use lockladder::{LockManager, Session, SessionError, level::CanRelease};
///
/// fn without_nodes<H: CanRelease<Node>>(job: Session<Seed, H>) -> Session<Seed, H::Without> {
///     job.release::<Node>()
/// }
///
/// # tokio_test::block_on(async {
/// let manager: LockManager<Seed> =
///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1"]).build();
/// let job = manager.shared("job").await?.shared::<Instance>("web1").await?.exclusive::<Node>("node1").await?;
/// let job = without_nodes(job);
/// assert_eq!(job.owned::<Instance>().names(), ["web1"]);
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
///
/// [`hierarchy!`](crate::hierarchy) implements it. A program that relies on an implementation by hand, for what an
/// outer session holds, does not build:
///
/// ```compile_fail,E0080
/// use lockladder::{Exclusive, HoldsExclusive, Session, held, hierarchy, level::{LevelGuard, CanRelease}};
///
/// hierarchy! { struct Farm { root Gate, level Node: String } }
///
/// type Outer = held![shared Gate, exclusive Node];
///
/// impl<'outer> CanRelease<Node> for &'outer mut Outer {
///     type Mode = Exclusive;
///     type Without = &'outer mut Outer;
/// #   fn split(self) -> (LevelGuard<Node, Exclusive>, &'outer mut Outer) { unreachable!("it does not compile") }
/// #   fn own_guard(&mut self) -> &mut LevelGuard<Node, Exclusive> { HoldsExclusive::<Node>::exclusive_guard(self) }
///     // ...
/// }
///
/// fn wrong(job: &mut Session<Farm, Outer>) {
///     let _released = job.nest().release_names::<Node>("node1");
/// }
/// # fn main() { let _ = wrong as fn(&mut Session<Farm, Outer>); }
/// ```
#[diagnostic::on_unimplemented(
    message = "level `{L}` was not acquired by this session",
    label = "this session does not hold `{L}`, or borrows it from an outer session",
    note = "the session holds `{Self}`; what stands behind `&mut` belongs to the outer session",
    note = "a nested session can only release, downgrade or remove what it acquired itself"
)]
pub trait CanRelease<L: Level>: HeldList {
    /// The mode in which it is held.
    type Mode: Mode;

    /// What the session holds afterwards.
    type Without: HeldList;

    #[doc(hidden)]
    fn split(self) -> (LevelGuard<L, Self::Mode>, Self::Without);

    #[doc(hidden)]
    fn own_guard(&mut self) -> &mut LevelGuard<L, Self::Mode>;
}

impl<L: NotRoot, M: Mode, R: HeldList> CanRelease<L> for Held<L, M, R> {
    type Mode = M;
    type Without = R;

    fn split(self) -> (LevelGuard<L, M>, R) {
        (self.guard, self.rest)
    }

    fn own_guard(&mut self) -> &mut LevelGuard<L, M> {
        &mut self.guard
    }
}

/// This session acquired level `L` exclusively itself, and may downgrade it to shared.
///
/// # Examples
///
/// A helper that lets other sessions read the nodes once they are written:
///
/// ```
/// use lockladder::ganeti::seed::{Node, Seed};
/// use lockladder::{LockManager, LockMode, Session, SessionError, level::CanDowngrade};
///
/// fn written<H: CanDowngrade<Node>>(job: Session<Seed, H>) -> Session<Seed, H::Downgraded> {
///     job.downgrade::<Node>()
/// }
///
/// # tokio_test::block_on(async {
/// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1"]).build();
/// let job = written(manager.shared("write").await?.exclusive::<Node>("node1").await?);
/// assert_eq!(job.owned::<Node>().mode(), LockMode::Shared);
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "level `{L}` cannot be downgraded by this session",
    label = "this session did not acquire `{L}` exclusively itself",
    note = "the session holds `{Self}`; what stands behind `&mut` belongs to the outer session",
    note = "a nested session can only release, downgrade or remove what it acquired itself"
)]
pub trait CanDowngrade<L: Level>: HeldList {
    /// What the session holds afterwards.
    type Downgraded: HeldList;

    #[doc(hidden)]
    fn downgrade(self, panics: &mut Panics) -> Self::Downgraded;
}

impl<L: NotRoot, R: HeldList> CanDowngrade<L> for Held<L, Exclusive, R> {
    type Downgraded = Held<L, Shared, R>;

    fn downgrade(self, panics: &mut Panics) -> Self::Downgraded {
        Held::new(self.guard.into_shared(panics), self.rest)
    }
}

/// Implements the rules for the levels of no hierarchy, so that rustc always has a candidate to print a message about;
/// see [`nowhere`](super::nowhere). These impls do not overlap with the real ones, which are for named levels.
macro_rules! candidates {
    ($($level:ty),+) => {$(
        candidates!(@ [L: Level, M: Mode, R: HeldList] Held<L, M, R>, $level);
        candidates!(@ [S: HeldList] &mut S, $level);
    )+};
    (@ [$($generics:tt)*] $list:ty, $level:ty) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Holds<$level> for $list {
            type Mode = Shared;

            fn guard(&self) -> &LevelGuard<$level, Shared> {
                unreachable!("no session holds a level of no hierarchy")
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> HoldsExclusive<$level> for $list {
            fn exclusive_guard(&mut self) -> &mut LevelGuard<$level, Exclusive> {
                unreachable!("no session holds a level of no hierarchy")
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> HoldsTop<$level> for $list {}

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> CanRelease<$level> for $list {
            type Mode = Shared;
            type Without = ();

            fn split(self) -> (LevelGuard<$level, Shared>, ()) {
                unreachable!("no session holds a level of no hierarchy")
            }

            fn own_guard(&mut self) -> &mut LevelGuard<$level, Shared> {
                unreachable!("no session holds a level of no hierarchy")
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> CanDowngrade<$level> for $list {
            type Downgraded = ();

            fn downgrade(self, _panics: &mut Panics) {
                unreachable!("no session holds a level of no hierarchy")
            }
        }
    };
}

candidates!(NoLevel, NorThis);
