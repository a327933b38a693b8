//! Fair async locks.

mod error;
pub mod ganeti;
mod level;
mod lock;
mod manager;
mod mode;
mod set;
mod sync;

pub use error::{AcquireError, TryAcquireError};
pub use level::{
    Before, CanAcquire, CanAdd, Downgrade, Held, HeldList, Hierarchy, Holds, HoldsExclusive, Level, LevelGuard,
    Modifiable, NotRoot, Release, Top,
};
pub use lock::{Acquire, Delete, Guard, LockPointer, SharedLock};
pub use manager::{Builder, Climb, Enter, LockManager, Modify, Session, SessionError};
pub use mode::{Exclusive, LockMode, Mode, Shared};
pub use set::{
    Add, AddError, Added, All, Free, LockSet, Name, NameList, Names, Remove, SetAcquire, SetError, SetGuard, SetPointer,
};

#[doc(hidden)]
pub use level::private as __private;
