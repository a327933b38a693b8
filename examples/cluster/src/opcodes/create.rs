//! `InstanceCreate`: the one opcode that adds a name while it climbs.

use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{All, Exclusive, Session, held};

use super::{InstancesOnly, Ladder};
use crate::desk::{Desk, rung};
use crate::duties;
use crate::refusal::Refusal;

pub(super) async fn instance_create(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    instance: &str,
    nodes: Option<&[String; 2]>,
    fails: bool,
) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let adding = session.add_exclusive::<Instance>([instance]).priority(desk.priority());
    let mut session = desk.ask(rung::<Instance, Exclusive>(), adding).await?;
    duties::announce_instance(desk, instance);
    // Nested, so that `session` still holds the name if a later step fails, and can remove it again.
    let created = create_disks(desk, session.nest(), instance, nodes, fails).await;
    if created.is_err() {
        duties::withdraw_instance(desk, instance);
        session.remove_held::<Instance>([instance])?;
    }
    created
}

async fn create_disks(
    desk: &mut Desk<'_>,
    session: Session<Seed, &mut held![shared Cluster, exclusive Instance]>,
    instance: &str,
    nodes: Option<&[String; 2]>,
    fails: bool,
) -> Result<(), Refusal> {
    let session = match nodes {
        Some(pair) => desk.climb(session.exclusive::<Node>(pair)).await?,
        None => desk.climb(session.exclusive::<Node>(All)).await?,
    };
    duties::place_instance(desk, &session, instance, nodes, fails).await?;
    // The configuration is written: other jobs may use the nodes while the disks sync.
    let session = session.release::<Node>();
    desk.has_released::<Node>();
    duties::sync_disks(desk, &InstancesOnly(&session), instance).await
}
