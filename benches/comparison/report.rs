//! The results: tables in Markdown, and the same as JSON.

use std::fmt::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::contender::{Contender, OURS};
use super::measure::{Measurement, Ratio, Score};
use super::row::{Bar, Row, Unit};

/// All results of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    rounds: usize,
    cores: usize,
    peers: Vec<Peer>,
    verdicts: Vec<Verdict>,
    measurements: Vec<Line>,
    #[serde(skip)]
    tables: Vec<(&'static str, Vec<Measurement>)>,
}

/// A contender that took part.
#[derive(Debug, Serialize)]
struct Peer {
    name: &'static str,
    package: &'static str,
    version: Option<&'static str>,
}

/// One bar, and whether it is met.
#[derive(Debug, Serialize)]
struct Verdict {
    row: String,
    quantity: String,
    bar: String,
    measured: f64,
    /// Half of the rounds lie between these values.
    half_of_rounds: Option<[f64; 2]>,
    met: bool,
}

/// One quantity of one peer.
#[derive(Debug, Serialize)]
struct Line {
    row: String,
    quantity: String,
    unit: &'static str,
    peer: &'static str,
    /// The median over the rounds; for `most/fewest` and `longest`, the least.
    value: f64,
    /// 1 for a peer that is too slow for more; it may have had less to do, too.
    rounds: usize,
    /// Ours over this peer's: the median of the ratios of the rounds; for `most/fewest` and `longest`, the ratio of
    /// the least values.
    ratio: Option<f64>,
    /// Half of the rounds lie between these ratios.
    half_of_rounds: Option<[f64; 2]>,
}

impl Report {
    pub(crate) fn new<R: Row>(rounds: usize, contenders: &[Contender<R>], measurements: Vec<Measurement>) -> Self {
        let peer = |contender: &Contender<R>| {
            let Contender { name, package, .. } = *contender;
            Peer { name, package, version: locked_version(package) }
        };
        Self {
            rounds,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            peers: contenders.iter().map(peer).collect(),
            verdicts: measurements.iter().flat_map(verdicts).collect(),
            measurements: measurements.iter().flat_map(lines).collect(),
            tables: by_table(measurements),
        }
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers can be written as JSON")
    }

    fn verdict_table(&self) -> Table {
        let mut table = empty_table(["row", "bar", "measured", "half of the rounds", ""]);
        for verdict in &self.verdicts {
            let half = verdict.half_of_rounds.map(|[low, high]| format!("{low:.2} … {high:.2}"));
            let measured = format!("{:.2}", verdict.measured);
            let result = if verdict.met { "met" } else { "**missed**" };
            table.add_row([&verdict.quantity, &verdict.bar, &measured, &half.unwrap_or_default(), result]);
        }
        table
    }

    fn peer_table(&self, measurements: &[Measurement]) -> Table {
        let headings = measurements.iter().map(|measurement| measurement.column.heading.as_str());
        let mut table = empty_table(["peer"].into_iter().chain(headings));
        for index in 1..=measurements.len() {
            let column = table.column_mut(index).expect("there is a heading for each");
            column.set_cell_alignment(CellAlignment::Right);
        }
        for peer in &self.peers {
            let scores: Vec<_> = measurements.iter().map(|one| (one.column.unit, score(one, peer.name))).collect();
            if scores.iter().any(|(_, score)| score.is_some()) {
                let cells = scores.into_iter().map(|(unit, score)| cell(unit, score));
                table.add_row([peer.name.to_owned()].into_iter().chain(cells));
            }
        }
        table
    }
}

const LEGEND: &str = "In brackets: ours ÷ theirs, the median of the rounds; of times, below 1 is faster.\n\
    `–`: cannot do it. `\\*`: too slow for more than one sample, with less to do.";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rounds, {} cores. {LEGEND}\n", self.rounds, self.cores)?;
        let versions = self.peers.iter().filter_map(|peer| Some(format!("{} {}", peer.package, peer.version?)));
        let mut versions: Vec<_> = versions.collect();
        versions.dedup();
        writeln!(f, "{}\n\n## Bars\n\n{}", versions.join(", "), self.verdict_table())?;
        for (title, measurements) in &self.tables {
            writeln!(f, "\n## {title}\n\n{}", self.peer_table(measurements))?;
        }
        Ok(())
    }
}

