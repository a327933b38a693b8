//! Faults that a build can be given, one at a time, to see that the tests catch it: a green run earns trust that way.
//!
//! `RUSTFLAGS='--cfg lockladder_fault="barging"'` builds one in. The cfg is private; without it every constant here is
//! what the sound lock needs, and the compiler forgets the question. `.ci/faults` builds them all and names their tests.
//!
//! | fault | what it breaks | caught by |
//! |---|---|---|
//! | `grant_lost_on_cancel` | a grant that nobody claimed is never given back | tests polled by hand, random stories, loom |
//! | `cancel_without_regrant` | whoever could run when the head gives up sleeps on | tests polled by hand, random stories, loom |
//! | `relaxed_unlock` | the next holder need not see what this one wrote | loom; no test on x86 can |
//! | `relaxed_section` | whoever works on the queue next need not see its links | loom; no test on x86 can |
//! | `node_not_unlinked` | the queue goes through a future that is gone | the invariants of the queue, `AddressSanitizer` |
//! | `wake_under_lock` | a waker that uses the lock waits for itself | hostile wakers, by a time-out: they hang |
//! | `barging` | a newcomer overtakes whoever waits | tests polled by hand, random stories |
//! | `batch_out_of_order` | those who are granted together are woken last come, first served | one test polled by hand |
//! | `told_before_counted` | a share is given back before the word counts it | loom |

use crate::sync::Ordering;

pub(crate) const GRANT_LOST_ON_CANCEL: bool = cfg!(lockladder_fault = "grant_lost_on_cancel");
pub(crate) const CANCEL_WITHOUT_REGRANT: bool = cfg!(lockladder_fault = "cancel_without_regrant");
pub(crate) const NODE_NOT_UNLINKED: bool = cfg!(lockladder_fault = "node_not_unlinked");
pub(crate) const WAKE_UNDER_LOCK: bool = cfg!(lockladder_fault = "wake_under_lock");
pub(crate) const BARGING: bool = cfg!(lockladder_fault = "barging");
pub(crate) const BATCH_OUT_OF_ORDER: bool = cfg!(lockladder_fault = "batch_out_of_order");
pub(crate) const TOLD_BEFORE_COUNTED: bool = cfg!(lockladder_fault = "told_before_counted");

/// How a hold is given back: `Release`, unless the fault is built in.
pub(crate) const UNLOCK: Ordering =
    if cfg!(lockladder_fault = "relaxed_unlock") { Ordering::Relaxed } else { Ordering::Release };

/// How a section makes its changes known: `Release`, unless the fault is built in.
pub(crate) const PUBLISH: Ordering =
    if cfg!(lockladder_fault = "relaxed_section") { Ordering::Relaxed } else { Ordering::Release };
