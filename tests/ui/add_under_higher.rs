//! Adding waits, so nothing may be held at the level or above.
//!
//! ERROR lock order violation: cannot add to or remove from level `Instance` here
//! NOTE `add` and `remove` wait for locks of `Instance`: do it before that level or a higher one is acquired, or release those first
//! NOTE a session that holds `Instance` exclusively can use `add_held` and `remove_held`, which do not wait
use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Session, SessionError, held};

async fn wrong(mut job: Session<Seed, held![shared Cluster, shared Node]>) -> Result<(), SessionError> {
    job.add::<Instance>(["web9"]).await
}

fn main() {}
