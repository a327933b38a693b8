//! The service ends by signals: the first one drains, the second one does not wait.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::net::TcpListener;

use reqwest::StatusCode;
use serde_json::json;
use support::service::{ENDLESS, Service};
use support::{cluster, report};

#[tokio::test]
async fn while_it_drains_no_job_is_taken_and_those_not_begun_are_cancelled() {
    let mut service = Service::start(&[&["--workers", "1"], &ENDLESS[..]].concat());
    let verify = json!({"op": "ClusterVerify"});
    let running = service.begin(&verify).await;
    service.reaches(&running, "working").await;
    let queued = service.begin(&verify).await;
    service.signal("-TERM");
    service.says("stopping: running jobs end first");
    let told = service.reaches(&queued, "cancelled").await;
    assert_eq!(told["reason"], json!("the service stopped before it began"));
    let (status, told) = service.post(&verify).await;
    assert_eq!((status, &told["error"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("stopping")));
    service.reaches(&running, "working").await;
    // Nothing else ends its work.
    assert_eq!(service.delete(&running).await.0, StatusCode::OK);
    let output = service.ends();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = report(&output);
    assert_eq!(report["jobs"], json!({"total": 2, "done": 1, "failed": 1, "not_started": 1}));
    assert_eq!(report["violations"]["count"], json!(0));
}

#[tokio::test]
async fn jobs_that_run_at_the_first_signal_are_done() {
    for signal in ["-INT", "-TERM"] {
        let mut service = Service::start(&["--work-us", "20000"]);
        let job = service.begin(&json!({"op": "InstanceCreate", "instance": "new1"})).await;
        // However fast it is: it has begun.
        service.reaches_any(&job, &["running", "waiting", "working", "done"]).await;
        service.signal(signal);
        service.says("stopping");
        let output = service.ends();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let jobs = report(&output)["jobs"].clone();
        assert_eq!(jobs, json!({"total": 1, "done": 1, "failed": 0, "not_started": 0}));
    }
}

#[tokio::test]
async fn a_service_draws_its_jobs_in_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let picture = directory.path().join("run.svg");
    let mut service = Service::start(&["--work-us", "0", "--timeline", picture.to_str().unwrap()]);
    let job = service.begin(&json!({"op": "ClusterVerify"})).await;
    service.reaches(&job, "done").await;
    service.signal("-TERM");
    service.says("stopping");
    assert_eq!(service.ends().status.code(), Some(0));
    let text = std::fs::read_to_string(&picture).unwrap();
    assert!(text.contains("<title>job 1, ClusterVerify</title>"), "{text}");
}

#[tokio::test]
async fn after_the_second_signal_the_program_ends_at_once() {
    let mut service = Service::start(&ENDLESS);
    let job = service.begin(&json!({"op": "ClusterVerify"})).await;
    service.reaches(&job, "working").await;
    service.signal("-TERM");
    service.says("stopping");
    service.signal("-INT");
    assert_eq!(service.ends().status.code(), Some(130));
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = cluster(&["--serve", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.starts_with(&format!("error: cannot serve at {address}: ")), "{told}");
}
