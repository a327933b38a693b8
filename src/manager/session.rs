//! A session: what one flow of work holds, as a value that climbs from level to level.

use super::LockManager;
use super::climb::{Climb, Modify};
use super::error::{AtLevel, SessionError};
use crate::level::{
    CanAcquire, CanAdd, Downgrade, Held, HeldList, Hierarchy, Holds, HoldsExclusive, Level, LevelGuard, Modifiable,
    NotRoot, Release, Top,
};
use crate::mode::{Exclusive, Mode, Shared};
use crate::set::{Add, Free, LockSet, NameList, Names, Remove, SetAcquire, Want, with_defaults};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The set behind level `L`, as a session reaches it.
type SetOf<L> = Arc<LockSet<<L as Level>::Name>>;

/// What one flow of work holds of a [`LockManager`]; dropping it releases everything, highest level first.
///
/// `S` is the exact list of levels held, with modes, as [`held!`](crate::held) writes it:
/// `Session<Seed, held![shared Cluster, exclusive Instance]>`. A session is `Send + Sync + 'static` unless it is
/// [nested](Self::nest): store it in a struct, move it into `tokio::spawn`.
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
/// use lockladder::{All, LockManager, Session, held};
///
/// let manager: LockManager<Seed> =
///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1", "node2"]).build();
/// let job = manager.shared("verify").await?.shared::<Instance>(All).await?;
/// let mut job: Session<Seed, held![shared Cluster, shared Instance, exclusive Node]> =
///     job.exclusive::<Node>(All).await?;
/// job.release_names::<Node>("node2")?;         // a part of a level
/// let job = job.downgrade::<Node>();           // from exclusive to shared, in the type
/// let job = job.release::<Instance>();         // a level in the middle
/// assert_eq!(job.owned::<Node>().names(), ["node1"]);
/// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
/// ```
///
/// The wrong order does not compile:
///
/// ```compile_fail,E0277
/// # use lockladder::{LockManager, ganeti::seed::{Instance, Node, Seed}};
/// # async fn wrong(manager: LockManager<Seed>) -> Result<(), lockladder::SessionError> {
/// let job = manager.shared("job").await?.shared::<Node>("node1").await?;
/// let job = job.shared::<Instance>("web1").await?; // lock order violation: cannot acquire level `Instance` ...
/// # Ok(()) }
/// ```
#[must_use = "dropping a session releases every lock it holds"]
pub struct Session<H: Hierarchy, S> {
    held: S,
    manager: LockManager<H>,
    label: Cow<'static, str>,
}

impl<H: Hierarchy, S> Session<H, S> {
    pub(super) fn new(manager: LockManager<H>, label: Cow<'static, str>, held: S) -> Self {
        Self { held, manager, label }
    }

    /// What the session is for, as given when it began.
    pub fn label(&self) -> &str {
        &self.label
    }

    fn set<L: NotRoot<In = H>>(&self) -> SetOf<L> {
        Arc::clone(L::set(&self.manager.locks.sets))
    }

    /// One level higher.
    pub(super) fn climbed<L: Level, M: Mode>(self, guard: LevelGuard<L, M>) -> Session<H, Held<L, M, S>> {
        Session::new(self.manager, self.label, Held::new(guard, self.held))
    }
}

