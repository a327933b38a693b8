//! Starts the program and reads what it says.

#[allow(dead_code, reason = "not every test serves")]
pub(crate) mod service;

use std::process::{Command, Output};

use serde_json::Value;

/// The program with `arguments`, not started yet.
pub(crate) fn cluster(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.args(arguments);
    command
}

#[allow(dead_code, reason = "not every test reads it")]
/// The report of a run that was asked for `--json`; nothing else may be on stdout.
pub(crate) fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("stdout is one JSON object")
}
