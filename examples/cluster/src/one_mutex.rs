//! The same jobs under one global mutex: what everybody would write first, for comparison.

use tokio::sync::{Mutex, MutexGuard};

use crate::desk::{Desk, Lease};
use crate::duties;
use crate::ledger::{Access, Resource};
use crate::refusal::Refusal;
use crate::task::Task;

/// Does `task` while nobody else does anything.
pub(crate) async fn run(desk: &mut Desk<'_>, mutex: &Mutex<()>, task: &Task) -> Result<(), Refusal> {
    let guard = desk.wait(mutex.lock()).await;
    let lease = &guard;
    match task {
        Task::ClusterVerify {} => {
            duties::verify_cluster(desk, lease).await;
            Ok(())
        }
        Task::InstanceCreate { instance, nodes, fails } => {
            // Under the ladder the lock set refuses a name that is taken.
            if desk.site.store.read(|cluster| cluster.has_instance(instance)) {
                return Err(Refusal::InstanceExists(instance.clone()));
            }
            duties::announce_instance(desk, instance);
            let placed = duties::place_instance(desk, lease, instance, nodes.as_ref(), *fails).await;
            if placed.is_err() {
                duties::withdraw_instance(desk, instance);
            } else {
                duties::sync_disks(desk, lease, instance).await;
            }
            placed
        }
        Task::InstanceRemove { instance } => duties::remove_instance(desk, lease, instance).await,
        Task::InstanceFailover { instance } => duties::fail_over(desk, lease, instance).await,
        Task::ReplaceDisks { instance, new_secondary } => {
            duties::replace_disks(desk, lease, instance, new_secondary.as_deref()).await
        }
        Task::NodeAdd { node } => duties::add_node(desk, lease, node).await,
        Task::InstanceRename { instance, new_name } => duties::rename_instance(desk, lease, instance, new_name).await,
        Task::QueryInstances { instances } => duties::query_instances(desk, lease, instances.as_deref()).await,
    }
}

impl Lease for MutexGuard<'_, ()> {
    fn held(&self, _: &Resource) -> Option<Access> {
        Some(Access::Exclusive)
    }
}
