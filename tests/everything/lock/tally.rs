//! How often each deed was done, so that a generator that has gone silent is seen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! deeds {
    ($($deed:ident),+ $(,)?) => {
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Deed { $($deed),+ }

        const DEEDS: &[Deed] = &[$(Deed::$deed),+];
    };
}

deeds! {
    AskBeside, Debug, DeleteByGuard, Deleted, Downgrade, GivenUp, Granted, LeaveInQueue, Lost, Map, MapAgain, MoveBefore,
    MoveWaiting, NotUpgraded, PollThrew, PostHold, PostRequest, QueueTwice, Synchronized, TimedOut, ToldDeleted,
    TriedWell, TryBesideOwner, TryDeleted, TryMap, TryThrew, UnpackHold, UnpackRequest, Upgraded, WouldBlock,
}

static DONE: [AtomicU64; DEEDS.len()] = [const { AtomicU64::new(0) }; DEEDS.len()];

impl Deed {
    pub(crate) fn did(self) {
        DONE[self as usize].fetch_add(1, Relaxed);
    }
}

/// Each of them has been done, and is done often enough to be of use.
pub(crate) fn assert_all_done() {
    for deed in DEEDS {
        println!("{deed:?}: {}", DONE[*deed as usize].load(Relaxed));
    }
    let silent: Vec<_> = DEEDS.iter().filter(|deed| DONE[**deed as usize].load(Relaxed) == 0).collect();
    assert!(silent.is_empty(), "never done: {silent:?}");
}
