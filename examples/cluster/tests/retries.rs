//! Jobs that do not get their locks in time give up, and try again. The clock jumps, so that hours take no time.

mod support;

use serde_json::{Value, json};
use support::{cluster, report};

const ALDER: &str = "alder.example.com";

/// Runs these jobs, all at once, with more arguments. Returns the report.
fn run(jobs: &[Value], arguments: &[&str]) -> Value {
    let directory = tempfile::tempdir().expect("a place for a file");
    let file = directory.path().join("jobs");
    let lines: Vec<_> = jobs.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).expect("the file can be written");
    let path = file.to_str().expect("a path in ASCII");
    let common = ["--virtual-time", "--json", "--no-baseline", "--job-file", path];
    let output = cluster(&[&common, arguments].concat()).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    report(&output)
}

/// Keeps a node of `web1` for hours.
fn delay(hours: u32) -> Value {
    json!({"op": "TestDelay", "nodes": [ALDER], "duration_ms": hours * 3_600_000})
}

fn row(report: &Value, op: &str) -> Value {
    let rows = report["opcodes"].as_array().expect("a list of opcodes");
    rows.iter().find(|row| row["op"] == json!(op)).expect("each opcode has a row").clone()
}

#[test]
fn a_job_that_waits_for_hours_tries_again_and_becomes_more_urgent_each_half_hour() {
    let jobs = [delay(2), json!({"op": "NodeSetParams", "node": ALDER, "drained": true})];
    let report = run(&jobs, &[]);
    let waited = row(&report, "NodeSetParams");
    assert!(waited["retries"].as_u64() > Some(400), "half an hour has more than a hundred waits: {waited}");
    assert!((-4..=-3).contains(&report["most_urgent"].as_i64().expect("a priority")), "{report}");
    assert_eq!((&report["jobs"]["done"], &report["jobs"]["failed"]), (&json!(2), &json!(0)));
}

#[test]
fn at_the_most_urgent_priority_a_job_waits_as_long_as_it_takes() {
    let jobs = [delay(20), json!({"op": "NodeSetParams", "node": ALDER, "drained": true})];
    let (one, other) = (run(&jobs, &[]), run(&[delay(30), jobs[1].clone()], &[]));
    assert_eq!((&one["most_urgent"], &one["jobs"]["failed"]), (&json!(-20), &json!(0)));
    assert_eq!(one["retries"], other["retries"], "ten hours more, and not one retry more");
}

/// The failover holds `web1` while it waits for the node; the startup needs `web1` alone.
#[test]
fn a_job_that_gives_up_lets_the_others_run_that_it_stood_in_the_way_of() {
    let on_web1 = |op| json!({"op": op, "instance": "web1.example.com"});
    let jobs = [delay(1), on_web1("InstanceFailover"), on_web1("InstanceStartup")];
    let longest = |report: &Value| row(report, "InstanceStartup")["wait_us"]["max"].as_u64().expect("a time");
    let (patient, retrying) = (run(&jobs, &["--attempt-ms", "0"]), run(&jobs, &[]));
    assert_eq!((&patient["retries"], longest(&patient) > 3_000_000_000), (&json!(0), true), "{patient}");
    assert!(longest(&retrying) < 2_000_000, "{retrying}");
}

#[test]
fn retries_are_the_same_in_each_run_of_a_seed_and_others_with_another_seed() {
    let jobs: Vec<_> = std::iter::repeat_n(delay(1), 5).collect();
    let run = |seed| run(&jobs, &["--seed", seed]);
    let (one, again, other) = (run("1"), run("1"), run("2"));
    assert_eq!(one, again);
    assert_ne!(one["opcodes"], other["opcodes"]);
}

#[test]
fn a_stream_whose_jobs_give_up_often_keeps_the_ledger_content() {
    let common = ["--virtual-time", "--json", "--no-baseline", "--jobs", "1500"];
    let output = cluster(&[&common[..], &["--attempt-ms", "3"]].concat()).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = report(&output);
    assert!(report["retries"].as_u64() > Some(500), "{}", report["retries"]);
    assert_eq!(report["violations"]["count"], json!(0));
}
