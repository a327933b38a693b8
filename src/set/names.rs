//! How callers write names: one, several, or all.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};
use std::iter;

/// The whole set, in place of names: every member. While it is held, `add` waits.
///
/// See [`LockSet`](super::LockSet) for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct All;

/// What locks can be named by: anything that can be cloned, hashed, compared and put in order.
///
/// A set works by `Hash` and `Eq`. `Ord` gives the order in which guards and errors list names; `Clone` gives the names
/// in errors and results. None of them runs while an internal lock of the set is held. So an impl that panics, or is
/// wrong, can keep a name from being found, and can make calls panic that put names in order; it can do no more. See
/// [`LockSet`](super::LockSet) for an example with `String`s.
pub trait Key: Clone + Eq + Hash + Ord {}

impl<K: Clone + Eq + Hash + Ord> Key for K {}

/// One name of type `K`, owned or borrowed: `K`, `&K`, and `&str` where `K` is `String`. Sealed.
///
/// See [`SetGuard::get`](super::SetGuard::get) for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a name of type `{K}`",
    label = "the locks here are named by `{K}`",
    note = "pass names as `{K}` or `&{K}`; a `String` can be given as `&str`"
)]
pub trait AsName<K>: sealed::One<K> {
    /// The hash of the name.
    #[doc(hidden)]
    fn tag(&self, hashing: &impl BuildHasher) -> u64;

    /// Whether this is the same name.
    #[doc(hidden)]
    fn is(&self, name: &K) -> bool;

    /// The name, owned.
    fn into_name(self) -> K;
}

impl<K: Hash + Eq> AsName<K> for K {
    fn tag(&self, hashing: &impl BuildHasher) -> u64 {
        hashing.hash_one(self)
    }

    fn is(&self, name: &K) -> bool {
        self == name
    }

    fn into_name(self) -> K {
        self
    }
}

impl<K: Hash + Eq + Clone> AsName<K> for &K {
    fn tag(&self, hashing: &impl BuildHasher) -> u64 {
        hashing.hash_one(*self)
    }

    fn is(&self, name: &K) -> bool {
        *self == name
    }

    fn into_name(self) -> K {
        self.clone()
    }
}

impl AsName<String> for &str {
    fn tag(&self, hashing: &impl BuildHasher) -> u64 {
        hashing.hash_one(*self) // `Borrow` promises the hash of the `String`.
    }

    fn is(&self, name: &String) -> bool {
        *self == name
    }

    fn into_name(self) -> String {
        self.to_owned()
    }
}

impl AsName<String> for &&str {
    fn tag(&self, hashing: &impl BuildHasher) -> u64 {
        hashing.hash_one(**self)
    }

    fn is(&self, name: &String) -> bool {
        **self == name
    }

    fn into_name(self) -> String {
        (*self).to_owned()
    }
}

/// What can be acquired from a set of `K`: [`Names`], or [`All`]. Sealed.
///
/// No future borrows the names, and the caller's list is neither reordered nor changed. See [`LockSet`](super::LockSet)
/// for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name locks whose names are `{K}`",
    label = "expected names of type `{K}`, or `All`",
    note = "pass an array, slice, `Vec` or set of names, by value or by reference; `All` stands for the whole set",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait NamesOrAll<K>: sealed::List<K> {
    #[doc(hidden)]
    type Each: Iterator<Item: AsName<K>>;

    /// [`Listed`](extent::Listed) names, or the [`Whole`](extent::Whole), as a type.
    #[doc(hidden)]
    type Extent;

    /// The names as given: in this order, with repetitions. `None` stands for the whole set.
    #[doc(hidden)]
    fn requested(self) -> Option<Self::Each>;
}

/// Names that are listed one by one: what can be added, removed or released. Sealed.
///
/// These are arrays, slices, `Vec`s, `BTreeSet`s and `HashSet`s of names, by value or by reference, and one name by
/// itself if it is a string, an integer or a `char`. See [`SetGuard::release`](super::SetGuard::release) for an
/// example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list names of type `{K}`",
    label = "expected names of type `{K}`",
    note = "pass an array, slice, `Vec` or set of names, by value or by reference; collect an iterator into a `Vec` first",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait Names<K>: NamesOrAll<K, Extent = extent::Listed> + sealed::Listed<K> {
    /// The names as given: in this order, with repetitions.
    #[doc(hidden)]
    fn listed(self) -> Self::Each;
}

/// What can be added to a set of `K` with values `T`: [`Names`], each with the default value, or
/// [`Entries`](super::Entries). Sealed.
///
/// See [`Entries`](super::Entries) for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be added to locks whose names are `{K}` and whose values are `{T}`",
    label = "expected names of type `{K}`, or `Entries` of names and values",
    note = "names alone are added with the default value, so `{T}` must be `Default`; `Entries([(name, value)])` gives each its own",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait IntoEntries<K, T>: sealed::Addable<K, T> {
    /// The names as given, in this order, with repetitions, and their values.
    #[doc(hidden)]
    fn into_entries(self) -> Vec<(K, T)>;
}

