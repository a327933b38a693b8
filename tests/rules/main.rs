//! One oracle, transcribed from the seed, and two things that must agree with it: the bounds of a typed session, in
//! every state that it can be in, and the results of a session whose levels are known at run time, in random stories.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod dynamic;
mod model;
mod typed;
