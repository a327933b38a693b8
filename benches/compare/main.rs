//! Ours against the peers, in one interleaved run: `cargo bench -p lockladder-benches --bench compare`.
//!
//! ```text
//!   options ─► measure ─► report                medians, ratios, bars; JSON
//!                 │
//!               rows ─► workloads · crowd · space       what is asked, and the bars; the work
//!                 │               │
//!                 │             stage                   where it is done, and by which clock
//!               peers ─► verbs                          who takes part, and how they are asked
//! ```
//!
//! See `-- --help`, and `docs/BENCHMARKS.md` for the last results.

mod crowd;
mod measure;
mod options;
mod peers;
mod report;
mod rows;
mod space;
mod stage;
mod verbs;
mod workloads;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use clap::Parser;

use crate::options::Options;
use crate::report::Report;

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
    let (rows, contenders, scale) = (options.rows()?, options.contenders()?, options.scale());
    let measurements = measure::measure(&rows, &contenders, &scale);
    let report = Report::new(&scale, &contenders, measurements);
    if options.is_rehearsal() {
        println!("everything works; `cargo bench` measures");
    } else {
        println!("{report}");
    }
    if let Some(file) = &options.json {
        fs::write(file, report.json() + "\n").map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}
