//! What tests and measurements ask of the locks. No request needs it.

use super::Locks;

impl Locks {
    /// How many names the maps have.
    pub fn entries(&self) -> usize {
        self.tenants.len() + self.accounts.len()
    }

    /// Whether anything is locked.
    pub fn in_use(&self) -> bool {
        self.ledger.try_write().is_err()
            || self.tenants.iter().any(|lock| lock.try_write().is_err())
            || self.accounts.iter().any(|lock| lock.try_lock().is_err())
    }
}
