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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::amount::Amount;

    const OPENING: Opening = Opening { tenants: 1, accounts: 250, balance: 1000 };

    fn account(number: u32) -> AccountId {
        AccountId { tenant: 1, number }
    }

    fn order(from: u32, to: u32) -> Transfer {
        Transfer { from: account(from), to: account(to), amount: Amount::new(5).unwrap() }
    }

    #[tokio::test(start_paused = true)]
    async fn transfers_that_nothing_keeps_apart_lose_updates_and_the_sum_shows_it() {
        let store = MemoryStore::new(OPENING, Duration::from_millis(1));
        let (one, other) = tokio::join!(store.transfer(order(1, 2)), store.transfer(order(1, 3)));
        assert_eq!((one.unwrap().from_balance, other.unwrap().from_balance), (995, 995));
        assert_eq!(store.audit().await.unwrap().total, 250_005);
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_written_while_money_moves_is_wrong() {
        let store = MemoryStore::new(OPENING, Duration::from_millis(1));
        let close = CloseMonth { tenant: 1, month: "2026-11".parse().unwrap() };
        // The first page has account 1 before it pays, the third one has account 250 after it was paid.
        let (statement, moved) = tokio::join!(store.close_month(close), store.transfer(order(1, 250)));
        assert!(moved.is_ok());
        assert_eq!(statement.unwrap().total, 250_005);
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_that_is_dropped_half_way_moves_nothing() {
        let store = MemoryStore::new(OPENING, Duration::from_millis(10));
        let cut = tokio::time::timeout(Duration::from_millis(15), store.transfer(order(1, 2))).await;
        assert!(cut.is_err());
        assert_eq!((store.balance(account(1)).await.unwrap(), store.balance(account(2)).await.unwrap()), (1000, 1000));
    }

    #[tokio::test]
    async fn a_transfer_that_is_refused_moves_nothing() {
        let store = MemoryStore::new(OPENING, Duration::ZERO);
        let most = |from, to| Transfer { amount: Amount::new(1001).unwrap(), ..order(from, to) };
        assert!(matches!(store.transfer(most(1, 2)).await, Err(StoreError::Insufficient(_))));
        assert!(matches!(store.transfer(order(1, 251)).await, Err(StoreError::NoAccount(_))));
        assert_eq!(store.audit().await.unwrap(), Audit { accounts: 250, total: 250_000 });
    }
}
