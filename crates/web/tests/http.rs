//! The routes, over real HTTP.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the tests in a browser use all of it")]
mod support;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use reqwest::Client;
use serde_json::Value;
use std::sync::Arc;
use support::{Account, Server, jam, locks};

const ROUTES: [&str; 5] = ["", "/", "/table", "/table.json", "/events"];

async fn get(url: String) -> reqwest::Response {
    Client::new().get(url).send().await.unwrap()
}

/// The next event of a stream.
async fn event(stream: &mut reqwest::Response, read: &mut Vec<u8>) -> Value {
    loop {
        if let Some(end) = read.windows(2).position(|bytes| bytes == b"\n\n") {
            let event: Vec<u8> = read.drain(..end + 2).collect();
            if let Some(data) = event.strip_prefix(b"data: ") {
                return serde_json::from_slice(data).unwrap();
            }
        } else {
            read.extend_from_slice(&stream.chunk().await.unwrap().expect("the stream goes on"));
        }
    }
}

#[tokio::test]
async fn the_page_lets_nothing_run_but_its_own_script_and_loads_nothing_from_elsewhere() {
    let server = Server::of(&locks()).await;
    let page = get(server.url("")).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = page.text().await.unwrap();
    assert!(text.contains("<b>This page shows the names"), "the warning is in bold");
    let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("http:") && !elsewhere.contains("https:") && !elsewhere.contains("//cdn"));
    assert!(!text.contains("innerHTML") && !text.contains("document.write") && !text.contains("style=\""));
    assert!(text.len() < 60_000, "the page is small: {} bytes", text.len());
}

#[tokio::test]
async fn every_answer_is_kept_by_no_cache_and_in_no_frame() {
    let server = Server::of(&locks()).await;
    for path in ROUTES.into_iter().chain(["/nowhere"]) {
        let answer = get(server.url(path)).await;
        let said = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(said(header::CACHE_CONTROL), "no-store", "{path}");
        assert_eq!(said(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(said(header::REFERRER_POLICY), "no-referrer", "{path}");
        assert!(said(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"), "{path}");
    }
}

#[tokio::test]
async fn the_page_is_there_with_and_without_a_slash_wherever_it_is_nested() {
    let locks = locks();
    let router = || {
        let locks = Arc::clone(&locks);
        lockladder_web::router(move || locks.locks())
    };
    let service = Router::new().nest_service("/locks", router()).nest("/locks/a/b", router());
    let server = Server::serve("127.0.0.1:0", service, Arc::default()).await;
    for path in ["", "/", "/a/b"] {
        let page = get(server.url(path)).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert!(page.text().await.unwrap().starts_with("<!doctype html>"), "{path}");
    }
    assert_eq!(get(server.url("/a/b/table")).await.status(), StatusCode::OK);
    assert_eq!(get(server.url("/a/b/x")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_route_takes_anything_in() {
    let server = Server::of(&locks()).await;
    for path in ROUTES {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let answer = Client::new().request(method.clone(), server.url(path)).body("x").send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.headers()[header::ALLOW], "GET,HEAD", "{method} {path}");
        }
    }
    assert_eq!(server.asked.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_text_is_as_wide_as_the_terminal() {
    let locks = locks();
    let jam = jam(&locks, "7", "close month 7", &["transfer 3→9", "transfer 3→4", "statement of the whole year"]).await;
    let server = Server::of(&locks).await;
    let answer = get(server.url("/table?columns=100")).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    let text = answer.text().await.unwrap();
    let head = text.lines().next().unwrap();
    assert_eq!(head.chars().count(), 100, "{text}");
    assert!(text.contains("holds Tenant 7"), "{text}");
    let narrow = get(server.url("/table?columns=0")).await.text().await.unwrap();
    assert!(narrow.contains("jam: close month 7"), "{narrow}");
    let wide = get(server.url("/table?columns=18446744073709551615")).await.text().await.unwrap();
    assert_eq!(wide.lines().next().unwrap().chars().count(), 1_000);
    assert_eq!(get(server.url("/table?columns=many")).await.status(), StatusCode::BAD_REQUEST);
    assert!(get(server.url("/table")).await.text().await.unwrap().contains("jam: close month 7"));
    drop(jam);
}

#[tokio::test]
async fn the_json_is_that_of_the_table() {
    let locks = locks();
    let jam = jam(&locks, "7", "close month 7", &["transfer 3→9"]).await;
    let server = Server::of(&locks).await;
    let answer = get(server.url("/table.json")).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
    let table: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let expected = serde_json::to_value(locks.locks()).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&table), keys(&expected));
    assert_eq!(table["locks"], expected["locks"]);
    assert_eq!(table["roots"], expected["roots"]);
    assert_eq!(table["sessions"][0]["label"], "close month 7");
    drop(jam);
}

#[tokio::test]
async fn a_stream_begins_with_the_whole_table_and_goes_on_with_what_changes() {
    let locks = locks();
    let mut sessions = Vec::new();
    for number in 0..300 {
        let name = number.to_string();
        sessions.push(locks.shared("job").await.unwrap().exclusive::<Account>(name.as_str()).await.unwrap());
    }
    let server = Server::of(&locks).await;
    let (mut stream, mut read) = (get(server.url("/events")).await, Vec::new());
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    let first = event(&mut stream, &mut read).await;
    assert_eq!(first["full"], true);
    assert_eq!(first["sessions"].as_array().unwrap().len(), 300);
    let gone = sessions.remove(7);
    let number = locks.locks().sessions.iter().find(|row| row.holds[1].names == ["7"]).unwrap().id;
    drop(gone);
    // One of the next messages tells of it, in passing or, to a reader that was too slow, by telling all anew.
    for _ in 0..10 {
        let message = event(&mut stream, &mut read).await;
        let sessions = message["sessions"].as_array().unwrap();
        if message["full"] == true && sessions.len() == 299 {
            return;
        }
        if message["gone"] == serde_json::json!([number]) {
            assert_eq!(message["freed"], serde_json::json!([["Account", "7"]]));
            assert!(sessions.len() < 300, "{} sessions are sent again", sessions.len());
            return;
        }
    }
    panic!("session {number} is not told to be gone");
}

#[tokio::test]
async fn the_layer_of_the_service_guards_every_route() {
    async fn operators_only(request: Request, next: Next) -> Result<Response, StatusCode> {
        match request.headers().get("authorization") {
            Some(token) if token == "Bearer operator" => Ok(next.run(request).await),
            _ => Err(StatusCode::UNAUTHORIZED),
        }
    }
    let locks = locks();
    let page = lockladder_web::router(move || locks.locks()).layer(middleware::from_fn(operators_only));
    let server = Server::serve("127.0.0.1:0", Router::new().nest_service("/locks", page), Arc::default()).await;
    for path in ROUTES.into_iter().chain(["/nowhere"]) {
        assert_eq!(get(server.url(path)).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ROUTES {
        let request = Client::new().get(server.url(path)).header("authorization", "Bearer operator");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_set_has_a_page_too() {
    let set: Arc<lockladder::LockSet<String>> = Arc::new(lockladder::LockSet::new(["a", "b"]));
    let held = set.exclusive("a").await.unwrap();
    let source = Arc::clone(&set);
    let server = Server::at("127.0.0.1:0", move || source.locks()).await;
    let table: Value = serde_json::from_slice(&get(server.url("/table.json")).await.bytes().await.unwrap()).unwrap();
    assert_eq!(table["locks"][0]["name"], "a");
    assert_eq!(table["locks"][0]["mode"], "exclusive");
    drop(held);
}
