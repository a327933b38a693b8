//! The report: a table for readers, one JSON object for programs.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

use crate::ledger::Violation;
use crate::run::{Findings, Pass, Plan};
use crate::tally::{Row, Summary};

/// The most violations that the text shows; the JSON object has all that the ledger kept.
const VIOLATIONS_SHOWN: usize = 10;

/// Everything that the report says. The field names are those of the JSON object; their last part is the unit.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    source: String,
    nodes: usize,
    instances: usize,
    seed: u64,
    workers: usize,
    work_us: u128,
    jobs: Jobs,
    opcodes: Vec<Row>,
    /// How many attempts gave up, and the most urgent priority that a job has reached by that.
    retries: u64,
    most_urgent: i8,
    most_jobs_at_once: usize,
    wall_ms: u128,
    jobs_per_s: f64,
    wait_us: Option<Summary>,
    one_by_one: Option<Baseline>,
    one_mutex: Option<Baseline>,
    failures: Vec<String>,
    violations: Violations,
    interrupted: bool,
}

#[derive(Debug, Serialize)]
struct Jobs {
    total: u64,
    done: u64,
    failed: u64,
    not_started: u64,
}

/// The same stream under another scheme.
#[derive(Debug, Serialize)]
struct Baseline {
    #[serde(skip)]
    scheme: &'static str,
    done: u64,
    wall_ms: u128,
    jobs_per_s: f64,
    wait_us: Option<Summary>,
    /// How many times as fast the ladder was.
    ladder_speedup: f64,
}

#[derive(Debug, Serialize)]
struct Violations {
    count: usize,
    first: Vec<Told>,
}

/// A violation in words and as data.
#[derive(Debug, Serialize)]
struct Told {
    text: String,
    #[serde(flatten)]
    violation: Violation,
}

/// Jobs per second. The time counts as a nanosecond at least, even if the clock shows none.
#[expect(clippy::cast_precision_loss, reason = "no stream has 2^52 jobs")]
pub(crate) fn rate(jobs: usize, time: Duration) -> f64 {
    jobs as f64 / time.as_secs_f64().max(1e-9)
}

impl Report {
    /// The report on the findings of a run of `plan`, whose cluster came from `source`.
    pub(crate) fn new(source: String, plan: &Plan, findings: &Findings) -> Self {
        let Findings { jobs, ladder, one_by_one, one_mutex, violations, interrupted } = findings;
        let (total, done) = (*jobs as u64, ladder.tally.jobs());
        let jobs_per_s = pass_rate(ladder);
        let baseline = |pass: &Pass| Baseline {
            scheme: pass.scheme,
            done: pass.tally.jobs(),
            wall_ms: pass.wall.as_millis(),
            jobs_per_s: pass_rate(pass),
            wait_us: pass.tally.waits(),
            ladder_speedup: jobs_per_s / pass_rate(pass).max(1e-9),
        };
        let told = |violation: &Violation| Told { text: violation.to_string(), violation: violation.clone() };
        Self {
            source,
            nodes: plan.cluster.node_names().len(),
            instances: plan.cluster.instance_names().len(),
            seed: plan.pace.seed,
            workers: plan.workers,
            work_us: plan.pace.step.as_micros(),
            jobs: Jobs { total, done, failed: ladder.tally.failed(), not_started: total - done },
            opcodes: ladder.tally.rows(),
            retries: ladder.tally.retries(),
            most_urgent: ladder.tally.most_urgent().get(),
            most_jobs_at_once: ladder.most_at_once,
            wall_ms: ladder.wall.as_millis(),
            jobs_per_s,
            wait_us: ladder.tally.waits(),
            one_by_one: one_by_one.as_ref().map(baseline),
            one_mutex: one_mutex.as_ref().map(baseline),
            failures: ladder.tally.failures(),
            violations: Violations { count: violations.count, first: violations.first.iter().map(told).collect() },
            interrupted: *interrupted,
        }
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("the report is plain data")
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        let Self { source, nodes, instances, workers, work_us, seed, .. } = self;
        writeln!(
            out,
            "{source}: {instances} instances on {nodes} nodes; {workers} workers, \
             seed {seed}, {work_us} µs of simulated work per step; times in ms"
        )?;
        writeln!(out, "{}", self.table())?;
        let Jobs { total, done, failed, not_started } = &self.jobs;
        writeln!(
            out,
            "{done} of {total} jobs done ({failed} of them failed, {not_started} not started) \
             in {} ms: {:.1} jobs/s, at most {} at once",
            self.wall_ms, self.jobs_per_s, self.most_jobs_at_once
        )?;
        if self.retries > 0 {
            let Self { retries, most_urgent, .. } = self;
            writeln!(out, "{retries} attempts gave up and were followed by others, up to priority {most_urgent}")?;
        }
        for baseline in [&self.one_by_one, &self.one_mutex].into_iter().flatten() {
            let Baseline { scheme, done, wall_ms, jobs_per_s, wait_us, ladder_speedup } = baseline;
            let [ours, theirs] = [self.wait_us, *wait_us].map(|waits| in_ms(waits)[1].clone());
            writeln!(
                out,
                "under {scheme}: {done} jobs in {wall_ms} ms: {jobs_per_s:.1} jobs/s, wait p99 {theirs}; \
                 the lock ladder is {ladder_speedup:.2} times as fast, wait p99 {ours}"
            )?;
        }
        for failure in &self.failures {
            writeln!(out, "failed, for example: {failure}")?;
        }
        self.write_violations(out)?;
        if self.interrupted {
            writeln!(out, "interrupted")?;
        }
        Ok(())
    }

    fn write_violations(&self, out: &mut String) -> std::fmt::Result {
        if self.violations.count == 0 {
            return writeln!(out, "no violations");
        }
        writeln!(out, "{} VIOLATIONS", self.violations.count)?;
        for told in self.violations.first.iter().take(VIOLATIONS_SHOWN) {
            writeln!(out, "  {}", told.text)?;
        }
        let more = self.violations.count.saturating_sub(VIOLATIONS_SHOWN);
        if more > 0 { writeln!(out, "  and {more} more") } else { Ok(()) }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_header([
            "opcode", "jobs", "failed", "retries", "wait p50", "wait p99", "wait max", "hold p50", "hold p99",
            "hold max",
        ]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for Row { op, jobs, failures, retries, wait_us, hold_us } in self.opcodes.iter().filter(|row| row.jobs > 0) {
            let mut cells = vec![op.to_string(), jobs.to_string(), failures.to_string(), retries.to_string()];
            cells.extend([wait_us, hold_us].into_iter().flat_map(|times| in_ms(*times)));
            table.add_row(cells);
        }
        table
    }
}

fn pass_rate(pass: &Pass) -> f64 {
    rate(usize::try_from(pass.tally.jobs()).unwrap_or(usize::MAX), pass.wall)
}

/// Microseconds as milliseconds, with two decimals; a dash if there were no jobs.
fn in_ms(times: Option<Summary>) -> [String; 3] {
    let ms = |us: u64| {
        let mut text = String::new();
        let _ = write!(text, "{}.{:02}", us / 1000, us % 1000 / 10);
        text
    };
    times.map_or_else(
        || ["-".to_owned(), "-".to_owned(), "-".to_owned()],
        |Summary { p50, p99, max }| [ms(p50), ms(p99), ms(max)],
    )
}
