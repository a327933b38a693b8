//! The inventory that running jobs share.

use std::sync::{Mutex, PoisonError};

use super::Inventory;

/// The inventory that running jobs share: what Ganeti keeps in its configuration file.
///
/// The mutex only keeps single reads and writes whole. The job's own locks ensure that what a job has read stays true
/// until the job is done. The closures make it impossible to hold the mutex across an `await`.
#[derive(Debug)]
pub(crate) struct Store(Mutex<Inventory>);

impl Store {
    pub(crate) fn new(inventory: Inventory) -> Self {
        Self(Mutex::new(inventory))
    }

    pub(crate) fn read<R>(&self, read: impl FnOnce(&Inventory) -> R) -> R {
        read(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write<R>(&self, write: impl FnOnce(&mut Inventory) -> R) -> R {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
