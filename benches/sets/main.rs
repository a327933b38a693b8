//! Named locks: ours against the peers, in one interleaved run: `cargo bench -p lockladder-benches --bench sets`.
//!
//! ```text
//!     comparison                                        rounds, ratios, bars: what the comparisons share
//!         │
//!       rows ─► workloads · crowd · growth · whole      what is asked, and the bars; the work
//!         │               │
//!         │             names                           by which names
//!       peers ─► verbs                                  who takes part, and how they are asked
//! ```
//!
//! See `-- --help`, and `docs/BENCHMARKS.md` for the last results.

#[path = "../comparison/mod.rs"]
mod comparison;
mod crowd;
mod growth;
mod names;
mod peers;
mod rows;
mod verbs;
mod whole;
mod workloads;

use std::process::ExitCode;

use crate::comparison::stage;

fn main() -> ExitCode {
    comparison::compare(peers::all())
}
