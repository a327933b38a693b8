//! The requests that wait, the holders of the whole, and what a change lets run. Plain data, changed only through
//! `&mut Queue`.
//!
//! ```text
//!   requests   ticket ─► Waiter { members, mode, … }       until its owner collects how it ended
//!   lines      member ─► the requests for it, in order     } a request stands in the line of each of its names,
//!   whole      the requests for All, or to add             } or here
//! ```
//!
//! Each change notes the requests that it may have helped, and ends in [`Queue::settle`], which grants what can be
//! granted: see [`round`].
//!
//! # The whole
//!
//! The words of the members do not show a hold of `All`. While it is held, or a request for it waits, the set is
//! *gated*: all requests come through this queue, and all holds are given back here. So the number of holds of single
//! members is known: it is taken when the gate is closed, and kept up to date from then on. See [`whole`].
//!
//! # The files, from the ground up
//!
//! [`terms`] ← [`line`] ← [`whole`] ← [`data`] ← [`policy`] ← [`round`] ← [`requests`] ← [`holders`]
//!
//! [`copy`] stands on [`data`], and is for tables of the locks.
//!
//! # Invariants
//!
//! 1. A member is marked as wanted while it has a line, and only then. (One that was removed may keep the mark.)
//! 2. A request stands in the lines of all its members from `enter` until it is settled or cancelled, and then in none.
//! 3. While the set is gated, `single` counts all holds of single members.
//! 4. No foreign code is called or dropped here: wakers and members are handed out, to be woken and unpinned later.
//! 5. A clone of a member is a mention, which pins nothing. A member that is kept for longer than one change is pinned
//!    meanwhile; each pin is handed out once.

mod copy;
mod data;
mod holders;
mod line;
mod policy;
mod requests;
mod round;
mod terms;
mod whole;

pub(crate) use copy::{Extent, RequestCopy, Stage};
pub(crate) use data::Queue;
pub(crate) use terms::{
    Bounds, Effects, Id, Member, Members, Missing, Obstacles, Outcome, Reach, Tally, Waiter, conflicts,
};
