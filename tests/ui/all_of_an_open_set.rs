//! An open set has any number of names: there is no whole of it.
//!
//! ERROR `All` does not list names of type `u32`
//! NOTE pass an array, slice, `Vec` or set of names, by value or by reference; collect an iterator into a `Vec` first
use lockladder::{All, OpenSet};

fn main() {
    let users: OpenSet<u32> = OpenSet::new();
    let _ = users.try_exclusive(All);
}
