//! A store that fails or panics costs the request that met it, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use bank::account::AccountId;
use bank::desk::Desk;
use bank::ladder::{Account, Bank, Tenant};
use bank::orders::{CloseMonth, Transfer};
use bank::store::{Audit, Receipt, Statement, Store, StoreError};
use reqwest::StatusCode;
use serde_json::json;
use support::{EVER, Service, account, order, told};

/// A store that panics when money moves, and is broken otherwise.
#[derive(Debug)]
struct Broken;

fn broken<T>() -> Result<T, StoreError> {
    Err(StoreError::Broken("password of the database: 1234".into()))
}

#[async_trait]
impl Store for Broken {
    async fn balance(&self, _: AccountId) -> Result<i64, StoreError> {
        broken()
    }

    async fn transfer(&self, _: Transfer) -> Result<Receipt, StoreError> {
        panic!("the test wants it")
    }

    async fn may_close(&self, _: CloseMonth) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close_month(&self, _: CloseMonth) -> Result<Statement, StoreError> {
        broken()
    }

    async fn statement(&self, _: CloseMonth) -> Result<Statement, StoreError> {
        broken()
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        broken()
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_to_the_log_alone_and_leaves_no_lock() {
    let desk = Desk::new(Arc::new(Broken), EVER);
    let bank = Bank::new(desk.clone());
    let locks = bank.locks.clone();
    let service = Service::start(bank.router(), desk).await;
    let failed = json!({"error": "failed", "reason": "the service failed; the request id finds the reason in its log"});
    for answer in [
        service.post("/transfer", &order(account(1, 1), account(1, 2), 5)).await,
        service.get("/accounts/1-1").await,
        service.get("/statements/1/2026-11").await,
        service.get("/audit").await,
    ] {
        assert_eq!(told(answer).await, (StatusCode::INTERNAL_SERVER_ERROR, failed.clone()));
    }
    // The close fails after its answer.
    let month = json!({"tenant": 1, "month": "2026-11"});
    assert_eq!(service.post("/close-month", &month).await.status(), StatusCode::ACCEPTED);
    service.stop().await;
    assert_eq!((locks.names::<Tenant>(), locks.names::<Account>()), (vec![], vec![]));
    assert!(locks.try_exclusive("test").is_ok());
}
