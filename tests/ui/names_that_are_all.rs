//! `All` as a list of names, in a crate with names of its own: an open set cannot be held as a whole.
//!
//! ERROR `Names` cannot be implemented for `All`: it is implemented for the lists of the standard library

use lockladder::All;
use lockladder::names::Names;

#[derive(Clone, Hash, PartialEq, Eq, PartialOrd, Ord)]
struct Key;

impl Names<Key> for All {
    fn listed(self) -> std::iter::Empty<Key> {
        std::iter::empty()
    }
}

fn main() {}
