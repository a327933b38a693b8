//! What a run promises: all jobs are done, no job gets in another's way, and sabotage is noticed.

mod support;

use std::process::Output;

use serde_json::{Value, json};
use support::{cluster, report};

fn run(arguments: &[&str]) -> Output {
    cluster(arguments).output().expect("the program starts")
}

/// A short run with a JSON report, without simulated work.
fn short_run(arguments: &[&str]) -> Output {
    let short = ["--quiet", "--json", "--jobs", "400", "--work-us", "0"];
    run(&[&short, arguments].concat())
}

/// How many jobs of each opcode there were.
fn jobs_by_opcode(report: &Value) -> Vec<(String, u64)> {
    let rows = report["opcodes"].as_array().expect("a list of opcodes");
    let pair = |row: &Value| Some((row["op"].as_str()?.to_owned(), row["jobs"].as_u64()?));
    rows.iter().map(|row| pair(row).expect("a name and a number")).collect()
}

#[test]
fn the_sample_runs_without_violation_and_is_compared_with_other_schemes() {
    let output = run(&["--jobs", "300"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let schemes = ["under locks taken one by one: 300 jobs", "under one global mutex: 300 jobs"];
    for part in ["InstanceFailover", "300 of 300 jobs done"].iter().chain(&schemes) {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(text.contains("no violations"), "{text}");
}

#[test]
fn the_report_for_programs_adds_up() {
    let output = short_run(&["--seed", "3"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stderr, b"", "quiet is quiet");
    let report = report(&output);
    assert_eq!((&report["nodes"], &report["instances"]), (&json!(6), &json!(12)));
    assert_eq!((&report["jobs"]["total"], &report["jobs"]["done"]), (&json!(400), &json!(400)));
    assert_eq!((&report["violations"]["count"], &report["interrupted"]), (&json!(0), &json!(false)));
    let by_opcode = jobs_by_opcode(&report);
    assert_eq!(by_opcode.len(), 28);
    assert_eq!(by_opcode.iter().map(|(_, jobs)| jobs).sum::<u64>(), 400);
    let failures = report["opcodes"].as_array().expect("a list of opcodes");
    let failures: u64 = failures.iter().filter_map(|row| row["failures"].as_u64()).sum();
    assert_eq!(report["jobs"]["failed"], json!(failures));
    let failovers = report["opcodes"].as_array().expect("a list of opcodes").iter();
    let failovers = failovers.filter(|row| row["op"] == json!("InstanceFailover")).collect::<Vec<_>>();
    assert!(matches!(failovers[..], [row] if row["wait_us"]["p99"].is_u64()), "{report}");
    assert!(report["most_jobs_at_once"].as_u64() >= Some(2), "{report}");
    assert_eq!((&report["one_by_one"]["done"], &report["one_mutex"]["done"]), (&json!(400), &json!(400)));
}

#[test]
fn a_grown_cluster_runs_without_violation() {
    let output = short_run(&["--scale", "200", "--workers", "60", "--no-baseline"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = report(&output);
    assert_eq!((&report["instances"], &report["nodes"]), (&json!(200), &json!(100)));
    assert_eq!((&report["one_by_one"], &report["one_mutex"]), (&Value::Null, &Value::Null));
}

/// What `docs/BENCHMARKS.md` promises for this cluster, with fewer jobs.
#[test]
fn names_all_at_once_beat_names_one_by_one_by_the_promised_ratios() {
    for seed in ["1", "2", "3"] {
        let scaled = ["--scale", "200", "--jobs", "1500", "--work-us", "100000", "--seed", seed];
        let report =
            report(&run(
                &[&["--virtual-time", "--json", "--mix", "benchmark", "--attempt-ms", "0"], &scaled[..]].concat()
            ));
        let p99 = |waits: &Value| waits["p99"].as_f64().expect("a number");
        let speedup = report["one_by_one"]["ladder_speedup"].as_f64().expect("a number");
        let waits = p99(&report["wait_us"]) / p99(&report["one_by_one"]["wait_us"]);
        assert!(speedup >= 1.15 && waits <= 0.7, "seed {seed}: throughput {speedup}, waits {waits}");
    }
}

#[test]
fn by_a_clock_that_jumps_all_times_are_the_same_in_each_run() {
    let times = || String::from_utf8(run(&["--virtual-time", "--jobs", "400"]).stdout).expect("the report is in UTF-8");
    assert!(times().contains("under locks taken one by one: 400 jobs"));
    assert_eq!(times(), times());
}

#[test]
fn sabotage_is_caught_even_where_nobody_is_near() {
    // With a single worker no two jobs ever meet, and the ledger still notices the missing locks.
    let output = short_run(&["--sabotage", "--workers", "1"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = report(&output);
    let first = &report["violations"]["first"][0];
    assert_eq!((&first["kind"], &first["held"]), (&json!("unlocked"), &Value::Null));
    let text = first["text"].as_str().expect("the violation in words");
    assert!(text.contains("node `") && text.contains("(InstanceFailover "), "{text}");
    assert!(text.ends_with("worked on it exclusively but held no lock on it"), "{text}");
}

#[test]
fn sabotage_is_told_to_people_too() {
    let output = run(&["--sabotage", "--jobs", "200", "--work-us", "0"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains(" VIOLATIONS\n"), "{output:?}");
}

#[test]
fn a_seed_always_makes_up_the_same_jobs() {
    let jobs = |seed| jobs_by_opcode(&report(&short_run(&["--no-baseline", "--seed", seed])));
    assert_eq!(jobs("5"), jobs("5"));
    assert_ne!(jobs("5"), jobs("6"));
}

#[test]
fn jobs_from_a_file_are_run_and_may_fail_without_harm() {
    let directory = tempfile::tempdir().expect("a place for a file");
    let file = directory.path().join("jobs");
    let lines = [
        r#"{"op": "InstanceCreate", "instance": "new1", "nodes": ["oak", "elm"]}"#,
        "",
        r#"{"op": "InstanceCreate", "instance": "new2", "fails": true}"#,
        r#"{"op": "InstanceFailover", "instance": "nobody"}"#,
        r#"{"op": "InstanceCreate", "instance": "new3"}"#,
        r#"{"op": "ReplaceDisks", "instance": "new3"}"#,
        r#"{"op": "NodeAdd", "node": "oak"}"#,
        r#"{"op": "NodeAdd", "node": "oak"}"#,
        r#"{"op": "InstanceRename", "instance": "new3", "new_name": "web1.example.com"}"#,
        r#"{"op": "InstanceRename", "instance": "new3", "new_name": "new4"}"#,
        r#"{"op": "QueryInstances", "instances": ["new4", "new4"]}"#,
        r#"{"op": "InstanceRemove", "instance": "new4"}"#,
        r#"{"op": "QueryInstances"}"#,
        r#"{"op": "ClusterVerify"}"#,
    ];
    std::fs::write(&file, lines.join("\n")).expect("the file can be written");
    let path = file.to_str().expect("a path in ASCII");
    // One worker, so that each job finds what the ones before it left.
    let output = run(&["--quiet", "--json", "--job-file", path, "--workers", "1"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = report(&output);
    assert_eq!((&report["jobs"]["done"], &report["jobs"]["failed"]), (&json!(13), &json!(5)));
    assert_eq!((&report["one_by_one"]["done"], &report["one_mutex"]["done"]), (&json!(13), &json!(13)));
    let failures = report["failures"].as_array().expect("a list of failures");
    let numbers: Vec<_> = failures.iter().filter_map(|failure| failure.as_str()?.split_whitespace().nth(1)).collect();
    assert_eq!(numbers, ["1", "2", "3", "7", "8"], "{failures:?}");
}
