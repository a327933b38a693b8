//! The service binds to the loopback interface, and drains when it is told to stop.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bank::account::AccountId;
use bank::desk::Desk;
use bank::ladder::{Account, Bank};
use bank::options::Options;
use bank::orders::{CloseMonth, Transfer};
use bank::store::{Audit, Receipt, Statement, Store, StoreError};
use clap::Parser;
use reqwest::StatusCode;
use serde_json::json;
use support::{EVER, SMALL, Service, account, client, memory, order, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// A store that does not begin to write before the test opens the gate.
#[derive(Debug)]
struct Gated {
    store: Arc<dyn Store>,
    gate: Semaphore,
}

impl Gated {
    fn new() -> Arc<Self> {
        Arc::new(Self { store: memory(SMALL, Duration::ZERO), gate: Semaphore::new(0) })
    }

    fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    async fn pass(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

#[async_trait]
impl Store for Gated {
    async fn balance(&self, account: AccountId) -> Result<i64, StoreError> {
        self.store.balance(account).await
    }

    async fn transfer(&self, order: Transfer) -> Result<Receipt, StoreError> {
        self.pass().await;
        self.store.transfer(order).await
    }

    async fn may_close(&self, order: CloseMonth) -> Result<(), StoreError> {
        self.store.may_close(order).await
    }

    async fn close_month(&self, order: CloseMonth) -> Result<Statement, StoreError> {
        self.pass().await;
        self.store.close_month(order).await
    }

    async fn statement(&self, order: CloseMonth) -> Result<Statement, StoreError> {
        self.store.statement(order).await
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        self.store.audit().await
    }
}

#[test]
fn only_this_machine_reaches_the_service_unless_told_otherwise() {
    let listen = |arguments: &[&str]| Options::parse_from([&["bank"], arguments].concat()).serving.listen;
    assert!(listen(&[]).ip().is_loopback());
    assert_eq!(listen(&["--listen", "[::]:80"]).to_string(), "[::]:80");
}

/// One thread runs all tasks, so that nothing happens between two awaits of the test.
#[tokio::test]
async fn a_close_that_was_begun_is_ended_before_the_service_is() {
    let gated = Gated::new();
    let desk = Desk::new(gated.clone(), EVER);
    let service = Service::start(Bank::new(desk.clone()).router(), desk).await;
    let month = json!({"tenant": 1, "month": "2026-11"});
    assert_eq!(service.post("/close-month", &month).await.status(), StatusCode::ACCEPTED);
    service.ask_to_stop();
    // It stops listening first.
    while client().get(&service.url).send().await.is_ok() {}
    gated.open();
    service.stop().await;
    let order = CloseMonth { tenant: 1, month: "2026-11".parse().unwrap() };
    assert_eq!(gated.statement(order).await.unwrap().total, 3000);
}

#[tokio::test]
async fn a_transfer_that_was_begun_is_ended_though_its_client_has_gone_away() {
    let gated = Gated::new();
    let desk = Desk::new(gated.clone(), EVER);
    let bank = Bank::new(desk.clone());
    let locks = bank.locks.clone();
    let service = Service::start(bank.router(), desk).await;
    // By hand, to see the server let go of the connection.
    let mut client = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    let order = order(account(1, 1), account(1, 2), 5).to_string();
    let head = "POST /transfer HTTP/1.1\r\nhost: bank\r\ncontent-type: application/json";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{order}", order.len());
    client.write_all(request.as_bytes()).await.unwrap();
    until(|| locks.names::<Account>().len() == 2).await;
    client.shutdown().await.unwrap();
    assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0, "no answer: its handler was dropped");
    gated.open();
    service.stop().await;
    assert_eq!(gated.balance(account(1, 2)).await.unwrap(), 1005);
}
