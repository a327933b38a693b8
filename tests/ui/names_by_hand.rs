//! A list that says it stands for everything could hold an open set as a whole: only lists of the standard library are.
//!
//! ERROR `Names`, `NamesOrAll` and `IntoEntries` cannot be implemented for `Everything`: they are implemented for the lists of the standard library
//! NOTE collect the names into an array, a `Vec` or a set instead
use lockladder::names::NamesOrAll;
use std::iter::Empty;

struct Everything;

impl NamesOrAll<u32> for Everything {
    type Each = Empty<u32>;
    type Extent = ();

    fn requested(self) -> Option<Empty<u32>> {
        None
    }
}

fn main() {}
