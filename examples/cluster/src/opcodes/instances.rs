//! The opcodes that lock instances that exist, and most of them nodes.

use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{All, Session, held};

use super::{InstancesOnly, Ladder, Sabotage};
use crate::desk::Desk;
use crate::duties;
use crate::refusal::Refusal;
use crate::task::Task;

type OneInstance = Session<Seed, held![shared Cluster, exclusive Instance]>;
type WithNodes = Session<Seed, held![shared Cluster, exclusive Instance, exclusive Node]>;

/// Locks one instance.
async fn lock(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<OneInstance, Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    desk.climb(session.exclusive::<Instance>([instance])).await
}

/// Locks one instance, and then its nodes.
async fn lock_with_nodes(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<WithNodes, Refusal> {
    let session = lock(desk, ladder, instance).await?;
    let nodes = duties::home(desk, instance)?;
    desk.climb(session.exclusive::<Node>(nodes)).await
}

pub(super) async fn verify(desk: &mut Desk<'_>, ladder: &Ladder) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.shared::<Instance>(All)).await?;
    let session = desk.climb(session.shared::<Node>(All)).await?;
    duties::verify_cluster(desk, &session).await
}

pub(super) async fn query(desk: &mut Desk<'_>, ladder: &Ladder, instances: Option<&[String]>) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = match instances {
        Some(names) => desk.climb(session.shared::<Instance>(names)).await?,
        None => desk.climb(session.shared::<Instance>(All)).await?,
    };
    let (_, nodes) = duties::homes(desk, instances)?;
    let session = desk.climb(session.shared::<Node>(nodes)).await?;
    duties::query_instances(desk, &session, instances).await
}

pub(super) async fn remove(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<(), Refusal> {
    let mut session = lock_with_nodes(desk, ladder, instance).await?;
    duties::remove_instance(desk, &session, instance).await?;
    session.remove_held::<Instance>([instance])?;
    Ok(())
}

pub(super) async fn fail_over(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<(), Refusal> {
    let session = match ladder.sabotage {
        Sabotage::None => lock_with_nodes(desk, ladder, instance).await?,
        Sabotage::Failovers => {
            let session = lock(desk, ladder, instance).await?;
            desk.climb(session.exclusive::<Node>([""; 0])).await?
        }
    };
    duties::fail_over(desk, &session, instance).await
}

pub(super) async fn migrate(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<(), Refusal> {
    let session = lock_with_nodes(desk, ladder, instance).await?;
    duties::migrate(desk, &session, instance).await
}

pub(super) async fn replace_disks(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    instance: &str,
    new_secondary: Option<&str>,
) -> Result<(), Refusal> {
    let session = lock(desk, ladder, instance).await?;
    let session = if let Some(node) = new_secondary {
        let mut nodes = duties::home(desk, instance)?;
        nodes.push(node.to_owned());
        desk.climb(session.exclusive::<Node>(nodes)).await?
    } else {
        desk.climb(session.exclusive::<Node>(All)).await?
    };
    duties::replace_disks(desk, &session, instance, new_secondary).await
}

/// Changes an instance that stays where it is. Only a change of its disks or parameters needs its nodes.
pub(super) async fn change(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str, task: &Task) -> Result<(), Refusal> {
    let Some(change) = task.change() else { return Ok(()) };
    if !change.needs_nodes() {
        let session = lock(desk, ladder, instance).await?;
        return duties::change_instance(desk, &InstancesOnly(&session), instance, change).await;
    }
    let session = lock_with_nodes(desk, ladder, instance).await?;
    duties::change_disks(desk, &session, instance, change).await?;
    // The configuration is written: other jobs may look at the instance while its disks sync.
    let session = session.downgrade::<Instance>();
    desk.has_downgraded::<Instance>();
    duties::sync_changed_disks(desk, &session, instance).await
}

pub(super) async fn export(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str, node: &str) -> Result<(), Refusal> {
    let session = lock(desk, ladder, instance).await?;
    let session = desk.climb(session.exclusive::<Node>(All)).await?;
    duties::export_instance(desk, &session, instance, node).await
}
