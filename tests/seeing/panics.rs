//! What is left when foreign code panics in the middle.

use lockladder::{LockManager, hierarchy};
use lockladder_test_support::hostile::{survive, throw};
use std::cell::Cell;
use std::fmt;
use tokio_test::task::spawn as mock;
use tokio_test::{assert_pending, block_on};

hierarchy! {
    struct Plant { root Gate, open level Machine: Touchy }
}

thread_local! {
    static TOUCHED: Cell<bool> = const { Cell::new(false) };
}

/// A name that panics when it is shown, once it has been touched.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Touchy(u32);

impl fmt::Debug for Touchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if TOUCHED.get() {
            throw();
        }
        write!(f, "{}", self.0)
    }
}

#[test]
fn names_that_panic_when_they_are_shown_are_not_kept_by_the_table() {
    let manager: LockManager<Plant> = LockManager::builder().build();
    let job = || block_on(manager.shared("job")).unwrap();
    let holder = block_on(job().exclusive::<Machine>([Touchy(1), Touchy(2), Touchy(3)])).unwrap();
    let mut late = [1, 2, 3].map(|name| mock(job().exclusive::<Machine>([Touchy(name)])));
    for request in &mut late {
        assert_pending!(request.poll());
    }
    TOUCHED.set(true);
    assert!(survive(|| manager.locks()).is_none(), "showing a name panics");
    TOUCHED.set(false);
    drop((late, holder));
    assert_eq!(manager.names::<Machine>(), [], "all of them are out of use");
}
