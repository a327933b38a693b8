//! Fair async locks.

mod error;
mod lock;
mod mode;
mod sync;

pub use error::{AcquireError, TryAcquireError};
pub use lock::{Acquire, Delete, Guard, LockPointer, SharedLock};
pub use mode::{Exclusive, LockMode, Mode, Shared};
