//! The rows of a comparison, the columns of each, and their units and bars.

use std::fmt::Display;
use std::time::Duration;

/// One thing to measure; its `Display` is the name that `--row` takes.
pub(crate) trait Row: Copy + Display + 'static {
    type Scale: Scale;

    const ALL: &'static [Self];

    /// The title of its table.
    fn table(self) -> &'static str;

    /// The quantities that it yields.
    fn columns(self) -> Vec<Column>;

    /// Whether it must be repeated to be believed.
    fn varies(self) -> bool {
        true
    }

    /// A peer that needs longer than this for one sample is not asked again.
    fn patience(self) -> Duration {
        Duration::from_millis(500)
    }
}

/// How much of everything is done for one sample.
pub(crate) trait Scale: Copy + 'static {
    fn of(extent: Extent) -> Self;

    /// The counts divided by `fraction`, but never zero.
    fn divided_by(self, fraction: usize) -> Self;

    /// How often a row is measured.
    fn rounds(extent: Extent) -> usize;
}

/// How thoroughly to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Full,
    /// For a first look.
    Quick,
    /// To see that everything works: the times mean nothing.
    Rehearsal,
}

/// A quantity that a row yields.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) heading: String,
    pub(crate) unit: Unit,
    pub(crate) bars: Vec<Bar>,
}

impl Column {
    pub(crate) fn new(heading: &str, unit: Unit, bars: &[Bar]) -> Self {
        Self { heading: heading.into(), unit, bars: bars.into() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
    /// Millions in a second: more is better.
    Rate,
    /// The most over the fewest: of all rounds, the least disturbed one counts.
    Spread,
    /// The longest of many times, in microseconds: here too the least disturbed round counts.
    Longest,
    Count,
    Bytes,
}

impl Unit {
    /// Whether a disturbance of a round can only add to the quantity, so that the least of all rounds counts.
    pub(crate) fn is_least(self) -> bool {
        matches!(self, Self::Spread | Self::Longest)
    }
}

/// A bar that the project sets itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// At most this many times what the peer shows in the same round.
    Times(f64, &'static str),
    /// At least this many times what the best of all peers shows in the same round.
    TimesBest(f64),
    /// At most this much.
    AtMost(f64),
}

/// Nanoseconds for each of `count`.
pub(crate) fn per_one(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / number(count)
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts here are far below 2^52")]
pub(crate) fn number(count: usize) -> f64 {
    count as f64
}
