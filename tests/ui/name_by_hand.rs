//! What names a lock is its name: nothing else says what it is equal to.
//!
//! ERROR `AsName` cannot be implemented for `Anything`: it is implemented for names themselves, and references to them
//! NOTE turn it into a `String` or a `&String` instead
use lockladder::names::AsName;
use std::hash::BuildHasher;

struct Anything;

impl AsName<String> for Anything {
    fn tag(&self, _hashing: &impl BuildHasher) -> u64 {
        0
    }

    fn is(&self, _name: &String) -> bool {
        true
    }

    fn into_name(self) -> String {
        String::new()
    }
}

fn main() {}
