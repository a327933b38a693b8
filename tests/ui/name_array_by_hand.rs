//! Who is lent a guard could release what it holds: only arrays are.
//!
//! ERROR the trait bound `Mine: lockladder::manager::session::sealed::Sealed` is not satisfied
use lockladder::{Exclusive, NameArray, SetError, SetGuard, SetPointer};

struct Mine;

impl<K> NameArray<K> for Mine {
    type Each<T> = Option<T>;

    fn values<P: SetPointer<Name = K>>(
        self,
        _guard: &mut SetGuard<P, Exclusive>,
    ) -> Result<Option<&mut P::Value>, SetError<K>> {
        Ok(None)
    }
}

fn main() {}
