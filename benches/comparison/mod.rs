//! What the comparisons share: each asks its peers the same things, in one interleaved run.
//!
//! ```text
//!   options ─► measure ─► report        the command line; rounds; medians, ratios, bars, JSON
//!                 │
//!        Contender · Row                who is asked, and what: a comparison's own
//!                 │
//!        stage · allocated              where the work is done, by which clock; what it allocates
//! ```

#![allow(dead_code, reason = "each comparison uses its part of this")]

pub(crate) mod allocated;
mod measure;
mod options;
#[path = "../print.rs"]
mod print;
mod report;
pub(crate) mod stage;

use std::error::Error;
use std::fmt::{self, Display};
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use options::Options;
use print::print;
use report::Report;
use stage::Stage;

/// The one that the others are compared with.
pub(crate) const OURS: &str = "lockladder";

/// One thing to measure; its `Display` is the name by which `--row` asks for it.
pub(crate) trait Row: Copy + Display + 'static {
    type Scale: Scale;

    const ALL: &'static [Self];

    /// Which table it stands in.
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

    /// As much less, but never nothing.
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
    /// Whether anything that disturbs a round can only add to the quantity, so that the least of all rounds counts.
    fn is_least(self) -> bool {
        matches!(self, Self::Spread | Self::Longest)
    }
}

/// What the project asks of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// At most so many times what this peer shows in the same round.
    Times(f64, &'static str),
    /// At least so many times what the best of all peers shows in the same round.
    TimesBest(f64),
    /// At most so much.
    AtMost(f64),
}

/// Does the work once, and returns a value for each column; `None` if that cannot be done.
pub(crate) type Sampler<'a, S> = Box<dyn FnMut(&S) -> Option<Vec<f64>> + 'a>;

/// Makes what a row needs, which is not timed; `None` if that cannot be done.
pub(crate) type Prepare<R, S> = for<'a> fn(R, &'a Stage, &S) -> Option<Sampler<'a, S>>;

/// A peer, and how it is asked.
pub(crate) struct Contender<R: Row> {
    pub(crate) name: &'static str,
    /// The package it comes from.
    pub(crate) package: &'static str,
    pub(crate) prepare: Prepare<R, R::Scale>,
}

impl<R: Row> fmt::Debug for Contender<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).field("package", &self.package).finish_non_exhaustive()
    }
}

/// Does what the command line asks for.
pub(crate) fn compare<R: Row>(contenders: Vec<Contender<R>>) -> ExitCode {
    match run(&Options::parse(), contenders) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run<R: Row>(options: &Options, contenders: Vec<Contender<R>>) -> Result<(), Box<dyn Error>> {
    let (rows, contenders) = (options.rows::<R>()?, options.contenders(contenders)?);
    let (scale, rounds) = (R::Scale::of(options.extent()), options.rounds::<R::Scale>());
    let measurements = measure::measure(&rows, &contenders, &scale, rounds);
    let report = Report::new(rounds, &contenders, measurements);
    if options.extent() == Extent::Rehearsal {
        print("everything works; `cargo bench` measures")?;
    } else {
        print(&report.to_string())?;
    }
    if let Some(file) = &options.json {
        fs::write(file, report.json() + "\n").map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}

/// Nanoseconds.
pub(crate) fn per_one(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / number(count)
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts here are far below 2^52")]
pub(crate) fn number(count: usize) -> f64 {
    count as f64
}
