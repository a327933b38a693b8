//! The bounds of the verbs hold exactly where the seed's assertions do: for every list of levels that a session can
//! have, in every mode, with every cut into an outer session and a nested one, and for every level.

use crate::model::{Kind, Level, Model, Owned};
use lockladder::{
    All, CanAcquire, CanAdd, Exclusive, Holds, HoldsExclusive, LockMode, Shared, hierarchy,
    level::{CanDowngrade, CanRelease, Held, HoldsTop, Modifiable, NamesOf, NotRoot},
};
use std::marker::PhantomData;

/// Whether a list satisfies the bounds of a verb. Where it does, the constant of the type hides this one.
trait Otherwise {
    const HOLDS: bool = false;
}

macro_rules! verbs {
    ($($verb:ident: [$($level_bound:tt)*] [$($list_bound:tt)*] $(where [$($names_bound:tt)*])?;)+) => {$(
        struct $verb<S, L>(PhantomData<(S, L)>);
        impl<S, L> Otherwise for $verb<S, L> {}
        #[allow(dead_code, reason = "of each verb, there may be levels that it is never for")]
        impl<S: $($list_bound)*, L: $($level_bound)*> $verb<S, L> $(where $($names_bound)*)? {
            const HOLDS: bool = true;
        }
    )+};
}

verbs! {
    Acquires: [NotRoot] [CanAcquire<L>];
    AcquiresAll: [NotRoot] [CanAcquire<L>] where [All: NamesOf<L>];
    Releases: [NotRoot] [CanRelease<L>];
    Adds: [Modifiable] [CanAdd<L>];
    AddsHeld: [Modifiable] [HoldsTop<L> + HoldsExclusive<L>];
    Removes: [Modifiable] [CanAdd<L>];
    RemovesHeld: [Modifiable] [CanRelease<L> + HoldsExclusive<L>];
    Downgrades: [lockladder::level::Level] [CanDowngrade<L>];
    Lists: [NotRoot] [Holds<L>];
}

const VERBS: usize = 9;

/// A state of the model: what is owned, and what of it was acquired here.
fn state<const N: usize>(kinds: [Kind; N], owned: [Option<LockMode>; N], here: [bool; N]) -> Model {
    let level = |at: usize| {
        let owned = owned[at].map(|mode| Owned { mode, whole: false, names: ['a'].into(), here: here[at] });
        Level { kind: kinds[at], members: ['a'].into(), owned }
    };
    Model { levels: (0..N).map(level).collect() }
}

/// What the seed says of each verb at a level.
fn expected(model: &Model, level: usize) -> [bool; VERBS] {
    [
        model.may_acquire(level),
        model.may_acquire_whole(level),
        model.may_release(level),
        model.may_add(level),
        model.may_add_held(level),
        model.may_remove(level),
        model.may_remove_held(level),
        model.may_downgrade(level),
        model.may_list_owned(level),
    ]
}

/// Compares one list with the model, at each level.
macro_rules! compare {
    ($count:ident [$kinds:expr] [$($level:ident)*] $list:ty; $owned:expr; $here:expr) => {{
        let model = state($kinds, $owned, $here);
        let typed = [$([
            <Acquires<$list, $level>>::HOLDS,
            <AcquiresAll<$list, $level>>::HOLDS,
            <Releases<$list, $level>>::HOLDS,
            <Adds<$list, $level>>::HOLDS,
            <AddsHeld<$list, $level>>::HOLDS,
            <Removes<$list, $level>>::HOLDS,
            <RemovesHeld<$list, $level>>::HOLDS,
            <Downgrades<$list, $level>>::HOLDS,
            <Lists<$list, $level>>::HOLDS,
        ]),*];
        for (level, typed) in typed.into_iter().enumerate() {
            assert_eq!(typed, expected(&model, level), "level {level} of {}", std::any::type_name::<$list>());
            $count += VERBS;
        }
    }};
}

macro_rules! no {
    ($ignored:expr) => {
        false
    };
}

/// Grows a list by each further level: not held, shared or exclusive. Before one of them, the list may nest once.
macro_rules! grow {
    ($env:tt $list:ty; [$($owned:expr,)*]; [$($here:expr,)*]; nested;) => {
        grow!(@compare $env $list; [$($owned,)*]; [$($here,)*]);
    };
    ($env:tt $list:ty; [$($owned:expr,)*]; [$($here:expr,)*]; own;) => {
        grow!(@compare $env $list; [$($owned,)*]; [$($here,)*]);
        grow!(@compare $env &'static mut $list; [$($owned,)*]; [$(no!($here),)*]);
    };
    ($env:tt $list:ty; [$($owned:expr,)*]; [$($here:expr,)*]; $nesting:ident; $next:ident $($rest:ident)*) => {
        grow!($env $list; [$($owned,)* None,]; [$($here,)* false,]; $nesting; $($rest)*);
        grow!(@held $env $list; [$($owned,)*]; [$($here,)*]; $nesting; $next $($rest)*);
        grow!(@nest $nesting $env $list; [$($owned,)*]; [$($here,)*]; $next $($rest)*);
    };
    (@nest nested $($ignored:tt)*) => {};
    (@nest own $env:tt $list:ty; $owned:tt; [$($here:expr,)*]; $($levels:ident)*) => {
        grow!(@held $env &'static mut $list; $owned; [$(no!($here),)*]; nested; $($levels)*);
    };
    (@held $env:tt $list:ty; [$($owned:expr,)*]; [$($here:expr,)*]; $nesting:ident; $next:ident $($rest:ident)*) => {
        grow!($env Held<$next, Shared, $list>;
            [$($owned,)* Some(LockMode::Shared),]; [$($here,)* true,]; $nesting; $($rest)*);
        grow!($env Held<$next, Exclusive, $list>;
            [$($owned,)* Some(LockMode::Exclusive),]; [$($here,)* true,]; $nesting; $($rest)*);
    };
    (@compare [$count:ident $kinds:tt $levels:tt] $list:ty; [$($owned:expr,)*]; [$($here:expr,)*]) => {
        compare!($count $kinds $levels $list; [$($owned),*]; [$($here),*]);
    };
}

#[test]
fn the_typed_rules_are_the_seeds_in_every_state_of_three_levels() {
    use lockladder::ganeti::seed::{Cluster, Instance, Node};
    let mut count = 0;
    macro_rules! all {
        ($mode:ident) => {
            grow!([count [[Kind::Fixed, Kind::Modifiable, Kind::Modifiable]] [Cluster Instance Node]] Held<Cluster, $mode>;
                [Some(LockMode::$mode),]; [true,]; own; Instance Node);
        };
    }
    all!(Shared);
    all!(Exclusive);
    println!("{count} combinations of state, level and verb agree");
    assert_eq!(count, 60 * 3 * VERBS, "lists × levels × verbs");
}

hierarchy! {
    struct Five { root Root, level One: char, fixed level Two: char, open level Three: char, level Four: char }
}

const FIVE: [Kind; 5] = [Kind::Fixed, Kind::Modifiable, Kind::Fixed, Kind::Open, Kind::Modifiable];

#[test]
fn the_typed_rules_are_the_seeds_in_every_state_of_five_levels() {
    let mut count = 0;
    macro_rules! all {
        ($mode:ident) => {
            grow!([count [FIVE] [Root One Two Three Four]] Held<Root, $mode>;
                [Some(LockMode::$mode),]; [true,]; own; One Two Three Four);
        };
    }
    all!(Shared);
    all!(Exclusive);
    println!("{count} combinations of state, level and verb agree");
    assert_eq!(count, 756 * 5 * VERBS, "lists × levels × verbs");
}
