//! What comes out: a table for people, in Markdown, and the same as JSON.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::cluster::{Outcome, WORKERS};
use crate::jobs::{INSTANCES, NODES};

/// At least so many times the throughput of ordered acquisition.
const THROUGHPUT: f64 = 1.15;
/// At most so many times its 99th percentile of waits.
const WAIT: f64 = 0.7;

/// The same jobs, run both ways.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) ordered: Outcome,
    pub(crate) atomic: Outcome,
}

/// One way of one seed, or of all together.
#[derive(Clone, Debug, Serialize)]
struct Line {
    seed: Option<u64>,
    scheme: &'static str,
    jobs_per_hour: f64,
    mean_wait: f64,
    p99_wait: f64,
    max_wait: f64,
}

/// How the one compares with the other.
#[derive(Clone, Debug, Serialize)]
struct Verdict {
    seed: Option<u64>,
    throughput: f64,
    p99_wait: f64,
    met: bool,
}

/// Times are in seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    jobs: usize,
    lines: Vec<Line>,
    verdicts: Vec<Verdict>,
}

impl Report {
    pub(crate) fn new(jobs: usize, runs: Vec<Run>) -> Self {
        let seeds = runs.len();
        let all: [fn(&Run) -> &Outcome; 2] = [|run| &run.ordered, |run| &run.atomic];
        let [ordered, atomic] = all.map(|outcome| together(runs.iter().map(outcome)));
        let together = (seeds > 1).then_some((None, ordered, atomic));
        let runs = runs.into_iter().map(|run| (Some(run.seed), run.ordered, run.atomic)).chain(together);
        let (mut lines, mut verdicts) = (Vec::new(), Vec::new());
        for (seed, ordered, atomic) in runs {
            let [ordered, atomic] =
                [("one by one, in order", ordered), ("all at once", atomic)].map(|one| line(seed, one));
            let throughput = atomic.jobs_per_hour / ordered.jobs_per_hour;
            let p99_wait = atomic.p99_wait / ordered.p99_wait;
            verdicts.push(Verdict { seed, throughput, p99_wait, met: throughput >= THROUGHPUT && p99_wait <= WAIT });
            lines.extend([ordered, atomic]);
        }
        Self { jobs, lines, verdicts }
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers can be written as JSON")
    }
}

fn together<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Outcome {
    let mut all = Outcome { took: Duration::ZERO, waits: Vec::new() };
    for Outcome { took, waits } in outcomes {
        all.took += *took;
        all.waits.extend(waits);
    }
    all.waits.sort_unstable();
    all
}

#[expect(clippy::cast_precision_loss, reason = "some thousands of jobs")]
fn line(seed: Option<u64>, (scheme, Outcome { took, waits }): (&'static str, Outcome)) -> Line {
    let count = waits.len() as f64;
    Line {
        seed,
        scheme,
        jobs_per_hour: count / took.as_secs_f64() * 3_600.0,
        mean_wait: waits.iter().sum::<Duration>().as_secs_f64() / count,
        p99_wait: waits[waits.len() * 99 / 100].as_secs_f64(),
        max_wait: waits[waits.len() - 1].as_secs_f64(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = |seed: Option<u64>| seed.map_or("all".to_owned(), |seed| seed.to_string());
        writeln!(f, "{INSTANCES} instances, {NODES} nodes, {WORKERS} workers, {} jobs of each seed\n", self.jobs)?;
        let mut lines = table(["seed", "locks taken", "jobs an hour", "mean wait, s", "p99, s", "longest, s"]);
        for line in &self.lines {
            let numbers = [line.jobs_per_hour, line.mean_wait, line.p99_wait, line.max_wait];
            let [rate, mean, p99, max] = numbers.map(|number| format!("{number:.1}"));
            lines.add_row([seed(line.seed), line.scheme.to_owned(), rate, mean, p99, max]);
        }
        writeln!(f, "{lines}\n\n## Bars: throughput ≥ {THROUGHPUT} ×, p99 wait ≤ {WAIT} × of one by one\n")?;
        let mut verdicts = table(["seed", "throughput", "p99 wait", ""]);
        for verdict in &self.verdicts {
            let [throughput, wait] = [verdict.throughput, verdict.p99_wait].map(|ratio| format!("{ratio:.2} ×"));
            let result = if verdict.met { "met" } else { "**missed**" };
            verdicts.add_row([seed(verdict.seed), throughput, wait, result.to_owned()]);
        }
        write!(f, "{verdicts}")
    }
}

fn table<const COLUMNS: usize>(headings: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(headings);
    for column in table.column_iter_mut().filter(|column| column.index != 1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
