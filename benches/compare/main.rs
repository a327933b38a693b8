//! One lock: ours against the peers, in one interleaved run: `cargo bench -p lockladder-benches --bench compare`.
//!
//! ```text
//!       peers                                          the contenders
//!         │
//!     contender ─► workloads · crowd · space           which of the rows each kind can answer; the work
//!         │                  │
//!       rows               verbs                       the rows and their bars; how a lock is asked
//!         │
//!     comparison                                       rounds, ratios, bars: what the comparisons share
//! ```
//!
//! See `-- --help` for the options, and `docs/BENCHMARKS.md` for the last results.

#[path = "../comparison/mod.rs"]
mod comparison;
mod contender;
mod crowd;
mod peers;
mod rows;
mod space;
mod verbs;
mod workloads;

use std::process::ExitCode;

fn main() -> ExitCode {
    comparison::compare(peers::all())
}
