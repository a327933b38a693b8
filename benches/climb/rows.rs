//! What each contender is asked to do, and the bars that a session must meet.

use std::fmt;

use crate::comparison::allocated;
use crate::comparison::contender::{self, OURS, Sampler};
use crate::comparison::row::{self, Bar, Column, Extent, Unit, number, per_one};
use crate::comparison::stage::{Clock, Flavor, Stage};
use crate::jobs::{self, Job};
use crate::ladders::{Borrowed, Dynamic, HandMade, HandMadePair, Ladder, Owned, Typed};

const OWNED: &str = "by hand, owned guards";
const BORROWED: &str = "by hand, borrowed guards";
const HAND_MADE: &str = "tokio RwLock, DashMap";
const HAND_MADE_PAIR: &str = "tokio RwLock, DashMap, no list";

/// How the instance and the nodes are held. The root is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Exclusive,
    Shared,
    /// Exclusively, at levels whose names come with their use.
    Open,
}

/// How often to climb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    climbs: usize,
}

impl row::Scale for Scale {
    fn of(extent: Extent) -> Self {
        let climbs = match extent {
            Extent::Full => 100_000,
            Extent::Quick => 50_000,
            Extent::Rehearsal => 1_000,
        };
        Self { climbs }
    }

    fn divided_by(self, fraction: usize) -> Self {
        Self { climbs: (self.climbs / fraction).max(1) }
    }

    fn rounds(extent: Extent) -> usize {
        match extent {
            Extent::Full => 25,
            Extent::Quick => 5,
            Extent::Rehearsal => 1,
        }
    }
}

impl row::Row for Row {
    type Scale = Scale;

    const ALL: &'static [Self] = &[Self::Exclusive, Self::Shared, Self::Open];

    fn table(self) -> &'static str {
        "The root, one instance of 1,000, two nodes of 1,000: acquire and release"
    }

    fn columns(self) -> Vec<Column> {
        use Bar::{AtMost, Times};
        let times = [Times(1.3, OWNED), Times(1.3, BORROWED), Times(0.5, HAND_MADE), Times(0.5, HAND_MADE_PAIR)];
        let (times, allocations): (&[Bar], &[Bar]) = match self {
            Self::Exclusive | Self::Shared => (&times, &[AtMost(0.0)]),
            Self::Open => (&[Times(1.05, OWNED)], &[Times(1.0, OWNED)]),
        };
        vec![
            Column::new(&format!("{self}: ns of CPU"), Unit::Nanoseconds, times),
            Column::new(&format!("{self}: allocations"), Unit::Count, allocations),
        ]
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exclusive => "exclusive",
            Self::Shared => "shared",
            Self::Open => "open",
        })
    }
}

type Contender = contender::Contender<Row>;

/// All contenders.
pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        contender::<Typed>(OURS, "lockladder"),
        contender::<Dynamic>("lockladder, at run time", "lockladder"),
        contender::<Owned>(OWNED, "lockladder"),
        contender::<Borrowed>(BORROWED, "lockladder"),
        contender::<HandMade>(HAND_MADE, "tokio"),
        contender::<HandMadePair>(HAND_MADE_PAIR, "dashmap"),
    ]
}

fn contender<L: Ladder + 'static>(name: &'static str, package: &'static str) -> Contender {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as the comparison calls it")]
    fn prepare<'a, L: Ladder + 'static>(row: Row, stage: &'a Stage, _: &Scale) -> Option<Sampler<'a, Scale>> {
        if row == Row::Open && !L::IS_OPEN {
            return None;
        }
        let (ladder, jobs) = (L::default(), jobs::all());
        Some(Box::new(move |scale| Some(climbs(row, stage, &ladder, &jobs, scale.climbs))))
    }
    Contender { name, package, prepare: prepare::<L> }
}

/// A value per column.
fn climbs<L: Ladder>(row: Row, stage: &Stage, ladder: &L, jobs: &[Job], times: usize) -> Vec<f64> {
    let runtime = stage.runtime(Flavor::CurrentThread);
    let jobs = jobs.iter().cycle().take(times);
    let (before, clock) = (allocated::count(), Clock::start(Flavor::CurrentThread));
    runtime.block_on(async {
        match row {
            Row::Exclusive => {
                for job in jobs {
                    ladder.exclusive(job).await;
                }
            }
            Row::Shared => {
                for job in jobs {
                    ladder.shared(job).await;
                }
            }
            Row::Open => {
                for job in jobs {
                    ladder.open(job).await;
                }
            }
        }
    });
    let (time, allocations) = (clock.elapsed(), allocated::count() - before);
    // Rounded: an allocation that happens once in the life of a lock or a runtime does not count.
    vec![per_one(time, times), (number(allocations) / number(times)).round()]
}
