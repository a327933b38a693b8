//! Fair async locks.

mod error;
mod lock;
mod mode;
mod set;
mod sync;

pub use error::{AcquireError, TryAcquireError};
pub use lock::{Acquire, Delete, Guard, LockPointer, SharedLock};
pub use mode::{Exclusive, LockMode, Mode, Shared};
pub use set::{
    Add, AddError, Added, All, Free, LockSet, Name, NameList, Names, Remove, SetAcquire, SetError, SetGuard, SetPointer,
};
