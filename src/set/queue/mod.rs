//! Who waits, who holds the whole, and what a change lets run. Plain data: whoever changes it has it to themselves.
//!
//! ```text
//!   requests   ticket ─► Waiter { members, mode, … }       until its owner collects how it ended
//!   lines      member ─► those who wait for it, in order   } a request stands in the line of each of its names,
//!   wholes     those who wait for All, or to add           } or here
//! ```
//!
//! Each change notes the requests that it may have helped, and ends in [`Queue::settle`], which grants what can be granted:
//! see [`round`].
//!
//! # The whole
//!
//! The members do not know who holds `All`. While somebody holds or awaits it the set is *gated*: all requests come
//! through this queue, and all holds are given back here. So how many holds of single members there are is known by
//! counting on from when the gate was closed: see [`whole`].
//!
//! # The rooms, from the ground
//!
//! [`terms`] ← [`line`] ← [`whole`] ← [`data`] ← [`policy`] ← [`round`] ← [`requests`] ← [`holders`]
//!
//! # Invariants
//!
//! 1. A member is marked as wanted while it has a line, and only then.
//! 2. A request stands in the lines of all its members from `enter` until it is settled or cancelled, and then in none.
//! 3. While the set is gated, `single` counts all holds of single members.
//! 4. Nothing of foreign make is dropped or called here: wakers and members are handed out, to be woken and given back later.
//! 5. A clone of a member is a mention. Whoever keeps one for longer than a change has it pinned, and hands it out once.

mod data;
mod holders;
mod line;
mod policy;
mod requests;
mod round;
mod terms;
mod whole;

pub(crate) use data::Queue;
pub(crate) use terms::{Bounds, Effects, Id, Member, Members, Missing, Obstacles, Outcome, Reach, Tally, Waiter};
