//! How the tasks of a program let each other run: by shuttle's scheduler, by the threads of the machine, or by hand.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

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

/// Lets others run: under an executor of one thread, whoever is next; else other threads, too.
#[cfg(not(lockladder_shuttle))]
pub(crate) async fn pause() {
    if HURRIES.get() {
        return;
    }
    std::thread::yield_now();
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future so often, with pauses, unless it resolves before.
pub(crate) async fn polls<F: Future>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    for _ in 0..times {
        if let Poll::Ready(outcome) = once(future.as_mut()).await {
            return Some(outcome);
        }
        pause().await;
    }
    None
}

/// One poll, as the task that runs.
pub(crate) async fn once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context: &mut Context<'_>| Poll::Ready(future.as_mut().poll(context))).await
}
