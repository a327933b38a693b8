//! Names with a value each.

use super::names::{AsName, IntoEntries, sealed};

/// Names with a value each, wherever names alone can be added: `Entries([("disk1", 512)])`, or around a map.
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

impl<K, T, N: AsName<K>, I: IntoIterator<Item = (N, T)>> sealed::Addable<K, T> for Entries<I> {}

impl<K, T, N: AsName<K>, I: IntoIterator<Item = (N, T)>> IntoEntries<K, T> for Entries<I> {
    fn into_entries(self) -> Vec<(K, T)> {
        self.0.into_iter().map(|(name, value)| (name.into_name(), value)).collect()
    }
}
