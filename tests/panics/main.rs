//! Every verb × (a waker that panics as it is woken, as it is cloned, as it is dropped) × (a task with its budget, without):
//! afterwards everything can be had again, each value was dropped or returned once, and each future says what it did.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that unwraps fails where it should")]

mod lock;
mod named;
mod session;
mod set;
mod story;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../support/wakers.rs"]
mod wakers;

#[test]
fn one_lock_survives_wakers_that_panic_at_every_verb() {
    story::tell(lock::VERBS);
}

#[test]
fn sets_survive_wakers_that_panic_at_every_verb() {
    story::tell(set::VERBS);
}

#[test]
fn sessions_survive_wakers_that_panic_at_every_verb() {
    story::tell(session::VERBS);
}
