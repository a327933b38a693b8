//! The verbs of named locks, written as their users write them. An adapter does not implement what its peer cannot do.

use std::future::Future;

use lockladder::{LockSet, OpenSet};

/// Named locks that can be held exclusively.
pub(crate) trait Named: Send + Sync + Sized + 'static {
    /// A set with a member for each of these names; an empty one if the peer is a pool, which makes its members on
    /// demand.
    fn of(names: impl Iterator<Item = String>) -> Self;

    /// Resolves to the guard, or to a result that holds it.
    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send;
}

/// Several names at once, in any order.
pub(crate) trait Several: Named {
    fn several(&self, names: &[&str]) -> impl Future<Output: Send> + Send;
}

/// Members that come and go.
pub(crate) trait Changing: Named {
    fn add(&self, name: String) -> impl Future<Output = ()> + Send;
    fn remove(&self, name: &str) -> impl Future<Output = ()> + Send;
}

/// Our sets.
pub(crate) type Set = LockSet<String>;
pub(crate) type Open = OpenSet<String>;

impl Named for Set {
    fn of(names: impl Iterator<Item = String>) -> Self {
        names.collect()
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        self.exclusive(name)
    }
}

impl Several for Set {
    fn several(&self, names: &[&str]) -> impl Future<Output: Send> + Send {
        self.exclusive(names)
    }
}

impl Changing for Set {
    async fn add(&self, name: String) {
        self.add(name).await.expect("the name is new");
    }

    async fn remove(&self, name: &str) {
        let removed = self.remove(name).await.expect("it has no deadline");
        assert_eq!(removed.len(), 1, "nobody else removes names");
    }
}

impl Named for Open {
    fn of(_: impl Iterator<Item = String>) -> Self {
        Self::new()
    }

    fn exclusive(&self, name: &str) -> impl Future<Output: Send> + Send {
        self.exclusive(name)
    }
}
