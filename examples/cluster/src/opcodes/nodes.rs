//! The opcodes that lock nodes but no instances.

use lockladder::All;
use lockladder::ganeti::seed::Node;

use super::{Ladder, NodesOnly};
use crate::desk::Desk;
use crate::duties::cluster;
use crate::refusal::Refusal;

/// Tells all nodes a new configuration, with a changed parameter if one is given.
pub(super) async fn configure(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    parameter: Option<(&String, &String)>,
) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.shared::<Node>(All)).await?;
    cluster::configure(desk, &NodesOnly(&session), parameter).await
}

pub(super) async fn ask(desk: &mut Desk<'_>, ladder: &Ladder, nodes: Option<&[String]>) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = match nodes {
        Some(names) => desk.climb(session.shared::<Node>(names)).await?,
        None => desk.climb(session.shared::<Node>(All)).await?,
    };
    cluster::ask_nodes(desk, &NodesOnly(&session), nodes).await
}

pub(super) async fn set_params(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    node: &String,
    drained: bool,
) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.exclusive::<Node>([node])).await?;
    cluster::set_node(desk, &NodesOnly(&session), node, drained).await
}

pub(super) async fn remove_export(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.exclusive::<Node>(All)).await?;
    cluster::remove_export(desk, &NodesOnly(&session), instance).await
}

pub(super) async fn delay(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    nodes: &[String],
    duration_ms: Option<u32>,
) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.exclusive::<Node>(nodes)).await?;
    cluster::delay(desk, &NodesOnly(&session), nodes, duration_ms).await
}
