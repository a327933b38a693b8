//! What a session holds has the root at its bottom.
//!
//! ERROR `()` is not what a session of `Seed` can hold
//! NOTE write it with `held!`, lowest level first: `held![shared <the root>, exclusive <a level>]`
use lockladder::ganeti::seed::{Node, Seed};
use lockladder::{DynSession, held};

fn wrong(job: DynSession<Seed>) {
    let _typed = job.into_typed::<held![exclusive Node]>();
}

fn main() {}
