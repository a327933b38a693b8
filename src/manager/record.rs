//! What a session notes of itself: its label, and which levels it holds or awaits.
//!
//! The types know what is held, as long as everything held is in them. A nested session that is forgotten
//! (`mem::forget`) is in no type any more, and its locks stay locked: the record still has its levels, so that whoever
//! would wait for them gets an error instead.
//!
//! Sessions come and go often, so records are used again: a manager keeps some that are done with.

use super::LockManager;
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
    fn resume(&self, levels: u16) {
        self.levels.store(self.levels() | levels, Ordering::Relaxed);
    }

    /// These levels are no longer held or awaited.
    #[inline]
    pub(super) fn end(&self, levels: u16) {
        self.levels.store(self.levels() & !levels, Ordering::Relaxed);
    }
}

/// What the sessions of one flow share: the manager and the record.
struct Flow<H: Hierarchy> {
    record: Record,
    /// None while nobody uses it, so that a manager does not keep itself alive.
    manager: Option<LockManager<H>>,
}

/// Flows that are done with, to be used again. Whoever would wait for another goes without.
pub(super) struct Records<H: Hierarchy> {
    free: Mutex<Vec<Arc<Flow<H>>>>,
}

impl<H: Hierarchy> Default for Records<H> {
    fn default() -> Self {
        Self { free: Mutex::default() }
    }
}

impl<H: Hierarchy> Records<H> {
    /// As many sessions as begin and end in a row without any memory being asked for.
    const KEPT: usize = 64;

    /// A record of a session that holds the root.
    fn take(manager: LockManager<H>, label: Cow<'static, str>) -> Arc<Flow<H>> {
        let used = manager.locks.records.with(Vec::pop).flatten();
        let fresh = Flow { record: Record { label, levels: AtomicU16::new(1) }, manager: Some(manager) };
        match used {
            None => Arc::new(fresh),
            Some(mut flow) => {
                let Some(used) = Arc::get_mut(&mut flow) else { unreachable!("only what nobody else has is kept") };
                *used = fresh;
                flow
            }
        }
    }

    /// Takes a record back, if nobody else has it.
    fn give(mut flow: Arc<Flow<H>>) {
        let Some(last) = Arc::get_mut(&mut flow) else { return };
        last.record = Record::default();
        if let Some(manager) = last.manager.take() {
            manager.locks.records.with(|free| {
                if free.len() < Self::KEPT {
                    free.push(flow);
                }
            });
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Vec<Arc<Flow<H>>>) -> R) -> Option<R> {
        let mut free = match self.free.try_lock() {
            Ok(free) => free,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(work(&mut free))
    }
}

/// A session but for its guards: two words. It takes its own levels off the record when it is dropped.
pub(super) struct Ticket<H: Hierarchy> {
    // Gone only when the ticket is.
    flow: Option<Arc<Flow<H>>>,
    /// The levels that this session acquired itself.
    own: u16,
}

impl<H: Hierarchy> Ticket<H> {
    /// The ticket of a session that holds the root.
    pub(super) fn new(manager: LockManager<H>, label: Cow<'static, str>) -> Self {
        Self { flow: Some(Records::take(manager, label)), own: 1 }
    }

    fn flow(&self) -> &Arc<Flow<H>> {
        let Some(flow) = &self.flow else { unreachable!("it goes with the ticket") };
        flow
    }

    pub(super) fn manager(&self) -> &LockManager<H> {
        let Some(manager) = &self.flow().manager else { unreachable!("it is there while a ticket is") };
        manager
    }

    pub(super) fn record(&self) -> &Record {
        &self.flow().record
    }

    /// The session waits for level `L`, and will hold it, if neither it nor one above is held or awaited.
    pub(super) fn takes<L: Level>(&mut self) -> Result<(), SessionError> {
        self.record().begin::<L>()?;
        self.own |= 1 << L::INDEX;
        Ok(())
    }

    /// The session holds level `L` again, which it has just returned.
    pub(super) fn regains<L: Level>(&mut self) {
        self.record().resume(1 << L::INDEX);
        self.own |= 1 << L::INDEX;
    }

    /// The session holds level `L` no more, nor waits for it, if it did so itself.
    pub(super) fn returns<L: Level>(&mut self) {
        self.record().end(self.own & 1 << L::INDEX);
        self.own &= !(1 << L::INDEX);
    }

    /// The ticket of a nested session.
    pub(super) fn nested(&self) -> Self {
        Self { flow: Some(Arc::clone(self.flow())), own: 0 }
    }
}

impl<H: Hierarchy> Drop for Ticket<H> {
    fn drop(&mut self) {
        self.record().end(self.own);
        if let Some(flow) = self.flow.take() {
            Records::give(flow);
        }
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
