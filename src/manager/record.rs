//! What a session notes of itself: its label, and which levels it holds or awaits.
//!
//! The types know what is held, as long as everything held is in them. A nested session that is forgotten
//! (`mem::forget`) is in no type any more, and its locks stay locked: the record still has its levels, so that whoever
//! would wait for them gets an error instead.
//!
//! Sessions come and go often, so records are used again: a manager keeps some that are done with.

use super::LockManager;
use super::error::SessionError;
use crate::level::{HeldList, Hierarchy, Level};
use std::borrow::Cow;
use std::marker::PhantomData;
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

    pub(super) fn levels(&self) -> u16 {
        self.levels.load(Ordering::Relaxed)
    }

    /// Notes that level `L` is held or awaited, if neither it nor one above is.
    pub(super) fn begin<L: Level>(&self) -> Result<(), SessionError> {
        let levels = self.levels();
        let reached = (levels >> L::INDEX).checked_ilog2();
        match reached.and_then(|above| L::In::LEVELS.get(L::INDEX + above as usize)) {
            Some(held) => Err(SessionError::AlreadyHeld { level: L::NAME, held }),
            None => {
                self.levels.store(levels | 1 << L::INDEX, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// These levels are no longer held or awaited.
    pub(super) fn end(&self, levels: u16) {
        self.levels.store(self.levels() & !levels, Ordering::Relaxed);
    }

    pub(super) fn end_of<L: Level>(&self) {
        self.end(1 << L::INDEX);
    }
}

/// Records that are done with, to be used again. Whoever would wait for another goes without.
#[derive(Debug, Default)]
pub(super) struct Records {
    free: Mutex<Vec<Arc<Record>>>,
}

impl Records {
    /// As many sessions as begin and end in a row without any memory being asked for.
    const KEPT: usize = 64;

    /// A record of a session that holds the root.
    fn take(&self, label: Cow<'static, str>) -> Arc<Record> {
        let mut record = self.with(Vec::pop).flatten().unwrap_or_default();
        match Arc::get_mut(&mut record) {
            Some(fresh) => *fresh = Record { label, levels: AtomicU16::new(1) },
            None => unreachable!("only records that nobody else has are kept"),
        }
        record
    }

    /// Takes a record back, if nobody else has it.
    fn give(&self, mut record: Arc<Record>) {
        if let Some(last) = Arc::get_mut(&mut record) {
            *last = Record::default();
            self.with(|free| {
                if free.len() < Self::KEPT {
                    free.push(record);
                }
            });
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Vec<Arc<Record>>) -> R) -> Option<R> {
        let mut free = match self.free.try_lock() {
            Ok(free) => free,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(work(&mut free))
    }
}

/// A session but for its guards: it takes the levels of `S` off the record when it is dropped.
pub(super) struct Ticket<H: Hierarchy, S: HeldList> {
    // Gone only when it has been turned into another.
    parts: Option<(LockManager<H>, Arc<Record>)>,
    list: PhantomData<fn() -> S>,
}

impl<H: Hierarchy, S: HeldList> Ticket<H, S> {
    pub(super) fn new(manager: LockManager<H>, label: Cow<'static, str>) -> Self {
        let record = manager.locks.records.take(label);
        Self::of(manager, record)
    }

    fn of(manager: LockManager<H>, record: Arc<Record>) -> Self {
        Self { parts: Some((manager, record)), list: PhantomData }
    }

    fn parts(&self) -> &(LockManager<H>, Arc<Record>) {
        let Some(parts) = &self.parts else { unreachable!("it is gone when it has been turned") };
        parts
    }

    pub(super) fn manager(&self) -> &LockManager<H> {
        &self.parts().0
    }

    pub(super) fn record(&self) -> &Record {
        &self.parts().1
    }

    /// The ticket of what is held from now on, of which the record knows.
    pub(super) fn turned<T: HeldList>(mut self) -> Ticket<H, T> {
        let Some((manager, record)) = self.parts.take() else { unreachable!("it is turned once") };
        Ticket::of(manager, record)
    }

    /// The ticket of a nested session.
    pub(super) fn nested<T: HeldList>(&self) -> Ticket<H, T> {
        let (manager, record) = self.parts();
        Ticket::of(manager.clone(), Arc::clone(record))
    }
}

impl<H: Hierarchy, S: HeldList> Drop for Ticket<H, S> {
    fn drop(&mut self) {
        if let Some((manager, record)) = self.parts.take() {
            record.end(S::OWN);
            manager.locks.records.give(record);
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

    /// The level is held now, and stays on the record.
    pub(super) fn keep(mut self) {
        self.levels = 0;
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.record.end(self.levels);
    }
}
