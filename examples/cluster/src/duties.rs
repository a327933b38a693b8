//! What each opcode does once it has its locks: look, check, work, write the configuration.
//!
//! Nothing here takes a lock. [`opcodes`](crate::opcodes) climbs the ladder around these functions. The schemes that
//! the ladder is compared with, [`one_mutex`](crate::one_mutex) and [`one_by_one`](crate::one_by_one), take all locks
//! of a task and then [`perform`] it. The lease tells the ledger which locks a job thinks it has.

pub(crate) mod cluster;
mod create;

use std::collections::BTreeSet;

use crate::desk::{Desk, Lease};
use crate::inventory::InstanceChange;
use crate::ledger::Access::{self, Exclusive, Shared};
use crate::ledger::Resource;
use crate::refusal::Refusal;
use crate::task::Task;

pub(crate) use self::create::{announce_instance, place_instance, sync_disks, withdraw_instance};

/// Does the part of `task` that needs its nodes. [`finish`] does the rest.
pub(crate) async fn perform(desk: &Desk<'_>, lease: &dyn Lease, task: &Task) -> Result<(), Refusal> {
    match task {
        Task::ClusterVerify {} | Task::VerifyDisks {} => verify_cluster(desk, lease).await,
        Task::SetClusterParams { parameter, value } => cluster::configure(desk, lease, Some((parameter, value))).await,
        Task::RedistributeConfig {} => cluster::configure(desk, lease, None).await,
        Task::RenameCluster { name } => cluster::rename_cluster(desk, lease, name).await,
        Task::DestroyCluster {} => cluster::destroy_cluster(desk, lease).await,
        Task::DiagnoseOS { nodes } | Task::QueryNodeVolumes { nodes } => {
            cluster::ask_nodes(desk, lease, nodes.as_deref()).await
        }
        Task::NodeAdd { node } => cluster::add_node(desk, lease, node).await,
        Task::NodeRemove { node } => cluster::remove_node(desk, lease, node).await,
        Task::NodeSetParams { node, drained } => cluster::set_node(desk, lease, node, *drained).await,
        Task::InstanceCreate { instance, nodes, fails } => {
            // Under the ladder, the lock set refuses a name that is taken.
            if desk.site.store.read(|cluster| cluster.has_instance(instance)) {
                return Err(Refusal::InstanceExists(instance.clone()));
            }
            announce_instance(desk, instance);
            let placed = place_instance(desk, lease, instance, nodes.as_ref(), *fails).await;
            if placed.is_err() {
                withdraw_instance(desk, instance);
            }
            placed
        }
        Task::InstanceRemove { instance } => remove_instance(desk, lease, instance).await,
        Task::InstanceFailover { instance } => fail_over(desk, lease, instance).await,
        Task::InstanceMigrate { instance } => migrate(desk, lease, instance).await,
        Task::ActivateDisks { instance }
        | Task::GrowDisk { instance, .. }
        | Task::SetInstanceParams { instance, .. }
        | Task::InstanceStartup { instance }
        | Task::InstanceShutdown { instance }
        | Task::InstanceReboot { instance }
        | Task::InstanceReinstall { instance } => {
            let Some(change) = task.change() else { return Ok(()) };
            if !change.needs_nodes() {
                return change_instance(desk, lease, instance, change).await;
            }
            change_disks(desk, lease, instance, change).await?;
            sync_changed_disks(desk, lease, instance).await
        }
        Task::ReplaceDisks { instance, new_secondary } => {
            replace_disks(desk, lease, instance, new_secondary.as_deref()).await
        }
        Task::InstanceRename { instance, new_name } => rename_instance(desk, lease, instance, new_name).await,
        Task::QueryInstances { instances } => query_instances(desk, lease, instances.as_deref()).await,
        Task::ExportInstance { instance, node } => export_instance(desk, lease, instance, node).await,
        Task::RemoveExport { instance } => cluster::remove_export(desk, lease, instance).await,
        Task::TestDelay { nodes, duration_ms } => cluster::delay(desk, lease, nodes, *duration_ms).await,
    }
}

/// Does the rest of a successful `task`, which no longer needs its nodes.
pub(crate) async fn finish(desk: &Desk<'_>, lease: &dyn Lease, task: &Task) -> Result<(), Refusal> {
    match task {
        Task::InstanceCreate { instance, .. } => sync_disks(desk, lease, instance).await,
        _ => Ok(()),
    }
}

/// Asks every node about every instance.
pub(crate) async fn verify_cluster(desk: &Desk<'_>, lease: &dyn Lease) -> Result<(), Refusal> {
    let everything: Vec<_> = desk.site.store.read(|cluster| {
        let instances = cluster.instance_names().map(|name| Resource::instance(name));
        let nodes = cluster.node_names().map(|name| Resource::node(name));
        instances.chain(nodes).map(|resource| (resource, Shared)).collect()
    });
    let _touches = desk.touch(lease, everything);
    desk.work(1).await
}

/// Asks the nodes of some instances, or of all, about these instances.
pub(crate) async fn query_instances(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    instances: Option<&[String]>,
) -> Result<(), Refusal> {
    let (instances, nodes) = homes(desk, instances)?;
    let instances = instances.iter().map(|name| (Resource::instance(name), Shared));
    let nodes = nodes.iter().map(|name| (Resource::node(name), Shared));
    let _touches = desk.touch(lease, instances.chain(nodes));
    desk.work(1).await?;
    Ok(())
}

