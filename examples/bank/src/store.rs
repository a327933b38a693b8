//! Where the accounts are: behind a trait, so that the handlers are the same with and without a database.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::account::{AccountId, TenantId};
use crate::month::Month;
use crate::orders::{CloseMonth, Transfer};

mod memory;
#[cfg(feature = "postgres")]
mod postgres;

pub use memory::{MemoryStore, Opening};
#[cfg(feature = "postgres")]
pub use postgres::PgStore;

/// Accounts, and what can be done to them.
///
/// The callers hold the locks that each method names. Dropping a future before it resolves leaves the accounts as they
/// were, or as they are to be; never in between.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The balance of an account, in cents. Its tenant and the account are locked, shared.
    async fn balance(&self, account: AccountId) -> Result<i64, StoreError>;

    /// Moves money. Both tenants are locked shared, both accounts exclusively.
    async fn transfer(&self, order: Transfer) -> Result<Receipt, StoreError>;

    /// Whether the tenant exists and its month is not closed yet. The tenant is locked exclusively.
    async fn may_close(&self, order: CloseMonth) -> Result<(), StoreError>;

    /// Adds up the tenant's accounts, and writes the statement of the month. The tenant is locked exclusively.
    async fn close_month(&self, order: CloseMonth) -> Result<Statement, StoreError>;

    /// The statement of a month. The tenant is locked, shared.
    async fn statement(&self, order: CloseMonth) -> Result<Statement, StoreError>;

    /// Adds up all accounts. Everything is locked, exclusively.
    async fn audit(&self) -> Result<Audit, StoreError>;
}

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub struct Receipt {
    /// The balance of the account that paid, in cents.
    pub from_balance: i64,
    /// The balance of the account that was paid, in cents.
    pub to_balance: i64,
}

/// A tenant's accounts at the end of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub struct Statement {
    /// The tenant.
    pub tenant: TenantId,
    /// The month.
    pub month: Month,
    /// How many accounts it has.
    pub accounts: u64,
    /// What they hold together, in cents.
    pub total: i64,
}

/// All accounts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub struct Audit {
    /// How many accounts there are.
    pub accounts: u64,
    /// What they hold together, in cents. Transfers do not change it.
    pub total: i64,
}

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such account.
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// There is no such tenant.
    #[error("there is no tenant {0}")]
    NoTenant(TenantId),
    /// The month is not closed.
    #[error("there is no statement of {0}: the month is not closed")]
    NoStatement(Month),
    /// The month is closed.
    #[error("the month {0} is closed already")]
    ClosedAlready(Month),
    /// The account does not hold so much.
    #[error("account {0} does not hold enough")]
    Insufficient(AccountId),
    /// The account would hold more than can be counted.
    #[error("account {0} cannot hold so much more")]
    Overflow(AccountId),
    /// The store does not work.
    #[error("the store failed: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}
