//! Sessions whose levels are known only at run time. They return as results what the types of other sessions check.

mod asker;
mod members;

pub use asker::DynRequest;

use super::LockManager;
use super::claim::Claim;
use super::error::{AtLevel, SessionError};
use super::order::OrderError;
use super::record::{Place, Record, Renaming};
use super::session::Session;
use crate::by_mode::ByMode;
use crate::level::{AnyGuard, AnyRoot, HeldListOf, Hierarchy, Level, LevelOf, NotRoot, SetOf, Slots as _, checks};
use crate::lock::block_on;
use crate::mode::{Exclusive, LockMode, Shared};
use crate::panics::Panics;
use crate::set::{AsName, NameArray, NamedLocks, Names, NamesOrAll, SetAcquire, SetGuard, Want};
use std::any::TypeId;
use std::fmt;
use std::iter;
use std::panic::Location;
use std::sync::Arc;

/// A [`Session`] for lists of locks that are known only at run time.
///
/// Dropping it releases everything, highest level first.
///
/// The rules are those of [`Session`]: levels in increasing order, each at most once; the root is taken first and held
/// to the end. Where a `Session` would not compile, this returns an [`OrderError`] at once; it has not waited, and
/// nothing has changed. (The compiler still checks which levels exist, and which of them are fixed.)
///
/// # Examples
///
/// ```
/// # tokio_test::block_on(async {
/// use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
/// use lockladder::{LockManager, LockMode, OrderError, SessionError, held};
///
/// let manager: LockManager<Seed> =
///     LockManager::builder().names::<Instance>(["web1"]).names::<Node>(["node1", "node2"]).build();
/// let wanted = [("instance", "web1"), ("node", "node2")]; // from a file
///
/// let mut job = manager.dynamic("from a file", LockMode::Shared).await?;
/// for (level, name) in wanted {
///     match level {
///         "instance" => job.acquire::<Instance>(name, LockMode::Shared).await?,
///         _ => job.acquire::<Node>(name, LockMode::Exclusive).await?,
///     }
/// }
/// assert_eq!(job.names::<Node>(), ["node2"]);
/// let error = job.acquire::<Instance>("web1", LockMode::Shared).await.unwrap_err();
/// assert_eq!(error, SessionError::Order(OrderError::NotAbove { level: "Instance", held: "Node" }));
///
/// let job = job.into_typed::<held![shared Cluster, shared Instance, exclusive Node]>();
/// assert!(job.is_ok(), "and from here on, types tell");
/// # Ok::<_, SessionError>(()) }).unwrap();
/// ```
///
/// It has no `nest`: a request borrows the session, and leaves it unchanged if the request fails or is dropped. Pass
/// the session to a helper as `&mut`.
#[must_use = "dropping a session releases every lock it holds"]
pub struct DynSession<H: Hierarchy> {
    slots: H::Slots,
    root: AnyRoot,
    claim: Claim<H>,
}

type ExclusiveGuard<L> = SetGuard<SetOf<L>, Exclusive>;

/// A request for names.
type Acquiring<L> = ByMode<SetAcquire<SetOf<L>, Shared>, SetAcquire<SetOf<L>, Exclusive>>;

/// Waits for names of level `L` in a mode known only at run time. It borrows the session.
///
/// Made by [`DynSession::acquire`]. See [`DynSession`] for an example.
pub type DynClimb<'s, H, L> = DynRequest<'s, H, L, Acquiring<L>>;

impl<H: Hierarchy> DynSession<H> {
    pub(super) fn new(root: AnyRoot, claim: Claim<H>) -> Self {
        Self { slots: H::Slots::default(), root, claim }
    }

    /// The label that was given when the session began.
    ///
    /// See [`DynSession`](Self) for an example of a session with a label.
    pub fn label(&self) -> &str {
        self.claim.label()
    }

    /// The manager of this session.
    ///
    /// See [`LockManager`] for an example.
    pub fn manager(&self) -> &LockManager<H> {
        self.claim.manager()
    }

    /// The mode in which the root is held.
    ///
    /// See [`DynSession`](Self) for an example of a session with a shared root.
    pub fn root_mode(&self) -> LockMode {
        self.root.mode()
    }

