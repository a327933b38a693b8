//! `--timeline`: a picture of the run, in a file.

mod support;

use std::fs;

use roxmltree::Document;
use serde_json::json;
use support::cluster;

/// The classes of what is drawn in the lane whose title begins like this, in their order.
fn drawn(text: &str, job: &str) -> Vec<String> {
    let document = Document::parse(text).expect("the picture is XML");
    let mut lanes = document.descendants().filter(|node| node.has_tag_name("g"));
    let title =
        |lane: &roxmltree::Node<'_, '_>| lane.first_element_child().and_then(|title| title.text()).map(str::to_owned);
    let lane = lanes.find(|lane| title(lane).is_some_and(|title| title.starts_with(job))).expect("the job has a lane");
    let bars = lane.children().filter_map(|bar| bar.attribute("class").zip(bar.first_element_child()?.text()));
    bars.map(|(class, told)| format!("{class}: {}", told.split(" (").next().unwrap_or_default())).collect()
}

#[test]
fn each_job_has_a_lane_that_shows_early_releases_and_downgrades() {
    let directory = tempfile::tempdir().expect("a place for files");
    let (jobs, picture) = (directory.path().join("jobs"), directory.path().join("run.svg"));
    let lines = [
        json!({"op": "GrowDisk", "instance": "web1.example.com", "by_mib": 7}),
        json!({"op": "NodeSetParams", "node": "alder.example.com", "drained": true}),
    ];
    fs::write(&jobs, lines.map(|line| line.to_string()).join("\n")).expect("the file can be written");
    let [jobs, path] = [&jobs, &picture].map(|path| path.to_str().expect("a path in ASCII"));
    let arguments = ["--virtual-time", "--no-baseline", "--job-file", jobs, "--timeline", path];
    let output = cluster(&arguments).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = fs::read_to_string(&picture).expect("the picture is there");
    assert!(text.contains("When 2 jobs waited for locks and held them"), "{text}");
    let grow = [
        "holds shared: holds cluster",
        "holds exclusive: holds instances",
        "holds exclusive: holds nodes",
        "holds shared: holds instances",
    ];
    assert_eq!(drawn(&text, "job 1, GrowDisk"), grow, "{text}");
    let waits = ["holds shared: holds cluster", "waits exclusive: waits nodes", "holds exclusive: holds nodes"];
    assert_eq!(drawn(&text, "job 2, NodeSetParams"), waits, "{text}");
}

#[test]
fn a_long_run_shows_its_first_jobs() {
    let directory = tempfile::tempdir().expect("a place for a file");
    let picture = directory.path().join("run.svg");
    let path = picture.to_str().expect("a path in ASCII");
    let arguments = ["--virtual-time", "--no-baseline", "--jobs", "300", "--timeline", path];
    assert_eq!(cluster(&arguments).output().expect("the program starts").status.code(), Some(0));
    let text = fs::read_to_string(&picture).expect("the picture is there");
    let document = Document::parse(&text).expect("the picture is XML");
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("g")).count(), 200);
    assert!(text.contains("When 200 of 300 jobs waited for locks and held them"));
}

#[test]
fn a_picture_that_cannot_be_written_is_told_before_anything_starts() {
    let output = cluster(&["--timeline", "no/such/place.svg"]).output().expect("the program starts");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.starts_with("error: cannot write no/such/place.svg: "), "{told}");
}
