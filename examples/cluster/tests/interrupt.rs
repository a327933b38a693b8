//! Ctrl-C: running jobs finish, the others are counted.
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;
use support::{cluster, report};

#[test]
fn an_interrupted_run_finishes_its_jobs_and_counts_the_others() {
    // Far more work than the test could wait for.
    let arguments = ["--json", "--jobs", "20000", "--work-us", "20000"];
    let mut command = cluster(&arguments);
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let stderr = program.stderr.take().expect("stderr is piped");
    let mut lines = BufReader::new(stderr).lines();
    // The program begins to listen for the signal before it says that it begins.
    let first = lines.next().expect("a line").expect("in UTF-8");
    assert_eq!(first, "cluster: 20000 jobs through 25 workers under the lock ladder");
    let process = program.id().to_string();
    let kill = Command::new("kill").args(["-INT", &process]).status().expect("kill starts");
    assert!(kill.success());

    let second = lines.by_ref().map_while(Result::ok).find(|line| line.contains("interrupted"));
    assert_eq!(second.as_deref(), Some("cluster: interrupted: waiting for the running jobs"));
    drop(lines);
    let output = program.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let report = report(&output);
    assert_eq!((&report["interrupted"], &report["one_mutex"]), (&json!(true), &json!(null)));
    assert_eq!(report["violations"]["count"], json!(0));
    let jobs = |which: &str| report["jobs"][which].as_u64().expect("a number");
    assert_eq!(jobs("done") + jobs("not_started"), 20_000);
    assert!(jobs("not_started") > 0);
}
