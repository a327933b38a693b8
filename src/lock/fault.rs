//! Faults to build into the lock, one at a time, to see that the tests catch them: so a green run earns trust.
//!
//! `RUSTFLAGS='--cfg lockladder_fault="barging"'` builds one in. The cfg is private; without it all constants here have
//! the values of the sound lock and cost nothing. `.ci/faults` builds all of them and names their tests.
//!
//! | fault | what it breaks | caught by |
//! |---|---|---|
//! | `grant_lost_on_cancel` | an unclaimed grant is not given back | tests polled by hand, random stories, loom |
//! | `cancel_without_regrant` | no grant follows when the head gives up | tests polled by hand, random stories, loom |
//! | `relaxed_unlock` | the next holder need not see what this one wrote | loom; no test on x86 can |
//! | `relaxed_section` | the next section need not see the links of this one | loom; no test on x86 can |
//! | `node_not_unlinked` | the queue leads to a future that is gone | the invariants of the queue, `AddressSanitizer` |
//! | `wake_under_lock` | a waker that uses the lock waits for itself | hostile wakers, by a time-out: they hang |
//! | `barging` | a new request passes those that wait | tests polled by hand, random stories |
//! | `batch_out_of_order` | a batch is woken in reverse order | one test polled by hand |
//! | `told_before_counted` | a sharer can give its hold back before the word counts it | loom |

use crate::sync::Ordering;

pub(crate) const GRANT_LOST_ON_CANCEL: bool = cfg!(lockladder_fault = "grant_lost_on_cancel");
pub(crate) const CANCEL_WITHOUT_REGRANT: bool = cfg!(lockladder_fault = "cancel_without_regrant");
pub(crate) const NODE_NOT_UNLINKED: bool = cfg!(lockladder_fault = "node_not_unlinked");
pub(crate) const WAKE_UNDER_LOCK: bool = cfg!(lockladder_fault = "wake_under_lock");
pub(crate) const BARGING: bool = cfg!(lockladder_fault = "barging");
pub(crate) const BATCH_OUT_OF_ORDER: bool = cfg!(lockladder_fault = "batch_out_of_order");
pub(crate) const TOLD_BEFORE_COUNTED: bool = cfg!(lockladder_fault = "told_before_counted");

/// The ordering that gives a hold back: `Release`, unless the fault is built in.
pub(crate) const UNLOCK: Ordering =
    if cfg!(lockladder_fault = "relaxed_unlock") { Ordering::Relaxed } else { Ordering::Release };

/// The ordering with which a section writes the word: `Release`, unless the fault is built in.
pub(crate) const PUBLISH: Ordering =
    if cfg!(lockladder_fault = "relaxed_section") { Ordering::Relaxed } else { Ordering::Release };
