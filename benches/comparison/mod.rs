//! What the comparisons share: each asks all its peers to do the same work, in one interleaved run.
//!
//! ```text
//!   options · report ─► measure      the command line; tables, bars, JSON; rounds and medians
//!       │         │
//!   contender ─► row                 a peer; a thing to measure: each comparison has its own
//!       │
//!   stage · allocated                where the work is done, by which clock; what it allocates
//! ```

#![allow(dead_code, reason = "each comparison uses its part of this")]

pub(crate) mod allocated;
pub(crate) mod contender;
mod measure;
mod options;
mod report;
pub(crate) mod row;
pub(crate) mod stage;

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

use contender::Contender;
use options::Options;
use report::Report;
use row::{Extent, Row, Scale};

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

/// Prints a report. A closed pipe is no error: its reader wants no more. Any other failure is reported, so that no
/// result is lost in silence.
fn print(report: &str) -> Result<(), String> {
    let mut out = io::stdout();
    match writeln!(out, "{report}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("cannot write the report: {error}")),
        _ => Ok(()),
    }
}
