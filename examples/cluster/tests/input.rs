//! What the program reads, and what it refuses: with exit code 2 and the place of the fault, before anything starts.

mod support;

use std::path::PathBuf;
use std::process::Output;

use serde_json::json;
use support::{cluster, report};
use tempfile::TempDir;

const UUID1: &str = "00000000-0000-4000-8000-000000000001";
const UUID2: &str = "00000000-0000-4000-8000-000000000002";

/// A file with `content`, and the directory that keeps it alive.
fn file(content: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a place for a file");
    let path = directory.path().join("given");
    std::fs::write(&path, content).expect("the file can be written");
    (directory, path)
}

fn run_with_file(option: &str, content: &str) -> Output {
    let (_directory, path) = file(content);
    let short = ["--quiet", "--json", "--no-baseline", "--work-us", "0", option];
    cluster(&short).arg(path).output().expect("the program starts")
}

/// What the program says when it refuses the file.
fn refusal(option: &str, content: &str) -> String {
    let output = run_with_file(option, content);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"", "nothing was started, nothing is reported");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("error: ") && text.contains("given"), "which file? {text}");
    text
}

#[test]
fn all_three_shapes_of_configuration_are_read() {
    let drbd = |first, second| {
        json!({
            "dev_type": "drbd8",
            "logical_id": [first, second, 11000, 0, 0, "secret"],
            "children": [{"dev_type": "lvm", "logical_id": ["vg0", "data"]}],
        })
    };
    let by_name = json!({
        "version": 2_070_000,
        "nodes": {"node1": {"name": "node1"}, "node2": {"name": "node2"}},
        "instances": {"web1": {
            "name": "web1", "primary_node": "node1", "disks": [drbd("node1", "node2")],
        }},
    });
    let by_uuid = json!({
        "version": 2_100_000,
        "nodes": {UUID1: {"name": "node1"}, UUID2: {"name": "node2"}},
        "instances": {"any": {
            "name": "web1", "primary_node": UUID1, "disks": [drbd(UUID1, UUID2)],
        }},
    });
    let disks_apart = json!({
        "version": 2_160_000,
        "nodes": {UUID1: {"name": "node1"}, UUID2: {"name": "node2"}},
        "instances": {"any": {"name": "web1", "primary_node": UUID1, "disks": ["disk0"]}},
        "disks": {"disk0": {"dev_type": "drbd", "nodes": [UUID1, UUID2]}},
    });
    for config in [by_name, by_uuid, disks_apart] {
        let output = run_with_file("--config", &config.to_string());
        assert_eq!(output.status.code(), Some(0), "{config}: {output:?}");
        let report = report(&output);
        assert_eq!((&report["nodes"], &report["instances"]), (&json!(2), &json!(1)));
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = cluster(&["--config", "no/such/file"]).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("error: cannot read no/such/file: "), "{text}");
}

#[test]
fn a_truncated_configuration_is_refused_with_line_and_column() {
    let text = refusal("--config", "{\"nodes\": {\n  \"node1\": {\"name\": \"no");
    assert!(text.contains("line 2 column 23 (the file ends too early)"), "{text}");
    let text = refusal("--config", "");
    assert!(text.contains("line 1 column 0 (the file ends too early)"), "{text}");
}

#[test]
fn a_foreign_file_is_refused_with_what_it_lacks() {
    let text = refusal("--config", r#"{"name": "left-pad", "version": "1.3.0"}"#);
    let words = "is JSON, but no Ganeti configuration: it has no `nodes` and no `instances`";
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_reference_to_nothing_is_refused_with_its_place() {
    let config = json!({
        "nodes": {"node1": {}},
        "instances": {"web1": {"primary_node": "node2", "disks": []}},
    });
    let text = refusal("--config", &config.to_string());
    let words = "instances.web1.primary_node: names node `node2`, which the file does not have";
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_bad_job_line_is_refused_with_its_number() {
    let good = r#"{"op": "ClusterVerify"}"#;
    for (bad, reason) in [
        (r#"{"op": "ClusterVerify""#, "EOF while parsing"),
        (r#"{"op": "Frobnicate"}"#, "op: unknown variant `Frobnicate`"),
        (r#"{"op": "InstanceFailover"}"#, "instance: is missing"),
        ("verify please", "expected value"),
    ] {
        let text = refusal("--job-file", &format!("{good}\n\n{bad}\n{good}\n"));
        assert!(text.contains("line 3: ") && text.contains(reason), "{text}");
    }
}

#[test]
fn wrong_usage_is_refused() {
    for arguments in [
        ["--workers", "0"].as_slice(),
        &["--scale", "3"],
        &["--jobs", "many"],
        &["--jobs", "3", "--job-file", "jobs"],
        &["--sabotage", "--jobs", "0"],
        &["--serve", "somewhere"],
        &["--serve", "0", "--jobs", "3"],
        &["--queue-limit", "3"],
        &["--frobnicate"],
    ] {
        let output = cluster(arguments).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        assert!(output.stderr.starts_with(b"error: "), "{arguments:?}: {output:?}");
    }
}
