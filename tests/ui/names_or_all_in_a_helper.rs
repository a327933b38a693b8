//! A helper that passes names on to any level says for which: only then it is known whether there is a whole of it.
//!
//! ERROR it is not known whether level `Node` has all that is asked for: names, or the whole of it
//! NOTE in a generic function, take `impl NamesOf<Node>`
use lockladder::ganeti::seed::{Node, Seed};
use lockladder::names::NamesOrAll;
use lockladder::{CanAcquire, Session, SessionError};

async fn wrong<S: CanAcquire<Node>>(job: &mut Session<Seed, S>, names: impl NamesOrAll<String>) -> Result<(), SessionError> {
    job.nest().shared::<Node>(names).await.map(drop)
}

fn main() {}
