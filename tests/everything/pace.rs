//! How the tasks of a program let each other run: by shuttle's scheduler, by the threads of the machine, or by hand.

use lockladder_test_support::patience;
use std::cell::Cell;
use std::pin::Pin;

thread_local! {
    static HURRIES: Cell<bool> = const { Cell::new(false) };
}

/// From now on, the tasks of this thread pause, or hurry from one use of a lock to the next: each use lets others run,
/// and the fewer steps there are, the likelier is the order that matters.
pub(crate) fn hurry(hurries: bool) {
    HURRIES.set(hurries);
}

/// Lets others run.
#[cfg(lockladder_shuttle)]
pub(crate) async fn pause() {
    if !HURRIES.get() {
        shuttle::thread::yield_now();
    }
}

/// Lets others run: under an executor of one thread, the next task; else other threads, too.
#[cfg(not(lockladder_shuttle))]
pub(crate) async fn pause() {
    if !HURRIES.get() {
        std::thread::yield_now();
        patience::give_way().await;
    }
}

/// Polls a future so often, with pauses, unless it resolves before.
pub(crate) async fn polls<F: Future>(future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    patience::polls(future, times, pause).await
}
