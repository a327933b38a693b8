//! Two ways to take several named locks.

use std::future::Future;

use lockladder::{All, LockSet, SharedLock};

use crate::jobs::{How, Which};

/// What is held until it is dropped.
pub(crate) trait Hold {}

impl<T> Hold for T {}

pub(crate) type Held<'a> = Box<dyn Hold + 'a>;

/// The locks of one level.
pub(crate) trait Scheme: Sized + 'static {
    /// Locks numbered from 0, in the order of their names.
    fn new(names: impl Iterator<Item = String>) -> Self;

    /// Waits for some of them.
    fn acquire(&self, which: &Which, how: How) -> impl Future<Output = Held<'_>>;
}

/// One by one in name order, each kept while the next is waited for.
pub(crate) struct Ordered {
    locks: Vec<SharedLock>,
}

impl Scheme for Ordered {
    fn new(names: impl Iterator<Item = String>) -> Self {
        Self { locks: names.map(|_| SharedLock::new(())).collect() }
    }

    async fn acquire(&self, which: &Which, how: How) -> Held<'_> {
        let locks: Vec<_> = match which {
            Which::All => self.locks.iter().collect(),
            Which::Some(numbers) => numbers.iter().map(|number| &self.locks[*number]).collect(),
        };
        let mut held: Vec<Held<'_>> = Vec::with_capacity(locks.len());
        for lock in locks {
            held.push(one(lock, how).await);
        }
        Box::new(held)
    }
}

/// All at once.
pub(crate) struct Atomic {
    names: Vec<String>,
    set: LockSet<String>,
}

impl Scheme for Atomic {
    fn new(names: impl Iterator<Item = String>) -> Self {
        let names: Vec<_> = names.collect();
        Self { set: names.iter().cloned().collect(), names }
    }

    async fn acquire(&self, which: &Which, how: How) -> Held<'_> {
        const NEVER: &str = "nothing is removed";
        let names = |numbers: &[usize]| numbers.iter().map(|number| &self.names[*number]).collect::<Vec<_>>();
        match (which, how) {
            (Which::All, How::Shared) => Box::new(self.set.shared(All).await.expect(NEVER)),
            (Which::All, How::Exclusive) => Box::new(self.set.exclusive(All).await.expect(NEVER)),
            (Which::Some(some), How::Shared) => Box::new(self.set.shared(names(some)).await.expect(NEVER)),
            (Which::Some(some), How::Exclusive) => Box::new(self.set.exclusive(names(some)).await.expect(NEVER)),
        }
    }
}

/// One lock by itself.
pub(crate) async fn one(lock: &SharedLock, how: How) -> Held<'_> {
    const NEVER: &str = "nothing is deleted";
    match how {
        How::Shared => Box::new(lock.shared().await.expect(NEVER)),
        How::Exclusive => Box::new(lock.exclusive().await.expect(NEVER)),
    }
}