/// Acquiring: upwards only.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Waits for names of level `L`, or [`All`](crate::All), to share them. Nothing may be held at `L` or above.
    ///
    /// A level acquired with no names still counts as held until it is released: both branches of an `if` have one
    /// type. (The seed forgets such a level.)
    ///
    /// # Fairness
    ///
    /// That of [`LockSet`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the session in it, which releases everything; what it waited for is as if never asked.
    /// To keep what was held before, acquire through [`nest`](Self::nest), or [`reclaim`](Climb::reclaim) the session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Deleted`].
    pub fn shared<L>(self, names: impl Names<L::Name>) -> Climb<H, S, L, Shared>
    where
        L: NotRoot<In = H>,
        S: CanAcquire<L>,
    {
        self.climb(names)
    }

    /// Waits for names of level `L`, or [`All`](crate::All), to have them alone. Nothing may be held at `L` or above.
    ///
    /// Otherwise as [`shared`](Self::shared).
    ///
    /// # Errors
    ///
    /// [`SessionError::Unknown`], [`SessionError::Deleted`].
    pub fn exclusive<L>(self, names: impl Names<L::Name>) -> Climb<H, S, L, Exclusive>
    where
        L: NotRoot<In = H>,
        S: CanAcquire<L>,
    {
        self.climb(names)
    }

    fn climb<L, M: Mode>(self, names: impl Names<L::Name>) -> Climb<H, S, L, M>
    where
        L: NotRoot<In = H>,
        S: CanAcquire<L>,
    {
        const { S::ORDER_OK }
        let acquire = SetAcquire::of(self.set::<L>(), names, Want::All);
        Climb::new(self, acquire)
    }

    /// A session inside this one. It may use what this one holds and climb on; what it acquires ends with it, and this
    /// one is as before, also if the nested one fails or is dropped at an await.
    ///
    /// A nested session releases, downgrades and removes only what it acquired itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockManager, ganeti::seed::{Instance, Node, Seed}};
    ///
    /// let manager: LockManager<Seed> =
    ///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1"]).build();
    /// let mut job = manager.shared("job").await?.exclusive::<Instance>("web1").await?;
    /// assert!(job.nest().shared::<Node>("node9").await.is_err());
    /// let inner = job.nest().shared::<Node>("node1").await?;
    /// assert_eq!(inner.owned::<Instance>().names(), ["web1"]);
    /// drop(inner);
    /// assert_eq!(job.owned::<Instance>().names(), ["web1"]);
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn nest(&mut self) -> Session<H, &mut S> {
        Session::new(self.manager.clone(), self.label.clone(), &mut self.held)
    }
}

/// Giving back what this session acquired itself.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Releases level `L`, whether or not higher levels are held.
    pub fn release<L>(self) -> Session<H, S::Without>
    where
        L: NotRoot<In = H>,
        S: Release<L>,
    {
        let (guard, held) = self.held.split();
        drop(guard);
        Session::new(self.manager, self.label, held)
    }

    /// Releases some names of level `L`, and the whole-set lock if the level is held as [`All`](crate::All).
    ///
    /// The level counts as held, even if nothing of it is left, until [`release`](Self::release).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with those names that are not held; nothing is released then.
    pub fn release_names<L>(&mut self, names: impl NameList<L::Name>) -> Result<(), SessionError>
    where
        L: NotRoot<In = H>,
        S: Release<L>,
    {
        self.held.own_guard().release(names).map_err(AtLevel::<L>::at_level)
    }

    /// Turns an exclusive hold of level `L`, or of the root, into a shared one; see
    /// [`Guard::downgrade`](crate::Guard::downgrade).
    pub fn downgrade<L>(self) -> Session<H, S::Downgraded>
    where
        L: Level<In = H>,
        S: Downgrade<L>,
    {
        Session::new(self.manager, self.label, self.held.downgrade())
    }

    /// What this session holds of level `L`: its names, in name order, and the mode.
    pub fn owned<L>(&self) -> &LevelGuard<L, S::Mode>
    where
        L: NotRoot<In = H>,
        S: Holds<L>,
    {
        self.held.guard()
    }
}

