//! Figures, by the facade `metrics`.
//!
//! The handles of a level are made when it is first used, and kept: to look them up each time would cost more than a
//! free lock does.

use super::{End, Inner, Party, word};
use crate::mode::LockMode;
use crate::panics::quietly;
use metrics::{Counter, Gauge, Histogram, Label, Unit, counter, gauge, histogram};
use std::sync::OnceLock;
use std::time::Duration;

/// The figures of a manager, by level.
pub(super) struct Home(Box<[ByMode]>);

#[derive(Default)]
struct ByMode {
    shared: OnceLock<Figures>,
    exclusive: OnceLock<Figures>,
}

/// The figures of a level in a mode.
struct Figures {
    wait: Histogram,
    hold: Histogram,
    holders: Gauge,
    waiters: Gauge,
    timeouts: Counter,
    deleted: Counter,
    cancelled: Counter,
}

impl Figures {
    fn new(hierarchy: &'static str, level: &'static str, mode: LockMode) -> Self {
        let labels = || {
            let pairs = [("hierarchy", hierarchy), ("level", level), ("mode", word(mode))];
            pairs.map(|(key, value)| Label::from_static_parts(key, value)).to_vec()
        };
        quietly(describe);
        // One by one: while a panic goes on, no handle that has been made is dropped, which is foreign code.
        let histogram = |name| quietly(|| histogram!(name, labels())).unwrap_or_else(Histogram::noop);
        let gauge = |name| quietly(|| gauge!(name, labels())).unwrap_or_else(Gauge::noop);
        let counter = |name| quietly(|| counter!(name, labels())).unwrap_or_else(Counter::noop);
        Self {
            wait: histogram("lockladder_wait_seconds"),
            hold: histogram("lockladder_hold_seconds"),
            holders: gauge("lockladder_holders"),
            waiters: gauge("lockladder_waiters"),
            timeouts: counter("lockladder_timeouts_total"),
            deleted: counter("lockladder_deleted_total"),
            cancelled: counter("lockladder_cancelled_total"),
        }
    }
}

/// Tells the recorder what the figures mean.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_histogram!("lockladder_wait_seconds", Unit::Seconds, "From the first poll to the grant");
    describe_histogram!("lockladder_hold_seconds", Unit::Seconds, "From the grant to the release, or to a downgrade");
    describe_gauge!("lockladder_holders", Unit::Count, "Sessions that hold locks of the level");
    describe_gauge!("lockladder_waiters", Unit::Count, "Requests that wait for the level");
    describe_counter!("lockladder_timeouts_total", Unit::Count, "Requests that gave up at their deadline");
    describe_counter!("lockladder_deleted_total", Unit::Count, "Requests whose lock was removed while they waited");
    describe_counter!("lockladder_cancelled_total", Unit::Count, "Requests that were dropped before they returned");
}

impl Home {
    pub(super) fn new(levels: usize) -> Self {
        Self((0..levels).map(|_| ByMode::default()).collect())
    }

    fn at(&self, home: &Inner, level: usize, mode: LockMode) -> Option<&Figures> {
        let modes = self.0.get(level)?;
        let figures = match mode {
            LockMode::Shared => &modes.shared,
            LockMode::Exclusive => &modes.exclusive,
        };
        if figures.get().is_none() {
            // Not by `get_or_init`: the recorder, foreign code, would run while other threads wait for it.
            let _ = figures.set(Figures::new(home.hierarchy, home.levels.get(level)?, mode));
        }
        figures.get()
    }

    /// A request waits from now on.
    pub(super) fn waits(&self, party: Party<'_>, mode: LockMode) {
        if let Some(figures) = self.at(party.home(), party.level, mode) {
            figures.waiters.increment(1);
        }
    }

    /// A request has ended. `waits` tells whether it has waited.
    pub(super) fn ended(
        &self,
        home: &Inner,
        level: usize,
        mode: LockMode,
        waits: bool,
        waited: Duration,
        end: End<'_>,
    ) {
        let Some(figures) = self.at(home, level, mode) else { return };
        if waits {
            figures.waiters.decrement(1);
        }
        match end {
            End::Granted => figures.wait.record(waited),
            End::TimedOut => figures.timeouts.increment(1),
            End::Deleted => figures.deleted.increment(1),
            End::Cancelled => figures.cancelled.increment(1),
            End::Refused(_) => {}
        }
    }

    /// A session holds the level from now on.
    pub(super) fn held(&self, party: Party<'_>, mode: LockMode) {
        if let Some(figures) = self.at(party.home(), party.level, mode) {
            figures.holders.increment(1);
        }
    }

    /// A session does not hold the level any more, or not in this mode.
    pub(super) fn released(&self, party: Party<'_>, mode: LockMode, held: Duration) {
        if let Some(figures) = self.at(party.home(), party.level, mode) {
            figures.holders.decrement(1);
            figures.hold.record(held);
        }
    }
}
