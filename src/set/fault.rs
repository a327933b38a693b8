//! Faults that a build can seed into sets, one at a time, to check that the tests catch them. `lock/fault.rs` does the
//! same for one lock, by the same private cfg.
//!
//! | fault | what it breaks | caught by |
//! |---|---|---|
//! | `removed_in_between` | the fast path takes a member removed after it was found | random programs under shuttle |
//! | `gate_overlooked` | a hold is released past the requests that wait for the whole | random programs under shuttle |
//! | `hold_not_given_back` | a request granted, then dropped unresolved, keeps its names | random programs by hand |
//! | `wanted_lost` | a member loses its mark while other requests still wait for it | random programs by hand and under shuttle |
//! | `counted_wrong` | the holds are counted for the whole without the first shard | random programs under shuttle |
//! | `removal_forgets` | a request that waits for a member is not woken when it is removed | random programs by hand |
//! | `group_reaches_too_far` | sharers of the default priority take every sharer along | programs against the rule |
//! | `passed_twice` | each pass of a request counts as two | programs against the rule |
//! | `name_dropped_early` | an open name goes while it is still pinned | random programs under shuttle |
//! | `added_too_early` | an addition does not wait for the holder of the whole | random programs by hand |

pub(crate) const REMOVED_IN_BETWEEN: bool = cfg!(lockladder_fault = "removed_in_between");
pub(crate) const GATE_OVERLOOKED: bool = cfg!(lockladder_fault = "gate_overlooked");
pub(crate) const HOLD_NOT_GIVEN_BACK: bool = cfg!(lockladder_fault = "hold_not_given_back");
pub(crate) const WANTED_LOST: bool = cfg!(lockladder_fault = "wanted_lost");
pub(crate) const COUNTED_WRONG: bool = cfg!(lockladder_fault = "counted_wrong");
pub(crate) const REMOVAL_FORGETS: bool = cfg!(lockladder_fault = "removal_forgets");
pub(crate) const GROUP_REACHES_TOO_FAR: bool = cfg!(lockladder_fault = "group_reaches_too_far");
pub(crate) const PASSED_TWICE: bool = cfg!(lockladder_fault = "passed_twice");
pub(crate) const NAME_DROPPED_EARLY: bool = cfg!(lockladder_fault = "name_dropped_early");
pub(crate) const ADDED_TOO_EARLY: bool = cfg!(lockladder_fault = "added_too_early");
