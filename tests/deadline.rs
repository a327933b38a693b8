//! Deadlines, on a paused clock that the tests advance.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use futures::future::FusedFuture;
use lockladder::{AcquireError, Priority, SharedLock};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};

const SECOND: Duration = Duration::from_secs(1);

fn timed_out(waited: Duration) -> AcquireError {
    AcquireError::TimedOut { waited }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_says_how_long_was_waited() {
    let lock = SharedLock::new(());
    let _held = lock.exclusive().await.unwrap();
    assert_eq!(lock.shared().timeout(SECOND).await.unwrap_err(), timed_out(SECOND));
    let at = Instant::now() + 3 * SECOND;
    assert_eq!(lock.exclusive().deadline(at).await.unwrap_err(), timed_out(3 * SECOND));
    assert_eq!(
        timed_out(SECOND).to_string(),
        "gave up on the lock after 1s: others hold it or come first; wait longer, or try again later"
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_starts_at_the_first_poll() {
    let lock = SharedLock::new(());
    let _held = lock.exclusive().await.unwrap();
    let request = lock.shared().timeout(SECOND);
    advance(5 * SECOND).await;
    let mut request = task::spawn(request);
    assert_pending!(request.poll());
    advance(SECOND / 2).await;
    assert!(!request.is_woken());
    advance(SECOND / 2).await;
    assert!(request.is_woken());
    assert_eq!(assert_ready_err!(request.poll()), timed_out(SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_lock_granted_in_time_is_taken() {
    let lock = SharedLock::new(());
    let held = lock.exclusive().await.unwrap();
    let mut request = task::spawn(lock.shared().timeout(SECOND));
    assert_pending!(request.poll());
    drop(held);
    assert!(request.is_woken());
    let _guard = assert_ready_ok!(request.poll());
}

#[tokio::test(start_paused = true)]
async fn a_grant_made_before_the_time_was_up_wins_though_nobody_looked() {
    let lock = SharedLock::new(());
    let held = lock.exclusive().await.unwrap();
    let mut request = task::spawn(lock.shared().timeout(SECOND));
    assert_pending!(request.poll());
    drop(held);
    advance(2 * SECOND).await;
    let _guard = assert_ready_ok!(request.poll());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_past_tries_once() {
    let lock = SharedLock::new(());
    let past = Instant::now();
    advance(SECOND).await;
    let guard = lock.exclusive().deadline(past).await.unwrap();
    assert_eq!(lock.exclusive().deadline(past).await.unwrap_err(), timed_out(Duration::ZERO));
    assert_eq!(lock.shared().timeout(Duration::ZERO).await.unwrap_err(), timed_out(Duration::ZERO));
    drop(guard);
    assert!(lock.try_exclusive().is_ok(), "nothing is held, and nobody waits");
}

#[tokio::test(start_paused = true)]
async fn an_expiry_leaves_nothing_behind_and_lets_the_next_one_run() {
    let lock = SharedLock::new(());
    let _sharer = lock.shared().await.unwrap();
    let mut head = task::spawn(lock.exclusive().timeout(SECOND));
    assert_pending!(head.poll());
    let mut behind = task::spawn(lock.shared());
    assert_pending!(behind.poll());
    advance(SECOND).await;
    assert_ready_err!(head.poll());
    assert!(behind.is_woken());
    let _guard = assert_ready_ok!(behind.poll());
}

#[tokio::test(start_paused = true)]
async fn the_others_keep_their_order_when_one_gives_up() {
    let lock = SharedLock::new(());
    let held = lock.exclusive().await.unwrap();
    let mut first = task::spawn(lock.exclusive());
    assert_pending!(first.poll());
    let mut second = task::spawn(lock.exclusive().timeout(SECOND));
    assert_pending!(second.poll());
    let mut third = task::spawn(lock.exclusive());
    assert_pending!(third.poll());
    advance(SECOND).await;
    assert_ready_err!(second.poll());
    drop(held);
    drop(assert_ready_ok!(first.poll()));
    drop(assert_ready_ok!(third.poll()));
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_gives_up_has_deleted_nothing() {
    let lock = SharedLock::new(());
    let held = lock.shared().await.unwrap();
    assert_eq!(lock.delete().timeout(SECOND).await.unwrap_err(), timed_out(SECOND));
    let other = lock.shared().await.unwrap();
    drop((held, other));
    lock.delete().deadline(Instant::now()).await.unwrap();
    assert_eq!(lock.shared().timeout(SECOND).await.unwrap_err(), AcquireError::Deleted);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_gives_up_has_left_the_queue_though_the_future_is_kept() {
    let lock = SharedLock::new(());
    let _held = lock.shared().await.unwrap();
    let mut delete = task::spawn(lock.delete().timeout(SECOND));
    assert_pending!(delete.poll());
    advance(SECOND).await;
    assert_eq!(assert_ready_err!(delete.poll()), timed_out(SECOND));
    assert!(lock.try_shared().is_ok(), "it still stands in the way");
}

#[test]
fn a_deadline_shows_the_request_inside_and_its_limit() {
    let lock = SharedLock::new(());
    let shown = format!("{:?}", lock.shared().timeout(SECOND));
    assert_eq!(shown, "Deadline { request: Acquire { mode: Shared, phase: Idle, .. }, limit: After(1s), .. }");
}

#[tokio::test(start_paused = true)]
async fn priority_and_deadline_go_together_in_any_order() {
    let lock = Arc::new(SharedLock::new(()));
    let held = lock.exclusive().await.unwrap();
    let urgent = Priority::new(-1);
    let mut default = task::spawn(lock.exclusive());
    assert_pending!(default.poll());
    let mut one = task::spawn(lock.exclusive().priority(urgent).timeout(SECOND));
    let mut other = task::spawn(Arc::clone(&lock).exclusive_owned().timeout(SECOND).priority(urgent));
    assert_pending!(one.poll());
    assert_pending!(other.poll());
    one.enter(|_, one| one.set_priority(Priority::LOWEST));
    drop(held);
    drop(assert_ready_ok!(other.poll()));
    drop(assert_ready_ok!(default.poll()));
    drop(assert_ready_ok!(one.poll()));
}

#[tokio::test(start_paused = true)]
async fn it_has_resolved_once_the_time_is_up() {
    let lock = SharedLock::new(());
    let _held = lock.exclusive().await.unwrap();
    let mut request = task::spawn(lock.shared().timeout(SECOND));
    assert_pending!(request.poll());
    advance(SECOND).await;
    assert!(!request.enter(|_, request| request.is_terminated()));
    assert_ready_err!(request.poll());
    assert!(request.enter(|_, request| request.is_terminated()));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_without_end_waits_without_end() {
    let lock = SharedLock::new(());
    let held = lock.exclusive().await.unwrap();
    let mut request = task::spawn(lock.shared().timeout(Duration::MAX));
    assert_pending!(request.poll());
    advance(1_000_000 * SECOND).await;
    assert!(!request.is_woken());
    drop(held);
    drop(assert_ready_ok!(request.poll()));
}

#[test]
#[should_panic(expected = "`timeout` and `deadline` need a tokio runtime with timers")]
fn without_a_runtime_the_first_poll_says_what_is_missing_even_if_the_lock_is_free() {
    let lock = SharedLock::new(());
    let _ = task::spawn(lock.shared().timeout(SECOND)).poll();
}

#[test]
fn a_panic_for_want_of_a_runtime_leaves_nothing_held() {
    let lock = SharedLock::new(());
    let mut request = task::spawn(lock.exclusive().timeout(SECOND));
    let poll = std::panic::AssertUnwindSafe(|| request.poll().is_ready());
    assert!(std::panic::catch_unwind(poll).is_err());
    drop(request);
    assert!(lock.try_exclusive().is_ok());
}
