//! Climbing: a session against the same locks taken by hand, in one interleaved run:
//! `cargo bench -p lockladder-benches --bench climb`.
//!
//! ```text
//!     comparison                    rounds, ratios, bars: what the comparisons share
//!         │
//!       rows                        the rows, the work, and the bars
//!         │
//!      ladders ─► jobs              the contenders; what each of them locks
//! ```
//!
//! See `-- --help` for the options, and `docs/BENCHMARKS.md` for the last results.

#[path = "../comparison/mod.rs"]
mod comparison;
mod jobs;
mod ladders;
mod rows;

use std::process::ExitCode;

fn main() -> ExitCode {
    comparison::compare(rows::contenders())
}
