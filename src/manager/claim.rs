//! A session without its guards: the flow of work that it belongs to, and the levels that it acquired itself.

use super::LockManager;
use super::error::SessionError;
use super::flow::Flow;
use super::hot::Delayed;
use super::record::Record;
use super::watch;
use crate::level::{Hierarchy, Level};
use crate::mode::LockMode;
use crate::table::Holder;
use std::borrow::Cow;
use std::sync::Arc;

/// A session without its guards. Dropping it takes the session's own levels off the record.
pub(super) struct Claim<H: Hierarchy> {
    manager: LockManager<H>,
    flow: Arc<Flow>,
    /// The levels that this session acquired itself.
    own: u16,
}

impl<H: Hierarchy> Claim<H> {
    /// The claim of a session that is about to begin.
    #[inline]
    pub(super) fn new(manager: LockManager<H>, label: Cow<'static, str>) -> Self {
        let flow = manager.locks.flows.begin(label, H::LEVELS.len());
        Self { manager, flow, own: 1 }
    }

    #[inline]
    pub(super) fn flow(&self) -> &Flow {
        &self.flow
    }

    #[inline]
    pub(super) fn manager(&self) -> &LockManager<H> {
        &self.manager
    }

    pub(super) fn label(&self) -> &str {
        &self.flow.label
    }

    #[inline]
    pub(super) fn record(&self) -> &Record {
        &self.flow.record
    }

    /// Notes that the session waits for level `L` and will hold it; fails if `L` or a level above is held or awaited.
    pub(super) fn takes<L: Level>(&mut self) -> Result<(), SessionError> {
        self.record().begin::<L>()?;
        self.own |= 1 << L::INDEX;
        Ok(())
    }

    /// Notes that the session holds level `L` again, which it has just returned.
    pub(super) fn regains<L: Level>(&mut self) {
        self.record().resume(1 << L::INDEX);
        self.own |= 1 << L::INDEX;
    }

    /// Notes that the session no longer holds or awaits level `L`. The level stays noted if only an outer session holds
    /// it.
    pub(super) fn returns<L: Level>(&mut self) {
        self.record().end(self.own & 1 << L::INDEX);
        self.own &= !(1 << L::INDEX);
    }

    /// Tells those who watch of the levels that are not held any more. The guards have been dropped.
    #[inline]
    pub(super) fn settles(&self) {
        watch::settle(|| self.flow());
    }

    /// The claim of a nested session.
    pub(super) fn nested(&self) -> Self {
        self.flow.claimed();
        Self { manager: self.manager.clone(), flow: Arc::clone(&self.flow), own: 0 }
    }
}

/// A session of any hierarchy that lends itself to a request.
pub(super) trait Lender: Send + Sync {
    fn label(&self) -> &str;

    fn record(&self) -> &Record;

    fn flow(&self) -> &Flow;

    /// The locks of its manager.
    fn locks(&self) -> Arc<dyn Delayed>;

    /// The sessions that hold what this session's request waits for above the root.
    fn in_the_way(&self, level: usize, ticket: u64) -> Vec<Holder>;
}

impl<H: Hierarchy> Lender for Claim<H> {
    fn label(&self) -> &str {
        self.label()
    }

    fn record(&self) -> &Record {
        self.record()
    }

    fn flow(&self) -> &Flow {
        &self.flow
    }

    fn locks(&self) -> Arc<dyn Delayed> {
        Arc::clone(&self.manager.locks) as _
    }

    fn in_the_way(&self, level: usize, ticket: u64) -> Vec<Holder> {
        self.manager.in_the_way(level, LockMode::Exclusive, ticket)
    }
}

impl<H: Hierarchy> Drop for Claim<H> {
    fn drop(&mut self) {
        self.record().end(self.own);
        watch::settle(|| &self.flow);
        if self.flow.unclaimed() {
            self.manager.locks.flows.end(&self.flow);
        }
    }
}
