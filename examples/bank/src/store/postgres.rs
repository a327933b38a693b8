//! Accounts in `PostgreSQL`: lock and transaction, seen together.
//!
//! The transaction is right without the locks, too: another program may write to the same database, and this one may be
//! killed half way. The locks are for the time before: a request waits in this process and not in the database, so it
//! has no connection while it waits, is served in its turn, and gives up in time. And transfers of one process never
//! deadlock in the database, in whatever order they write their rows.
//!
//! ```text
//!   locks:        wait ─► held ───────────────────────────────► released
//!   transaction:            begin ─► update ─► update ─► commit
//! ```

use async_trait::async_trait;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use super::{Audit, Opening, Receipt, Statement, Store, StoreError};
use crate::account::{AccountId, TenantId};
use crate::month::Month;
use crate::orders::{CloseMonth, Transfer};

/// Fewer than requests that run at a time: only those that have their locks use one.
const CONNECTIONS: u32 = 16;

/// The code by which `PostgreSQL` says that a number does not fit: `numeric_value_out_of_range`.
const OUT_OF_RANGE: &str = "22003";

const SCHEMA: &str = include_str!("schema.sql");

/// Accounts in `PostgreSQL`.
#[derive(Debug, Clone)]
pub struct PgStore {
    pool: PgPool,
}

impl PgStore {
    /// Connects, makes the tables if they are not there, and opens the accounts if there are none.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn open(url: &str, opening: Opening) -> Result<Self, sqlx::Error> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        sqlx::query(
            "insert into accounts (tenant, number, balance)
             select tenant, number, $3 from generate_series(1, $1) tenant, generate_series(1, $2) number
             where not exists (select from accounts)",
        )
        .bind(i64::from(opening.tenants))
        .bind(i64::from(opening.accounts))
        .bind(opening.balance)
        .execute(&pool)
        .await?;
        Ok(Self { pool })
    }
}

/// Adds to the balance of an account, and returns it.
async fn add(
    transaction: &mut Transaction<'static, Postgres>,
    account: AccountId,
    cents: i64,
) -> Result<i64, StoreError> {
    let AccountId { tenant, number } = account;
    let update = "update accounts set balance = balance + $3 where tenant = $1 and number = $2 returning balance";
    let updated = sqlx::query_scalar(update)
        .bind(i64::from(tenant))
        .bind(i64::from(number))
        .bind(cents)
        .fetch_optional(&mut **transaction)
        .await;
    match updated {
        Ok(balance) => balance.ok_or(StoreError::NoAccount(account)),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(OUT_OF_RANGE) => {
            Err(StoreError::Overflow(account))
        }
        Err(error) => Err(error.into()),
    }
}

#[async_trait]
impl Store for PgStore {
    async fn balance(&self, account: AccountId) -> Result<i64, StoreError> {
        let AccountId { tenant, number } = account;
        let balance = sqlx::query_scalar("select balance from accounts where tenant = $1 and number = $2")
            .bind(i64::from(tenant))
            .bind(i64::from(number))
            .fetch_optional(&self.pool)
            .await?;
        balance.ok_or(StoreError::NoAccount(account))
    }

    async fn transfer(&self, order: Transfer) -> Result<Receipt, StoreError> {
        let Transfer { from, to, amount } = order;
        // Dropped before the commit, on any of the errors below, it is rolled back.
        let mut transaction = self.pool.begin().await?;
        let from_balance = add(&mut transaction, from, -amount.cents()).await?;
        let to_balance = add(&mut transaction, to, amount.cents()).await?;
        if from_balance < 0 {
            return Err(StoreError::Insufficient(from));
        }
        transaction.commit().await?;
        Ok(Receipt { from_balance, to_balance })
    }

    async fn may_close(&self, order: CloseMonth) -> Result<(), StoreError> {
        let CloseMonth { tenant, month } = order;
        let (exists, closed) = sqlx::query_as(
            "select exists (select from accounts where tenant = $1),
                    exists (select from statements where tenant = $1 and month = $2)",
        )
        .bind(i64::from(tenant))
        .bind(month.to_string())
        .fetch_one(&self.pool)
        .await?;
        match (exists, closed) {
            (_, true) => Err(StoreError::ClosedAlready(month)),
            (false, false) => Err(StoreError::NoTenant(tenant)),
            (true, false) => Ok(()),
        }
    }

    async fn close_month(&self, order: CloseMonth) -> Result<Statement, StoreError> {
        let CloseMonth { tenant, month } = order;
        let sums = sqlx::query_as(
            "insert into statements (tenant, month, accounts, total)
             select $1, $2, count(*), coalesce(sum(balance), 0)::bigint from accounts where tenant = $1
             returning accounts, total",
        )
        .bind(i64::from(tenant))
        .bind(month.to_string())
        .fetch_one(&self.pool)
        .await?;
        Ok(statement(tenant, month, sums))
    }

    async fn statement(&self, order: CloseMonth) -> Result<Statement, StoreError> {
        let CloseMonth { tenant, month } = order;
        let sums = sqlx::query_as("select accounts, total from statements where tenant = $1 and month = $2")
            .bind(i64::from(tenant))
            .bind(month.to_string())
            .fetch_optional(&self.pool)
            .await?;
        sums.map(|sums| statement(tenant, month, sums)).ok_or(StoreError::NoStatement(month))
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        let (accounts, total): (i64, i64) =
            sqlx::query_as("select count(*), coalesce(sum(balance), 0)::bigint from accounts")
                .fetch_one(&self.pool)
                .await?;
        Ok(Audit { accounts: accounts.unsigned_abs(), total })
    }
}

fn statement(tenant: TenantId, month: Month, (accounts, total): (i64, i64)) -> Statement {
    Statement { tenant, month, accounts: accounts.unsigned_abs(), total }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}
