//! Every public verb of every layer beside wakers that panic when they are woken, cloned or dropped, in tasks with and
//! without budget. Afterwards everything is free again, each value has been dropped or returned once, and each future
//! says what it did.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod dynamic;
mod lock;
mod named;
mod open;
mod open_level;
mod session;
mod set;
mod story;
