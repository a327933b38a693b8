//! A Ganeti-style job queue on lockladder's locks that checks itself.
//!
//! ```text
//!   options ─► config ─► inventory ─┐
//!          ├─► task / stream ───────┴─► run ─► queue ─► retries ─► opcodes ─► duties ─► ledger
//!          │                             │        ├──────► one_by_one ──┤
//!          │                             │        └──────► one_mutex ───┘
//!          │                             ├─► report
//!          │                             └─► timeline ◄─ control
//!          └─► service ─► queue::do_job
//! ```
//!
//! Jobs are data (`task`), made up (`stream`), read from a file, or posted by HTTP (`service`). Workers take them from the
//! `queue`. Each opcode climbs a typed session just as its Ganeti namesake climbs its locks (`opcodes`), and does its work
//! under the session (`duties`); if its locks do not come in time, it tries again (`retries`). What is to be seen of a
//! running job, and stops it, is its `control`. The `ledger` watches, independently of the locks. See `--help` for the
//! options.

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
mod timeline;

use std::error::Error;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
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
use crate::timeline::LANES;

const VIOLATED: u8 = 1;
/// The findings could not be written: that is no success either.
const UNWRITTEN: u8 = 1;
/// The service could not start.
const UNSERVED: u8 = 1;
const BAD_INPUT: u8 = 2;

/// Why there is no result: the exit code, and the reason in words.
type Failure = (u8, String);

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err((code, reason)) => {
            eprintln!("error: {reason}");
            ExitCode::from(code)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Failure> {
    let plan = plan(options).map_err(|error| (BAD_INPUT, error.to_string()))?;
    let picture = options.timeline.as_deref().map(Picture::begin).transpose();
    let picture = picture.map_err(|reason| (BAD_INPUT, reason))?;
    let findings = find(options, &plan).map_err(|error| (UNSERVED, format!("cannot serve at {error}")))?;
    if let Some(picture) = picture {
        picture.finish(&findings).map_err(|reason| (UNWRITTEN, reason))?;
    }
    let report = Report::new(source(options), &plan, &findings);
    publish(options, &report).map_err(|error| (UNWRITTEN, format!("cannot write the report: {error}")))?;
    Ok(exit_code(&findings))
}

/// The file of the timeline. It is opened before anything starts, so that a wrong name is told then.
struct Picture<'o>(&'o Path, File);

impl<'o> Picture<'o> {
    fn begin(path: &'o Path) -> Result<Self, String> {
        File::create(path).map(|file| Self(path, file)).map_err(|error| unwritten(path, &error))
    }

    fn finish(mut self, findings: &Findings) -> Result<(), String> {
        let svg = timeline::svg(&findings.ladder.lanes, findings.jobs);
        self.1.write_all(svg.as_bytes()).map_err(|error| unwritten(self.0, &error))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
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
        lanes: if options.timeline.is_some() { LANES } else { 0 },
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
