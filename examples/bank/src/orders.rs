//! What clients ask for, checked: an order that exists can be carried out as far as its form goes.

use serde::Deserialize;

use crate::account::{AccountId, TenantId};
use crate::amount::Amount;
use crate::input::{BadInput, Checked};
use crate::month::Month;

/// Move money from one account to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The account that pays.
    pub from: AccountId,
    /// The account that is paid.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
}

/// Write a tenant's statement of a month, or read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct CloseMonth {
    /// The tenant.
    pub tenant: TenantId,
    /// The month.
    pub month: Month,
}

/// Look at an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct OneAccount {
    /// The account.
    pub id: AccountId,
}

/// A transfer as it comes. The fields may be absent here, so that the error can name the one that is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTransfer {
    from: Option<AccountId>,
    to: Option<AccountId>,
    amount: Option<Amount>,
}

/// A month's close as it comes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCloseMonth {
    tenant: Option<TenantId>,
    month: Option<Month>,
}

impl Checked for Transfer {
    type Raw = RawTransfer;

    fn check(raw: RawTransfer) -> Result<Self, BadInput> {
        let from = raw.from.ok_or_else(|| BadInput::missing("from"))?;
        let to = raw.to.ok_or_else(|| BadInput::missing("to"))?;
        let amount = raw.amount.ok_or_else(|| BadInput::missing("amount"))?;
        if from == to {
            return Err(BadInput::at("to", "must be another account than `from`"));
        }
        Ok(Self { from, to, amount })
    }
}

impl Checked for CloseMonth {
    type Raw = RawCloseMonth;

    fn check(raw: RawCloseMonth) -> Result<Self, BadInput> {
        let tenant = raw.tenant.ok_or_else(|| BadInput::missing("tenant"))?;
        let month = raw.month.ok_or_else(|| BadInput::missing("month"))?;
        Ok(Self { tenant, month })
    }
}
