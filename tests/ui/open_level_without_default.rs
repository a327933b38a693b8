//! The value of an open level's name is made when the name comes into use.
//!
//! ERROR the trait bound `Cached: Default` is not satisfied
use lockladder::hierarchy;

pub struct Cached(u64);

hierarchy! {
    pub struct Bank {
        root Ledger,
        open level Account: u64 => Cached,
    }
}

fn main() {}