    /// Whether level `L` is held, even with no names.
    ///
    /// [`names`](Self::names) lists the names; see [`DynSession`](Self) for an example.
    pub fn holds<L: LevelOf<H>>(&self) -> bool {
        self.held() & 1 << L::INDEX != 0
    }

    /// The names held of level `L`, in name order; none if the level is not held.
    ///
    /// See [`DynSession`](Self) for an example.
    pub fn names<L: NotRoot + LevelOf<H>>(&self) -> Vec<L::Name> {
        let names = match &L::slot(&self.slots).0 {
            Some(ByMode::Shared { it }) => it.names(),
            Some(ByMode::Exclusive { it }) => it.names(),
            None => Vec::new(),
        };
        names.into_iter().cloned().collect()
    }

    /// The mode in which level `L` is held, if it is held.
    ///
    /// See [`DynSession`](Self) for an example of levels in both modes.
    pub fn mode<L: NotRoot + LevelOf<H>>(&self) -> Option<LockMode> {
        L::slot(&self.slots).0.as_ref().map(AnyGuard::<L>::mode)
    }

    /// The levels held. Bit `i` stands for the level with index `i`. The record of the session also has those that are
    /// awaited.
    fn held(&self) -> u16 {
        1 | self.slots.held()
    }

    pub(super) fn record(&self) -> &Record {
        self.claim.record()
    }

    /// Stores the guard of level `L`, which is on the record already.
    fn keep<L: NotRoot + LevelOf<H>>(&mut self, guard: AnyGuard<L>, place: Place) {
        match &guard {
            ByMode::Shared { it } => self.record().holds(L::INDEX, LockMode::Shared, place, it.held()),
            ByMode::Exclusive { it } => self.record().holds(L::INDEX, LockMode::Exclusive, place, it.held()),
        }
        L::slot_mut(&mut self.slots).0 = Some(guard);
    }

    /// Takes the guard of level `L` out of the session. The level is no longer held, whatever happens to the guard.
    fn surrender<L: NotRoot + LevelOf<H>>(&mut self) -> Result<AnyGuard<L>, OrderError> {
        let guard = L::slot_mut(&mut self.slots).0.take().ok_or(OrderError::NotHeld { level: L::NAME })?;
        self.claim.returns::<L>();
        Ok(guard)
    }

    fn set<L: NotRoot + LevelOf<H>>(&self) -> SetOf<L> {
        Arc::clone(&L::set(&self.manager().locks.sets).0)
    }

    /// The highest level held, if it is `L` or above.
    fn reached<L: Level>(&self) -> Option<&'static str> {
        let highest = self.held().checked_ilog2().unwrap_or(0) as usize;
        H::LEVELS.get(highest).copied().filter(|_| highest >= L::INDEX)
    }

    /// Checks that the session may wait for level `L`: that nothing is held at `L` or above.
    fn may_wait_for<L: Level>(&self) -> Result<(), OrderError> {
        self.reached::<L>().map_or(Ok(()), |held| Err(OrderError::NotAbove { level: L::NAME, held }))
    }

    fn exclusive_slot<L: NotRoot + LevelOf<H>>(&mut self) -> Result<&mut ExclusiveGuard<L>, OrderError> {
        Self::exclusive::<L>(&mut self.slots)
    }

    /// The guard of level `L`, to change which names it holds.
    fn renaming<L: NotRoot + LevelOf<H>>(&mut self) -> Result<Renaming<'_, SetOf<L>, Exclusive>, OrderError> {
        let guard = Self::exclusive::<L>(&mut self.slots)?;
        Ok(self.claim.record().renaming(L::INDEX, guard))
    }

    fn exclusive<L: NotRoot + LevelOf<H>>(slots: &mut H::Slots) -> Result<&mut ExclusiveGuard<L>, OrderError> {
        match Self::slot::<L>(slots)? {
            ByMode::Exclusive { it } => Ok(it),
            ByMode::Shared { .. } => Err(OrderError::NotExclusive { level: L::NAME }),
        }
    }

    fn slot<L: NotRoot + LevelOf<H>>(slots: &mut H::Slots) -> Result<&mut AnyGuard<L>, OrderError> {
        L::slot_mut(slots).0.as_mut().ok_or(OrderError::NotHeld { level: L::NAME })
    }
}

