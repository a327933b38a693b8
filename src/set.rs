//! Named locks: several at once, all or nothing; members come and go.
//!
//! ```text
//!   LockSet ─► SetAcquire · Add · Remove (futures) ─► SetGuard
//!      │
//!      ├── whole       a SharedLock: held by who acquired All; `add` needs it exclusively
//!      └── directory   name ─► SharedLock, in name order
//! ```
//!
//! A request takes its locks one by one in name order, the lock of the whole set before any member. As everybody keeps
//! to that order, no two requests of one set can wait for each other.

mod acquire;
mod directory;
mod error;
mod guard;
mod names;

pub use acquire::{Add, Added, Free, Remove, SetAcquire};
pub use error::{AddError, SetError};
pub use guard::SetGuard;
pub use names::{All, Name, NameList, Names};

use crate::lock::{Panics, SharedLock};
use crate::mode::{Exclusive, Shared};
use acquire::Missing;
use directory::{Directory, Member};
use guard::{Held, Hold};
use std::fmt;
use std::sync::Arc;

/// A set of named locks, whose members come and go.
///
/// # Fairness
///
/// A request takes its locks one by one in name order, each by the fairness of [`SharedLock`], so requests cannot
/// deadlock with each other, and none starves.
///
/// # Cancel safety
///
/// Every future here can be dropped at any time, with the effect of never having asked: what it had acquired by then is
/// released, and it has neither added nor removed anything.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::{All, LockSet};
///
/// let nodes: LockSet<String> = LockSet::new(["node1", "node2", "node3"]);
/// let pair = nodes.exclusive(["node2", "node1", "node2"]).await?;
/// assert_eq!(pair.names(), ["node1", "node2"]);
/// drop(pair);
/// let everything = nodes.shared(All).await?;
/// assert_eq!(everything.len(), 3);
/// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
/// ```
///
/// # Limits
///
/// Take all that you need of a set in one call. Whoever holds a part of it and awaits another part can deadlock with
/// someone who does the same the other way round; the same goes for `add` by someone who holds [`All`]. Sessions of a
/// [`LockManager`](crate::LockManager) cannot be written so.
///
/// The `Ord` of the names runs while the directory is locked, and must not call back into the set.
pub struct LockSet<K> {
    whole: Arc<SharedLock>,
    directory: Directory<K>,
}

impl<K: Ord> LockSet<K> {
    /// A set of these names; repeated ones collapse.
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator<Item: Into<K>>,
    {
        names.into_iter().map(Into::into).collect()
    }
}

impl<K: Ord> FromIterator<K> for LockSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(names: I) -> Self {
        Self { whole: Arc::new(SharedLock::new(())), directory: Directory::new(names.into_iter()) }
    }
}

impl<K: Ord> Default for LockSet<K> {
    /// An empty set.
    fn default() -> Self {
        Self::from_iter([])
    }
}

impl<K: Ord + Clone> LockSet<K> {
    /// Waits for these names, or for [`All`], to share them.
    ///
    /// An empty list holds nothing; it needs a type (`[""; 0]`).
    ///
    /// # Fairness
    ///
    /// One by one in name order, each by the fairness of [`SharedLock`]. With `All` the lock of the whole set comes
    /// first, so that `add` waits meanwhile; members that are removed before their turn are skipped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked; what it held by then is released.
    ///
    /// # Errors
    ///
    /// [`SetError::Unknown`] if a name does not exist, [`SetError::Deleted`] if one is removed while this waits, also
    /// when it is added again meanwhile. Either way nothing is held.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["node1", "node2"]);
    /// let (one, both) = (nodes.shared("node1").await?, nodes.shared(["node1", "node2"]).await?);
    /// assert_eq!((one.len(), both.len()), (1, 2));
    /// let error = nodes.shared("node9").await.unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "there is no lock named \"node9\" in this set: add it first, or leave it out"
    /// );
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn shared(&self, names: impl Names<K>) -> SetAcquire<&Self, Shared> {
        SetAcquire::of(self, names)
    }

