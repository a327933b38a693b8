//! How patient a task is: it yields, or polls a request a few times.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::Poll;

/// One poll, with the waker of the running task.
pub async fn once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Yields once: the task is polled again at once, or after other tasks that are ready.
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

/// Polls a future up to `times` times, with a pause after each, until it resolves.
pub async fn polls<F: Future>(mut future: Pin<&mut F>, times: usize, pause: impl AsyncFn()) -> Option<F::Output> {
    for _ in 0..times {
        if let Poll::Ready(outcome) = once(future.as_mut()).await {
            return Some(outcome);
        }
        pause().await;
    }
    None
}
