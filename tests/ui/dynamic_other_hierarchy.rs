//! Also a list known at run time has levels of one hierarchy.
//!
//! ERROR level `modern::declared::Network` does not belong to the hierarchy `Seed`
//! NOTE hierarchies do not mix: use a level that is declared in `Seed`, or a session of the manager that has `modern::declared::Network`
use lockladder::ganeti::modern::Network;
use lockladder::ganeti::seed::Seed;
use lockladder::{DynSession, LockMode, SessionError};

async fn wrong(job: &mut DynSession<Seed>) -> Result<(), SessionError> {
    job.acquire::<Network>("net1", LockMode::Shared).await
}

fn main() {}