/// Acquiring and giving back.
impl<H: Hierarchy> DynSession<H> {
    /// Waits for names of level `L`, or [`All`](crate::All), and takes them in this mode.
    ///
    /// Nothing may be held at `L` or above. See [`DynSession`](Self) for an example.
    ///
    /// # Fairness
    ///
    /// That of [`LockSet`](crate::LockSet).
    ///
    /// # Cancel safety
    ///
    /// This future is cancel safe. Dropping it gives up its place in the queue; a grant that it has not returned yet
    /// passes to the next request. The session keeps what it held before.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotAbove`]; [`OrderError::Open`] for the whole of an open level; and those of [`Session::shared`].
    /// The session keeps what it held before.
    #[track_caller]
    pub fn acquire<L: NotRoot + LevelOf<H>>(
        &mut self,
        names: impl NamesOrAll<L::Name>,
        mode: LockMode,
    ) -> DynClimb<'_, H, L> {
        let (names, order) = (names.requested(), self.may_wait_for::<L>());
        if names.is_none() && !L::Set::HAS_WHOLE {
            let nothing = self.request::<L>(Some(iter::empty::<L::Name>()), mode);
            return DynRequest::on(
                self,
                order.and(Err(OrderError::Open { level: L::NAME })),
                nothing,
                Location::caller(),
            );
        }
        let request = self.request::<L>(names, mode);
        DynRequest::on(self, order, request, Location::caller())
    }

    fn request<L>(&self, names: Option<impl Iterator<Item: AsName<L::Name>>>, mode: LockMode) -> Acquiring<L>
    where
        L: NotRoot + LevelOf<H>,
    {
        let set = self.set::<L>();
        match mode {
            LockMode::Shared => ByMode::shared(SetAcquire::new(set, names, Want::All)),
            LockMode::Exclusive => ByMode::exclusive(SetAcquire::new(set, names, Want::All)),
        }
    }

    /// Takes names of level `L` in this mode, without waiting: all of them now, or none.
    ///
    /// It is used like [`acquire`](Self::acquire); see [`DynSession`](Self) for an example of that.
    ///
    /// # Errors
    ///
    /// [`SessionError::WouldBlock`]; and those of [`acquire`](Self::acquire).
    #[track_caller]
    pub fn try_acquire<L: NotRoot + LevelOf<H>>(
        &mut self,
        names: impl NamesOrAll<L::Name>,
        mode: LockMode,
    ) -> Result<(), SessionError> {
        self.acquire::<L>(names, mode).at_once()
    }

    /// As [`acquire`](Self::acquire), for code that is not async: blocks the thread until it has the names.
    ///
    /// See [`LockManager::blocking_shared`] for an example of such calls.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    ///
    /// # Panics
    ///
    /// If it is called within an async task, which must not block. It may be called in `spawn_blocking`.
    #[track_caller]
    pub fn blocking_acquire<L: NotRoot + LevelOf<H>>(
        &mut self,
        names: impl NamesOrAll<L::Name>,
        mode: LockMode,
    ) -> Result<(), SessionError> {
        block_on(self.acquire::<L>(names, mode))
    }

    /// Releases level `L`, even while higher levels are held.
    ///
    /// See [`Session`] for an example of its counterpart.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotHeld`].
    pub fn release<L: NotRoot + LevelOf<H>>(&mut self) -> Result<(), OrderError> {
        self.surrender::<L>().map(drop)
    }

    /// Releases some names of level `L`, which counts as held even with no names left.
    ///
    /// Its counterpart is [`Session::release_names`]; see [`Session`] for an example.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotHeld`]; [`SessionError::NotHeld`] with the names that are not held. Nothing is released then.
    pub fn release_names<L: NotRoot + LevelOf<H>>(&mut self, names: impl Names<L::Name>) -> Result<(), SessionError> {
        let Self { claim, slots, .. } = self;
        let released = match Self::slot::<L>(slots)? {
            ByMode::Shared { it } => claim.record().renaming(L::INDEX, it).release(names),
            ByMode::Exclusive { it } => claim.record().renaming(L::INDEX, it).release(names),
        };
        released.map_err(AtLevel::<L>::at_level)
    }

    /// Turns an exclusive hold of level `L` into a shared one.
    ///
    /// See [`Session`] for an example of its counterpart.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotHeld`], [`OrderError::NotExclusive`].
    pub fn downgrade<L: NotRoot + LevelOf<H>>(&mut self) -> Result<(), OrderError> {
        self.exclusive_slot::<L>()?;
        // The level counts as not held until it is shared: the downgrade runs wakers, and if one panics, the guard is
        // lost.
        let guard = self.surrender::<L>()?.downgrade(SetGuard::downgrade);
        self.record().downgrades(L::INDEX); // First: a table must not see the old mode again.
        self.claim.regains::<L>();
        L::slot_mut(&mut self.slots).0 = Some(guard);
        Ok(())
    }

    /// Turns an exclusive hold of the root into a shared one.
    ///
    /// Its counterpart is [`Session::downgrade`]; see [`Session`] for an example.
    ///
    /// # Errors
    ///
    /// The session, unchanged, if its root is shared.
    pub fn downgrade_root(self) -> Result<Self, Self> {
        match self.root.mode() {
            LockMode::Exclusive => Ok(Panics::defer(|panics| {
                self.record().downgrades(0);
                let root = self.root.downgrade(|root| root.into_shared(panics));
                Self { root, ..self }
            })),
            LockMode::Shared => Err(self),
        }
    }

    /// Turns this into a [`Session`], if it holds exactly the levels in `S`, in the modes in `S`.
    ///
    /// It fails if a request of this session has been forgotten (`mem::forget`). See [`DynSession`](Self) for an
    /// example.
    ///
    /// # Errors
    ///
    /// The session, unchanged, if it holds anything else.
    pub fn into_typed<S: HeldListOf<H>>(mut self) -> Result<Session<H, S>, Self> {
        const { checks::is_in_order::<S>() }
        let known = S::is_of(TypeId::of::<H>()) && self.held() == S::OWN && self.record().levels() == S::OWN;
        if !known || !S::matches(&self.root, &self.slots) {
            return Err(self);
        }
        match S::typed(self.root, &mut self.slots) {
            Some(held) => Ok(Session::new(held, self.claim)),
            None => unreachable!("it matched"),
        }
    }
}

