//! Names of tenants and accounts. The account's name contains its tenant, so a handler knows what to lock before it
//! asks the store for anything.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// The number of a tenant.
pub type TenantId = u32;

/// An account of a tenant, written `7-42`: account 42 of tenant 7.
///
/// It is the name of a lock: anything is that can be cloned, hashed, compared and put in order. Here, the order of the
/// locks does not depend on this order, as all names of a request are taken at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId {
    /// The tenant that it belongs to. An account never moves to another one.
    pub tenant: TenantId,
    /// Its number within the tenant.
    pub number: u32,
}

/// The text is not the name of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an account such as \"7-42\": tenant and number, two whole numbers without leading zeros")]
pub struct NotAnAccount;

impl FromStr for AccountId {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let (tenant, number) = text.split_once('-').ok_or(NotAnAccount)?;
        let account = Self {
            tenant: tenant.parse().map_err(|_| NotAnAccount)?,
            number: number.parse().map_err(|_| NotAnAccount)?,
        };
        // One way to write each: `+7-042` is refused.
        if account.to_string() == text { Ok(account) } else { Err(NotAnAccount) }
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer)
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.tenant, self.number)
    }
}

/// As `Display`: errors of locks show names by `Debug`.
impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_is_written_and_in_no_other_way() {
        let account = AccountId { tenant: 7, number: 42 };
        assert_eq!(account.to_string().parse(), Ok(account));
        for other in
            ["", "7", "7-", "-42", "7-42-1", "07-42", "7-042", "+7-42", "7-+42", " 7-42", "7-4294967296", "a-b"]
        {
            assert_eq!(other.parse::<AccountId>(), Err(NotAnAccount), "{other}");
        }
    }
}
