//! An array of something else, in a crate with names of its own: `NameArray` is sealed there, too.
//!
//! ERROR `Odd` is not a name of type `Key`

use lockladder::names::NameArray;
use lockladder::{Exclusive, SetError, SetGuard, guards::SetPointer};

#[derive(Clone, Hash, PartialEq, Eq, PartialOrd, Ord)]
struct Key;

struct Odd;

impl NameArray<Key> for [Odd; 1] {
    type Each<T> = [T; 1];

    fn values<P: SetPointer<Name = Key>>(
        self,
        guard: &mut SetGuard<P, Exclusive>,
    ) -> Result<[&mut P::Value; 1], SetError<Key>> {
        let _ = guard.release([Key]);
        unreachable!()
    }
}

fn main() {}
