//! The opcodes: each climbs a typed session as its Ganeti namesake climbs its locks.
//!
//! | opcode | cluster | instances | nodes |
//! |---|---|---|---|
//! | `ClusterVerify`, `VerifyDisks` | shared | all shared | all shared |
//! | `SetClusterParams`, `RedistributeConfig` | shared | – | all shared |
//! | `DiagnoseOS`, `QueryNodeVolumes` | shared | – | all or named, shared |
//! | `NodeAdd`, `NodeRemove` | exclusive | – | added or removed while executing |
//! | `NodeSetParams` | shared | – | one exclusive |
//! | `InstanceCreate` | shared | its name **added**, exclusive; removed again on failure | the pair, or all for the allocator, exclusive; released before the disks sync |
//! | `InstanceRemove` | shared | one exclusive, then removed | its nodes exclusive |
//! | `InstanceFailover`, `InstanceMigrate` | shared | one exclusive | its nodes exclusive |
//! | `ActivateDisks`, `GrowDisk`, `SetInstanceParams` | shared | one exclusive; shared while the disks sync | its nodes exclusive |
//! | `ReplaceDisks` | shared | one exclusive | its nodes and the new secondary, or all for the allocator, exclusive |
//! | `InstanceStartup`, `-Shutdown`, `-Reboot`, `-Reinstall` | shared | one exclusive | – |
//! | `InstanceRename` | exclusive | the old name removed, the new one added | – |
//! | `QueryInstances` | shared | all or named, shared | their nodes shared |
//! | `ExportInstance` | shared | one exclusive | all exclusive |
//! | `RemoveExport` | shared | – | all exclusive |
//! | `TestDelay` | shared | – | its own list, exclusive |
//! | `DestroyCluster`, `RenameCluster` | exclusive | – | – |
//!
//! An opcode looks up the nodes of an instance once the instance is locked, and not before: until then they may change.
//! Locks taken in a wrong order would not compile.

mod alone;
mod create;
mod instances;
mod nodes;

use std::collections::BTreeSet;

use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{Holds, LockManager, LockMode, Session, held};

use crate::desk::{Desk, Lease};
use crate::inventory::Inventory;
use crate::ledger::{Access, Resource};
use crate::refusal::Refusal;
use crate::task::Task;

/// Which jobs leave out their node locks, to see whether the ledger notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    None,
    Failovers,
}

/// The locks of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    locks: LockManager<Seed>,
    sabotage: Sabotage,
}

impl Ladder {
    /// One lock for every instance and every node.
    pub(crate) fn new(cluster: &Inventory, sabotage: Sabotage) -> Self {
        let locks = LockManager::builder()
            .names::<Instance>(cluster.instance_names().collect::<Vec<_>>())
            .names::<Node>(cluster.node_names().collect::<Vec<_>>())
            .build();
        Self { locks, sabotage }
    }

    /// The resources that have locks.
    pub(crate) fn names(&self) -> BTreeSet<Resource> {
        let instances = self.locks.names::<Instance>().into_iter().map(Resource::Instance);
        let nodes = self.locks.names::<Node>().into_iter().map(Resource::Node);
        instances.chain(nodes).collect()
    }

    /// Whether no job holds or awaits anything.
    #[cfg(test)]
    pub(crate) fn is_free(&self) -> bool {
        self.locks.try_exclusive("probe").is_ok()
    }
}

