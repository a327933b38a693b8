//! An open level has any number of names: there is no whole of it.
//!
//! ERROR level `Account` is open: every name exists, so there is no whole of it to take, and nothing to add
//! NOTE acquire the names that you need: each exists while it is held or waited for
//! NOTE declare it as `level Account`, without `open`, if names are to exist only once they are added
use lockladder::{All, Session, SessionError, held, hierarchy};

hierarchy! {
    pub struct Bank {
        root Ledger,
        open level Account: u64,
    }
}

async fn wrong(job: Session<Bank, held![shared Ledger]>) -> Result<(), SessionError> {
    job.shared::<Account>(All).await.map(drop)
}

fn main() {}
