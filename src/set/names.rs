//! How callers write names: one, several, or all.

use std::collections::{BTreeSet, HashSet};

/// The whole set, in place of names: every member, and the right to keep `add` out meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct All;

/// One name of a `K`, owned or borrowed: `K`, `&K`, and `&str` where `K` is `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a name of type `{K}`",
    label = "the locks here are named by `{K}`",
    note = "pass names as `{K}` or `&{K}`; a `String` can be given as `&str`"
)]
pub trait Name<K> {
    /// The name, owned.
    fn into_name(self) -> K;
}

impl<K> Name<K> for K {
    fn into_name(self) -> K {
        self
    }
}

impl<K: Clone> Name<K> for &K {
    fn into_name(self) -> K {
        self.clone()
    }
}

impl Name<String> for &str {
    fn into_name(self) -> String {
        self.to_owned()
    }
}

impl Name<String> for &&str {
    fn into_name(self) -> String {
        (*self).to_owned()
    }
}

/// What can be acquired from a set of `K`: a [`NameList`], or [`All`].
///
/// The names are taken over when the call is made, so that no future borrows them; the caller's list is neither
/// reordered nor changed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name locks whose names are `{K}`",
    label = "expected names of type `{K}`, or `All`",
    note = "pass an array, slice, `Vec` or set of names, by value or by reference; `All` stands for the whole set",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait Names<K> {
    #[doc(hidden)]
    fn into_request(self) -> Request<K>;
}

/// Names that are listed one by one: what can be added, removed or released.
///
/// Arrays, slices, `Vec`s, `BTreeSet`s and `HashSet`s of names, by value or by reference; one name by itself if it is a
/// string, an integer or a `char`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list names of type `{K}`",
    label = "expected names of type `{K}`",
    note = "pass an array, slice, `Vec` or set of names, by value or by reference",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait NameList<K>: Names<K> {
    /// The names as given: in this order, with repetitions.
    #[doc(hidden)]
    fn into_names(self) -> Vec<K>;
}

/// What a caller asked for. Public in name only: it stands in the signature of a trait.
#[derive(Debug)]
pub enum Request<K> {
    /// The whole set.
    All,
    /// These, as given.
    Names(Vec<K>),
}

impl<K> Names<K> for All {
    fn into_request(self) -> Request<K> {
        Request::All
    }
}

/// Lists of names: each is turned into names one by one.
macro_rules! lists {
    ($([$($generics:tt)*] $list:ty where $item:ty;)+) => {$(
        impl<$($generics)*> Names<K> for $list where $item: Name<K> {
            fn into_request(self) -> Request<K> {
                Request::Names(self.into_names())
            }
        }

        impl<$($generics)*> NameList<K> for $list where $item: Name<K> {
            fn into_names(self) -> Vec<K> {
                self.into_iter().map(Name::into_name).collect()
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

/// Names that may stand by themselves.
macro_rules! singles {
    ($($key:ty: $($name:ty),+;)+) => {$($(
        impl Names<$key> for $name {
            fn into_request(self) -> Request<$key> {
                Request::Names(self.into_names())
            }
        }

        impl NameList<$key> for $name {
            fn into_names(self) -> Vec<$key> {
                vec![self.into_name()]
            }
        }
    )+)+};
}

singles! {
    String: String, &String, &str;
    char: char, &char;
    u8: u8, &u8;
    u16: u16, &u16;
    u32: u32, &u32;
    u64: u64, &u64;
    u128: u128, &u128;
    usize: usize, &usize;
    i8: i8, &i8;
    i16: i16, &i16;
    i32: i32, &i32;
    i64: i64, &i64;
    i128: i128, &i128;
    isize: isize, &isize;
}
