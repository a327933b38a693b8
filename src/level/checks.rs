//! The rules again, as `const` assertions: each method checks the bound that it relies on.
//!
//! The bounds of [`rules`](super::rules) are implemented in the crate that declares the levels, so they cannot be
//! sealed. But [`HeldList`] is sealed, and its bits say which levels a list holds. If a bound is implemented by hand
//! for a list that breaks the rule, the program does not build. (If the list keeps the rule, an implementation exists
//! already, and rustc refuses a second one.) The bits do not tell a declared level from a `Level` that was written by hand
//! with the same index: against that, nothing here helps.

use super::{CanDowngrade, CanRelease, HeldList, Hierarchy, Level};

/// Checks that a hierarchy is one that [`hierarchy!`](crate::hierarchy) could have declared.
pub(crate) const fn is_hierarchy<H: Hierarchy>() {
    assert!(<H::Root as Level>::INDEX == 0 && H::LEVELS.len() <= 16, "the root is level 0, of 16 levels at most");
}

/// The bit of a level.
const fn bit<L: Level>() -> u16 {
    assert!(L::INDEX < 16, "a hierarchy has at most 16 levels, the root included");
    1 << L::INDEX
}

/// For [`CanAcquire`](super::CanAcquire) and [`CanAdd`](super::CanAdd): nothing is held at `L` or above.
///
/// ```compile_fail,E0080
/// use lockladder::{*, level::*};
/// hierarchy! { struct Farm { root Gate, level Barn: String, level Node: String } }
/// type Reached = held![shared Gate, shared Node];
/// impl CanAcquire<Barn> for Reached {}
/// fn wrong(job: Session<Farm, Reached>) {
///     let _ = job.try_shared::<Barn>("red");
/// }
/// # fn main() { let _ = wrong as fn(_); }
/// ```
pub(crate) const fn may_acquire<S: HeldList, L: Level>() {
    assert!(S::ALL < bit::<L>(), "lock order violation: this level, or one above it, is held already");
}

/// For [`Holds`](super::Holds).
///
/// ```compile_fail,E0080
/// use lockladder::{*, level::*};
/// hierarchy! { struct Farm { root Gate, level Barn: String, level Node: String } }
/// type Reached = held![shared Gate];
/// impl Holds<Node> for Reached {
///     type Mode = Shared;
///     fn guard(&self) -> &LevelGuard<Node, Shared> { unreachable!("it does not compile") }
/// }
/// fn wrong(job: &Session<Farm, Reached>) {
///     let _ = job.owned::<Node>();
/// }
/// # fn main() { let _ = wrong as fn(&_); }
/// ```
pub(crate) const fn is_held<S: HeldList, L: Level>() {
    assert!(S::ALL & bit::<L>() != 0, "this session does not hold this level");
}

/// For [`HoldsExclusive`](super::HoldsExclusive).
///
/// ```compile_fail,E0080
/// use lockladder::{*, level::*};
/// hierarchy! { struct Farm { root Gate, level Barn: String, level Node: String } }
/// type Reached = held![shared Gate, shared Node];
/// impl HoldsExclusive<Node> for Reached {
///     fn exclusive_guard(&mut self) -> &mut LevelGuard<Node, Exclusive> { unreachable!("it does not compile") }
/// }
/// fn wrong(job: &mut Session<Farm, Reached>) {
///     let _ = job.get_mut::<Node>("node1");
/// }
/// # fn main() { let _ = wrong as fn(&mut _); }
/// ```
pub(crate) const fn is_exclusive<S: HeldList, L: Level>() {
    assert!(S::EXCLUSIVE & bit::<L>() != 0, "this session does not hold this level exclusively");
}

/// For [`HoldsTop`](super::HoldsTop).
///
/// ```compile_fail,E0080
/// use lockladder::{*, level::*};
/// hierarchy! { struct Farm { root Gate, level Barn: String, level Node: String } }
/// type Reached = held![shared Gate, exclusive Barn, shared Node];
/// impl HoldsTop<Barn> for Reached {}
/// fn wrong(job: &mut Session<Farm, Reached>) {
///     let _ = job.add_held::<Barn>("red");
/// }
/// # fn main() { let _ = wrong as fn(&mut _); }
/// ```
pub(crate) const fn is_top<S: HeldList, L: Level>() {
    assert!(S::ALL >> L::INDEX == 1, "this level is not the highest that this session holds");
}

/// For [`CanRelease`], which has an example: the session acquired `L` itself, and `Without` is the rest of the list.
pub(crate) const fn is_own<S: CanRelease<L>, L: Level>() {
    assert!(S::OWN & bit::<L>() != 0, "a nested session cannot give back what the outer one holds");
    let (own, all) = (S::OWN & !bit::<L>(), S::ALL & !bit::<L>());
    let exclusive = S::EXCLUSIVE & !bit::<L>();
    let left = <S::Without as HeldList>::OWN == own && <S::Without as HeldList>::ALL == all;
    assert!(left && <S::Without as HeldList>::EXCLUSIVE == exclusive, "what is left is not the rest of what was held");
}

/// For [`CanDowngrade`]: `Downgraded` is the same list, except for the mode of `L`.
///
/// ```compile_fail,E0080
/// use lockladder::{*, level::*};
/// hierarchy! { struct Farm { root Gate, level Barn: String, level Node: String } }
/// type Outer = held![shared Gate, exclusive Node];
/// impl<'outer> CanDowngrade<Node> for &'outer mut Outer {
///     type Downgraded = &'outer mut Outer;
///     fn downgrade(self, _: &mut lockladder::__private::Panics) -> Self { self }
/// }
/// fn wrong(job: &mut Session<Farm, Outer>) {
///     let _ = job.nest().downgrade::<Node>();
/// }
/// # fn main() { let _ = wrong as fn(&mut _); }
/// ```
pub(crate) const fn is_own_exclusive<S: CanDowngrade<L>, L: Level>() {
    let own_exclusive = S::OWN & S::EXCLUSIVE & bit::<L>() != 0;
    assert!(own_exclusive, "this session did not acquire this level exclusively itself");
    let (own, all) = (<S::Downgraded as HeldList>::OWN, <S::Downgraded as HeldList>::ALL);
    let exclusive = <S::Downgraded as HeldList>::EXCLUSIVE;
    let same = own == S::OWN && all == S::ALL && exclusive == S::EXCLUSIVE & !bit::<L>();
    assert!(same, "what is left is not what was held");
}

/// For [`HeldListOf`](super::HeldListOf): the levels of a list are in order, with the root lowest.
///
/// ```compile_fail,E0080
/// use lockladder::{*, level::*};
/// hierarchy! { struct Farm { root Gate, level Barn: String, level Node: String } }
/// type Upside = Held<Gate, Shared, Held<Node, Shared>>;
/// impl HeldListOf<Farm> for Upside {
///     fn matches(_: &lockladder::__private::AnyRoot, _: &<Farm as Hierarchy>::Slots) -> bool { true }
///     fn typed(_: lockladder::__private::AnyRoot, _: &mut <Farm as Hierarchy>::Slots) -> Option<Self> { None }
/// }
/// fn wrong(job: DynSession<Farm>) {
///     let _ = job.into_typed::<Upside>();
/// }
/// # fn main() { let _ = wrong as fn(_); }
/// ```
pub(crate) const fn is_in_order<S: HeldList>() {
    assert!(S::IN_ORDER && S::OWN & 1 == 1, "not a list of levels in their order, the root lowest");
}
