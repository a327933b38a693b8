//! The names of an open level exist without being added.
//!
//! ERROR nothing can be added to or removed from level `Account`
//! NOTE in an `open level`, every name exists without being added; the root has no names
use lockladder::{Session, SessionError, held, hierarchy};

hierarchy! {
    pub struct Bank {
        root Ledger,
        open level Account: u64,
    }
}

async fn wrong(job: Session<Bank, held![shared Ledger]>) -> Result<(), SessionError> {
    job.add_exclusive::<Account>([17]).await.map(drop)
}

fn main() {}
