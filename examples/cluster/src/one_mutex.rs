//! The same jobs under one global mutex: the simplest scheme, for comparison.

use tokio::sync::{Mutex, MutexGuard};

use crate::desk::{Desk, Lease};
use crate::duties;
use crate::ledger::{Access, Resource};
use crate::refusal::Refusal;
use crate::task::Task;

/// Does `task` while no other job does anything.
pub(crate) async fn run(desk: &mut Desk<'_>, mutex: &Mutex<()>, task: &Task) -> Result<(), Refusal> {
    let guard = desk.wait(mutex.lock()).await;
    duties::perform(desk, &guard, task).await?;
    duties::finish(desk, &guard, task).await
}

impl Lease for MutexGuard<'_, ()> {
    fn held(&self, _: &Resource) -> Option<Access> {
        Some(Access::Exclusive)
    }
}
