//! What a request does while its locks are held by others: it gives up in time, it goes away with its client, or it gets
//! its turn. The test holds locks through the manager in the service's state.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use bank::desk::Desk;
use bank::ladder::{Account, Bank, Order, Tenant};
use bank::plain;
use lockladder::LockManager;
use reqwest::{StatusCode, header};
use serde_json::json;
use support::{EVER, SMALL, Service, account, memory, order, patient_desk, told, until};

async fn service(desk: Desk) -> (Service, LockManager<Order>) {
    let bank = Bank::new(desk.clone());
    let locks = bank.locks.clone();
    (Service::start(bank.router(), desk).await, locks)
}

/// By a clock that jumps, so that an hour takes no time.
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_too_long_is_told_when_to_come_again() {
    let (service, locks) = service(Desk::new(memory(SMALL, Duration::ZERO), EVER)).await;
    let held = locks.shared("test").await.unwrap().exclusive::<Tenant>([1]).await.unwrap();
    let order = order(account(1, 1), account(2, 1), 5);
    let month = json!({"tenant": 1, "month": "2026-11"});
    for answer in [
        service.post("/transfer", &order).await,
        service.post("/close-month", &month).await,
        service.get("/accounts/1-1").await,
        service.get("/statements/1/2026-11").await,
        service.get("/audit").await,
    ] {
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        let (status, body) = told(answer).await;
        let right = json!({"error": "busy", "reason": "what this request works on is in use: try again later"});
        assert_eq!((status, body), (StatusCode::SERVICE_UNAVAILABLE, right));
    }
    assert_eq!(service.get("/accounts/2-1").await.status(), StatusCode::OK, "other tenants go on");
    drop(held);
    assert_eq!(service.post("/transfer", &order).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn with_maps_of_mutexes_a_request_is_told_the_same() {
    let desk = Desk::new(memory(SMALL, Duration::ZERO), EVER);
    let bank = plain::Bank::new(desk.clone());
    let locks = bank.locks.clone();
    let service = Service::start(bank.router(), desk).await;
    let _held = locks.tenant_alone(1).await;
    let answer = service.post("/transfer", &order(account(1, 1), account(2, 1), 5)).await;
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_client_that_goes_away_in_mid_wait_leaves_nothing_behind() {
    let (service, locks) = service(patient_desk()).await;
    let held = locks.shared("test").await.unwrap().shared::<Tenant>([1]).await.unwrap();
    let held = held.exclusive::<Account>([account(1, 1)]).await.unwrap();
    let request = service.client.post(format!("{}/transfer", service.url));
    let request = tokio::spawn(request.json(&order(account(1, 1), account(1, 2), 5)).send());
    let both = [account(1, 1), account(1, 2)];
    until(|| locks.names::<Account>() == both).await; // It waits for both, and holds neither.
    request.abort();
    until(|| locks.names::<Account>() == [account(1, 1)]).await; // It has left the queue.
    assert_eq!(service.get("/accounts/1-2").await.status(), StatusCode::OK);
    drop(held);
    assert_eq!(told(service.get("/accounts/1-1").await).await.1["balance"], 1000);
    until(|| locks.names::<Account>().is_empty() && locks.names::<Tenant>().is_empty()).await;
    assert!(locks.try_exclusive("test").is_ok(), "it left the ledger, too");
}

#[tokio::test]
async fn a_statement_waits_for_the_close_that_writes_it_and_is_right() {
    let (service, _) = service(Desk::new(memory(SMALL, Duration::from_millis(1)), EVER)).await;
    service.post("/transfer", &order(account(1, 1), account(2, 1), 5)).await;
    let (status, closing) = told(service.post("/close-month", &json!({"tenant": 1, "month": "2026-11"})).await).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let statement = told(service.get(closing["statement"].as_str().unwrap()).await).await;
    let right = json!({"tenant": 1, "month": "2026-11", "accounts": 3, "total": 2995});
    assert_eq!(statement, (StatusCode::OK, right));
}
