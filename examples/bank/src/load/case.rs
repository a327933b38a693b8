//! What the clients do in a pass.

use std::time::Duration;

use rand::Rng;
use serde_json::{Value, json};

use crate::account::AccountId;
use crate::store::Opening;

/// A bank, and how its clients choose accounts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) opening: Opening,
    pub(super) round_trip: Duration,
    /// How many of 100 transfers are paid into one account of tenant 1, as fees are.
    pub(super) fees: u32,
    /// Whether one more client closes months without a break.
    pub(super) closes: bool,
}

const MANY: Opening = Opening { tenants: 10, accounts: 1000, balance: 1_000_000 };
const FEW: Opening = Opening { tenants: 1, accounts: 8, balance: 1_000_000 };
const SOME: Opening = Opening { tenants: 1, accounts: 100, balance: 1_000_000 };
const ROUND_TRIP: Duration = Duration::from_millis(1);

impl Case {
    /// Free accounts without a pause, where the processor is all that limits; and cases in which requests meet.
    pub(super) const ALL: [Self; 5] = [
        Self { name: "10,000 accounts, no pause", opening: MANY, round_trip: Duration::ZERO, fees: 0, closes: false },
        Self { name: "10,000 accounts", opening: MANY, round_trip: ROUND_TRIP, fees: 0, closes: false },
        Self { name: "8 accounts", opening: FEW, round_trip: ROUND_TRIP, fees: 0, closes: false },
        Self { name: "100 accounts, half pay one", opening: SOME, round_trip: ROUND_TRIP, fees: 50, closes: false },
        Self { name: "10,000 accounts, closes", opening: MANY, round_trip: ROUND_TRIP, fees: 0, closes: true },
    ];

    /// The next transfer of some client.
    pub(super) fn order(&self, random: &mut impl Rng) -> Value {
        let from = self.account(random);
        // In the middle of the names, so that sorting by name puts it first as often as last.
        let fees = AccountId { tenant: 1, number: self.opening.accounts / 2 };
        let mut to = if random.random_range(0..100) < self.fees { fees } else { self.account(random) };
        while to == from {
            to = self.account(random);
        }
        json!({ "from": from, "to": to, "amount": 1 })
    }

    fn account(&self, random: &mut impl Rng) -> AccountId {
        let Opening { tenants, accounts, .. } = self.opening;
        AccountId { tenant: random.random_range(1..=tenants), number: random.random_range(1..=accounts) }
    }

    /// What all accounts hold together.
    pub(super) fn total(&self) -> i64 {
        let Opening { tenants, accounts, balance } = self.opening;
        i64::from(tenants) * i64::from(accounts) * balance
    }
}
