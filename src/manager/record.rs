//! What a session notes of itself: its label, and which levels it holds or awaits.
//!
//! The types know what is held, as long as everything held is in them. A nested session that is forgotten
//! (`mem::forget`) is in no type any more, and its locks stay locked: the record still has its levels, so that whoever
//! would wait for them gets an error instead.
//!
//! Sessions come and go often, so records are used again: a manager keeps some that are done with.

use super::error::SessionError;
use crate::level::{Hierarchy, Level};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

#[derive(Debug, Default)]
pub(super) struct Record {
    label: Cow<'static, str>,
    /// A bit for each level, by its index. Only who has the session, or has borrowed it mutably, changes it: there is
    /// nobody to race with, and no order to keep.
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

    /// Notes that level `L` is held or awaited, if neither it nor one above is.
    pub(super) fn begin<L: Level>(&self) -> Result<(), SessionError> {
        let levels = self.levels();
        let reached = (levels >> L::INDEX).checked_ilog2();
        if let Some(held) = reached.and_then(|above| L::In::LEVELS.get(L::INDEX + above as usize)) {
            return Err(SessionError::AlreadyHeld { level: L::NAME, held });
        }
        self.levels.store(levels | 1 << L::INDEX, Ordering::Relaxed);
        Ok(())
    }

    /// These levels are held again.
    pub(super) fn resume(&self, levels: u16) {
        self.levels.store(self.levels() | levels, Ordering::Relaxed);
    }

    /// These levels are no longer held or awaited.
    #[inline]
    pub(super) fn end(&self, levels: u16) {
        self.levels.store(self.levels() & !levels, Ordering::Relaxed);
    }
}

/// What the sessions of one flow share: the record, and the manager `M`.
pub(super) struct Flow<M> {
    pub(super) record: Record,
    /// None while nobody uses it, so that a manager does not keep itself alive.
    pub(super) manager: Option<M>,
}

impl<M> Flow<M> {
    /// The flow of a session that holds the root, in the place of a finished one if there is one.
    pub(super) fn begin(finished: Option<Arc<Self>>, manager: M, label: Cow<'static, str>) -> Arc<Self> {
        let fresh = Self { record: Record { label, levels: AtomicU16::new(1) }, manager: Some(manager) };
        match finished {
            None => Arc::new(fresh),
            Some(mut flow) => {
                let Some(finished) = Arc::get_mut(&mut flow) else { unreachable!("a pool keeps what nobody else has") };
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
    /// How many sessions can begin and end in a row without an allocation.
    const KEPT: usize = 64;

    /// A finished flow, to be used again.
    pub(super) fn get(&self) -> Option<Arc<Flow<M>>> {
        self.with(Vec::pop).flatten()
    }

    /// Takes back a flow that nobody else has.
    pub(super) fn put(&self, flow: Arc<Flow<M>>) {
        self.with(|free| {
            if free.len() < Self::KEPT {
                free.push(flow);
            }
        });
    }

    fn with<R>(&self, work: impl FnOnce(&mut Vec<Arc<Flow<M>>>) -> R) -> Option<R> {
        let mut free = match self.free.try_lock() {
            Ok(free) => free,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(work(&mut free))
    }
}

/// A level that is awaited while the session is borrowed; taken off the record when this is dropped.
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