/// The values in the locks.
impl<H: Hierarchy> DynSession<H> {
    /// The value of a name of level `L`, if this session holds the name.
    ///
    /// See [`Session::get`] for an example of its counterpart.
    pub fn get<L: NotRoot + LevelOf<H>>(&self, name: impl AsName<L::Name>) -> Option<&L::Value> {
        match L::slot(&self.slots).0.as_ref()? {
            ByMode::Shared { it } => it.get(name),
            ByMode::Exclusive { it } => it.get(name),
        }
    }

    /// The value of a name of level `L`, mutably, if this session holds the name exclusively.
    ///
    /// See [`Session::get`] for an example of its counterpart.
    pub fn get_mut<L: NotRoot + LevelOf<H>>(&mut self, name: impl AsName<L::Name>) -> Option<&mut L::Value> {
        self.exclusive_slot::<L>().ok()?.get_mut(name)
    }

    /// The values of an array of names of level `L`, mutably, in the order of the names given.
    ///
    /// The level must be held exclusively. See [`Builder::entries`](super::Builder::entries) for an example of its
    /// counterpart.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotHeld`], [`OrderError::NotExclusive`]; and those of [`Session::get_disjoint_mut`].
    pub fn get_disjoint_mut<L, A>(&mut self, names: A) -> Result<A::Each<&mut L::Value>, SessionError>
    where
        L: NotRoot + LevelOf<H>,
        A: NameArray<L::Name>,
    {
        names.values(self.exclusive_slot::<L>()?).map_err(AtLevel::<L>::at_level)
    }
}

impl<H: Hierarchy> fmt::Debug for DynSession<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held();
        let held = (0..H::LEVELS.len()).filter(|level| held & 1 << level != 0);
        let levels: Vec<_> = held.map(|level| H::LEVELS[level]).collect();
        f.debug_struct("DynSession")
            .field("label", &self.label())
            .field("root", &self.root.mode())
            .field("levels", &levels)
            .finish_non_exhaustive()
    }
}
