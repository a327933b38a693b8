//! What clients are told when all went well, besides what the store returns.

use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::orders::CloseMonth;

/// An account and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub struct Standing {
    /// The account.
    pub account: AccountId,
    /// What it holds, in cents.
    pub balance: i64,
}

/// A month's close has begun.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Closing {
    /// The path of the statement. A request for it waits until the month is closed.
    pub statement: String,
}

impl Closing {
    /// The answer to this order.
    pub fn of(order: CloseMonth) -> Self {
        let CloseMonth { tenant, month } = order;
        Self { statement: format!("/statements/{tenant}/{month}") }
    }
}
