//! The rows of the comparison: what every peer is asked to do, the unit of its answer, and the bar that ours must meet.

use std::fmt;
use std::time::Duration;

use crate::comparison::row::{self, Bar, Column, Extent, Unit};
use crate::comparison::stage::Flavor;

// The peers that the bars name.
pub(crate) const TOKIO: &str = "tokio RwLock";
pub(crate) const FUTURES_INTRUSIVE: &str = "futures-intrusive Mutex";
pub(crate) const MAITAKE: &str = "maitake RwLock";
pub(crate) const PARKING_LOT: &str = "parking_lot RwLock";

/// One of the two ways to hold a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Exclusive,
    Shared,
}

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// Acquire and release a free lock.
    Uncontended(Verb, Flavor),
    /// Release to the next queued task, and queue again.
    HandOver(Flavor),
    /// Grant a long queue, one by one or as a group.
    Drain(Verb),
    /// Drop queued requests in random order.
    Cancel,
    /// What an operation costs with this many tasks on two workers.
    Contended(usize),
    /// Whether each of this many tasks gets its share.
    Shares(usize),
    /// What waiting allocates.
    Allocations,
    /// Sizes in bytes.
    Sizes,
}

/// How much work one sample is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Acquisitions of a free lock.
    pub(crate) cycles: usize,
    /// Times that each of [`RELAY`] tasks gets the lock.
    pub(crate) relays: usize,
    /// Requests to grant.
    pub(crate) waiters: usize,
    /// Requests to cancel.
    pub(crate) cancels: usize,
    /// How long a crowd contends when its costs are measured; its shares are measured for a fifth of this time.
    pub(crate) time: Duration,
}

impl row::Scale for Scale {
    fn of(extent: Extent) -> Self {
        let (cycles, waiters, cancels) = (100_000, 100_000, 10_000);
        let time = Duration::from_millis;
        match extent {
            Extent::Full => Self { cycles, relays: 5_000, waiters, cancels, time: time(100) },
            Extent::Quick => Self { cycles, relays: 2_000, waiters, cancels, time: time(40) },
            Extent::Rehearsal => Self { cycles: 100, relays: 10, waiters: 100, cancels: 100, time: time(1) },
        }
    }

    fn divided_by(self, fraction: usize) -> Self {
        let part = |count: usize| (count / fraction).max(1);
        Self {
            cycles: part(self.cycles),
            relays: part(self.relays),
            waiters: part(self.waiters),
            cancels: part(self.cancels),
            ..self
        }
    }

    fn rounds(extent: Extent) -> usize {
        match extent {
            Extent::Full => 31,
            Extent::Quick => 9,
            Extent::Rehearsal => 1,
        }
    }
}

/// The tasks that hand a lock round.
pub(crate) const RELAY: usize = 8;
/// The waits whose allocations are counted.
pub(crate) const WAITS: usize = 100;
/// The order in which requests are cancelled, the same for every peer and in every round.
pub(crate) const SEED: u64 = 20_26;

impl row::Row for Row {
    type Scale = Scale;

    const ALL: &'static [Self] = &[
        Self::Uncontended(Verb::Exclusive, Flavor::CurrentThread),
        Self::Uncontended(Verb::Exclusive, Flavor::TwoWorkers),
        Self::Uncontended(Verb::Shared, Flavor::CurrentThread),
        Self::Uncontended(Verb::Shared, Flavor::TwoWorkers),
        Self::HandOver(Flavor::CurrentThread),
        Self::HandOver(Flavor::TwoWorkers),
        Self::Drain(Verb::Exclusive),
        Self::Drain(Verb::Shared),
        Self::Cancel,
        Self::Contended(8),
        Self::Contended(64),
        Self::Contended(1_024),
        Self::Shares(8),
        Self::Shares(64),
        Self::Shares(1_024),
        Self::Allocations,
        Self::Sizes,
    ];

    fn table(self) -> &'static str {
        match self {
            Self::Uncontended(..) => "A free lock: acquire and release, ns of CPU",
            Self::HandOver(_) | Self::Drain(_) | Self::Cancel => "The queue: ns of CPU",
            Self::Contended(_) => "A crowd on two workers: ns per operation",
            Self::Shares(_) => "A crowd on two workers: most/fewest operations of one task",
            Self::Allocations | Self::Sizes => "Space: allocations per wait, bytes of the exclusive side",
        }
    }

    fn columns(self) -> Vec<Column> {
        use Bar::{AtMost, Times};
        use Unit::{Bytes, Count, Nanoseconds, Spread};
        let column = Column::new;
        match self {
            Self::Uncontended(verb, flavor) => {
                let limit = if verb == Verb::Exclusive { 1.25 } else { 1.2 };
                vec![column(&format!("{verb}, {flavor}"), Nanoseconds, &[Times(limit, PARKING_LOT)])]
            }
            Self::HandOver(Flavor::CurrentThread) => {
                let bar = Times(1.05, FUTURES_INTRUSIVE);
                vec![column("hand over, current thread", Nanoseconds, &[bar])]
            }
            Self::HandOver(flavor) => vec![column(&format!("hand over, {flavor}"), Nanoseconds, &[])],
            Self::Drain(Verb::Exclusive) => {
                vec![column("grant one, exclusive", Nanoseconds, &[Times(0.75, FUTURES_INTRUSIVE)])]
            }
            Self::Drain(Verb::Shared) => vec![column("grant one, shared", Nanoseconds, &[Times(0.4, TOKIO)])],
            Self::Cancel => vec![column("cancel one", Nanoseconds, &[Times(1.0, MAITAKE)])],
            Self::Contended(tasks) => {
                let bars = [Times(1.15, FUTURES_INTRUSIVE), Times(0.75, TOKIO)];
                vec![
                    column(&format!("{tasks} tasks: CPU"), Nanoseconds, &bars),
                    column(&format!("{tasks} tasks: wall"), Nanoseconds, &[]),
                ]
            }
            Self::Shares(tasks) => {
                vec![column(&format!("{tasks} tasks: most/fewest"), Spread, &[Times(1.0, TOKIO)])]
            }
            Self::Allocations => vec![column("allocations", Count, &[AtMost(0.0)])],
            Self::Sizes => vec![
                column("lock beyond value", Bytes, &[AtMost(32.0)]),
                column("guard", Bytes, &[AtMost(8.0)]),
                column("future", Bytes, &[AtMost(80.0)]),
                column("Poll of its output", Bytes, &[AtMost(16.0)]),
            ],
        }
    }

    fn varies(self) -> bool {
        !matches!(self, Self::Allocations | Self::Sizes)
    }
}

/// The name that `--row` takes.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Uncontended(verb, flavor) => format!("{verb} {flavor}"),
            Self::HandOver(flavor) => format!("hand over {flavor}"),
            Self::Drain(verb) => format!("drain {verb}"),
            Self::Cancel => "cancel".to_owned(),
            Self::Contended(tasks) => format!("contended {tasks}"),
            Self::Shares(tasks) => format!("shares {tasks}"),
            Self::Allocations => "allocations".to_owned(),
            Self::Sizes => "sizes".to_owned(),
        };
        f.write_str(&name.replace(' ', "-"))
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exclusive => "exclusive",
            Self::Shared => "shared",
        })
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CurrentThread => "current thread",
            Self::TwoWorkers => "two workers",
        })
    }
}
