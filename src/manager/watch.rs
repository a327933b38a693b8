//! What those who watch the sessions are told: by the feature `tracing`, spans, events and warnings; by the feature
//! `metrics`, figures. `docs/WATCHING.md` describes both.
//!
//! ```text
//!   Watched   a request, from its first poll to its answer; it travels with the request      begins, waits, ends
//!   Holds     what a flow holds: kept beside its record                                       held, downgraded, settle
//!   Home      a manager: its name, its thresholds
//!   Party     who asks, for the length of a call
//! ```
//!
//! Without the features, all of these are empty, and so are their functions: nothing is left of them in the program.
//!
//! Subscribers and recorders are foreign code. They run while nothing of ours is locked and nothing is half changed, and
//! a panic of theirs changes nothing: it ends in [`quietly`](crate::panics::quietly), so the session goes on.

#[cfg(any(feature = "tracing", feature = "metrics"))]
mod on;
#[cfg(any(feature = "tracing", feature = "metrics"))]
use on as chosen;

#[cfg(not(any(feature = "tracing", feature = "metrics")))]
mod off;
#[cfg(not(any(feature = "tracing", feature = "metrics")))]
use off as chosen;

pub(super) use chosen::{Alarm, Holds, Home, Limits, Party, Watched, downgraded, held, settle};
