//! Faults of sets that a build can be given, one at a time, to see that the tests catch it; as `lock/fault.rs` does for one
//! lock, and by the same private cfg.
//!
//! | fault | what it breaks | caught by |
//! |---|---|---|
//! | `removed_in_between` | who comes fast takes a member that was removed since it was found | random programs under shuttle |
//! | `gate_overlooked` | a member is given back past those who wait for the whole | random programs under shuttle |
//! | `hold_not_given_back` | a request that is granted and dropped before it resolves keeps its names | random programs by hand |
//! | `wanted_lost` | a member loses its mark while others still wait for it | random programs by hand |
//! | `counted_wrong` | the first shard is left out when the holders are counted for the whole | random programs under shuttle |
//! | `removal_forgets` | who waits for a member is not told that it was removed | random programs by hand |
//! | `group_reaches_too_far` | sharers of the usual priority take others along, whatever the priority of those | programs against the rule |
//! | `passed_twice` | each pass of a request counts as two | programs against the rule |
//! | `name_dropped_early` | an open name goes while somebody else still knows it | random programs by hand |
//! | `added_too_early` | an addition does not wait for who has the whole | random programs by hand |

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
