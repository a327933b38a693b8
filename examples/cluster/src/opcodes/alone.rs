//! The opcodes that have the cluster to themselves.

use lockladder::ganeti::seed::{Instance, Node};

use super::{Ladder, WholeCluster};
use crate::desk::Desk;
use crate::duties::{self, cluster};
use crate::refusal::Refusal;

pub(super) async fn node_add(desk: &mut Desk<'_>, ladder: &Ladder, node: &str) -> Result<(), Refusal> {
    let mut session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    session.add::<Node>([node]).await?;
    let added = cluster::add_node(desk, &WholeCluster(&session), node).await;
    if added.is_err() {
        session.remove::<Node>([node]).await?;
    }
    added
}

pub(super) async fn node_remove(desk: &mut Desk<'_>, ladder: &Ladder, node: &str) -> Result<(), Refusal> {
    let mut session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    cluster::remove_node(desk, &WholeCluster(&session), node).await?;
    session.remove::<Node>([node]).await?;
    Ok(())
}

pub(super) async fn instance_rename(desk: &mut Desk<'_>, ladder: &Ladder, old: &str, new: &str) -> Result<(), Refusal> {
    let mut session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    duties::rename_instance(desk, &WholeCluster(&session), old, new).await?;
    session.remove::<Instance>([old]).await?;
    session.add::<Instance>([new]).await?;
    Ok(())
}

pub(super) async fn rename(desk: &mut Desk<'_>, ladder: &Ladder, name: &str) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    cluster::rename_cluster(desk, &WholeCluster(&session), name).await
}

pub(super) async fn destroy(desk: &mut Desk<'_>, ladder: &Ladder) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    cluster::destroy_cluster(desk, &WholeCluster(&session)).await
}
