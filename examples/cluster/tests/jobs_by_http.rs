//! Jobs over real HTTP: they are posted, looked at, refused and cancelled.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use support::service::{ENDLESS, Service};

fn verify() -> Value {
    json!({"op": "ClusterVerify"})
}

fn query(instance: &str) -> Value {
    json!({"op": "QueryInstances", "instances": [instance]})
}

fn remove(instance: &str) -> Value {
    json!({"op": "InstanceRemove", "instance": instance})
}

const WEB1: &str = "web1.example.com";

#[tokio::test]
async fn a_posted_job_is_done_and_can_be_looked_at() {
    let service = Service::start(&["--work-us", "0"]);
    let (status, told) = service.post(&remove(WEB1)).await;
    assert_eq!((status, &told["id"], &told["job"]), (StatusCode::ACCEPTED, &json!(1), &remove(WEB1)));
    let done = service.reaches(&json!(1), "done").await;
    assert!(done["waited_ms"].is_u64() && done["held_ms"].is_u64(), "{done}");
    let again = service.begin(&remove(WEB1)).await;
    let failed = service.reaches(&again, "failed").await;
    assert!(failed["reason"].as_str().unwrap().contains(WEB1), "{failed}");
}

#[tokio::test]
async fn several_jobs_are_numbered_in_their_order() {
    let service = Service::start(&["--work-us", "0"]);
    let (status, told) = service.post(&json!([verify(), remove(WEB1), verify()])).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let told = told["jobs"].as_array().unwrap();
    let told: Vec<_> = told.iter().map(|job| (job["id"].as_u64().unwrap(), &job["job"]["op"])).collect();
    assert_eq!(told, [(1, &json!("ClusterVerify")), (2, &json!("InstanceRemove")), (3, &json!("ClusterVerify"))]);
    service.reaches(&json!(3), "done").await;
    let (status, list) = service.get("/jobs").await;
    let ids: Vec<_> = list["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_u64().unwrap()).collect();
    assert_eq!((status, ids), (StatusCode::OK, vec![1, 2, 3]));
}

#[tokio::test]
async fn a_bad_job_is_refused_with_field_and_reason_and_nothing_of_the_request_is_queued() {
    let service = Service::start(&["--work-us", "0"]);
    let number = "invalid type: integer `7`, expected a string";
    for (body, field, reason) in [
        (json!({"op": "NodeAdd"}), json!("node"), "is missing"),
        (json!({"op": "NodeAdd", "node": 7}), json!("node"), number),
        (json!({"op": "NodeAdd", "node": ""}), json!("node"), "a name is empty"),
        (json!({"node": "node7"}), json!("op"), "is missing"),
        (json!({"op": 7}), json!("op"), "expected a text"),
        (json!([verify(), {"op": "NodeAdd"}]), json!("[1].node"), "is missing"),
        (
            json!([verify(), {"op": "InstanceCreate", "instance": "a", "nodes": ["b", 7]}]),
            json!("[1].nodes[1]"),
            number,
        ),
        (json!([verify(), 7]), json!("[1]"), "expected an object"),
        (json!("verify please"), Value::Null, "expected an object"),
    ] {
        let (status, told) = service.post(&body).await;
        assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("bad input")), "{body}");
        assert_eq!((&told["field"], &told["reason"]), (&field, &json!(reason)), "{body}");
    }
    let (_, told) = service.post(&json!({"op": "ClusterVerify", "quick": true})).await;
    assert_eq!(told["field"], json!("quick"));
    let (_, told) = service.post(&json!({"op": "Frobnicate"})).await;
    assert!(told["reason"].as_str().unwrap().starts_with("unknown variant `Frobnicate`, expected one of"), "{told}");
    assert_eq!(service.get("/jobs").await, (StatusCode::OK, json!({"jobs": []})));
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_long_is_refused() {
    let service = Service::start(&["--work-us", "0"]);
    let send = async |kind: &str, body: String| {
        let request = service.client.post(format!("{}/jobs", service.url)).header(header::CONTENT_TYPE, kind);
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["reason"].clone())
    };
    let (status, reason) = send("application/json", "{".to_owned()).await;
    assert_eq!((status, reason), (400, json!("EOF while parsing an object at line 1 column 1")));
    let twice = r#"{"op": "ClusterVerify", "op": "NodeAdd"}"#;
    let (status, reason) = send("application/json", twice.to_owned()).await;
    assert_eq!((status, reason), (400, json!("the key `op` appears twice at line 1 column 28")));
    let (status, _) = send("text/plain", verify().to_string()).await;
    assert_eq!(status, 415);
    let (status, _) = send("application/json; charset=utf-8", verify().to_string()).await;
    assert_eq!(status, 202);
    let (status, reason) = send("application/json", " ".repeat((1 << 20) + 1)).await;
    assert_eq!((status, reason), (413, json!("the body is too large")));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let service = Service::start(&["--work-us", "0"]);
    for (method, path, status, reason) in [
        (Method::GET, "/jobs/7", 404, "there is no job 7, or it ended long ago"),
        (Method::DELETE, "/jobs/7", 404, "there is no job 7, or it ended long ago"),
        (Method::GET, "/jobs/first", 400, "expected the number of a job"),
        (Method::GET, "/nowhere", 404, "there is nothing at this path"),
        (Method::PUT, "/jobs", 405, "this path does not know this method"),
    ] {
        let (found, told) = service.send(method.clone(), path).await;
        assert_eq!((found.as_u16(), &told["reason"]), (status, &json!(reason)), "{method} {path}");
    }
}

