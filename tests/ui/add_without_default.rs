//! Names alone, where their values have no default.
//!
//! ERROR `[&str; 1]` cannot be added to locks whose names are `String` and whose values are `Size`
//! NOTE names alone are added with the default value, so `Size` must be `Default`; `Entries([(name, value)])` gives each its own

use lockladder::LockSet;

/// No `Default`.
struct Size(u64);

async fn wrong(sizes: &LockSet<String, Size>) {
    let _ = sizes.add(["disk1"]).await;
}

fn main() {}
