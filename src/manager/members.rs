//! Members of levels that come and go.

use super::climb::Climb;
use super::error::{AtLevel, SessionError};
use super::modify::{Changer, Modify};
use super::request::SessionRequest;
use super::session::Session;
use crate::level::{
    CanAdd, HeldList, Hierarchy, HoldsExclusive, Level, LevelOf, Modifiable, Release, SetOf, Top, checks,
};
use crate::mode::{Exclusive, Mode, Shared};
use crate::set::{Add, Added, Free, Names, Remove, owned, with_defaults};

/// Names and values to add to a level.
type Entries<L> = Vec<(<L as Level>::Name, <L as Level>::Value)>;

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
    /// [`SessionError::Exists`], [`SessionError::Repeated`], [`SessionError::AlreadyHeld`]; nothing was added.
    pub fn add<L>(&mut self, names: impl Names<L::Name>) -> Modify<'_, L, Add<SetOf<L>, Free>>
    where
        L: Modifiable<Value: Default> + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.added(with_defaults(names))
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
    /// [`SessionError::Exists`], [`SessionError::Repeated`], [`SessionError::AlreadyHeld`]; nothing was added.
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
    pub fn add_exclusive<L>(self, names: impl Names<L::Name>) -> Climb<H, S, L, Exclusive, Add<SetOf<L>, Exclusive>>
    where
        L: Modifiable<Value: Default> + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.climb_adding(with_defaults(names))
    }

    /// As [`add_exclusive`](Self::add_exclusive), and shares the new names.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`], [`SessionError::AlreadyHeld`]; nothing was added.
    pub fn add_shared<L>(self, names: impl Names<L::Name>) -> Climb<H, S, L, Shared, Add<SetOf<L>, Shared>>
    where
        L: Modifiable<Value: Default> + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.climb_adding(with_defaults(names))
    }

    /// As [`add`](Self::add), with a value for each name.
    ///
    /// # Errors
    ///
    /// Those of [`add`](Self::add).
    pub fn add_entries<L>(
        &mut self,
        entries: impl IntoIterator<Item = (impl Into<L::Name>, L::Value)>,
    ) -> Modify<'_, L, Add<SetOf<L>, Free>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.added(owned(entries))
    }

    /// As [`add_exclusive`](Self::add_exclusive), with a value for each name.
    ///
    /// # Errors
    ///
    /// Those of [`add_exclusive`](Self::add_exclusive).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// lockladder::hierarchy! {
    ///     struct Bank { root Ledger, level Account: u32 => i64 }
    /// }
    /// let bank: lockladder::LockManager<Bank> = lockladder::LockManager::builder().build();
    /// let mut job = bank.shared("open").await?.add_entries_exclusive::<Account>([(7_u32, 100)]).await?;
    /// assert_eq!(job.get_mut::<Account>(7), Some(&mut 100));
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    pub fn add_entries_exclusive<L>(
        self,
        entries: impl IntoIterator<Item = (impl Into<L::Name>, L::Value)>,
    ) -> Climb<H, S, L, Exclusive, Add<SetOf<L>, Exclusive>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.climb_adding(owned(entries))
    }

    /// As [`add_shared`](Self::add_shared), with a value for each name.
    ///
    /// # Errors
    ///
    /// Those of [`add_shared`](Self::add_shared).
    pub fn add_entries_shared<L>(
        self,
        entries: impl IntoIterator<Item = (impl Into<L::Name>, L::Value)>,
    ) -> Climb<H, S, L, Shared, Add<SetOf<L>, Shared>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.climb_adding(owned(entries))
    }

    fn added<L>(&mut self, entries: Entries<L>) -> Modify<'_, L, Add<SetOf<L>, Free>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        const { checks::may_acquire::<S, L>() }
        SessionRequest::new(Changer::new(self.record()), Add::new(self.set::<L>(), entries))
    }

    fn climb_adding<L, M>(self, entries: Entries<L>) -> Climb<H, S, L, M, Add<SetOf<L>, M>>
    where
        L: Modifiable + LevelOf<H>,
        M: Mode + Added<SetOf<L>>,
        S: CanAdd<L>,
    {
        const { checks::may_acquire::<S, L>() }
        let add = Add::new(self.set::<L>(), entries);
        Climb::up(self, add)
    }

    /// Adds names to level `L` and to what this session holds of it, without waiting. The level must be the highest
    /// held, and held exclusively and as [`All`](crate::All).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotWhole`] if it is not held as `All`, or a part of it has been released;
    /// [`SessionError::Exists`], [`SessionError::Repeated`]. Nothing was added.
    pub fn add_held<L>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError>
    where
        L: Modifiable<Value: Default> + LevelOf<H>,
        S: Top<L> + HoldsExclusive<L>,
    {
        const { checks::is_top::<S, L>() }
        const { checks::is_exclusive::<S, L>() }
        self.held.exclusive_guard().add_held(names).map_err(AtLevel::<L>::at_level)
    }

    /// As [`add_held`](Self::add_held), with a value for each name.
    ///
    /// # Errors
    ///
    /// Those of [`add_held`](Self::add_held).
    pub fn add_entries_held<L>(
        &mut self,
        entries: impl IntoIterator<Item = (impl Into<L::Name>, L::Value)>,
    ) -> Result<(), SessionError>
    where
        L: Modifiable + LevelOf<H>,
        S: Top<L> + HoldsExclusive<L>,
    {
        const { checks::is_top::<S, L>() }
        const { checks::is_exclusive::<S, L>() }
        self.held.exclusive_guard().add_entries_held(entries).map_err(AtLevel::<L>::at_level)
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
    ///
    /// # Errors
    ///
    /// [`SessionError::AlreadyHeld`]; nothing was removed.
    pub fn remove<L>(&mut self, names: impl Names<L::Name>) -> Modify<'_, L, Remove<SetOf<L>>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        const { checks::may_acquire::<S, L>() }
        SessionRequest::new(Changer::new(self.record()), Remove::new(self.set::<L>(), names))
    }

    /// Removes names of level `L` that this session holds exclusively, without waiting; higher levels may be held.
    /// Whoever waits for one of them gets [`SessionError::Deleted`].
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with those names that are not held; nothing is removed then.
    pub fn remove_held<L>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError>
    where
        L: Modifiable + LevelOf<H>,
        S: Release<L> + HoldsExclusive<L>,
    {
        const { checks::is_own::<S, L>() }
        const { checks::is_exclusive::<S, L>() }
        self.held.exclusive_guard().remove(names).map(drop).map_err(AtLevel::<L>::at_level)
    }
}