#[tokio::test]
async fn jobs_beyond_the_limit_are_refused_until_there_is_room() {
    let service = Service::start(&[&["--workers", "1", "--queue-limit", "2"], &ENDLESS[..]].concat());
    let working = service.begin(&verify()).await;
    service.reaches(&working, "working").await;
    let (status, told) = service.post(&json!([verify(), verify(), verify()])).await;
    let reason = json!("too many jobs wait: there is room for 2 more");
    assert_eq!((status, &told["reason"]), (StatusCode::TOO_MANY_REQUESTS, &reason), "all or none");
    let queued = service.begin(&verify()).await;
    service.begin(&verify()).await;
    let request = service.client.post(format!("{}/jobs", service.url)).json(&verify());
    let refused = request.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
    assert_eq!(service.delete(&queued).await.0, StatusCode::OK);
    service.begin(&verify()).await;
    let (_, list) = service.get("/jobs").await;
    assert_eq!(list["jobs"].as_array().unwrap().len(), 4, "{list}");
}

#[tokio::test]
async fn a_job_that_is_deleted_while_it_waits_leaves_the_queue() {
    let service = Service::start(&ENDLESS);
    let first = service.begin(&query(WEB1)).await;
    service.reaches(&first, "working").await;
    let second = service.begin(&remove(WEB1)).await;
    let told = service.reaches(&second, "waiting").await;
    assert_eq!(told["waits_for"], json!({"level": "Instance", "mode": "exclusive"}));
    let third = service.begin(&query(WEB1)).await;
    service.reaches(&third, "waiting").await;
    let (status, told) = service.delete(&second).await;
    assert_eq!((status, &told["state"]), (StatusCode::OK, &json!("cancelled")));
    assert_eq!(told["reason"], json!("a client cancelled it while it ran"));
    service.reaches(&third, "working").await;
}

#[tokio::test]
async fn the_locks_of_a_job_that_is_deleted_while_it_works_go_to_the_next() {
    let service = Service::start(&ENDLESS);
    let first = service.begin(&remove(WEB1)).await;
    service.reaches(&first, "working").await;
    let second = service.begin(&remove(WEB1)).await;
    service.reaches(&second, "waiting").await;
    assert_eq!(service.delete(&first).await.0, StatusCode::OK);
    service.reaches(&second, "working").await;
}

#[tokio::test]
async fn a_job_that_is_deleted_before_it_begins_never_begins() {
    let service = Service::start(&[&["--workers", "1"], &ENDLESS[..]].concat());
    let first = service.begin(&verify()).await;
    service.reaches(&first, "working").await;
    let second = service.begin(&remove(WEB1)).await;
    let (status, told) = service.delete(&second).await;
    assert_eq!((status, &told["state"], &told["attempt"]), (StatusCode::OK, &json!("cancelled"), &json!(0)));
    assert_eq!(told["reason"], json!("a client cancelled it before it began"));
}

#[tokio::test]
async fn a_job_that_waits_tells_its_attempts_and_can_be_deleted_between_them() {
    let service = Service::start(&[&["--attempt-ms", "1"], &ENDLESS[..]].concat());
    let first = service.begin(&remove(WEB1)).await;
    service.reaches(&first, "working").await;
    let second = service.begin(&remove(WEB1)).await;
    while service.get(&format!("/jobs/{second}")).await.1["attempt"].as_u64() < Some(3) {}
    let (status, told) = service.delete(&second).await;
    assert_eq!((status, &told["state"], &told["priority"]), (StatusCode::OK, &json!("cancelled"), &json!(0)));
}

#[tokio::test]
async fn a_deleted_creation_leaves_its_name_to_others() {
    let service = Service::start(&ENDLESS);
    let create = json!({"op": "InstanceCreate", "instance": "new1"});
    let first = service.begin(&create).await;
    service.reaches(&first, "working").await;
    assert_eq!(service.delete(&first).await.0, StatusCode::OK);
    let second = service.begin(&create).await;
    service.reaches(&second, "working").await;
}

#[tokio::test]
async fn a_job_that_has_ended_cannot_be_deleted() {
    let service = Service::start(&["--work-us", "0"]);
    let job = service.begin(&verify()).await;
    service.reaches(&job, "done").await;
    let (status, told) = service.delete(&job).await;
    assert_eq!((status, &told["reason"]), (StatusCode::CONFLICT, &json!("the job has ended")));
    assert_eq!((&told["job"]["id"], &told["job"]["state"]), (&job, &json!("done")));
}

#[tokio::test]
async fn deleting_a_job_twice_cancels_it_once() {
    let service = Service::start(&ENDLESS);
    let job = service.begin(&verify()).await;
    service.reaches(&job, "working").await;
    assert_eq!(service.delete(&job).await.0, StatusCode::OK);
    assert_eq!(service.delete(&job).await.0, StatusCode::CONFLICT);
}