    /// Waits for these names, or for [`All`], to have them alone.
    ///
    /// Otherwise as [`shared`](Self::shared).
    ///
    /// # Fairness
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped at any time, it is as if it had never asked; what it held by then is released.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockSet};
    /// let ports: LockSet<u16> = LockSet::new([80u16, 443]);
    /// let mut whole = ports.exclusive(All).await?;
    /// assert_eq!(whole.names(), [&80, &443]);
    /// whole.add(8080)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn exclusive(&self, names: impl Names<K>) -> SetAcquire<&Self, Exclusive> {
        SetAcquire::of(self, names)
    }

    /// As [`shared`](Self::shared), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn shared_owned(self: Arc<Self>, names: impl Names<K>) -> SetAcquire<Arc<Self>, Shared> {
        SetAcquire::of(self, names)
    }

    /// As [`exclusive`](Self::exclusive), with a guard that keeps the set alive itself and is `'static`.
    ///
    /// # Errors
    ///
    /// See [`shared`](Self::shared).
    pub fn exclusive_owned(self: Arc<Self>, names: impl Names<K>) -> SetAcquire<Arc<Self>, Exclusive> {
        SetAcquire::of(self, names)
    }

    /// Adds names, free for everybody.
    ///
    /// Whoever awaits this while holding the same set as a whole waits for itself, and uses [`SetGuard::add`] instead.
    ///
    /// # Fairness
    ///
    /// Waits until nobody holds the set as a whole.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`AddError::Exists`] and [`AddError::Repeated`], with the names; nothing was added.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{AddError, LockSet};
    /// let nodes: LockSet<String> = LockSet::new(["node1"]);
    /// nodes.add(["node2", "node3"]).await?;
    /// let error = nodes.add(["node3", "node4"]).await.unwrap_err();
    /// assert_eq!(error, AddError::Exists { names: vec!["node3".to_owned()] });
    /// assert_eq!(nodes.names(), ["node1", "node2", "node3"]);
    /// # Ok::<_, AddError<String>>(()) }).unwrap();
    /// ```
    pub fn add(&self, names: impl NameList<K>) -> Add<&Self, Free> {
        Add::new(self, names.into_names())
    }

    /// As [`add`](Self::add), and holds the new names exclusively before anybody else can.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_exclusive(&self, names: impl NameList<K>) -> Add<&Self, Exclusive> {
        Add::new(self, names.into_names())
    }

    /// As [`add`](Self::add), and shares the new names before anybody else can hold them.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_shared(&self, names: impl NameList<K>) -> Add<&Self, Shared> {
        Add::new(self, names.into_names())
    }

    /// Removes names; resolves to those that this call removed, in name order. Whoever waits for one of them gets
    /// [`SetError::Deleted`].
    ///
    /// Names that do not exist, or that others remove meanwhile, are not in the result. Whoever awaits this while
    /// holding one of the names waits for itself, and uses [`SetGuard::remove`] instead.
    ///
    /// # Fairness
    ///
    /// Waits for all of the names exclusively, as [`exclusive`](Self::exclusive) does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: all names are removed in one step, so a removal dropped half way has removed nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["a", "b", "c"]);
    /// assert_eq!(nodes.remove(["c", "a", "a", "nope"]).await, ["a", "c"]);
    /// assert_eq!(nodes.names(), ["b"]);
    /// # });
    /// ```
    pub fn remove(&self, names: impl NameList<K>) -> Remove<&Self> {
        Remove::new(self, names.into_names())
    }

    /// A copy of all names, in name order; waits for nobody. Consistent in itself and stale the moment it is returned:
    /// for people and tests, not to decide by.
    pub fn names(&self) -> Vec<K> {
        self.directory.all().into_iter().map(|member| (*member.name).clone()).collect()
    }

    /// The members of these names, in their order.
    fn find(&self, names: Vec<K>, missing: Missing) -> Result<Vec<Member<K>>, SetError<K>> {
        let found = self.directory.find(&names);
        match found.iter().position(Option::is_none).and_then(|at| names.into_iter().nth(at)) {
            Some(name) if missing == Missing::Fails => Err(SetError::Unknown { name }),
            _ => Ok(found.into_iter().flatten().collect()),
        }
    }

    /// Adds names that are held from the start, in one step. The caller holds the whole set exclusively.
    fn insert_held(&self, names: Vec<K>) -> Result<Held<K, Exclusive>, AddError<K>> {
        let (members, holds): (Vec<_>, Vec<_>) = names.into_iter().map(Hold::new).unzip();
        self.directory.insert(&members).map_err(|existing| {
            let names = existing.into_iter().map(|member| (*member.name).clone()).collect();
            AddError::Exists { names }
        })?;
        Ok(holds)
    }

    /// Removes members that are held, in one step, and turns away whoever waits for them.
    fn retire(&self, held: Held<K, Exclusive>) {
        let names: Vec<_> = held.iter().map(|hold| Arc::clone(&hold.name)).collect();
        self.directory.remove(&names);
        // Wakers run between one and the next, and may panic: the others are deleted all the same.
        let mut panics = Panics::new();
        for hold in held {
            panics.catch(|| hold.guard.delete());
        }
    }

    /// Adds free names that do not exist yet, before anybody else knows the set.
    pub(crate) fn extend(&self, names: impl Iterator<Item = K>) {
        for name in names {
            // A name that exists stays: repeated ones collapse, as in `new`.
            let _ = self.directory.insert(&[Member::new(name)]);
        }
    }
}