/// Members that come and go.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Adds names to level `L`, free for everybody. Nothing may be held at `L` or above.
    ///
    /// # Fairness
    ///
    /// Waits until nobody holds the level as a whole.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`]; nothing was added.
    pub fn add<L>(&mut self, names: impl NameList<L::Name>) -> Modify<'_, L, Add<SetOf<L>, Free>>
    where
        L: Modifiable<In = H>,
        S: CanAdd<L>,
    {
        const { S::ORDER_OK }
        Modify::new(Add::new(self.set::<L>(), with_defaults(names)))
    }

    /// Adds names to level `L` and holds them exclusively before anybody else can. Nothing may be held at `L` or above.
    ///
    /// # Fairness
    ///
    /// Waits until nobody holds the level as a whole.
    ///
    /// # Cancel safety
    ///
    /// That of [`exclusive`](Self::exclusive); dropped before it resolves, it has added nothing.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`]; nothing was added.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::{LockManager, ganeti::seed::{Instance, Seed}};
    ///
    /// let manager: LockManager<Seed> = LockManager::builder().build();
    /// let mut job = manager.shared("create web1").await?.add_exclusive::<Instance>("web1").await?;
    /// assert_eq!(manager.names::<Instance>(), ["web1"]);
    /// job.remove_held::<Instance>("web1")?; // creating it has failed
    /// assert!(manager.names::<Instance>().is_empty());
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn add_exclusive<L>(self, names: impl NameList<L::Name>) -> Climb<H, S, L, Exclusive, Add<SetOf<L>, Exclusive>>
    where
        L: Modifiable<In = H>,
        S: CanAdd<L>,
    {
        const { S::ORDER_OK }
        let add = Add::new(self.set::<L>(), with_defaults(names));
        Climb::new(self, add)
    }

    /// As [`add_exclusive`](Self::add_exclusive), and shares the new names.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`]; nothing was added.
    pub fn add_shared<L>(self, names: impl NameList<L::Name>) -> Climb<H, S, L, Shared, Add<SetOf<L>, Shared>>
    where
        L: Modifiable<In = H>,
        S: CanAdd<L>,
    {
        const { S::ORDER_OK }
        let add = Add::new(self.set::<L>(), with_defaults(names));
        Climb::new(self, add)
    }

    /// Adds names to level `L` and to what this session holds of it, without waiting. The level must be the highest
    /// held, and held exclusively and as [`All`](crate::All).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotWhole`] if it is not held as `All`, or a part of it has been released;
    /// [`SessionError::Exists`], [`SessionError::Repeated`]. Nothing was added.
    pub fn add_held<L>(&mut self, names: impl NameList<L::Name>) -> Result<(), SessionError>
    where
        L: Modifiable<In = H>,
        S: Top<L> + HoldsExclusive<L>,
    {
        self.held.exclusive_guard().add_held(names).map_err(AtLevel::<L>::at_level)
    }

    /// Removes names from level `L`; resolves to those that this call removed, in name order. Nothing may be held at
    /// `L` or above.
    ///
    /// Names that do not exist, or that others remove meanwhile, are not in the result.
    ///
    /// # Fairness
    ///
    /// Waits for all of the names exclusively, then removes them in one step.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it resolves, it has removed nothing.
    pub fn remove<L>(&mut self, names: impl NameList<L::Name>) -> Modify<'_, L, Remove<SetOf<L>>>
    where
        L: Modifiable<In = H>,
        S: CanAdd<L>,
    {
        const { S::ORDER_OK }
        Modify::new(Remove::new(self.set::<L>(), names))
    }

    /// Removes names of level `L` that this session holds exclusively, without waiting; higher levels may be held.
    /// Whoever waits for one of them gets [`SessionError::Deleted`].
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with those names that are not held; nothing is removed then.
    pub fn remove_held<L>(&mut self, names: impl NameList<L::Name>) -> Result<(), SessionError>
    where
        L: Modifiable<In = H>,
        S: Release<L> + HoldsExclusive<L>,
    {
        self.held.exclusive_guard().remove(names).map(drop).map_err(AtLevel::<L>::at_level)
    }
}

impl<H: Hierarchy, S: HeldList> fmt::Debug for Session<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("label", &self.label);
        self.held.show(&mut out);
        out.finish_non_exhaustive()
    }
}
