//! Accounts in memory, with a pause where a database would be.
//!
//! ```text
//!   transfer:   pause ─► read both ─► pause ─► write both
//! ```
//!
//! Each arrow is a round trip. Between reading and writing, only the callers' locks keep others away: without them,
//! updates get lost and the sum of all balances changes. So the sum shows whether the locks work.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{Audit, Receipt, Statement, Store, StoreError};
use crate::account::{AccountId, TenantId};
use crate::month::Month;
use crate::orders::{CloseMonth, Transfer};

/// How many accounts a round trip reads when all of them are added up.
const PAGE: usize = 100;

/// What a new bank has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// How many tenants, numbered from 1.
    pub tenants: u32,
    /// How many accounts each of them has, numbered from 1.
    pub accounts: u32,
    /// What each account holds, in cents.
    pub balance: i64,
}

/// Accounts in memory.
#[derive(Debug)]
pub struct MemoryStore {
    books: Mutex<Books>,
    round_trip: Duration,
}

#[derive(Debug, Default)]
struct Books {
    balances: BTreeMap<AccountId, i64>,
    statements: BTreeMap<(TenantId, Month), Statement>,
}

impl MemoryStore {
    /// A bank whose every round trip takes so long. Timers round up to milliseconds; zero is no pause at all.
    pub fn new(opening: Opening, round_trip: Duration) -> Self {
        let Opening { tenants, accounts, balance } = opening;
        let account = |tenant| (1..=accounts).map(move |number| (AccountId { tenant, number }, balance));
        let balances = (1..=tenants).flat_map(account).collect();
        Self { books: Mutex::new(Books { balances, ..Books::default() }), round_trip }
    }

    async fn round_trip(&self) {
        if !self.round_trip.is_zero() {
            tokio::time::sleep(self.round_trip).await;
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Each use leaves the books whole, so a panic elsewhere is no reason to stop.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds up the accounts from `first` on that `belongs` accepts, a page at a time.
    async fn add_up(&self, first: AccountId, belongs: impl Fn(AccountId) -> bool + Send) -> Audit {
        let mut sum = Audit { accounts: 0, total: 0 };
        let mut next = Bound::Included(first);
        loop {
            self.round_trip().await;
            let page: Vec<_> = {
                let books = self.books();
                let rest = books.balances.range((next, Bound::Unbounded)).take_while(|(account, _)| belongs(**account));
                rest.take(PAGE).map(|(account, balance)| (*account, *balance)).collect()
            };
            let Some((last, _)) = page.last() else { return sum };
            next = Bound::Excluded(*last);
            for (_, balance) in page {
                sum.accounts += 1;
                sum.total += balance;
            }
        }
    }
}

impl Books {
    fn balance(&self, account: AccountId) -> Result<i64, StoreError> {
        self.balances.get(&account).copied().ok_or(StoreError::NoAccount(account))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn balance(&self, account: AccountId) -> Result<i64, StoreError> {
        self.round_trip().await;
        self.books().balance(account)
    }

    async fn transfer(&self, order: Transfer) -> Result<Receipt, StoreError> {
        let Transfer { from, to, amount } = order;
        self.round_trip().await;
        let (from_before, to_before) = {
            let books = self.books();
            (books.balance(from)?, books.balance(to)?)
        };
        let from_balance = from_before - amount.cents();
        if from_balance < 0 {
            return Err(StoreError::Insufficient(from));
        }
        let to_balance = to_before.checked_add(amount.cents()).ok_or(StoreError::Overflow(to))?;
        self.round_trip().await;
        // Both at once, as a transaction would.
        let mut books = self.books();
        books.balances.insert(from, from_balance);
        books.balances.insert(to, to_balance);
        Ok(Receipt { from_balance, to_balance })
    }

    async fn may_close(&self, order: CloseMonth) -> Result<(), StoreError> {
        let CloseMonth { tenant, month } = order;
        self.round_trip().await;
        let books = self.books();
        if books.statements.contains_key(&(tenant, month)) {
            return Err(StoreError::ClosedAlready(month));
        }
        let mut accounts = books.balances.range(AccountId { tenant, number: 0 }..);
        let any = accounts.next().is_some_and(|(account, _)| account.tenant == tenant);
        if any { Ok(()) } else { Err(StoreError::NoTenant(tenant)) }
    }

    async fn close_month(&self, order: CloseMonth) -> Result<Statement, StoreError> {
        let CloseMonth { tenant, month } = order;
        let Audit { accounts, total } =
            self.add_up(AccountId { tenant, number: 0 }, |account| account.tenant == tenant).await;
        let statement = Statement { tenant, month, accounts, total };
        self.round_trip().await;
        self.books().statements.insert((tenant, month), statement);
        Ok(statement)
    }

    async fn statement(&self, order: CloseMonth) -> Result<Statement, StoreError> {
        self.round_trip().await;
        let statement = self.books().statements.get(&(order.tenant, order.month)).copied();
        statement.ok_or(StoreError::NoStatement(order.month))
    }

    async fn audit(&self) -> Result<Audit, StoreError> {
        Ok(self.add_up(AccountId { tenant: 0, number: 0 }, |_| true).await)
    }
}