/// What a caller's argument stands for, as a type: some levels have no whole.
pub(crate) mod extent {
    /// Names that are listed one by one.
    #[derive(Debug)]
    pub enum Listed {}

    /// The whole set.
    #[derive(Debug)]
    pub enum Whole {}
}

/// Only this module decides what can stand for names.
pub(super) mod sealed {
    use super::All;

    #[diagnostic::on_unimplemented(
        message = "`AsName` cannot be implemented for `{Self}`: it is implemented for names themselves, and references to them",
        label = "not a name of type `{K}`",
        note = "turn it into a `{K}` or a `&{K}` instead"
    )]
    pub trait One<K> {}
    impl<K> One<K> for K {}
    impl<K> One<K> for &K {}
    impl One<String> for &str {}
    impl One<String> for &&str {}

    #[diagnostic::on_unimplemented(
        message = "`Names`, `NamesOrAll` and `IntoEntries` cannot be implemented for `{Self}`: they are implemented for the lists of the standard library",
        label = "not a list of names",
        note = "collect the names into an array, a `Vec` or a set instead"
    )]
    pub trait List<K> {}
    impl<K> List<K> for All {}

    #[diagnostic::on_unimplemented(
        message = "`Names` cannot be implemented for `{Self}`: it is implemented for the lists of the standard library",
        label = "not a list of names"
    )]
    pub trait Listed<K> {}

    #[diagnostic::on_unimplemented(
        message = "`IntoEntries` cannot be implemented for `{Self}`: it is implemented for lists of names, and for `Entries`",
        label = "neither names nor `Entries`"
    )]
    pub trait Addable<K, T> {}
}

impl<K: Hash + Eq> NamesOrAll<K> for All {
    type Each = iter::Empty<K>;
    type Extent = extent::Whole;

    fn requested(self) -> Option<Self::Each> {
        None
    }
}

/// The names of a list, each with the default value.
fn with_defaults<K, T: Default>(names: impl Names<K>) -> Vec<(K, T)> {
    names.listed().map(|name| (name.into_name(), T::default())).collect()
}

/// Implements the traits for lists of names.
macro_rules! lists {
    ($([$($generics:tt)*] $list:ty where $item:ty;)+) => {$(
        // By the bound on the items, a crate with a type of names of its own cannot implement the traits for a list of
        // something else.
        impl<$($generics)*> sealed::List<K> for $list where $item: AsName<K> {}
        impl<$($generics)*> sealed::Listed<K> for $list where $item: AsName<K> {}
        impl<$($generics)*, T: Default> sealed::Addable<K, T> for $list where $item: AsName<K> {}

        impl<$($generics)*> NamesOrAll<K> for $list where $item: AsName<K> {
            type Each = <$list as IntoIterator>::IntoIter;
            type Extent = extent::Listed;

            fn requested(self) -> Option<Self::Each> {
                Some(self.listed())
            }
        }

        impl<$($generics)*> Names<K> for $list where $item: AsName<K> {
            fn listed(self) -> Self::Each {
                self.into_iter()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*, T: Default> IntoEntries<K, T> for $list where $item: AsName<K> {
            fn into_entries(self) -> Vec<(K, T)> {
                with_defaults(self)
            }
        }
    )+};
}

lists! {
    [K, B, const N: usize] [B; N] where B;
    ['a, K, B, const N: usize] &'a [B; N] where &'a B;
    ['a, K, B] &'a [B] where &'a B;
    [K, B] Vec<B> where B;
    ['a, K, B] &'a Vec<B> where &'a B;
    [K, B] BTreeSet<B> where B;
    ['a, K, B] &'a BTreeSet<B> where &'a B;
    [K, B, S] HashSet<B, S> where B;
    ['a, K, B, S] &'a HashSet<B, S> where &'a B;
}

/// Implements the traits for names that can stand by themselves.
macro_rules! singles {
    ($($key:ty: $([$($generics:lifetime)?] $name:ty),+;)+) => {$($(
        impl<$($generics)?> sealed::List<$key> for $name {}
        impl<$($generics)?> sealed::Listed<$key> for $name {}
        impl<$($generics,)? T: Default> sealed::Addable<$key, T> for $name {}

        impl<$($generics)?> NamesOrAll<$key> for $name {
            type Each = iter::Once<$name>;
            type Extent = extent::Listed;

            fn requested(self) -> Option<Self::Each> {
                Some(self.listed())
            }
        }

        impl<$($generics)?> Names<$key> for $name {
            fn listed(self) -> Self::Each {
                iter::once(self)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics,)? T: Default> IntoEntries<$key, T> for $name {
            fn into_entries(self) -> Vec<($key, T)> {
                with_defaults(self)
            }
        }
    )+)+};
    ($($key:ty),+) => { singles! { $($key: [] $key, ['a] &'a $key;)+ } };
}

singles! { String: ['a] &'a str; }
singles! { String, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize }
