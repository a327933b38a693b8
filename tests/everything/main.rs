//! Random programs of the whole API, judged by a witness that never asks the locks.
//!
//! A program says what a few tasks do with a set, a lock or a manager. It is drawn from a seed. It runs on futures that
//! are polled by hand in an order drawn from the same seed, on threads, and under shuttle (in random schedules, and by
//! PCT with 3 to 7 ordered steps):
//!
//! ```text
//! cargo test -p lockladder --test everything -- --nocapture
//! RUSTFLAGS="--cfg lockladder_shuttle" cargo test --release -p lockladder --test everything -- --nocapture
//! ```
//!
//! Each run prints its seed. `LOCKLADDER_SEED` repeats a run. `LOCKLADDER_SCHEDULES` sets how many schedules
//! (programs, by hand and on threads) each shape gets. A failure names its program and how to run that alone; for sets
//! on threads, only the seed repeats it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

mod lock;
mod pace;
mod program;
mod sessions;
mod sets;
mod tally;
mod witness;

#[cfg(not(lockladder_shuttle))]
mod by_hand;
#[cfg(lockladder_shuttle)]
mod by_shuttle;
#[cfg(not(lockladder_shuttle))]
mod on_threads;
