//! Starts the service in this process, and talks to it over HTTP.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bank::account::{AccountId, TenantId};
use bank::desk::Desk;
use bank::serve::serve;
use bank::store::{MemoryStore, Opening, Store};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[cfg(all(unix, feature = "postgres"))]
pub(crate) mod database;
pub(crate) mod unlocked;

/// Longer than any test may take.
pub(crate) const EVER: Duration = Duration::from_secs(3600);

pub(crate) const SMALL: Opening = Opening { tenants: 2, accounts: 3, balance: 1000 };

/// A service that runs in this process, on a free port.
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) client: Client,
    stop: CancellationToken,
    served: JoinHandle<io::Result<()>>,
}

impl Service {
    pub(crate) async fn start(paths: Router, desk: Desk) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, paths, desk, stop.clone().cancelled_owned()));
        Self { url, client: client(), stop, served }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.client.post(format!("{}{path}", self.url)).json(body).send().await.unwrap()
    }

    /// Asks it to stop, as a signal would.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Stops it, and waits until it has drained.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

/// A client with connections of its own.
pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

pub(crate) fn memory(opening: Opening, round_trip: Duration) -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(opening, round_trip))
}

/// A desk whose requests wait for ever, on a store without pauses.
pub(crate) fn patient_desk() -> Desk {
    Desk::new(memory(SMALL, Duration::ZERO), EVER)
}

pub(crate) fn account(tenant: TenantId, number: u32) -> AccountId {
    AccountId { tenant, number }
}

pub(crate) fn order(from: AccountId, to: AccountId, amount: i64) -> Value {
    json!({ "from": from, "to": to, "amount": amount })
}

/// The status and the body.
pub(crate) async fn told(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap())
}

/// Waits until it is so, without a clock.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}
