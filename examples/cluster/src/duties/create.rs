//! The parts of the creation of an instance, in their order.

use super::instance_and_nodes;
use crate::desk::{Desk, Lease};
use crate::ledger::Resource;
use crate::refusal::Refusal;

/// Enters a new instance in the ledger; its name is locked already.
pub(crate) fn announce_instance(desk: &Desk<'_>, instance: &str) {
    desk.appears(Resource::instance(instance));
}

/// Takes an instance out of the ledger again, and out of the configuration if it is written there already; its name is
/// still locked.
pub(crate) fn withdraw_instance(desk: &Desk<'_>, instance: &str) {
    // A refusal says that it was not written yet.
    let _ = desk.site.store.write(|cluster| cluster.remove_instance(instance));
    desk.disappears(Resource::instance(instance));
}

/// Finds room for a new instance, creates its disks and writes the configuration.
pub(crate) async fn place_instance(
    desk: &Desk<'_>,
    lease: &dyn Lease,
    instance: &str,
    nodes: Option<&[String; 2]>,
    fails: bool,
) -> Result<(), Refusal> {
    let pair = match nodes {
        Some(pair) => pair.clone(),
        None => desk.site.store.read(|cluster| cluster.allocate(&[]))?,
    };
    for node in &pair {
        let known = desk.site.store.read(|cluster| cluster.has_node(node));
        known.then_some(()).ok_or_else(|| Refusal::NoSuchNode(node.clone()))?;
    }
    let _touches = desk.touch(lease, instance_and_nodes(instance, &pair));
    desk.work(1).await?;
    if fails {
        return Err(Refusal::DisksFailed(instance.to_owned()));
    }
    desk.site.store.write(|cluster| cluster.add_instance(instance, pair.into()))
}

/// Waits for the disks of a new instance to sync. The job no longer needs the nodes.
pub(crate) async fn sync_disks(desk: &Desk<'_>, lease: &dyn Lease, instance: &str) -> Result<(), Refusal> {
    let _touches = desk.touch(lease, instance_and_nodes(instance, &[]));
    desk.work(1).await
}
