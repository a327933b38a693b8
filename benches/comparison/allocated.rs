//! Counts allocations, by hand: the published crates for this cost more per allocation than some peers' waits, and
//! their cost would be measured along with the peers that allocate.

#![allow(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Passes everything on to the system, and counts what each thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator keeps the contract. Counting does not allocate: the counters are constants that need
// no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        BYTES.set(BYTES.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations this thread has made so far.
pub(crate) fn count() -> usize {
    COUNT.get()
}

/// Runs `make`. Returns the bytes that it requested and did not free again, and its result.
pub(crate) fn bytes<T>(make: impl FnOnce() -> T) -> (usize, T) {
    let before = BYTES.get();
    let result = make();
    (BYTES.get().wrapping_sub(before), result)
}
