//! What Ganeti's jobs gain from grants of all names at once: `cargo bench -p lockladder-benches --bench mix`.
//!
//! The same jobs run twice, on real locks and in paused time: with our sets, and with the members taken one by one in name
//! order, as the seed did and as everybody does who has a lock for each name. In paused time only waiting counts: each
//! run of a seed gives the same figures, on any machine.
//!
//! ```text
//!   report ─► cluster        tables, bars; 25 workers who run the jobs, in paused time
//!                │
//!         jobs ─ schemes     what is to be done; how the locks are taken
//! ```

mod cluster;
mod jobs;
#[path = "../print.rs"]
mod print;
mod report;
mod schemes;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cluster::run;
use crate::jobs::jobs;
use crate::print::print;
use crate::report::{Report, Run};
use crate::schemes::{Atomic, Ordered};

/// Runs Ganeti's jobs with all names granted at once, and with names taken one by one in order.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo bench -p lockladder-benches --bench mix --")]
struct Options {
    /// Jobs of each run
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: Option<u32>,

    /// Runs, each with jobs of its own
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,

    /// Fewer jobs: for a first look
    #[arg(long)]
    quick: bool,

    /// Writes the results to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,

    /// A few jobs, to see that everything works: what `cargo test --benches` asks for
    #[arg(long)]
    test: bool,
}

fn main() -> ExitCode {
    match compare(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<(), Box<dyn Error>> {
    let (count, seeds) = match options {
        Options { test: true, .. } | Options { bench: false, .. } => (100, 1),
        Options { quick: true, .. } => (1_500, 3),
        _ => (6_000, 5),
    };
    let (count, seeds) = (options.jobs.map_or(count, |jobs| jobs as usize), options.seeds.unwrap_or(seeds));
    let style = ProgressStyle::with_template("{msg:10} [{bar:30}] {pos}/{len} runs, {eta} left")?;
    let progress = ProgressBar::new(seeds * 2).with_style(style);
    let runs = (1..=seeds).map(|seed| {
        let jobs = jobs(seed, count);
        progress.set_message(format!("seed {seed}"));
        let ordered = run::<Ordered>(&jobs);
        progress.inc(1);
        let atomic = run::<Atomic>(&jobs);
        progress.inc(1);
        Run { seed, ordered, atomic }
    });
    let runs = runs.collect();
    progress.finish_and_clear();
    let report = Report::new(count, runs);
    print(&report.to_string())?;
    if let Some(file) = &options.json {
        fs::write(file, report.json() + "\n").map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}
