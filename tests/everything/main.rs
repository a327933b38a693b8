//! Everything at once: programs drawn at random over the whole public API, in many schedules.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod dice;
mod drive;
mod lock;
#[path = "../support/wakers.rs"]
#[allow(dead_code, reason = "not all of them are used here")]
mod wakers;