/// Names without order: sorted, each once.
fn sorted<K: Ord>(mut names: Vec<K>) -> Vec<K> {
    names.sort();
    names.dedup();
    names
}

/// Names to add, sorted; repeated ones are an error.
fn unrepeated<K: Ord + Clone>(mut names: Vec<K>) -> Result<Vec<K>, AddError<K>> {
    names.sort();
    let repeated: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
    if repeated.is_empty() { Ok(names) } else { Err(AddError::Repeated { names: sorted(repeated) }) }
}

/// How a guard reaches its set: `&LockSet<K>` or `Arc<LockSet<K>>`. Sealed.
pub trait SetPointer: sealed::Sealed {
    /// What the locks are named by.
    type Name: Ord + Clone;

    #[doc(hidden)]
    fn set(&self) -> &LockSet<Self::Name>;
}

impl<K: Ord + Clone> SetPointer for &LockSet<K> {
    type Name = K;

    fn set(&self) -> &LockSet<K> {
        self
    }
}

impl<K: Ord + Clone> SetPointer for Arc<LockSet<K>> {
    type Name = K;

    fn set(&self) -> &LockSet<K> {
        self
    }
}

mod sealed {
    use super::{Arc, LockSet};

    pub trait Sealed {}
    impl<K> Sealed for &LockSet<K> {}
    impl<K> Sealed for Arc<LockSet<K>> {}
}

/// Shows each member and how it is held, and never waits. Stale at once: for people.
impl<K: Ord + Clone + fmt::Debug> fmt::Debug for LockSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.directory.all();
        f.debug_map().entries(members.iter().map(|member| (&member.name, &member.lock))).finish()
    }
}

// Auto traits are promises: a set and what comes of it move between threads if the names may be shared by threads.
const _: () = {
    const fn is_send<T: Send>() {}
    const fn is_sync<T: Sync>() {}
    is_sync::<LockSet<String>>();
    is_send::<SetAcquire<&LockSet<String>, Shared>>();
    is_send::<Add<Arc<LockSet<String>>, Exclusive>>();
    is_send::<Remove<&LockSet<String>>>();
    is_send::<SetGuard<Arc<LockSet<String>>, Exclusive>>();
    is_sync::<SetGuard<&LockSet<String>, Shared>>();
};
