//! What a lock takes besides time: allocations and bytes.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use crate::comparison::allocated;
use crate::verbs::{Lock, Value};
use crate::workloads::{held, idle};

/// The number of allocations while `waits` requests, one after the other, queue for a lock, are granted and release it.
pub(crate) fn allocations<L: Lock>(waits: usize) -> Option<usize> {
    let lock = L::new();
    wait(&lock)?; // What a lock allocates once in its life is not counted.
    let before = allocated::count();
    (0..waits).try_for_each(|_| wait(&lock))?;
    Some(allocated::count() - before)
}

/// One request that has to wait, from its first poll to its release.
fn wait<L: Lock>(lock: &L) -> Option<()> {
    let first = held(lock)?;
    let mut request = pin!(lock.exclusive());
    if request.as_mut().poll(&mut idle()).is_ready() {
        return None;
    }
    drop(first);
    match request.poll(&mut idle()) {
        Poll::Ready(_) => Some(()),
        Poll::Pending => None,
    }
}

/// The bytes of a lock beyond its value, of a guard, of a future, and of what polling the future returns.
pub(crate) fn sizes<L: Lock, G>() -> [usize; 4] {
    fn of<F: Future>(_: &F) -> [usize; 2] {
        [size_of::<F>(), size_of::<Poll<F::Output>>()]
    }
    let lock = L::new();
    let [future, poll] = of(&lock.exclusive());
    [size_of::<L>() - size_of::<Value>(), size_of::<G>(), future, poll]
}
