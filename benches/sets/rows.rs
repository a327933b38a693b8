//! The rows of the comparison: what every peer is asked to do, the unit of its answer, and the bar that ours must meet.

use std::fmt;
use std::time::Duration;

use crate::comparison::row::{self, Bar, Column, Extent, Unit};

// The peers that the bars name.
pub(crate) const HAND_MADE: &str = "hand-made, HashMap";
pub(crate) const LOCKABLE: &str = "lockable";
pub(crate) const KEYED_LOCK: &str = "keyed-lock";

/// How long the locks exist, and how many names there are for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    /// Locks that are there all the time.
    Resident(usize),
    /// Locks that are there only while they are used.
    OnDemand(usize),
}

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// Acquire and release one name.
    One(Members),
    /// Acquire and release `count` names at once, of `of`.
    Several { count: usize, of: usize },
    /// Acquire and release everything.
    All(usize),
    /// Wait for everything, with many other requests.
    AwaitAll,
    /// What a crowd gets done.
    Crowd(Members),
    /// Add one member, and remove one.
    Change(usize),
    /// Add one member after the other.
    Growth(usize),
    /// The bytes that a member takes.
    Bytes(usize),
    /// What acquiring this many free names allocates.
    Allocations(usize),
}

/// How much work one sample is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// The most members of a set.
    pub(crate) members: usize,
    /// Names to acquire, one by one or several at once.
    pub(crate) acquisitions: usize,
    /// Times to acquire everything.
    pub(crate) sweeps: usize,
    /// Members to remove and add again.
    pub(crate) changes: usize,
    /// Members to grow to.
    pub(crate) growth: usize,
    /// How long a crowd is busy.
    pub(crate) time: Duration,
}

impl row::Scale for Scale {
    fn of(extent: Extent) -> Self {
        let members = 1_000_000;
        let time = Duration::from_millis;
        match extent {
            Extent::Full => {
                Self { members, acquisitions: 100_000, sweeps: 3, changes: 20_000, growth: members, time: time(100) }
            }
            Extent::Quick => {
                Self { members, acquisitions: 50_000, sweeps: 1, changes: 10_000, growth: members, time: time(50) }
            }
            Extent::Rehearsal => {
                Self { members: 2_000, acquisitions: 1_000, sweeps: 1, changes: 100, growth: 2_000, time: time(1) }
            }
        }
    }

    fn divided_by(self, fraction: usize) -> Self {
        let part = |count: usize| (count / fraction).max(1);
        Self {
            acquisitions: part(self.acquisitions),
            sweeps: part(self.sweeps),
            changes: part(self.changes),
            growth: part(self.growth),
            ..self
        }
    }

    fn rounds(extent: Extent) -> usize {
        match extent {
            Extent::Full => 15,
            Extent::Quick => 5,
            Extent::Rehearsal => 1,
        }
    }
}

/// The tasks of a crowd.
pub(crate) const TASKS: usize = 64;
/// The acquisitions whose allocations are counted.
pub(crate) const COUNTED: usize = 100;
const MILLION: usize = 1_000_000;

impl row::Row for Row {
    type Scale = Scale;