/// Does `task` under its locks.
pub(crate) async fn run(desk: &mut Desk<'_>, ladder: &Ladder, task: &Task) -> Result<(), Refusal> {
    match task {
        Task::ClusterVerify {} | Task::VerifyDisks {} => instances::verify(desk, ladder).await,
        Task::SetClusterParams { parameter, value } => nodes::configure(desk, ladder, Some((parameter, value))).await,
        Task::RedistributeConfig {} => nodes::configure(desk, ladder, None).await,
        Task::DiagnoseOS { nodes } | Task::QueryNodeVolumes { nodes } => {
            nodes::ask(desk, ladder, nodes.as_deref()).await
        }
        Task::NodeAdd { node } => alone::node_add(desk, ladder, node).await,
        Task::NodeRemove { node } => alone::node_remove(desk, ladder, node).await,
        Task::NodeSetParams { node, drained } => nodes::set_params(desk, ladder, node, *drained).await,
        Task::InstanceCreate { instance, nodes, fails } => {
            create::instance_create(desk, ladder, instance, nodes.as_ref(), *fails).await
        }
        Task::InstanceRemove { instance } => instances::remove(desk, ladder, instance).await,
        Task::InstanceFailover { instance } => instances::fail_over(desk, ladder, instance).await,
        Task::InstanceMigrate { instance } => instances::migrate(desk, ladder, instance).await,
        Task::ReplaceDisks { instance, new_secondary } => {
            instances::replace_disks(desk, ladder, instance, new_secondary.as_deref()).await
        }
        Task::ActivateDisks { instance }
        | Task::GrowDisk { instance, .. }
        | Task::SetInstanceParams { instance, .. }
        | Task::InstanceStartup { instance }
        | Task::InstanceShutdown { instance }
        | Task::InstanceReboot { instance }
        | Task::InstanceReinstall { instance } => instances::change(desk, ladder, instance, task).await,
        Task::InstanceRename { instance, new_name } => alone::instance_rename(desk, ladder, instance, new_name).await,
        Task::QueryInstances { instances } => instances::query(desk, ladder, instances.as_deref()).await,
        Task::ExportInstance { instance, node } => instances::export(desk, ladder, instance, node).await,
        Task::RemoveExport { instance } => nodes::remove_export(desk, ladder, instance).await,
        Task::TestDelay { nodes, duration_ms } => nodes::delay(desk, ladder, nodes, *duration_ms).await,
        Task::DestroyCluster {} => alone::destroy(desk, ladder).await,
        Task::RenameCluster { name } => alone::rename(desk, ladder, name).await,
    }
}

impl<S: Holds<Instance> + Holds<Node> + Sync> Lease for Session<Seed, S> {
    fn held(&self, resource: &Resource) -> Option<Access> {
        let (held, mode) = match resource {
            Resource::Instance(name) => (self.owned::<Instance>().contains(name), self.owned::<Instance>().mode()),
            Resource::Node(name) => (self.owned::<Node>().contains(name), self.owned::<Node>().mode()),
        };
        held.then_some(mode.into())
    }
}

/// A session that holds instances but no nodes.
struct InstancesOnly<'s, S>(&'s Session<Seed, S>);

impl<S: Holds<Instance> + Sync> Lease for InstancesOnly<'_, S> {
    fn held(&self, resource: &Resource) -> Option<Access> {
        let instances = self.0.owned::<Instance>();
        match resource {
            Resource::Instance(name) => instances.contains(name).then_some(instances.mode().into()),
            Resource::Node(_) => None,
        }
    }
}

/// A session that holds nodes but no instances.
struct NodesOnly<'s, S>(&'s Session<Seed, S>);

impl<S: Holds<Node> + Sync> Lease for NodesOnly<'_, S> {
    fn held(&self, resource: &Resource) -> Option<Access> {
        let nodes = self.0.owned::<Node>();
        match resource {
            Resource::Instance(_) => None,
            Resource::Node(name) => nodes.contains(name).then_some(nodes.mode().into()),
        }
    }
}

/// A session that holds the root exclusively is alone: it needs no lock of any level.
struct WholeCluster<'s>(#[expect(dead_code, reason = "having it is the evidence")] &'s AloneSession);

type AloneSession = Session<Seed, held![exclusive Cluster]>;

impl Lease for WholeCluster<'_> {
    fn held(&self, _: &Resource) -> Option<Access> {
        Some(Access::Exclusive)
    }
}

impl From<LockMode> for Access {
    fn from(mode: LockMode) -> Self {
        match mode {
            LockMode::Shared => Self::Shared,
            LockMode::Exclusive => Self::Exclusive,
        }
    }
}

#[cfg(test)]
mod tests;
