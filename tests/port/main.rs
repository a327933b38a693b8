//! One service, on tokio's locks and on these: both keep the same promises, and differ where `docs/PORTING.md` says so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(unreachable_pub, reason = "the two versions are written as the modules of a service")]

mod after;
mod before;
mod fleet;
mod page;

use fleet::{Busy, Device, Devices, LIMIT, REBOOT};
use page::PAGE;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, timeout};
use tokio_test::{assert_pending, task};

/// Three sites of four devices each.
fn devices() -> Devices {
    Devices::new((0..3).flat_map(|site| (0..4).map(move |number| Device { site, number })))
}

const fn device(site: u32, number: u32) -> Device {
    Device { site, number }
}

/// The promises that both versions keep.
macro_rules! promises {
    ($version:ident) => {
        pub mod $version {
            use super::super::*;
            use crate::$version::Fleet;

            #[tokio::test(start_paused = true)]
            async fn a_device_stays_locked_until_it_is_back_from_a_reboot() {
                let (fleet, began) = (Fleet::new(devices()), Instant::now());
                let reboot = fleet.reboot(device(0, 0)).await.unwrap();
                let Busy(reason) = fleet.configure(device(0, 0), 7).await.unwrap_err();
                assert!(reason.contains("site: 0, number: 0"), "{reason}");
                assert_eq!(began.elapsed(), LIMIT);
                fleet.configure(device(0, 1), 7).await.unwrap();
                assert_eq!(fleet.status(device(0, 1)).await.unwrap(), 7);

                reboot.await.unwrap();
                assert!(began.elapsed() >= REBOOT);
                fleet.configure(device(0, 0), 8).await.unwrap();
                assert_eq!(fleet.names_in_use(), 0);
            }

            #[tokio::test(start_paused = true)]
            async fn a_site_is_updated_when_no_call_uses_it_and_others_go_on() {
                let fleet = Fleet::new(devices());
                let reboot = fleet.reboot(device(0, 0)).await.unwrap();
                assert!(fleet.update_site(0, 9).await.is_err());
                fleet.update_site(1, 9).await.unwrap();
                assert!(fleet.backup().await.is_err());
                reboot.await.unwrap();
                fleet.update_site(0, 9).await.unwrap();
                assert_eq!(fleet.backup().await.unwrap(), [9, 9, 9, 9, 9, 9, 9, 9, 8, 9, 10, 11]);
                assert_eq!(fleet.names_in_use(), 0);
            }

            #[tokio::test(start_paused = true)]
            async fn a_caller_that_goes_away_leaves_nothing_behind() {
                let fleet = Fleet::new(devices());
                let reboot = fleet.reboot(device(0, 0)).await.unwrap();
                let mut calls = [0, 1, 2].map(|_| task::spawn(fleet.swap(device(1, 3), device(0, 0))));
                for call in &mut calls {
                    assert_pending!(call.poll());
                }
                let [first, mut second, third] = calls;
                drop(first);
                assert_pending!(second.poll());
                drop((second, third));
                fleet.configure(device(1, 3), 5).await.unwrap();
                reboot.await.unwrap();
                assert_eq!(fleet.names_in_use(), 0);
            }

            #[tokio::test(start_paused = true)]
            async fn two_devices_may_be_one_and_the_same() {
                let fleet = Fleet::new(devices());
                fleet.swap(device(0, 1), device(0, 1)).await.unwrap().await.unwrap();
                assert_eq!(fleet.status(device(0, 1)).await.unwrap(), 1);
            }

            #[tokio::test(start_paused = true)]
            async fn an_update_is_not_kept_waiting_by_readers_that_come_after_it() {
                let fleet = Fleet::new(devices());
                let mut reader = task::spawn(fleet.status(device(0, 0)));
                assert_pending!(reader.poll());
                let mut update = task::spawn(fleet.update_site(0, 9));
                assert_pending!(update.poll());
                let mut later = task::spawn(fleet.status(device(0, 0)));
                assert_pending!(later.poll());
                assert_eq!(reader.await.unwrap(), 0);
                assert_pending!(later.poll());
                update.await.unwrap();
                assert_eq!(later.await.unwrap(), 9);
            }

            /// A swap waits for a device that reboots: is the other device locked meanwhile? And what does its error say?
            pub async fn waiting_swap() -> (bool, String) {
                let fleet = Fleet::new(devices());
                let _reboot = fleet.reboot(device(0, 3)).await.unwrap();
                let mut swap = task::spawn(fleet.swap(device(0, 3), device(0, 1)));
                assert_pending!(swap.poll());
                let locked = timeout(Duration::from_millis(1), fleet.status(device(0, 1))).await.is_err();
                (locked, swap.await.unwrap_err().to_string())
            }

            /// Many callers at once, of which some go away.
            async fn busy_day(fleet: &Arc<Fleet>) {
                let mut callers = JoinSet::new();
                for caller in 0..40_u32 {
                    let fleet = fleet.clone();
                    callers.spawn(async move {
                        for turn in 0..50 {
                            let (one, other) = (device(turn % 3, caller % 4), device((turn + caller) % 3, turn % 4));
                            match (turn + caller) % 10 {
                                0 => drop(fleet.status(one).await),
                                1 if caller == 0 => {
                                    let mut versions = fleet.backup().await.unwrap_or_else(|_| (0..12).collect());
                                    versions.sort_unstable();
                                    assert_eq!(versions, (0..12).collect::<Vec<_>>(), "no swap is under way");
                                }
                                2 => drop(task::spawn(fleet.swap(one, other)).poll()),
                                _ => {
                                    if let Ok(swap) = fleet.swap(one, other).await {
                                        swap.await.unwrap();
                                    }
                                }
                            }
                        }
                    });
                }
                while let Some(done) = callers.join_next().await {
                    done.unwrap();
                }
                while fleet.backup().await.is_err() {} // until all swaps have come to their end
                assert_eq!(fleet.names_in_use(), 0);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn calls_that_exclude_each_other_never_meet() {
                busy_day(&Arc::new(Fleet::new(devices()))).await;
            }

            /// The clock stands unless all tasks wait: then it goes on to the end of the time of one of them.
            #[tokio::test(start_paused = true)]
            async fn calls_never_wait_for_each_other_in_a_circle() {
                let began = Instant::now();
                busy_day(&Arc::new(Fleet::new(devices()))).await;
                assert_eq!(began.elapsed(), Duration::ZERO);
            }
        }
    };
}

mod promises {
    promises!(before);
    promises!(after);
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_waits_locks_a_free_device_before_the_port_and_not_after_it() {
    let ((locked_before, _), (locked_after, _)) =
        (promises::before::waiting_swap().await, promises::after::waiting_swap().await);
    assert!(locked_before && !locked_after);
}

#[tokio::test(start_paused = true)]
async fn the_error_names_what_was_asked_for_before_the_port_and_what_is_held_after_it() {
    let ((_, before), (_, after)) = (promises::before::waiting_swap().await, promises::after::waiting_swap().await);
    assert!(PAGE.contains(&before), "{before}");
    assert!(PAGE.contains(&after.replace("tests/port/", "src/")), "{after}");
}
