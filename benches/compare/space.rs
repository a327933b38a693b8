//! What a lock takes besides time: allocations and bytes.
//!
//! Allocations are counted by hand, because what the registry offers costs more per allocation than some of the peers' waits: that would be
//! measured along with the peers that allocate.

#![allow(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use crate::verbs::{Lock, Value};
use crate::workloads::{held, idle};

/// Passes everything on to the system, and counts what each thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator keeps the contract. Counting does not allocate: the counter is a constant that needs
// no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often the allocator is asked while `waits` requests for one lock queue, are granted and release.
pub(crate) fn allocations<L: Lock>(waits: usize) -> Option<usize> {
    let lock = L::new();
    wait(&lock)?; // What a lock allocates once in its life is not counted.
    let before = COUNT.get();
    (0..waits).try_for_each(|_| wait(&lock))?;
    Some(COUNT.get() - before)
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
