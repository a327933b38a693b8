//! Holding named locks.

use super::directory::Member;
use super::error::{AddError, SetError};
use super::names::{Name, NameList};
use super::{SetPointer, sorted, unrepeated};
use crate::lock::{Guard, SharedLock};
use crate::mode::{Exclusive, LockMode, Mode, Shared};
use std::fmt;
use std::mem;
use std::sync::Arc;

/// One member held.
pub(crate) struct Hold<K, M: Mode> {
    pub(crate) name: Arc<K>,
    pub(crate) guard: Guard<Arc<SharedLock>, M>,
}

/// Members held, in name order.
pub(crate) type Held<K, M> = Vec<Hold<K, M>>;

impl<K> Hold<K, Exclusive> {
    /// A new member, held before anybody else can know it.
    pub(crate) fn new(name: K) -> (Member<K>, Self) {
        let member = Member::new(name);
        let Ok(guard) = Arc::clone(&member.lock).try_exclusive_owned() else { unreachable!("nobody else knows it") };
        let hold = Self { name: Arc::clone(&member.name), guard };
        (member, hold)
    }
}

/// Members of a set, held in mode `M`; dropping it releases them all.
///
/// Which members, and whether the whole set, is known at run time: [`names`](Self::names),
/// [`is_whole`](Self::is_whole).
#[must_use = "a guard that is dropped at once releases the locks at once"]
pub struct SetGuard<P: SetPointer, M: Mode> {
    pub(crate) set: P,
    /// The lock of the whole set, which keeps `add` out. Released before the members, as the seed does.
    pub(crate) whole: Option<Guard<Arc<SharedLock>, M>>,
    pub(crate) held: Held<P::Name, M>,
}

impl<P: SetPointer, M: Mode> SetGuard<P, M> {
    /// The names held, in name order.
    pub fn names(&self) -> Vec<&P::Name> {
        self.held.iter().map(|hold| &*hold.name).collect()
    }

    /// Whether this name is held by this guard.
    pub fn contains(&self, name: impl Name<P::Name>) -> bool {
        self.position(&name.into_name()).is_ok()
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no name is held. The whole of an empty set can be held, too.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The mode in which all of them are held.
    pub fn mode(&self) -> LockMode {
        M::MODE
    }

    /// Whether the set is held as a whole, so that nothing can be added to it meanwhile.
    pub fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Releases some of the names, and the whole-set lock if it is held: `add` can work again.
    ///
    /// An empty list (`[""; 0]` for a set of `String`s) releases just the whole-set lock.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with those names that are not held; nothing is released then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["a", "b", "c"]);
    /// let mut guard = nodes.exclusive(["a", "b"]).await?;
    /// guard.release("a")?;
    /// assert_eq!(guard.names(), ["b"]);
    /// assert!(guard.release(["a", "b"]).is_err(), "a is not held any more");
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn release(&mut self, names: impl NameList<P::Name>) -> Result<(), SetError<P::Name>> {
        let released = self.take(names)?;
        drop(self.whole.take());
        drop(released);
        Ok(())
    }

    /// Takes these names out of the guard, still locked.
    fn take(&mut self, names: impl NameList<P::Name>) -> Result<Held<P::Name, M>, SetError<P::Name>> {
        let names = sorted(names.into_names());
        let (names, unheld): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| self.position(name).is_ok());
        if !unheld.is_empty() {
            return Err(SetError::NotHeld { names: unheld });
        }
        let taken = |hold: &Hold<P::Name, M>| names.binary_search(&hold.name).is_ok();
        let (taken, kept) = mem::take(&mut self.held).into_iter().partition(taken);
        self.held = kept;
        Ok(taken)
    }

    fn position(&self, name: &P::Name) -> Result<usize, usize> {
        self.held.binary_search_by(|hold| (*hold.name).cmp(name))
    }
}

impl<P: SetPointer> SetGuard<P, Exclusive> {
    /// Turns the exclusive hold into a shared one, name by name, in name order; see [`Guard::downgrade`].
    pub fn downgrade(self) -> SetGuard<P, Shared> {
        let whole = self.whole.map(Guard::downgrade);
        let downgrade = |hold: Hold<_, _>| Hold { name: hold.name, guard: hold.guard.downgrade() };
        SetGuard { set: self.set, whole, held: self.held.into_iter().map(downgrade).collect() }
    }

    /// Removes names that this guard holds from the set: whoever waits for one of them gets `Deleted`.
    ///
    /// # Errors
    ///
    /// [`SetError::NotHeld`] with those names that are not held; nothing is removed then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// let nodes: lockladder::LockSet<String> = lockladder::LockSet::new(["a", "b"]);
    /// let mut guard = nodes.exclusive(["a", "b"]).await?;
    /// guard.remove("a")?;
    /// assert_eq!((guard.names(), nodes.names()), (vec![&"b".to_owned()], vec!["b".to_owned()]));
    /// # Ok::<_, lockladder::SetError<String>>(()) }).unwrap();
    /// ```
    pub fn remove(&mut self, names: impl NameList<P::Name>) -> Result<(), SetError<P::Name>> {
        let removed = self.take(names)?;
        self.set.set().retire(removed);
        Ok(())
    }

    /// Adds names to the set, free for everybody, while this guard holds the whole set.
    ///
    /// # Errors
    ///
    /// [`AddError::NotWhole`] if the guard was not acquired with [`All`](super::All), or a part of it has been
    /// released; [`AddError::Repeated`] and [`AddError::Exists`] with the names. Nothing is added then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{All, LockSet};
    /// let nodes: LockSet<String> = LockSet::new(["a"]);
    /// let mut guard = nodes.exclusive(All).await?;
    /// guard.add("b")?;
    /// guard.add_held("c")?;
    /// assert_eq!(guard.names(), ["a", "c"]);
    /// assert_eq!(nodes.names(), ["a", "b", "c"]);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn add(&mut self, names: impl NameList<P::Name>) -> Result<(), AddError<P::Name>> {
        self.insert(names).map(drop)
    }

    /// As [`add`](Self::add), and this guard holds the new names at once.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_held(&mut self, names: impl NameList<P::Name>) -> Result<(), AddError<P::Name>> {
        let new = self.insert(names)?;
        self.held.extend(new);
        self.held.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(())
    }

    fn insert(&mut self, names: impl NameList<P::Name>) -> Result<Held<P::Name, Exclusive>, AddError<P::Name>> {
        if !self.is_whole() {
            return Err(AddError::NotWhole);
        }
        self.set.set().insert_held(unrepeated(names.into_names())?)
    }
}

impl<P: SetPointer<Name: fmt::Debug>, M: Mode> fmt::Debug for SetGuard<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetGuard")
            .field("mode", &M::MODE)
            .field("whole", &self.is_whole())
            .field("names", &self.names())
            .finish()
    }
}