    const ALL: &'static [Self] = &[
        Self::One(Members::Resident(1_000)),
        Self::One(Members::Resident(100_000)),
        Self::One(Members::Resident(MILLION)),
        Self::One(Members::OnDemand(1_000)),
        Self::One(Members::OnDemand(100_000)),
        Self::One(Members::OnDemand(MILLION)),
        Self::Several { count: 10, of: 100_000 },
        Self::Several { count: 100, of: 100_000 },
        Self::Several { count: 1_000, of: 100_000 },
        Self::All(MILLION),
        Self::AwaitAll,
        Self::Crowd(Members::Resident(1_000)),
        Self::Crowd(Members::OnDemand(100_000)),
        Self::Crowd(Members::Resident(100_000)),
        Self::Change(MILLION),
        Self::Growth(MILLION),
        Self::Bytes(MILLION),
        Self::Allocations(1),
        Self::Allocations(4),
    ];

    fn table(self) -> &'static str {
        match self {
            Self::One(_) => "One free name: acquire and release, ns of CPU",
            Self::Several { .. } => "Several free names of 100,000: acquire and release, µs of CPU",
            Self::All(_) => "All of 1,000,000 free members",
            Self::AwaitAll => "All of 64 members, with many who wait",
            Self::Crowd(_) => "64 tasks on two workers: millions of acquisitions in a second, ns of CPU for each",
            Self::Change(_) => "Members that come and go, of 1,000,000: ns of CPU",
            Self::Growth(_) => "Growing to 1,000,000 members: the longest stop, µs",
            Self::Bytes(_) | Self::Allocations(_) => "Space: bytes of a member, allocations of an acquisition",
        }
    }

    fn columns(self) -> Vec<Column> {
        use Bar::{AtMost, Times, TimesBest};
        use Unit::{Bytes, Count, Longest, Microseconds, Nanoseconds, Rate};
        let column = Column::new;
        match self {
            Self::One(members) => {
                let bars: &[_] = match members {
                    Members::Resident(..=1_000) => &[Times(0.5, HAND_MADE)],
                    Members::Resident(..=100_000) => &[Times(0.75, HAND_MADE)],
                    Members::Resident(_) => &[Times(0.8, HAND_MADE)],
                    Members::OnDemand(_) => &[Times(0.55, LOCKABLE), Times(0.55, KEYED_LOCK)],
                };
                vec![column(&format!("one of {members}"), Nanoseconds, bars)]
            }
            Self::Several { count, .. } => {
                vec![column(&format!("{count} names"), Microseconds, &[Times(0.5, HAND_MADE)])]
            }
            Self::All(_) => vec![
                column("acquire and release, µs", Microseconds, &[AtMost(10.0)]),
                column("allocations", Count, &[AtMost(0.0)]),
                column("granted after the last of 25 holders, µs", Microseconds, &[AtMost(5.0)]),
            ],
            Self::AwaitAll => vec![
                column("each of 4,000 who wait, µs", Microseconds, &[AtMost(5.0)]),
                column("a try that fails, 16,000 waiting, µs", Microseconds, &[AtMost(10.0)]),
            ],
            Self::Crowd(members) => {
                let limit = if let Members::Resident(_) = members { 1.4 } else { 1.2 };
                vec![
                    column(&format!("{members}: rate"), Rate, &[TimesBest(limit)]),
                    column(&format!("{members}: CPU"), Nanoseconds, &[]),
                ]
            }
            Self::Change(_) => {
                vec![column("add", Nanoseconds, &[AtMost(1_000.0)]), column("remove", Nanoseconds, &[AtMost(1_000.0)])]
            }
            Self::Growth(_) => vec![
                column("of an acquisition", Longest, &[]),
                column("of an add", Longest, &[]),
                column("of an add, CPU alone", Longest, &[AtMost(100.0)]),
            ],
            Self::Bytes(_) => vec![column("bytes beside the name", Bytes, &[AtMost(64.0)])],
            Self::Allocations(count) => {
                let plural = if count == 1 { "" } else { "s" };
                vec![column(&format!("allocations, {count} name{plural}"), Count, &[AtMost(0.0)])]
            }
        }
    }

    fn varies(self) -> bool {
        !matches!(self, Self::Bytes(_) | Self::Allocations(_))
    }

    fn patience(self) -> Duration {
        match self {
            Self::Growth(_) => Duration::from_secs(30),
            _ => Duration::from_secs(2),
        }
    }
}

/// The name that `--row` takes.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::One(members) => format!("one of {members}"),
            Self::Several { count, of } => format!("{count} of {of}"),
            Self::All(_) => "all".to_owned(),
            Self::AwaitAll => "await all".to_owned(),
            Self::Crowd(members) => format!("crowd {members}"),
            Self::Change(_) => "change".to_owned(),
            Self::Growth(_) => "growth".to_owned(),
            Self::Bytes(_) => "bytes".to_owned(),
            Self::Allocations(count) => format!("allocations {count}"),
        };
        f.write_str(&name.replace([' ', ','], "-"))
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resident(count) => write!(f, "{count}"),
            Self::OnDemand(count) => write!(f, "{count} on demand"),
        }
    }
}
