//! How the tasks of a program let each other run: by shuttle's scheduler, by the threads of the machine, or by hand.

use lockladder_test_support::patience;
use std::cell::Cell;
use std::pin::Pin;

thread_local! {
    static HURRIES: Cell<bool> = const { Cell::new(false) };
}

/// Sets whether the tasks of this thread hurry from one use of a lock to the next, or pause in between. Each use lets
/// other tasks run, too, and the fewer steps there are, the likelier is the order that matters.
pub(crate) fn hurry(hurries: bool) {
    HURRIES.set(hurries);
}

/// Lets other tasks run.
#[cfg(lockladder_shuttle)]
pub(crate) async fn pause() {
    if !HURRIES.get() {
        shuttle::thread::yield_now();
    }
}

/// Lets other tasks run: the next one of this executor, and those of other threads.
#[cfg(not(lockladder_shuttle))]
pub(crate) async fn pause() {
    if !HURRIES.get() {
        std::thread::yield_now();
        patience::give_way().await;
    }
}

/// Polls a future up to `times` times, with pauses, until it resolves.
pub(crate) async fn polls<F: Future>(future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    patience::polls(future, times, pause).await
}