fn empty_table<'a>(headings: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(headings);
    table
}

/// Groups the measurements by table, in the order of the rows.
fn by_table(measurements: Vec<Measurement>) -> Vec<(&'static str, Vec<Measurement>)> {
    let mut tables: Vec<(_, Vec<_>)> = Vec::new();
    for measurement in measurements {
        let title = measurement.table;
        match tables.iter_mut().find(|(other, _)| *other == title) {
            Some((_, members)) => members.push(measurement),
            None => tables.push((title, vec![measurement])),
        }
    }
    tables
}

fn score<'a>(measurement: &'a Measurement, peer: &str) -> Option<&'a Score> {
    measurement.scores.iter().find(|score| score.peer == peer)
}

/// The number, and for times and rates the ratio; a dash if the peer cannot do it.
fn cell(unit: Unit, score: Option<&Score>) -> String {
    let Some(score) = score else { return "–".to_owned() };
    let mut text = match unit {
        Unit::Nanoseconds | Unit::Microseconds | Unit::Longest => format!("{:.1}", score.value),
        Unit::Spread if score.value.is_infinite() => "∞".to_owned(),
        Unit::Spread | Unit::Rate => format!("{:.2}", score.value),
        Unit::Count | Unit::Bytes => format!("{:.0}", score.value),
    };
    match score.ratio {
        Some(ratio) if !matches!(unit, Unit::Spread | Unit::Count | Unit::Bytes) => {
            write!(text, " ({:.2})", ratio.value)
        }
        None if score.peer != OURS => write!(text, " \\*"),
        _ => Ok(()),
    }
    .expect("writing to a string does not fail");
    text
}

fn verdicts(measurement: &Measurement) -> impl Iterator<Item = Verdict> {
    let Measurement { row, column, scores, .. } = measurement;
    let ratio = |peer| score(measurement, peer)?.ratio;
    column.bars.iter().filter_map(move |bar| {
        let (text, measured, half_of_rounds, met) = match *bar {
            Bar::Times(limit, peer) => {
                let Ratio { value, half } = ratio(peer)?;
                (format!("≤ {limit} × {peer}"), value, half, at_most(value, limit))
            }
            Bar::TimesBest(limit) => {
                let ratios = scores.iter().filter_map(|score| Some((score.ratio?, score.peer)));
                let (Ratio { value, half }, best) =
                    ratios.min_by(|one, other| one.0.value.total_cmp(&other.0.value))?;
                (format!("≥ {limit} × the best, {best}"), value, half, at_most(limit, value))
            }
            Bar::AtMost(limit) => {
                let measured = score(measurement, OURS)?.value;
                (format!("≤ {limit}"), measured, None, at_most(measured, limit))
            }
        };
        let quantity = column.heading.clone();
        Some(Verdict { row: row.clone(), quantity, bar: text, measured, half_of_rounds, met })
    })
}

/// Compares at two decimals, as they are printed.
fn at_most(measured: f64, limit: f64) -> bool {
    (measured * 100.0).round() <= (limit * 100.0).round()
}

fn lines(measurement: &Measurement) -> impl Iterator<Item = Line> {
    let Measurement { row, column, scores, .. } = measurement;
    scores.iter().map(move |score| Line {
        row: row.clone(),
        quantity: column.heading.clone(),
        unit: match column.unit {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "µs",
            Unit::Rate => "millions/s",
            Unit::Spread => "most/fewest",
            Unit::Longest => "µs, longest",
            Unit::Count => "count",
            Unit::Bytes => "bytes",
        },
        peer: score.peer,
        value: score.value,
        rounds: score.rounds,
        ratio: score.ratio.map(|ratio| ratio.value),
        half_of_rounds: score.ratio.and_then(|ratio| ratio.half),
    })
}

/// The version of a package in the lock file of the workspace. `std` is not in it.
fn locked_version(package: &str) -> Option<&'static str> {
    let packages = include_str!("../../Cargo.lock").split("[[package]]");
    let fields = packages.map(|entry| (field(entry, "name"), field(entry, "version")));
    // Several versions of a package are in ascending order, and the benches use the latest.
    fields.filter(|(name, _)| *name == Some(package)).last().and_then(|(_, version)| version)
}

fn field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    let line = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
    Some(line.trim_matches('"'))
}