/// Some instances, or all, and the nodes they live on, each once.
pub(crate) fn homes(
    desk: &Desk<'_>,
    instances: Option<&[String]>,
) -> Result<(BTreeSet<String>, BTreeSet<String>), Refusal> {
    desk.site.store.read(|cluster| {
        let instances: BTreeSet<String> = match instances {
            Some(instances) => instances.iter().cloned().collect(),
            None => cluster.instance_names().cloned().collect(),
        };
        let mut nodes = BTreeSet::new();
        for instance in &instances {
            nodes.extend(cluster.nodes_of(instance)?.iter().cloned());
        }
        Ok((instances, nodes))
    })
}

/// The nodes of one instance, the primary first.
pub(crate) fn home(desk: &Desk<'_>, instance: &str) -> Result<Vec<String>, Refusal> {
    desk.site.store.read(|cluster| cluster.nodes_of(instance).map(<[String]>::to_vec))
}

/// Stops an instance, and takes it out of the configuration and the ledger.
pub(crate) async fn remove_instance(desk: &Desk<'_>, lease: &dyn Lease, instance: &str) -> Result<(), Refusal> {
    let nodes = home(desk, instance)?;
    let touches = desk.touch(lease, instance_and_nodes(instance, &nodes));
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.remove_instance(instance))?;
    drop(touches);
    desk.disappears(Resource::instance(instance));
    Ok(())
}

/// Stops an instance on its primary and starts it on its secondary.
pub(crate) async fn fail_over(desk: &Desk<'_>, lease: &dyn Lease, instance: &str) -> Result<(), Refusal> {
    let nodes = home(desk, instance)?;
    let _touches = desk.touch(lease, instance_and_nodes(instance, &nodes));
    desk.site.store.read(|cluster| cluster.pair_of(instance).map(drop))?;
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.fail_over(instance))
}

/// Moves an instance that runs to its secondary.
pub(crate) async fn migrate(desk: &Desk<'_>, lease: &dyn Lease, instance: &str) -> Result<(), Refusal> {
    home(desk, instance)?;
    if !desk.site.store.read(|cluster| cluster.is_running(instance)) {
        return Err(Refusal::NotRunning(instance.to_owned()));
    }
    fail_over(desk, lease, instance).await
}

/// Changes an instance without its nodes: starts it, for example.
pub(crate) async fn change_instance(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    instance: &str,
    change: InstanceChange,
) -> Result<(), Refusal> {
    desk.site.store.read(|cluster| cluster.may_change(instance, change))?;
    let _touches = desk.touch(lease, instance_and_nodes(instance, &[]));
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.change(instance, change))
}

/// Changes an instance on its nodes, and writes the configuration. The disks have yet to [sync](sync_changed_disks).
pub(crate) async fn change_disks(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    instance: &str,
    change: InstanceChange,
) -> Result<(), Refusal> {
    let nodes = home(desk, instance)?;
    let _touches = desk.touch(lease, instance_and_nodes(instance, &nodes));
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.change(instance, change))
}

/// Waits for the disks of a changed instance to sync on its nodes. Other jobs may look at the instance meanwhile.
pub(crate) async fn sync_changed_disks(desk: &Desk<'_>, lease: &dyn Lease, instance: &str) -> Result<(), Refusal> {
    let nodes = home(desk, instance)?;
    let nodes = nodes.iter().map(|name| (Resource::node(name), Exclusive));
    let _touches = desk.touch(lease, std::iter::once((Resource::instance(instance), Shared)).chain(nodes));
    desk.work(1).await
}

/// Copies an instance from its primary to a node, and keeps the copy there.
pub(crate) async fn export_instance(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    instance: &str,
    node: &str,
) -> Result<(), Refusal> {
    let mut nodes = home(desk, instance)?;
    nodes.truncate(1);
    if !desk.site.store.read(|cluster| cluster.has_node(node)) {
        return Err(Refusal::NoSuchNode(node.to_owned()));
    }
    nodes.push(node.to_owned());
    let _touches = desk.touch(lease, instance_and_nodes(instance, &nodes));
    desk.work(2).await?;
    desk.site.store.write(|cluster| cluster.export(instance, node))
}

/// Mirrors an instance to another secondary, given or chosen by the allocator.
pub(crate) async fn replace_disks(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    instance: &str,
    new_secondary: Option<&str>,
) -> Result<(), Refusal> {
    let mut nodes = home(desk, instance)?;
    let new_secondary = match new_secondary {
        Some(node) => node.to_owned(),
        None => desk.site.store.read(|cluster| {
            let pair = cluster.pair_of(instance)?;
            cluster.allocate(&pair).map(|[node]| node)
        })?,
    };
    let known = desk.site.store.read(|cluster| cluster.has_node(&new_secondary));
    if !known {
        return Err(Refusal::NoSuchNode(new_secondary));
    }
    nodes.push(new_secondary.clone());
    let _touches = desk.touch(lease, instance_and_nodes(instance, &nodes));
    desk.work(2).await?;
    desk.site.store.write(|cluster| cluster.replace_secondary(instance, &new_secondary))
}

/// Renames an instance on its nodes, in the configuration and in the ledger.
pub(crate) async fn rename_instance(desk: &Desk<'_>, lease: &dyn Lease, old: &str, new: &str) -> Result<(), Refusal> {
    let nodes = home(desk, old)?;
    let touches = desk.touch(lease, instance_and_nodes(old, &nodes));
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.rename_instance(old, new))?;
    drop(touches);
    desk.disappears(Resource::instance(old));
    desk.appears(Resource::instance(new));
    Ok(())
}

fn instance_and_nodes(instance: &str, nodes: &[String]) -> impl Iterator<Item = (Resource, Access)> {
    let nodes = nodes.iter().map(|name| Resource::node(name));
    std::iter::once(Resource::instance(instance)).chain(nodes).map(|all| (all, Exclusive))
}
