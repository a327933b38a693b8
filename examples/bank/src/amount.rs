//! Amounts of money.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Number;

/// An amount to transfer, in cents: at least one, and at most [`Amount::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Number", into = "i64")]
pub struct Amount(i64);

/// The number is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number of cents from 1 to {}", Amount::MOST)]
pub struct NotAnAmount;

impl Amount {
    /// The most that one transfer can move, in cents.
    pub const MOST: i64 = 1_000_000_000_000;

    /// The amount of so many cents.
    ///
    /// # Errors
    ///
    /// [`NotAnAmount`] if it is not positive, or too large.
    pub fn new(cents: i64) -> Result<Self, NotAnAmount> {
        if (1..=Self::MOST).contains(&cents) { Ok(Self(cents)) } else { Err(NotAnAmount) }
    }

    /// The amount in cents.
    pub fn cents(self) -> i64 {
        self.0
    }
}

/// From any number of JSON, so that `1.5` and `1e30` are refused in the same words as `0`.
impl TryFrom<Number> for Amount {
    type Error = NotAnAmount;

    fn try_from(number: Number) -> Result<Self, NotAnAmount> {
        number.as_i64().ok_or(NotAnAmount).and_then(Self::new)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cents", self.0)
    }
}
