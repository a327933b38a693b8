//! The names of an open level exist without being added.
//!
//! ERROR level `Account` is open: every name exists, so there is no whole of it to take, and nothing to add
//! NOTE acquire the names that you need: each exists while it is held or waited for
use lockladder::{LockManager, hierarchy};

hierarchy! {
    pub struct Bank {
        root Ledger,
        open level Account: u64,
    }
}

fn wrong() -> LockManager<Bank> {
    LockManager::builder().names::<Account>([17]).build()
}

fn main() {}
