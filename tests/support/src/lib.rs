//! The support library of lockladder's tests: each module is one idea that several tests share.
//!
//! | module | what it gives |
//! |---|---|
//! | [`requests`] | requests that a test polls by hand |
//! | [`patience`] | how a task yields, and polls a request a few times |
//! | [`wakers`] | wakers that count, remember, or run a closure when they are woken, cloned or dropped |
//! | [`hostile`] | panics on purpose, and how a test survives them |
//! | [`rooms`] | an oracle of exclusion that never asks the locks |
//! | [`small`] | small sets and managers to begin with |
//! | [`dice`] | numbers drawn from a seed |
//! | [`choices`] | every choice of a number of things |
//! | [`environment`] | what environment variables ask of a run: a seed, schedules, a program, thoroughness |
//! | [`failures`] | a story that is printed only when it fails |
//! | [`lock_rule`] | the fairness rule of one lock, as a program |
//! | [`set_rule`] | the rule of named locks, as a program |
//! | [`steps`] | programs on hand-driven futures, one step at a time |
//! | [`states`] | every state that such programs can reach |
//! | [`package`] | a package outside this workspace, written and built |
//! | `schedules` | scenarios under shuttle; compiled only for it |
//!
//! The library is compiled with loom and shuttle as well. It holds no locks itself; it only makes managers and sets for
//! tests. The tests are its examples.

#![allow(clippy::missing_panics_doc, reason = "a test panics where it fails")]
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

pub mod choices;
pub mod dice;
pub mod environment;
pub mod failures;
pub mod hostile;
pub mod lock_rule;
pub mod package;
pub mod patience;
pub mod requests;
pub mod rooms;
#[cfg(lockladder_shuttle)]
pub mod schedules;
pub mod set_rule;
pub mod small;
pub mod states;
pub mod steps;
pub mod wakers;
