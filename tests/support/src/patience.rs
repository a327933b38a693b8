//! How a task has patience: it gives way, or polls a request a few times.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::Poll;

/// One poll, as the task that runs.
pub async fn once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Gives way once: the task is polled again at once, or after others that are ready.
pub async fn give_way() {
    let mut has_given_way = false;
    poll_fn(|context| {
        if mem::replace(&mut has_given_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future so many times, with a pause after each, unless it resolves before.
pub async fn polls<F: Future>(mut future: Pin<&mut F>, times: usize, pause: impl AsyncFn()) -> Option<F::Output> {
    for _ in 0..times {
        if let Poll::Ready(outcome) = once(future.as_mut()).await {
            return Some(outcome);
        }
        pause().await;
    }
    None
}
