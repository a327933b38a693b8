//! A manager is given names of a level that it does not have.
//!
//! ERROR level `modern::declared::Network` does not belong to the hierarchy `Seed`
//! NOTE hierarchies do not mix: use a level that is declared in `Seed`, or a session of the manager that has `modern::declared::Network`
use lockladder::LockManager;
use lockladder::ganeti::modern::Network;
use lockladder::ganeti::seed::Seed;

fn wrong() -> LockManager<Seed> {
    LockManager::<Seed>::builder().names::<Network>(["net1"]).build()
}

fn main() {}
