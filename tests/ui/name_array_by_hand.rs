//! Who is lent a guard could release what it holds: only arrays are.
//!
//! ERROR `NameArray` cannot be implemented for `Mine`: it is implemented for arrays only
//! NOTE an implementation would be lent a guard; call `get_disjoint_mut` with an array of names instead
use lockladder::{Exclusive, SetError, SetGuard, names::NameArray, guards::SetPointer};

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
