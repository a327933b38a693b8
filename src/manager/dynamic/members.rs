//! How a session whose levels are known only at run time adds and removes members.

use super::{DynRequest, DynSession};
use crate::by_mode::ByMode;
use crate::level::{Hierarchy, LevelOf, Modifiable, SetOf};
use crate::manager::error::{AtLevel, SessionError};
use crate::manager::order::OrderError;
use crate::mode::{Exclusive, LockMode, Shared};
use crate::set::{Add, IntoEntries, Names, Remove, Unheld};
use std::panic::Location;

/// A request to add names.
type Adding<L> = Add<SetOf<L>, Unheld>;

/// A request to add names and hold them.
type AddingHeld<L> = ByMode<Add<SetOf<L>, Shared>, Add<SetOf<L>, Exclusive>>;

/// A request to remove names.
type Removing<L> = Remove<SetOf<L>>;

/// Adding and removing members.
impl<H: Hierarchy> DynSession<H> {
    /// Adds names to level `L` and leaves them free.
    ///
    /// Each gets the default value or, with [`Entries`](crate::Entries), its own. Nothing may be held at `L` or above.
    /// See [`CanAdd`](crate::CanAdd) for an example of its counterpart.
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
    /// [`OrderError::NotAbove`]; and those of [`Session::add`](crate::Session::add). Nothing has been added.
    #[track_caller]
    pub fn add<L>(&mut self, entries: impl IntoEntries<L::Name, L::Value>) -> DynRequest<'_, H, L, Adding<L>>
    where
        L: Modifiable + LevelOf<H>,
    {
        let (order, set) = (self.may_wait_for::<L>(), self.set::<L>());
        DynRequest::on(self, order, Add::new(set, entries), Location::caller())
    }

    /// Adds names to level `L`, and holds them in this mode before any other request can.
    ///
    /// Nothing may be held at `L` or above. See [`Session::add_exclusive`](crate::Session::add_exclusive) for an
    /// example of its counterpart.
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
    /// [`OrderError::NotAbove`]; and those of [`Session::add_exclusive`](crate::Session::add_exclusive). Nothing has
    /// been added.
    #[track_caller]
    pub fn add_in<L>(
        &mut self,
        entries: impl IntoEntries<L::Name, L::Value>,
        mode: LockMode,
    ) -> DynRequest<'_, H, L, AddingHeld<L>>
    where
        L: Modifiable + LevelOf<H>,
    {
        let (order, set) = (self.may_wait_for::<L>(), self.set::<L>());
        let request = match mode {
            LockMode::Shared => ByMode::shared(Add::new(set, entries)),
            LockMode::Exclusive => ByMode::exclusive(Add::new(set, entries)),
        };
        DynRequest::on(self, order, request, Location::caller())
    }

    /// Adds names to level `L` and to what this session holds of it, without waiting.
    ///
    /// The level must be the highest held, and held exclusively and as [`All`](crate::All). See
    /// [`HoldsTop`](crate::level::HoldsTop) for an example of its counterpart.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotHeld`], [`OrderError::NotExclusive`], [`OrderError::NotTop`]; and those of
    /// [`Session::add_held`](crate::Session::add_held). Nothing has been added.
    pub fn add_held<L>(&mut self, entries: impl IntoEntries<L::Name, L::Value>) -> Result<(), SessionError>
    where
        L: Modifiable + LevelOf<H>,
    {
        let highest = self.reached::<L>();
        self.exclusive_slot::<L>()?;
        if let Some(held) = highest.filter(|held| *held != L::NAME) {
            return Err(OrderError::NotTop { level: L::NAME, held }.into());
        }
        self.renaming::<L>()?.add_held(entries).map_err(AtLevel::<L>::at_level)
    }

    /// Removes names from level `L`; resolves to those that this call removed, in name order.
    ///
    /// Nothing may be held at `L` or above.
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
    /// [`OrderError::NotAbove`], [`SessionError::AlreadyHeld`]. Nothing has been removed.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), lockladder::SessionError> {
    /// use lockladder::{LockManager, LockMode, SessionError, ganeti::seed::{Node, Seed}};
    /// use std::time::Duration;
    ///
    /// let manager: LockManager<Seed> = LockManager::builder().names::<Node>(["node1", "node2"]).build();
    /// let busy = manager.shared("busy").await?.shared::<Node>("node2").await?;
    /// let mut job = manager.dynamic("from a file", LockMode::Shared).await?;
    /// assert_eq!(job.remove::<Node>("node1").await?, ["node1"]);
    /// let error = job.remove::<Node>("node2").timeout(Duration::from_millis(50)).await.unwrap_err();
    /// assert!(matches!(error, SessionError::TimedOut { level: "Node", .. }));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn remove<L>(&mut self, names: impl Names<L::Name>) -> DynRequest<'_, H, L, Removing<L>>
    where
        L: Modifiable + LevelOf<H>,
    {
        let (order, set) = (self.may_wait_for::<L>(), self.set::<L>());
        DynRequest::on(self, order, Remove::new(set, names), Location::caller())
    }

    /// Removes names of level `L` that this session holds exclusively, without waiting.
    ///
    /// Higher levels may be held. See [`Session::add_exclusive`](crate::Session::add_exclusive) for an example of its
    /// counterpart.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotHeld`], [`OrderError::NotExclusive`]; [`SessionError::NotHeld`] with the names that are not
    /// held. Nothing is removed then.
    pub fn remove_held<L>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError>
    where
        L: Modifiable + LevelOf<H>,
    {
        self.renaming::<L>()?.remove(names).map(drop).map_err(AtLevel::<L>::at_level)
    }
}
