//! One lock: ours against the peers, in one interleaved run: `cargo bench -p lockladder-benches --bench compare`.
//!
//! ```text
//!     comparison                                rounds, ratios, bars: what the comparisons share
//!         │
//!       rows ─► workloads · crowd · space       what is asked, and the bars; the work
//!         │
//!       peers ─► verbs                          who takes part, and how they are asked
//! ```
//!
//! See `-- --help`, and `docs/BENCHMARKS.md` for the last results.

#[path = "../comparison/mod.rs"]
mod comparison;
mod crowd;
mod peers;
mod rows;
mod space;
mod verbs;
mod workloads;

use std::process::ExitCode;

use crate::comparison::stage;

fn main() -> ExitCode {
    comparison::compare(peers::all())
}
