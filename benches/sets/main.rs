//! Named locks: ours against the peers, in one interleaved run: `cargo bench -p lockladder-benches --bench sets`.
//!
//! ```text
//!       peers                                              the contenders
//!         │
//!     contender ─► workloads · crowd · growth · whole      which of the rows each kind can answer; the work
//!         │                  │
//!       rows           verbs · names                       the rows and their bars; how a set is asked, by which names
//!         │
//!     comparison                                           rounds, ratios, bars: what the comparisons share
//! ```
//!
//! See `-- --help` for the options, and `docs/BENCHMARKS.md` for the last results.

#[path = "../comparison/mod.rs"]
mod comparison;
mod contender;
mod crowd;
mod growth;
mod names;
mod peers;
mod rows;
mod verbs;
mod whole;
mod workloads;

use std::process::ExitCode;

fn main() -> ExitCode {
    comparison::compare(peers::all())
}
