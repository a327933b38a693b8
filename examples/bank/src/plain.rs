//! The same service as people write it without lockladder: a map of locks for each kind of name, accounts sorted by
//! hand.
//!
//! ```text
//!   ledger  RwLock  ─►  tenants  DashMap<_, Arc<RwLock>>  ─►  accounts  DashMap<_, Arc<Mutex>>
//! ```
//!
//! What the types of `ladder` check is here a habit of every handler:
//!
//! 1. The ledger, then tenants, then accounts.
//! 2. Names of a kind in their order, each once.
//! 3. No lock of a map is kept while something is awaited: clone the `Arc` first.
//!
//! The maps keep a lock for each name that was ever asked for, as most such code does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use dashmap::DashMap;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::timeout_at;

use crate::account::{AccountId, TenantId};
use crate::answers::{Closing, Standing};
use crate::desk::Desk;
use crate::input::{Body, Variables};
use crate::orders::{CloseMonth, OneAccount, Transfer};
use crate::refusal::Refusal;
use crate::store::{Audit, Receipt, Statement};

mod census;

/// The locks of the bank.
#[derive(Debug, Default)]
pub struct Locks {
    ledger: Arc<RwLock<()>>,
    tenants: DashMap<TenantId, Arc<RwLock<()>>>,
    accounts: DashMap<AccountId, Arc<Mutex<()>>>,
}

impl Locks {
    async fn ledger(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.ledger).read_owned().await
    }

    async fn tenant(&self, tenant: TenantId) -> OwnedRwLockReadGuard<()> {
        self.tenant_lock(tenant).read_owned().await
    }

    /// Takes a tenant alone.
    pub async fn tenant_alone(&self, tenant: TenantId) -> OwnedRwLockWriteGuard<()> {
        self.tenant_lock(tenant).write_owned().await
    }

    async fn account(&self, account: AccountId) -> OwnedMutexGuard<()> {
        self.account_lock(account).lock_owned().await
    }

    /// A second read of the same tenant would wait behind a writer that waits for the first one: hence `None`.
    async fn both_tenants(
        &self,
        one: TenantId,
        other: TenantId,
    ) -> (OwnedRwLockReadGuard<()>, Option<OwnedRwLockReadGuard<()>>) {
        let (low, high) = (one.min(other), one.max(other));
        let first = self.tenant(low).await;
        let second = if low == high { None } else { Some(self.tenant(high).await) };
        (first, second)
    }

    /// The accounts differ: the order was checked.
    async fn both_accounts(&self, one: AccountId, other: AccountId) -> (OwnedMutexGuard<()>, OwnedMutexGuard<()>) {
        let first = self.account(one.min(other)).await;
        let second = self.account(one.max(other)).await;
        (first, second)
    }

    fn tenant_lock(&self, tenant: TenantId) -> Arc<RwLock<()>> {
        Arc::clone(&self.tenants.entry(tenant).or_default())
    }

    fn account_lock(&self, account: AccountId) -> Arc<Mutex<()>> {
        Arc::clone(&self.accounts.entry(account).or_default())
    }
}

/// The state of the service. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub struct Bank {
    /// The locks.
    pub locks: Arc<Locks>,
    desk: Desk,
}

impl Bank {
    /// A bank on which nothing is locked.
    pub fn new(desk: Desk) -> Self {
        Self { locks: Arc::default(), desk }
    }

    /// The paths of the service.
    pub fn router(self) -> Router {
        Router::new()
            .route("/transfer", post(transfer))
            .route("/close-month", post(close_month))
            .route("/accounts/{id}", get(account))
            .route("/statements/{tenant}/{month}", get(statement))
            .route("/audit", get(audit))
            .with_state(self)
    }
}

async fn transfer(State(bank): State<Bank>, Body(order): Body<Transfer>) -> Result<Json<Receipt>, Refusal> {
    let Transfer { from, to, .. } = order;
    let wait = bank.desk.wait();
    let locks = async {
        let ledger = bank.locks.ledger().await;
        let tenants = bank.locks.both_tenants(from.tenant, to.tenant).await;
        (ledger, tenants, bank.locks.both_accounts(from, to).await)
    };
    let locks = timeout_at(wait.until, locks).await.map_err(|_| Refusal::Busy)?;
    wait.over();
    let store = bank.desk.store.clone();
    let work = async move {
        let receipt = store.transfer(order).await;
        drop(locks); // The locks came with the work, and go when it is done.
        receipt
    };
    bank.desk.carry_out(work).await.map(Json)
}

/// Answers as soon as the tenant is locked. The statement is there when the tenant is free again: a request for it
/// waits for that.
async fn close_month(
    State(bank): State<Bank>,
    Body(order): Body<CloseMonth>,
) -> Result<(StatusCode, Json<Closing>), Refusal> {
    let wait = bank.desk.wait();
    let locks = async { (bank.locks.ledger().await, bank.locks.tenant_alone(order.tenant).await) };
    let locks = timeout_at(wait.until, locks).await.map_err(|_| Refusal::Busy)?;
    wait.over();
    bank.desk.store.may_close(order).await?;
    let store = bank.desk.store.clone();
    bank.desk.spawn(async move {
        // The tenant has been locked ever since `may_close`: what that found is still so.
        match store.close_month(order).await {
            Ok(statement) => tracing::info!(?statement, "closed"),
            Err(error) => tracing::error!(%error, ?order, "not closed"),
        }
        drop(locks);
    });
    Ok((StatusCode::ACCEPTED, Json(Closing::of(order))))
}

async fn account(State(bank): State<Bank>, Variables(which): Variables<OneAccount>) -> Result<Json<Standing>, Refusal> {
    let OneAccount { id: account } = which;
    let wait = bank.desk.wait();
    let locks = async {
        let ledger = bank.locks.ledger().await;
        (ledger, bank.locks.tenant(account.tenant).await, bank.locks.account(account).await)
    };
    let _locks = timeout_at(wait.until, locks).await.map_err(|_| Refusal::Busy)?;
    wait.over();
    let balance = bank.desk.store.balance(account).await?;
    Ok(Json(Standing { account, balance }))
}

async fn statement(
    State(bank): State<Bank>,
    Variables(order): Variables<CloseMonth>,
) -> Result<Json<Statement>, Refusal> {
    let wait = bank.desk.wait();
    let locks = async { (bank.locks.ledger().await, bank.locks.tenant(order.tenant).await) };
    let _locks = timeout_at(wait.until, locks).await.map_err(|_| Refusal::Busy)?;
    wait.over();
    Ok(Json(bank.desk.store.statement(order).await?))
}

async fn audit(State(bank): State<Bank>) -> Result<Json<Audit>, Refusal> {
    let wait = bank.desk.wait();
    let _ledger = timeout_at(wait.until, bank.locks.ledger.write()).await.map_err(|_| Refusal::Busy)?;
    wait.over();
    Ok(Json(bank.desk.store.audit().await?))
}
