//! What the opcodes do that concern nodes, or the cluster as a whole, but no instance.

use std::time::Duration;

use crate::desk::{Desk, Lease};
use crate::ledger::Access::{self, Exclusive, Shared};
use crate::ledger::Resource;
use crate::refusal::Refusal;

/// Tells all nodes the configuration, and then changes a parameter if one is given.
pub(crate) async fn configure(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    parameter: Option<(&String, &String)>,
) -> Result<(), Refusal> {
    let _touches = desk.touch(lease, all_nodes(desk, Shared));
    desk.work(1).await?;
    if let Some((parameter, value)) = parameter {
        desk.site.store.write(|cluster| cluster.set_parameter(parameter, value));
    }
    Ok(())
}

/// Asks some nodes, or all.
pub(crate) async fn ask_nodes(desk: &Desk<'_>, lease: &dyn Lease, nodes: Option<&[String]>) -> Result<(), Refusal> {
    let asked = match nodes {
        Some(nodes) => {
            known(desk, nodes)?;
            nodes.iter().map(|name| (Resource::node(name), Shared)).collect()
        }
        None => all_nodes(desk, Shared),
    };
    let _touches = desk.touch(lease, asked);
    desk.work(1).await
}

/// Sets up a node that was just added.
pub(crate) async fn add_node(desk: &Desk<'_>, lease: &dyn Lease, node: &str) -> Result<(), Refusal> {
    desk.site.store.write(|cluster| cluster.add_node(node))?;
    desk.appears(Resource::node(node));
    let touches = desk.touch(lease, [(Resource::node(node), Exclusive)]);
    let set_up = desk.work(1).await;
    drop(touches);
    if set_up.is_err() {
        desk.site.store.write(|cluster| cluster.remove_node(node))?;
        desk.disappears(Resource::node(node));
    }
    set_up
}

/// Takes a node on which no instance lives out of the configuration and the ledger.
pub(crate) async fn remove_node(desk: &Desk<'_>, lease: &dyn Lease, node: &str) -> Result<(), Refusal> {
    desk.site.store.read(|cluster| cluster.may_be_removed(node))?;
    let touches = desk.touch(lease, [(Resource::node(node), Exclusive)]);
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.remove_node(node))?;
    drop(touches);
    desk.disappears(Resource::node(node));
    Ok(())
}

/// Changes whether the allocator passes a node over.
pub(crate) async fn set_node(desk: &Desk<'_>, lease: &dyn Lease, node: &String, drained: bool) -> Result<(), Refusal> {
    known(desk, [node])?;
    let _touches = desk.touch(lease, [(Resource::node(node), Exclusive)]);
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.drain(node, drained))
}

/// Looks through all nodes for the exports of an instance, and removes them.
pub(crate) async fn remove_export(desk: &Desk<'_>, lease: &dyn Lease, instance: &str) -> Result<(), Refusal> {
    let _touches = desk.touch(lease, all_nodes(desk, Exclusive));
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.remove_export(instance))
}

/// Keeps nodes for a time, or for one step of work.
pub(crate) async fn delay(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    nodes: &[String],
    duration_ms: Option<u32>,
) -> Result<(), Refusal> {
    known(desk, nodes)?;
    let _touches = desk.touch(lease, nodes.iter().map(|name| (Resource::node(name), Exclusive)));
    match duration_ms {
        Some(ms) => desk.work_for(Duration::from_millis(ms.into())).await,
        None => desk.work(1).await,
    }
}

/// Tells all nodes the new name of the cluster.
pub(crate) async fn rename_cluster(desk: &Desk<'_>, lease: &dyn Lease, name: &str) -> Result<(), Refusal> {
    let _touches = desk.touch(lease, all_nodes(desk, Exclusive));
    desk.work(1).await?;
    desk.site.store.write(|cluster| cluster.set_name(name));
    Ok(())
}

/// Destroys a cluster that is empty but for one node.
pub(crate) async fn destroy_cluster(desk: &Desk<'_>, lease: &dyn Lease) -> Result<(), Refusal> {
    desk.site.store.read(crate::inventory::Inventory::may_be_destroyed)?;
    let _touches = desk.touch(lease, all_nodes(desk, Exclusive));
    desk.work(1).await?;
    desk.site.store.write(crate::inventory::Inventory::destroy)
}

/// All nodes, each with this access.
fn all_nodes(desk: &Desk<'_>, access: Access) -> Vec<(Resource, Access)> {
    desk.site.store.read(|cluster| cluster.node_names().map(|name| (Resource::node(name), access)).collect())
}

/// Under the ladder, a name that is not known cannot be locked.
fn known<'n>(desk: &Desk<'_>, nodes: impl IntoIterator<Item = &'n String>) -> Result<(), Refusal> {
    desk.site.store.read(|cluster| {
        let mut nodes = nodes.into_iter();
        nodes.find(|node| !cluster.has_node(node)).map_or(Ok(()), |node| Err(Refusal::NoSuchNode(node.clone())))
    })
}
