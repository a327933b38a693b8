//! A Ganeti-style job queue on lockladder's locks that checks itself.
//!
//! ```text
//!   options ─► config ─► inventory ─┐
//!          └─► task / stream ───────┴─► run ─► queue ─► opcodes ─► duties ─► ledger
//!                                        │        ├──► one_by_one ──┤
//!                                        │        └──► one_mutex ───┘
//!                                        └─► report
//! ```
//!
//! Jobs are data (`task`), made up (`stream`) or read from a file. Workers take them from the `queue`. Each opcode
//! climbs a typed session just as its Ganeti namesake climbs its locks (`opcodes`), and does its work under the session
//! (`duties`). The `ledger` watches, independently of the locks. See `--help` for the options.

mod config;
mod control;
mod desk;
mod duties;
mod inventory;
mod ledger;
mod one_by_one;
mod one_mutex;
mod opcodes;
mod options;
mod progress;
mod queue;
mod refusal;
mod report;
mod retries;
mod run;
#[cfg(test)]
mod schedules;
mod service;
#[cfg(test)]
mod stopping;
mod stream;
mod tally;
mod task;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use crate::desk::Pace;
use crate::opcodes::Sabotage;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::Report;
use crate::run::{Findings, INTERRUPTED, Plan};
use crate::service::Serving;
use crate::task::Opcode;

const VIOLATED: u8 = 1;
/// The findings could not be written: that is no success either.
const UNWRITTEN: u8 = 1;
/// The service could not start.
const UNSERVED: u8 = 1;
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let options = Options::parse();
    let plan = match plan(&options) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(BAD_INPUT);
        }
    };
    let findings = match find(&options, &plan) {
        Ok(findings) => findings,
        Err(error) => {
            eprintln!("error: cannot serve at {error}");
            return ExitCode::from(UNSERVED);
        }
    };
    if let Err(error) = publish(&options, &Report::new(source(&options), &plan, &findings)) {
        eprintln!("error: cannot write the report: {error}");
        return ExitCode::from(UNWRITTEN);
    }
    exit_code(&findings)
}

fn find(options: &Options, plan: &Plan) -> io::Result<Findings> {
    let runtime = runtime(options.virtual_time);
    match options.serve {
        Some(address) => {
            let serving = Serving { address, queue_limit: options.queue_limit };
            runtime.block_on(service::serve(serving, plan))
        }
        None => Ok(runtime.block_on(run::carry_out(plan))),
    }
}

fn runtime(virtual_time: bool) -> Runtime {
    let mut builder = if virtual_time { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let builder = builder.enable_all().start_paused(virtual_time);
    builder.build().expect("the system has threads and timers for a runtime")
}

/// Reads all input, and finds every error in it before anything starts.
fn plan(options: &Options) -> Result<Plan, Box<dyn Error>> {
    let mut cluster = config::load(options.config.as_deref())?;
    if let Some(instances) = options.scale {
        cluster = config::scale(&cluster, instances)?;
    }
    let tasks = match &options.job_file {
        Some(file) => task::read_job_file(file)?,
        None if options.serve.is_some() => Vec::new(),
        None => stream::generate(&cluster, options.jobs, options.seed, options.mix),
    };
    let sabotage = if options.sabotage { Sabotage::Failovers } else { Sabotage::None };
    if options.sabotage && !tasks.iter().any(|task| task.opcode() == Opcode::InstanceFailover) {
        return Err("--sabotage needs an InstanceFailover among the jobs".into());
    }
    Ok(Plan {
        cluster,
        tasks: tasks.into(),
        workers: options.workers,
        pace: Pace { step: options.step(), seed: options.seed },
        patience: options.patience(),
        sabotage,
        compare: !options.no_baseline,
        // A virtual clock leaves no time to show progress.
        progress: Progress::suited(options.quiet || options.virtual_time),
    })
}

fn source(options: &Options) -> String {
    let file = options.config.as_ref();
    file.map_or_else(|| "the embedded sample".to_owned(), |file| file.display().to_string())
}

fn publish(options: &Options, report: &Report) -> io::Result<()> {
    let text = if options.json { report.json() + "\n" } else { report.text() };
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader closed the pipe and does not want the rest; the exit code still tells the result.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A violation outweighs an interruption: it must not go unnoticed.
fn exit_code(findings: &Findings) -> ExitCode {
    if findings.violations.count > 0 {
        ExitCode::from(VIOLATED)
    } else if findings.interrupted {
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    }
}
