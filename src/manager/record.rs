//! The record of a session: its label, and the levels that it holds or awaits.
//!
//! The types say what is held, as long as they contain all guards. A nested session that has been forgotten
//! (`mem::forget`) is in no type any more, but its locks stay locked. The record still has its levels, so a session
//! that would wait for them gets an error instead.
//!
//! Sessions begin and end often, so a manager keeps some finished flows, each with its record, and uses them again.

use super::error::SessionError;
use crate::level::{Hierarchy, Level};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

#[derive(Debug, Default)]
pub(super) struct Record {
    label: Cow<'static, str>,
    /// Bit `i` stands for the level with index `i`. Only code that owns the session, or borrows it mutably, changes
    /// this: there is no race, and no order to keep.
    levels: AtomicU16,
}

impl Record {
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    #[inline]
    pub(super) fn levels(&self) -> u16 {
        self.levels.load(Ordering::Relaxed)
    }

    /// Notes that level `L` is held or awaited; fails if `L` or a level above is on the record already.
    pub(super) fn begin<L: Level>(&self) -> Result<(), SessionError> {
        let levels = self.levels();
        let reached = (levels >> L::INDEX).checked_ilog2();
        if let Some(held) = reached.and_then(|above| L::In::LEVELS.get(L::INDEX + above as usize)) {
            return Err(SessionError::AlreadyHeld { level: L::NAME, held });
        }
        self.levels.store(levels | 1 << L::INDEX, Ordering::Relaxed);
        Ok(())
    }

    /// Notes that these levels are held again.
    pub(super) fn resume(&self, levels: u16) {
        self.levels.store(self.levels() | levels, Ordering::Relaxed);
    }

    /// Notes that these levels are no longer held or awaited.
    #[inline]
    pub(super) fn end(&self, levels: u16) {
        self.levels.store(self.levels() & !levels, Ordering::Relaxed);
    }
}

/// What the sessions of one flow share: the record, and the manager `M`.
pub(super) struct Flow<M> {
    pub(super) record: Record,
    /// `None` while the flow is in the pool, so that a manager does not keep itself alive.
    pub(super) manager: Option<M>,
}

impl<M> Flow<M> {
    /// Begins the flow of a session that holds the root, in the allocation of a finished one if there is one.
    #[inline]
    pub(super) fn begin(finished: Option<Arc<Self>>, manager: M, label: Cow<'static, str>) -> Arc<Self> {
        let fresh = Self { record: Record { label, levels: AtomicU16::new(1) }, manager: Some(manager) };
        match finished {
            None => Arc::new(fresh),
            Some(mut flow) => {
                let Some(finished) = Arc::get_mut(&mut flow) else { unreachable!("only the pool has a finished flow") };
                *finished = fresh;
                flow
            }
        }
    }
}

/// A pool of finished flows. It is only ever `try_lock`ed: on contention a caller allocates, or drops, instead.
pub(super) struct Pool<M> {
    free: Mutex<Vec<Arc<Flow<M>>>>,
}

impl<M> Default for Pool<M> {
    fn default() -> Self {
        Self { free: Mutex::default() }
    }
}

impl<M> Pool<M> {
    /// How many finished flows are kept.
    const KEPT: usize = 64;

    /// Takes out a finished flow, if there is one.
    #[inline]
    pub(super) fn get(&self) -> Option<Arc<Flow<M>>> {
        self.with(Vec::pop).flatten()
    }

    /// Takes back a finished flow, to which the caller has the only reference.
    #[inline]
    pub(super) fn put(&self, flow: Arc<Flow<M>>) {
        self.with(|free| {
            if free.len() < Self::KEPT {
                free.push(flow);
            }
        });
    }

    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut Vec<Arc<Flow<M>>>) -> R) -> Option<R> {
        let mut free = match self.free.try_lock() {
            Ok(free) => free,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(work(&mut free))
    }
}

/// A level that is awaited while the session is borrowed. Dropping this takes the level off the record.
#[derive(Debug)]
pub(super) struct Awaited<'s> {
    record: &'s Record,
    levels: u16,
}

impl<'s> Awaited<'s> {
    pub(super) fn begin<L: Level>(record: &'s Record) -> Result<Self, SessionError> {
        record.begin::<L>()?;
        Ok(Self { record, levels: 1 << L::INDEX })
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.record.end(self.levels);
    }
}
