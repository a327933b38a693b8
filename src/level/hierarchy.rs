//! The macros that declare levels and name what a session holds.

/// Declares a lock order: a hierarchy and its levels, lowest first.
///
/// ```
/// lockladder::hierarchy! {
///     /// The lock order of a cluster.
///     pub struct Ganeti {
///         /// Every session holds it, shared or exclusive.
///         root Cluster,
///         /// Members may be added and removed.
///         level Instance: String,
///         /// Each lock contains a value.
///         level Node: String => NodeState,
///         /// The members are given when the manager is built, and stay the same.
///         fixed level Zone: u16,
///         /// Any name; it exists while it is held or waited for.
///         open level Disk: (u16, String),
///     }
/// }
///
/// /// The state of a node.
/// #[derive(Debug, Default)]
/// pub struct NodeState {
///     /// In MiB.
///     pub free_memory: u64,
/// }
///
/// use lockladder::level::Hierarchy;
/// assert_eq!(Ganeti::LEVELS, ["Cluster", "Instance", "Node", "Zone", "Disk"]);
/// ```
///
/// | kind | its names | not possible |
/// |---|---|---|
/// | `level` | are given when the manager is built, then added and removed | |
/// | `fixed level` | are given when the manager is built | to add or remove names |
/// | `open level` | come with their use, as in an [`OpenSet`](crate::OpenSet) | to take [`All`](crate::All), to give names when the manager is built, to add or remove names |
///
/// What is not possible does not compile. (For a [`DynSession`](crate::DynSession), `All` of an open level is an error,
/// [`OrderError::Open`](crate::OrderError::Open).)
///
/// The hierarchy and each level become types of the given visibility. The type after the colon names the locks of a
/// level; it must be `Clone + Eq + Hash + Ord + Debug + Send + Sync + 'static`. The type after `=>` is that of the
/// values in the locks; it must be `Send + Sync + 'static`, and at an open level `Default`. Without `=>`, the locks contain no values. A hierarchy has
/// 1 to 16 levels, the root included; more do not compile:
///
/// ```compile_fail,E0080
/// lockladder::hierarchy! {
///     struct Deep {
///         root R0, level L1: u8, level L2: u8, level L3: u8, level L4: u8, level L5: u8, level L6: u8, level L7: u8,
///         level L8: u8, level L9: u8, level L10: u8, level L11: u8, level L12: u8, level L13: u8, level L14: u8,
///         level L15: u8, level L16: u8
///     }
/// }
/// ```
///
/// Attributes are kept, `#[derive(..)]` included. The macro derives `Debug` for all types, and `Clone` and `Copy` for
/// levels. (Do not put `#[cfg]` on a level: it would remove the type, but not its position in the order. Declare two
/// hierarchies instead.) The macro documents each item, with or without a comment of yours: a level says which
/// hierarchy it belongs to, and a hierarchy lists its levels. So the declaration compiles under
/// `#![deny(missing_docs)]` without comments that only repeat the names.
#[macro_export]
macro_rules! hierarchy {
    ($(#[$meta:meta])* $visibility:vis struct $hierarchy:ident {
        $(#[$root_meta:meta])* root $root:ident $(, $($levels:tt)*)?
    }) => {
        $crate::__hierarchy! { @parse
            [$(#[$meta])* $visibility $hierarchy]
            [$(#[$root_meta])* $root]
            []
            $($($levels)*)?
        }
    };
}

/// The parts of [`hierarchy!`](crate::hierarchy).
///
/// A type name in an expansion is looked up where the hierarchy is declared, and a type parameter hides a level of the
/// same name. So all paths are absolute, even those of primitive types. And `@fresh` chooses names for the type
/// parameters that differ from the two names that stand in the same impl.
#[doc(hidden)]
#[macro_export]
macro_rules! __hierarchy {
    // Parses level after level into `[attributes] name, type of names, type of values, kind`.
    (@parse $head:tt $root:tt [$($done:tt)*]
        $(#[$meta:meta])* level $level:ident: $name:ty $(=> $value:ty)? $(, $($rest:tt)*)?
    ) => {
        $crate::__hierarchy! { @parse $head $root
            [$($done)* ([$(#[$meta])*] $level, $name, ($($value)?), level)] $($($rest)*)?
        }
    };
    (@parse $head:tt $root:tt [$($done:tt)*]
        $(#[$meta:meta])* fixed level $level:ident: $name:ty $(=> $value:ty)? $(, $($rest:tt)*)?
    ) => {
        $crate::__hierarchy! { @parse $head $root
            [$($done)* ([$(#[$meta])*] $level, $name, ($($value)?), fixed)] $($($rest)*)?
        }
    };
    (@parse $head:tt $root:tt [$($done:tt)*]
        $(#[$meta:meta])* open level $level:ident: $name:ty $(=> $value:ty)? $(, $($rest:tt)*)?
    ) => {
        $crate::__hierarchy! { @parse $head $root
            [$($done)* ([$(#[$meta])*] $level, $name, ($($value)?), open)] $($($rest)*)?
        }
    };
    (@parse [$(#[$meta:meta])* $visibility:vis $hierarchy:ident] [$(#[$root_meta:meta])* $root:ident]
        [$(([$($level_meta:tt)*] $level:ident, $name:ty, $value:ty, $kind:ident))*]
    ) => {
        $(#[$meta])*
        #[doc = ::core::concat!(
            "\n\nThe levels, lowest first: [`", ::core::stringify!($root), "`]",
            $(", [`", ::core::stringify!($level), "`]",)* "."
        )]
        #[derive(Debug)]
        $visibility enum $hierarchy {}

        const _: () = ::core::assert!(
            <$hierarchy as $crate::level::Hierarchy>::LEVELS.len() <= 16,
            "a hierarchy has at most 16 levels, the root included"
        );

        impl $crate::level::Hierarchy for $hierarchy {
            type Root = $root;
            type Sets = $crate::__hierarchy!(@sets $($level)*);
            type Slots = $crate::__hierarchy!(@slots $($level)*);
            const LEVELS: &'static [&'static ::core::primitive::str] =
                &[::core::stringify!($root) $(, ::core::stringify!($level))*];
        }

        $(#[$root_meta])*
        #[doc = ::core::concat!("\n\nThe root of [`", ::core::stringify!($hierarchy), "`].")]
        #[derive(Clone, Copy, Debug)]
        $visibility enum $root {}

        impl $crate::level::Level for $root {
            type In = $hierarchy;
            type Locks = $crate::SharedLock;
            type Set = $crate::LockSet<Self::Name>;
            type Name = ::std::string::String;
            type Value = ();
            const NAME: &'static ::core::primitive::str = ::core::stringify!($root);
            const INDEX: ::core::primitive::usize = 0;

            fn level_guard<M_: $crate::Mode>(
                _guard: $crate::SetGuard<$crate::__private::SetOf<Self>, M_>,
            ) -> $crate::level::LevelGuard<Self, M_> {
                ::core::unreachable!("the root has no set")
            }
        }

        $crate::__hierarchy! { @kind root $root }
        $(
            $($level_meta)*
            #[doc = ::core::concat!("\n\nA level of [`", ::core::stringify!($hierarchy), "`].")]
            #[derive(Clone, Copy, Debug)]
            $visibility enum $level {}

            $crate::__hierarchy! { @kind $kind $level }
        )*

        $crate::__hierarchy! { @levels $hierarchy (1) [] $(($kind $level, $name, $value))* }
        $crate::__hierarchy! { @root $root $($level)* }
        $crate::__hierarchy! { @ends $hierarchy $root $($level)* }
        $crate::__hierarchy! { @pairs $($level)* }
    };

    // One type per level, in nested pairs: ((((), third), second), first). The order drops the highest level first.
    (@sets) => { () };
    (@sets $level:ident $($rest:ident)*) => {
        ($crate::__hierarchy!(@sets $($rest)*), $crate::__private::SetAt<$level>)
    };
    (@slots) => { () };
    (@slots $level:ident $($rest:ident)*) => {
        ($crate::__hierarchy!(@slots $($rest)*), $crate::__private::Slot<$level>)
    };

    // Passes an arm two names for type parameters that differ from the two names that it is about: those can rule out
    // at most two of the three pairs.
    (@fresh $to:ident [M_ R_] $($pairs:tt)*) => { $crate::__hierarchy! { @unless_first $to [M_ R_] $($pairs)* } };
    (@unless_first $to:ident $pair:tt $other:tt $last:tt; M_ $second:ident) => {
        $crate::__hierarchy! { @unless_other $to $other $last; M_ $second }
    };
    (@unless_first $to:ident $pair:tt $other:tt $last:tt; R_ $second:ident) => {
        $crate::__hierarchy! { @unless_other $to $other $last; R_ $second }
    };
    (@unless_first $to:ident $pair:tt $other:tt $last:tt; $first:ident M_) => {
        $crate::__hierarchy! { @unless_other $to $other $last; $first M_ }
    };
    (@unless_first $to:ident $pair:tt $other:tt $last:tt; $first:ident R_) => {
        $crate::__hierarchy! { @unless_other $to $other $last; $first R_ }
    };
    (@unless_first $to:ident $pair:tt $other:tt $last:tt; $($names:ident)+) => {
        $crate::__hierarchy! { @$to $pair $($names)+ }
    };
    (@unless_other $to:ident $pair:tt $last:tt; N_ $second:ident) => {
        $crate::__hierarchy! { @$to $last N_ $second }
    };
    (@unless_other $to:ident $pair:tt $last:tt; S_ $second:ident) => {
        $crate::__hierarchy! { @$to $last S_ $second }
    };
    (@unless_other $to:ident $pair:tt $last:tt; $first:ident N_) => {
        $crate::__hierarchy! { @$to $last $first N_ }
    };
    (@unless_other $to:ident $pair:tt $last:tt; $first:ident S_) => {
        $crate::__hierarchy! { @$to $last $first S_ }
    };
    (@unless_other $to:ident $pair:tt $last:tt; $($names:ident)+) => {
        $crate::__hierarchy! { @$to $pair $($names)+ }
    };

    // The root counts as closed, so that its misuse breaks one bound only.
    (@kind root $level:ident) => {
        #[diagnostic::do_not_recommend]
        impl $crate::level::Closed for $level {}
    };
    (@kind level $level:ident) => {
        impl $crate::level::Closed for $level {}
        impl $crate::level::Modifiable for $level {}
    };
    (@kind fixed $level:ident) => { impl $crate::level::Closed for $level {} };
    (@kind open $level:ident) => {};

    (@set open $name:ty, $value:ty) => { $crate::OpenSet<$name, $value> };
    (@set $closed:ident $name:ty, $value:ty) => { $crate::LockSet<$name, $value> };

    // Each level with its index and the path to its set.
    (@levels $hierarchy:ident ($index:expr) [$($path:tt)*]) => {};
    (@levels $hierarchy:ident ($index:expr) [$($path:tt)*]
        ($kind:ident $level:ident, $name:ty, $value:ty) $($rest:tt)*
    ) => {
        impl $crate::level::Level for $level {
            type In = $hierarchy;
            type Locks = Self::Set;
            type Set = $crate::__hierarchy!(@set $kind $name, $value);
            type Name = $name;
            type Value = $value;
            const NAME: &'static ::core::primitive::str = ::core::stringify!($level);
            const INDEX: ::core::primitive::usize = $index;

            fn level_guard<M_: $crate::Mode>(
                guard: $crate::SetGuard<$crate::__private::SetOf<Self>, M_>,
            ) -> $crate::level::LevelGuard<Self, M_> {
                guard
            }
        }

        impl $crate::level::NotRoot for $level {
            fn set(sets: &<$hierarchy as $crate::level::Hierarchy>::Sets) -> &$crate::__private::SetAt<Self> {
                &sets $($path)* .1
            }

            fn slot(slots: &<$hierarchy as $crate::level::Hierarchy>::Slots) -> &$crate::__private::Slot<Self> {
                &slots $($path)* .1
            }

            fn slot_mut(
                slots: &mut <$hierarchy as $crate::level::Hierarchy>::Slots,
            ) -> &mut $crate::__private::Slot<Self> {
                &mut slots $($path)* .1
            }
        }

        $crate::__hierarchy! { @levels $hierarchy ($index + 1) [$($path)* .0] $($rest)* }
    };

    // `LevelOf` for each level, and impls on the innermost list, `Held<Root, _>`. Only the macro can write them,
    // because they name this hierarchy's levels.
    (@ends $hierarchy:ident $root:ident $($level:ident)*) => {
        impl $crate::level::LevelOf<$hierarchy> for $root {
            type Itself = Self;
        }
        $(impl $crate::level::LevelOf<$hierarchy> for $level {
            type Itself = Self;
        })*

        $crate::__hierarchy! { @fresh typed [M_ R_] [N_ S_] [O_ T_]; $hierarchy $root }

        // Makes rustc report the release of a level that is not held with the message of `Holds`.
        $($crate::__hierarchy! { @fresh release_nothing [M_ R_] [N_ S_] [O_ T_]; $level $root })*
    };
    (@typed [$mode:ident $rest:ident] $hierarchy:ident $root:ident) => {
        impl<$mode: $crate::Mode> $crate::level::HeldListOf<$hierarchy> for $crate::level::Held<$root, $mode> {
            fn matches(
                root: &$crate::__private::AnyRoot,
                _slots: &<$hierarchy as $crate::level::Hierarchy>::Slots,
            ) -> ::core::primitive::bool {
                root.mode() == $mode::MODE
            }

            fn typed(
                root: $crate::__private::AnyRoot,
                _slots: &mut <$hierarchy as $crate::level::Hierarchy>::Slots,
            ) -> ::core::option::Option<Self> {
                $crate::__private::typed_root(root)
            }
        }
    };
    (@release_nothing [$mode:ident $rest:ident] $level:ident $root:ident) => {
        impl<$mode: $crate::Mode> $crate::level::CanRelease<$level> for $crate::level::Held<$root, $mode>
        where
            Self: $crate::Holds<$level>,
        {
            type Mode = <Self as $crate::Holds<$level>>::Mode;
            type Without = Self;

            fn split(self) -> ($crate::level::LevelGuard<$level, <Self as $crate::level::CanRelease<$level>>::Mode>, Self) {
                ::core::unreachable!("the root alone holds no level")
            }

            fn own_guard(
                &mut self,
            ) -> &mut $crate::level::LevelGuard<$level, <Self as $crate::level::CanRelease<$level>>::Mode> {
                ::core::unreachable!("the root alone holds no level")
            }
        }
    };

    // The root is below every level. Every session holds it, and may downgrade but never release it. Here every level
    // and the root itself are also `Before` the root, and `CanRelease` looks for the root below other levels: so the
    // misuse of the root gives one error only, which says that it is the root.
    (@root $root:ident $($level:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl $crate::level::Before<$root> for $root {}
        $(
            impl $crate::level::Before<$level> for $root {}
            #[diagnostic::do_not_recommend]
            impl $crate::level::Before<$root> for $level {}
        )*

        $crate::__hierarchy! { @fresh root_held [M_ R_] [N_ S_] [O_ T_]; $root $root }

        #[diagnostic::do_not_recommend]
        impl $crate::HoldsExclusive<$root> for $crate::level::Held<$root, $crate::Exclusive> {
            fn exclusive_guard(&mut self) -> &mut $crate::level::LevelGuard<$root, $crate::Exclusive> {
                $crate::__private::guard_mut(self)
            }
        }

        #[diagnostic::do_not_recommend]
        impl $crate::level::CanDowngrade<$root> for $crate::level::Held<$root, $crate::Exclusive> {
            type Downgraded = $crate::level::Held<$root, $crate::Shared>;

            fn downgrade(self, panics: &mut $crate::__private::Panics) -> Self::Downgraded {
                $crate::__private::downgrade_root(self, panics)
            }
        }

        $crate::__hierarchy! { @held_below $root $($level)* }
        $crate::__hierarchy! { @release_below [] $root $($level)* }
    };

    (@root_held [$mode:ident $rest:ident] $root:ident $same:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$mode: $crate::Mode> $crate::Holds<$root> for $crate::level::Held<$root, $mode> {
            type Mode = $mode;

            fn guard(&self) -> &$crate::level::LevelGuard<$root, $mode> {
                $crate::__private::guard(self)
            }
        }
    };

    // Each pair of a lower level and a higher one.
    (@pairs) => {};
    (@pairs $lower:ident $($higher:ident)*) => {
        $(impl $crate::level::Before<$higher> for $lower {})*
        $crate::__hierarchy! { @held_below $lower $($higher)* }
        $crate::__hierarchy! { @release_below [#[diagnostic::do_not_recommend]] $lower $($higher)* }
        $crate::__hierarchy! { @pairs $($higher)* }
    };

    (@release_below $attributes:tt $lower:ident $($higher:ident)*) => {$(
        $crate::__hierarchy! { @release_one $attributes $lower $higher }
    )*};
    (@release_one [] $lower:ident $higher:ident) => {
        $crate::__hierarchy! { @fresh root_released [M_ R_] [N_ S_] [O_ T_]; $lower $higher }
    };
    (@release_one [$($attribute:tt)*] $lower:ident $higher:ident) => {
        $crate::__hierarchy! { @fresh released [M_ R_] [N_ S_] [O_ T_]; $lower $higher }
    };
    (@root_released $names:tt $lower:ident $higher:ident) => {
        $crate::__hierarchy! { @release [] $names $lower $higher }
    };
    (@released $names:tt $lower:ident $higher:ident) => {
        $crate::__hierarchy! { @release [#[diagnostic::do_not_recommend]] $names $lower $higher }
    };
    (@release [$($attribute:tt)*] [$mode:ident $rest:ident] $lower:ident $higher:ident) => {
        $($attribute)*
        impl<$mode: $crate::Mode, $rest: $crate::level::CanRelease<$lower>> $crate::level::CanRelease<$lower>
            for $crate::level::Held<$higher, $mode, $rest>
        {
            type Mode = $rest::Mode;
            type Without = $crate::level::Held<$higher, $mode, $rest::Without>;

            fn split(self) -> ($crate::level::LevelGuard<$lower, $rest::Mode>, Self::Without) {
                $crate::__private::split_below(self)
            }

            fn own_guard(&mut self) -> &mut $crate::level::LevelGuard<$lower, $rest::Mode> {
                $crate::__private::rest_mut(self).own_guard()
            }
        }
    };

    // What holds for a lower level while a higher one is held on top of it.
    (@held_below $lower:ident $($higher:ident)*) => {$(
        $crate::__hierarchy! { @fresh held [M_ R_] [N_ S_] [O_ T_]; $lower $higher }
    )*};
    (@held [$mode:ident $rest:ident] $lower:ident $higher:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$mode: $crate::Mode, $rest: $crate::Holds<$lower>> $crate::Holds<$lower>
            for $crate::level::Held<$higher, $mode, $rest>
        {
            type Mode = $rest::Mode;

            fn guard(&self) -> &$crate::level::LevelGuard<$lower, $rest::Mode> {
                $crate::__private::rest(self).guard()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$mode: $crate::Mode, $rest: $crate::HoldsExclusive<$lower>> $crate::HoldsExclusive<$lower>
            for $crate::level::Held<$higher, $mode, $rest>
        {
            fn exclusive_guard(&mut self) -> &mut $crate::level::LevelGuard<$lower, $crate::Exclusive> {
                $crate::__private::rest_mut(self).exclusive_guard()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$mode: $crate::Mode, $rest: $crate::level::CanDowngrade<$lower>> $crate::level::CanDowngrade<$lower>
            for $crate::level::Held<$higher, $mode, $rest>
        {
            type Downgraded = $crate::level::Held<$higher, $mode, $rest::Downgraded>;

            fn downgrade(self, panics: &mut $crate::__private::Panics) -> Self::Downgraded {
                $crate::__private::downgrade_below(self, panics)
            }
        }
    };
}

/// Names what a session holds, lowest level first, with modes.
///
/// Give a list of three or more levels a name, `type Reached = held![..]`: written in place, it is a `type_complexity`
/// for clippy.
///
/// ```
/// use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
/// use lockladder::{Session, held};
///
/// struct Job {
///     session: Session<Seed, held![shared Cluster, exclusive Instance]>,
/// }
/// ```
#[macro_export]
macro_rules! held {
    (@ $held:ty;) => { $held };
    (@ $held:ty; shared $level:ty $(, $($above:tt)*)?) => {
        $crate::held!(@ $crate::level::Held<$level, $crate::Shared, $held>; $($($above)*)?)
    };
    (@ $held:ty; exclusive $level:ty $(, $($above:tt)*)?) => {
        $crate::held!(@ $crate::level::Held<$level, $crate::Exclusive, $held>; $($($above)*)?)
    };
    (shared $root:ty $(, $($above:tt)*)?) => {
        $crate::held!(@ $crate::level::Held<$root, $crate::Shared>; $($($above)*)?)
    };
    (exclusive $root:ty $(, $($above:tt)*)?) => {
        $crate::held!(@ $crate::level::Held<$root, $crate::Exclusive>; $($($above)*)?)
    };
}

/// Access to the inside of a list, for the expansion of [`hierarchy!`](crate::hierarchy).
#[doc(hidden)]
pub mod private {
    pub use crate::level::any::{AnyRoot, Slot};
    use crate::level::{CanDowngrade, CanRelease, Held, Level, LevelGuard};
    pub use crate::level::{SetAt, SetOf};
    use crate::lock::SharedLock;
    use crate::mode::{Exclusive, Mode, Shared};
    pub use crate::panics::Panics;

    pub fn guard<L: Level, M: Mode, R>(held: &Held<L, M, R>) -> &LevelGuard<L, M> {
        &held.guard
    }

    pub fn guard_mut<L: Level, M: Mode, R>(held: &mut Held<L, M, R>) -> &mut LevelGuard<L, M> {
        &mut held.guard
    }

    pub fn rest<L: Level, M: Mode, R>(held: &Held<L, M, R>) -> &R {
        &held.rest
    }

    pub fn rest_mut<L: Level, M: Mode, R>(held: &mut Held<L, M, R>) -> &mut R {
        &mut held.rest
    }

    #[expect(clippy::type_complexity, reason = "a guard and what is left, as `CanRelease::split` returns them")]
    pub fn split_below<T: Level, M: Mode, R: CanRelease<L>, L: Level>(
        held: Held<T, M, R>,
    ) -> (LevelGuard<L, R::Mode>, Held<T, M, R::Without>) {
        let (guard, rest) = held.rest.split();
        (guard, Held::new(held.guard, rest))
    }

    pub fn downgrade_below<T: Level, M: Mode, R: CanDowngrade<L>, L: Level>(
        held: Held<T, M, R>,
        panics: &mut Panics,
    ) -> Held<T, M, R::Downgraded> {
        Held::new(held.guard, held.rest.downgrade(panics))
    }

    pub fn downgrade_root<L: Level<Locks = SharedLock>>(
        held: Held<L, Exclusive>,
        panics: &mut Panics,
    ) -> Held<L, Shared> {
        Held::new(held.guard.into_shared(panics), ())
    }

    pub fn typed_root<L: Level<Locks = SharedLock>, M: Mode>(root: AnyRoot) -> Option<Held<L, M>> {
        root.downcast().map(|guard| Held::new(guard, ()))
    }
}
