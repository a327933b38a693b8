//! How callers write what they add: names alone, or names with a value each.

use super::names::sealed;

/// Names with a value each, where names alone could be added: `Entries([("disk1", 512)])`, or around a map.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::{Entries, LockSet};
/// use std::collections::BTreeMap;
///
/// let sizes: LockSet<String, u64> = LockSet::default();
/// sizes.add(["disk1", "disk2"]).await?; // With the default value, 0.
/// sizes.add(Entries([("disk3", 512)])).await?;
/// sizes.add(Entries(BTreeMap::from([("disk4", 256)]))).await?;
/// assert_eq!(sizes.shared("disk4").await?["disk4"], 256);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entries<I>(pub I);

/// What can be added to a set of `K` with values `T`: [`Names`](super::Names), each with the default value, or
/// [`Entries`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be added to locks whose names are `{K}` and whose values are `{T}`",
    label = "expected names of type `{K}`, or `Entries` of names and values",
    note = "names alone are added with the default value, so `{T}` must be `Default`; `Entries([(name, value)])` gives each its own",
    note = "one name may stand alone if it is a string, an integer or a `char`; any other goes into an array of one"
)]
pub trait IntoEntries<K, T>: sealed::List<K> {
    /// The names as given, in this order, with repetitions, and their values.
    #[doc(hidden)]
    fn into_entries(self) -> Vec<(K, T)>;
}

impl<K, I> sealed::List<K> for Entries<I> {}

impl<K, T, N: Into<K>, I: IntoIterator<Item = (N, T)>> IntoEntries<K, T> for Entries<I> {
    fn into_entries(self) -> Vec<(K, T)> {
        self.0.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }
}

/// For lists of names, each with the default value.
pub(super) fn with_defaults<K, T: Default>(names: impl super::Names<K>) -> Vec<(K, T)> {
    use super::AsName;
    names.listed().map(|name| (name.into_name(), T::default())).collect()
}
