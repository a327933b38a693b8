//! Bad input is refused with the status, the field and the reason; nothing is locked or moved for it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use bank::ladder::Bank;
use bank::serve::BODY_LIMIT;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use support::{Service, patient_desk, told};

/// An account in another form.
const FORM: &str = "expected an account such as \"7-42\": tenant and number, two whole numbers without leading zeros";
/// An amount that is none.
const AMOUNT: &str = "expected a whole number of cents from 1 to 1000000000000";

async fn service() -> Service {
    let desk = patient_desk();
    Service::start(Bank::new(desk.clone()).router(), desk).await
}

/// Sends a body as it is.
async fn send(service: &Service, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let request = service.client.post(format!("{}{path}", service.url)).header(header::CONTENT_TYPE, kind);
    told(request.body(body).send().await.unwrap()).await
}

#[tokio::test]
async fn a_wrong_field_is_refused_with_its_name_and_the_reason() {
    let service = service().await;
    let cases: &[(&str, Value, &str, &str)] = &[
        ("/transfer", json!({"to": "1-2", "amount": 5}), "from", "is missing"),
        ("/transfer", json!({"from": null, "to": "1-2", "amount": 5}), "from", "is missing"),
        ("/transfer", json!({"from": "1-1", "amount": 5}), "to", "is missing"),
        ("/transfer", json!({"from": "1-1", "to": "1-2"}), "amount", "is missing"),
        ("/transfer", json!({"from": "1", "to": "1-2", "amount": 5}), "from", FORM),
        ("/transfer", json!({"from": "1-1", "to": "01-2", "amount": 5}), "to", FORM),
        (
            "/transfer",
            json!({"from": 1, "to": "1-2", "amount": 5}),
            "from",
            "invalid type: integer `1`, expected a string",
        ),
        ("/transfer", json!({"from": "1-1", "to": "1-1", "amount": 5}), "to", "must be another account than `from`"),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": 0}), "amount", AMOUNT),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": -5}), "amount", AMOUNT),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": 1.5}), "amount", AMOUNT),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": 1e30}), "amount", AMOUNT),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": u64::MAX}), "amount", AMOUNT),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": 1_000_000_000_001_u64}), "amount", AMOUNT),
        (
            "/transfer",
            json!({"from": "1-1", "to": "1-2", "amount": "5"}),
            "amount",
            "invalid type: string \"5\", expected a JSON number",
        ),
        (
            "/transfer",
            json!({"from": "1-1", "to": "1-2", "amount": 5, "note": "rent"}),
            "note",
            "unknown field `note`, expected one of `from`, `to`, `amount`",
        ),
        ("/close-month", json!({"month": "2026-11"}), "tenant", "is missing"),
        ("/close-month", json!({"tenant": 1}), "month", "is missing"),
        ("/close-month", json!({"tenant": 1, "month": "2026-13"}), "month", "expected a month such as \"2026-11\""),
        (
            "/close-month",
            json!({"tenant": -1, "month": "2026-11"}),
            "tenant",
            "invalid value: integer `-1`, expected u32",
        ),
    ];
    for (path, body, field, reason) in cases {
        let right = json!({"error": "bad input", "field": field, "reason": reason});
        assert_eq!(told(service.post(path, body).await).await, (StatusCode::BAD_REQUEST, right), "{body}");
    }
    for (path, field, reason) in [
        ("/accounts/7", "id", FORM),
        ("/accounts/%FF", "id", "expected UTF-8"),
        ("/statements/one/2026-11", "tenant", "expected a value of type u32"),
        ("/statements/1/november", "month", "expected a month such as \"2026-11\""),
    ] {
        let right = json!({"error": "bad input", "field": field, "reason": reason});
        assert_eq!(told(service.get(path).await).await, (StatusCode::BAD_REQUEST, right), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_with_the_reason() {
    let service = service().await;
    for (body, reason) in [
        ("", "expected a JSON object"),
        ("[\"1-1\", \"1-2\", 5]", "expected a JSON object"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{} {}", "trailing characters at line 1 column 4"),
        ("{\"to\": \"1-2\", \"to\": \"1-3\"}", "duplicate field `to` at line 1 column 18"),
    ] {
        let right = json!({"error": "bad input", "reason": reason});
        assert_eq!(send(&service, "/transfer", "application/json", body).await, (StatusCode::BAD_REQUEST, right));
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_and_parameters_are_not() {
    let service = service().await;
    let right = "{\"from\": \"1-1\", \"to\": \"1-2\", \"amount\": 5}";
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let (status, body) = send(&service, "/transfer", kind, right).await;
        assert_eq!((status, &body["error"]), (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!("unsupported media type")));
    }
    let (status, _) = send(&service, "/transfer", "Application/JSON; charset=utf-8", right).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit_and_no_further() {
    let service = service().await;
    let order = "{\"from\": \"1-1\", \"to\": \"1-2\", \"amount\": 5}";
    let padded = |length: usize| format!("{order:length$}");
    let (status, _) = send(&service, "/transfer", "application/json", padded(BODY_LIMIT)).await;
    assert_eq!(status, StatusCode::OK);
    let right = json!({"error": "too large", "reason": "the body is too large"});
    let told = send(&service, "/transfer", "application/json", padded(BODY_LIMIT + 1)).await;
    assert_eq!(told, (StatusCode::PAYLOAD_TOO_LARGE, right));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_cannot_be_now_is_a_conflict() {
    let service = service().await;
    let month = json!({"tenant": 1, "month": "2026-11"});
    assert_eq!(service.post("/close-month", &month).await.status(), StatusCode::ACCEPTED);
    let cases: &[(Method, &str, Value, u16, &str)] = &[
        (Method::GET, "/accounts/1-9", json!(null), 404, "there is no account 1-9"),
        (Method::POST, "/transfer", json!({"from": "1-1", "to": "9-1", "amount": 5}), 404, "there is no account 9-1"),
        (Method::POST, "/close-month", json!({"tenant": 9, "month": "2026-11"}), 404, "there is no tenant 9"),
        (Method::POST, "/close-month", month, 409, "the month 2026-11 is closed already"),
        (
            Method::GET,
            "/statements/1/2026-12",
            json!(null),
            404,
            "there is no statement of 2026-12: the month is not closed",
        ),
        (
            Method::POST,
            "/transfer",
            json!({"from": "1-1", "to": "1-2", "amount": 1001}),
            409,
            "account 1-1 does not hold enough",
        ),
        (Method::GET, "/nowhere", json!(null), 404, "there is nothing at this path"),
        (Method::GET, "/transfer", json!(null), 405, "this path does not know this method"),
    ];
    for (method, path, body, status, reason) in cases {
        let request = service.client.request(method.clone(), format!("{}{path}", service.url)).json(body);
        let (found, told) = told(request.send().await.unwrap()).await;
        assert_eq!((found.as_u16(), &told["reason"]), (*status, &json!(reason)), "{method} {path} {body}");
    }
    let audit = told(service.get("/audit").await).await;
    assert_eq!(audit, (StatusCode::OK, json!({"accounts": 6, "total": 6000})));
}
