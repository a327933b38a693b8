//! How a session adds and removes members of levels.

use super::error::{AtLevel, SessionError};
use super::modify::{Changer, Modify};
use super::request::SessionRequest;
use super::session::{Climb, Session};
use crate::level::{
    CanAdd, CanRelease, HeldList, Hierarchy, HoldsExclusive, HoldsTop, LevelOf, Modifiable, SetOf, checks,
};
use crate::mode::{Exclusive, Mode, Shared};
use crate::set::{Add, Added, IntoEntries, Names, Remove, Unheld};
use std::panic::Location;

/// Adding and removing members.
impl<H: Hierarchy, S: HeldList> Session<H, S> {
    /// Adds names to level `L` and leaves them free.
    ///
    /// Each gets the default value or, with [`Entries`](crate::Entries), its own. Nothing may be held at `L` or above.
    /// See [`CanAdd`] for an example.
    ///
    /// # Fairness
    ///
    /// Waits until no session holds the level as a whole; see [`Add`].
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Nothing has been added.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`], [`SessionError::AlreadyHeld`]. Nothing has been added.
    #[track_caller]
    pub fn add<L>(&mut self, entries: impl IntoEntries<L::Name, L::Value>) -> Modify<'_, L, Add<SetOf<L>, Unheld>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        const { checks::may_acquire::<S, L>() }
        SessionRequest::new(Changer::new(&self.claim, Location::caller()), Add::new(self.set::<L>(), entries))
    }

    /// Adds names to level `L`, and holds them exclusively before any other request can.
    ///
    /// Nothing may be held at `L` or above.
    ///
    /// # Fairness
    ///
    /// Waits until no session holds the level as a whole; see [`Add`].
    ///
    /// # Cancel safety
    ///
    /// That of [`exclusive`](Self::exclusive), and nothing has been added.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`], [`SessionError::AlreadyHeld`]. Nothing has been added.
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
    #[track_caller]
    pub fn add_exclusive<L>(
        self,
        entries: impl IntoEntries<L::Name, L::Value>,
    ) -> Climb<H, S, L, Exclusive, Add<SetOf<L>, Exclusive>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.climb_adding(entries)
    }

    /// As [`add_exclusive`](Self::add_exclusive), but shares the new names.
    ///
    /// # Errors
    ///
    /// [`SessionError::Exists`], [`SessionError::Repeated`], [`SessionError::AlreadyHeld`]. Nothing has been added.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio_test::block_on(async {
    /// use lockladder::Entries;
    /// lockladder::hierarchy! {
    ///     struct Bank { root Ledger, level Account: u32 => i64 }
    /// }
    /// let bank: lockladder::LockManager<Bank> = lockladder::LockManager::builder().build();
    /// let job = bank.shared("open").await?.add_shared::<Account>(Entries([(7_u32, 100)])).await?;
    /// assert_eq!(job.get::<Account>(7), Some(&100));
    /// # Ok::<_, lockladder::SessionError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn add_shared<L>(
        self,
        entries: impl IntoEntries<L::Name, L::Value>,
    ) -> Climb<H, S, L, Shared, Add<SetOf<L>, Shared>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        self.climb_adding(entries)
    }

    #[track_caller]
    fn climb_adding<L, M>(self, entries: impl IntoEntries<L::Name, L::Value>) -> Climb<H, S, L, M, Add<SetOf<L>, M>>
    where
        L: Modifiable + LevelOf<H>,
        M: Mode + Added<SetOf<L>>,
        S: CanAdd<L>,
    {
        const { checks::may_acquire::<S, L>() }
        let add = Add::new(self.set::<L>(), entries);
        Climb::up(self, add, Location::caller())
    }

    /// Adds names to level `L` and to what this session holds of it, without waiting.
    ///
    /// The level must be the highest held, and held exclusively and as [`All`](crate::All). See [`HoldsTop`] for an
    /// example.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotWhole`] if the level is not held as `All`, or if a part of it has been released;
    /// [`SessionError::Exists`], [`SessionError::Repeated`]. Nothing has been added.
    pub fn add_held<L>(&mut self, entries: impl IntoEntries<L::Name, L::Value>) -> Result<(), SessionError>
    where
        L: Modifiable + LevelOf<H>,
        S: HoldsTop<L> + HoldsExclusive<L>,
    {
        const { checks::is_top::<S, L>() }
        const { checks::is_exclusive::<S, L>() }
        let mut guard = self.claim.record().renaming(L::INDEX, self.held.exclusive_guard());
        guard.add_held(entries).map_err(AtLevel::<L>::at_level)
    }

    /// Removes names from level `L`; resolves to those that this call removed, in name order.
    ///
    /// Nothing may be held at `L` or above. Names that do not exist, or that another request removes meanwhile, are not
    /// in the result. See [`DynSession::remove`](crate::DynSession::remove) for an example.
    ///
    /// # Fairness
    ///
    /// Waits for all of the names exclusively, then removes them in one step.
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. Nothing has been removed.
    ///
    /// # Errors
    ///
    /// [`SessionError::AlreadyHeld`]. Nothing has been removed.
    #[track_caller]
    pub fn remove<L>(&mut self, names: impl Names<L::Name>) -> Modify<'_, L, Remove<SetOf<L>>>
    where
        L: Modifiable + LevelOf<H>,
        S: CanAdd<L>,
    {
        const { checks::may_acquire::<S, L>() }
        SessionRequest::new(Changer::new(&self.claim, Location::caller()), Remove::new(self.set::<L>(), names))
    }

    /// Removes names of level `L` that this session holds exclusively, without waiting.
    ///
    /// Higher levels may be held. A request that waits for one of the names gets [`SessionError::Deleted`]. See
    /// [`add_exclusive`](Self::add_exclusive) for an example.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotHeld`] with the names that are not held; nothing is removed then.
    pub fn remove_held<L>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError>
    where
        L: Modifiable + LevelOf<H>,
        S: CanRelease<L> + HoldsExclusive<L>,
    {
        const { checks::is_own::<S, L>() }
        const { checks::is_exclusive::<S, L>() }
        let mut guard = self.claim.record().renaming(L::INDEX, self.held.exclusive_guard());
        guard.remove(names).map(drop).map_err(AtLevel::<L>::at_level)
    }
}
