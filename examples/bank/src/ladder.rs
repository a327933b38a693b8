//! The service on lockladder: the lock order of the bank, and its handlers. This is the file to copy.
//!
//! | request | ledger | tenants | accounts | its work |
//! |---|---|---|---|---|
//! | `POST /transfer` | shared | of both accounts, shared | both, exclusive | is carried out even if the client goes away |
//! | `POST /close-month` | shared | one, exclusive | – | goes on after the answer, in a task that has the locks |
//! | `GET /accounts/{id}` | shared | its own, shared | one, shared | ends with its client |
//! | `GET /statements/{tenant}/{month}` | shared | one, shared | – | ends with its client |
//! | `GET /audit` | exclusive | – | – | ends with its client |
//!
//! A handler waits first: a client that goes away, or a deadline that passes, drops the future, and with it the place in
//! the queue and what was held. Then it works, with all its locks.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use lockladder::{LockManager, hierarchy};

use crate::account::{AccountId, TenantId};
use crate::answers::{Closing, Standing};
use crate::desk::Desk;
use crate::input::{Body, Variables};
use crate::orders::{CloseMonth, OneAccount, Transfer};
use crate::refusal::Refusal;
use crate::store::{Audit, Receipt, Statement};

hierarchy! {
    /// The lock order of the bank: each request climbs it, upwards only.
    pub struct Order {
        /// Every request shares it; the audit has it alone.
        root Ledger,
        /// Whoever works on accounts shares their tenants; the month's close has its tenant alone.
        open level Tenant: TenantId,
        /// Accounts are in the store. A lock is here while a request holds it or waits for it.
        open level Account: AccountId,
    }
}

/// The state of the service. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub struct Bank {
    /// The locks.
    pub locks: LockManager<Order>,
    desk: Desk,
}

impl Bank {
    /// A bank on which nothing is locked.
    pub fn new(desk: Desk) -> Self {
        Self { locks: LockManager::builder().build(), desk }
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
    let job = bank.locks.shared("transfer").deadline(wait.until).await?;
    let job = job.shared::<Tenant>([from.tenant, to.tenant]).deadline(wait.until).await?;
    let job = job.exclusive::<Account>([from, to]).deadline(wait.until).await?;
    wait.over();
    let store = bank.desk.store.clone();
    let work = async move {
        let receipt = store.transfer(order).await;
        drop(job); // The locks came with the work, and go when it is done.
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
    let job = bank.locks.shared("close month").deadline(wait.until).await?;
    let job = job.exclusive::<Tenant>([order.tenant]).deadline(wait.until).await?;
    wait.over();
    bank.desk.store.may_close(order).await?;
    let store = bank.desk.store.clone();
    bank.desk.spawn(async move {
        // The tenant has been locked ever since `may_close`: what that found is still so.
        match store.close_month(order).await {
            Ok(statement) => tracing::info!(?statement, "closed"),
            Err(error) => tracing::error!(%error, ?order, "not closed"),
        }
        drop(job);
    });
    Ok((StatusCode::ACCEPTED, Json(Closing::of(order))))
}

async fn account(State(bank): State<Bank>, Variables(which): Variables<OneAccount>) -> Result<Json<Standing>, Refusal> {
    let OneAccount { id: account } = which;
    let wait = bank.desk.wait();
    let job = bank.locks.shared("account").deadline(wait.until).await?;
    let job = job.shared::<Tenant>([account.tenant]).deadline(wait.until).await?;
    let _job = job.shared::<Account>([account]).deadline(wait.until).await?;
    wait.over();
    let balance = bank.desk.store.balance(account).await?;
    Ok(Json(Standing { account, balance }))
}

async fn statement(
    State(bank): State<Bank>,
    Variables(order): Variables<CloseMonth>,
) -> Result<Json<Statement>, Refusal> {
    let wait = bank.desk.wait();
    let job = bank.locks.shared("statement").deadline(wait.until).await?;
    let _job = job.shared::<Tenant>([order.tenant]).deadline(wait.until).await?;
    wait.over();
    Ok(Json(bank.desk.store.statement(order).await?))
}

async fn audit(State(bank): State<Bank>) -> Result<Json<Audit>, Refusal> {
    let wait = bank.desk.wait();
    let _job = bank.locks.exclusive("audit").deadline(wait.until).await?;
    wait.over();
    Ok(Json(bank.desk.store.audit().await?))
}
