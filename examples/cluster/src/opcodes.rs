//! The opcodes: each climbs a typed session as its Ganeti namesake climbs its locks.
//!
//! | opcode | cluster | instances | nodes |
//! |---|---|---|---|
//! | `ClusterVerify` | shared | all shared | all shared |
//! | `InstanceCreate` | shared | its name **added**, exclusive; removed again on failure | the pair, or all for the allocator, exclusive; released before the disks sync |
//! | `InstanceRemove` | shared | one exclusive, then removed | its nodes exclusive |
//! | `InstanceFailover` | shared | one exclusive | its nodes exclusive |
//! | `ReplaceDisks` | shared | one exclusive | its nodes and the new secondary, or all for the allocator, exclusive |
//! | `NodeAdd` | exclusive | – | added while executing |
//! | `InstanceRename` | exclusive | the old name removed, the new one added | – |
//! | `QueryInstances` | shared | all or named, shared | their nodes shared |
//!
//! An opcode looks up the nodes of an instance once the instance is locked, and not before: until then they may change.
//! Locks taken in a wrong order would not compile.

use std::collections::BTreeSet;

use lockladder::ganeti::seed::{Cluster, Instance, Node, Seed};
use lockladder::{All, Exclusive, Holds, LockManager, LockMode, Session, held};

use crate::desk::{Desk, Lease, rung};
use crate::duties;
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
        Task::ClusterVerify {} => cluster_verify(desk, ladder).await,
        Task::InstanceCreate { instance, nodes, fails } => {
            instance_create(desk, ladder, instance, nodes.as_ref(), *fails).await
        }
        Task::InstanceRemove { instance } => instance_remove(desk, ladder, instance).await,
        Task::InstanceFailover { instance } => instance_failover(desk, ladder, instance).await,
        Task::ReplaceDisks { instance, new_secondary } => {
            replace_disks(desk, ladder, instance, new_secondary.as_deref()).await
        }
        Task::NodeAdd { node } => node_add(desk, ladder, node).await,
        Task::InstanceRename { instance, new_name } => instance_rename(desk, ladder, instance, new_name).await,
        Task::QueryInstances { instances } => query_instances(desk, ladder, instances.as_deref()).await,
    }
}

async fn cluster_verify(desk: &mut Desk<'_>, ladder: &Ladder) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.shared::<Instance>(All)).await?;
    let session = desk.climb(session.shared::<Node>(All)).await?;
    duties::verify_cluster(desk, &session).await
}

async fn query_instances(desk: &mut Desk<'_>, ladder: &Ladder, instances: Option<&[String]>) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = match instances {
        Some(names) => desk.climb(session.shared::<Instance>(names)).await?,
        None => desk.climb(session.shared::<Instance>(All)).await?,
    };
    let (_, nodes) = duties::homes(desk, instances)?;
    let session = desk.climb(session.shared::<Node>(nodes)).await?;
    duties::query_instances(desk, &session, instances).await
}

async fn instance_create(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    instance: &str,
    nodes: Option<&[String; 2]>,
    fails: bool,
) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let mut session = desk.ask(rung::<Instance, Exclusive>(), session.add_exclusive::<Instance>([instance])).await?;
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

async fn instance_remove(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.exclusive::<Instance>([instance])).await?;
    let nodes = duties::home(desk, instance)?;
    let mut session = desk.climb(session.exclusive::<Node>(nodes)).await?;
    duties::remove_instance(desk, &session, instance).await?;
    session.remove_held::<Instance>([instance])?;
    Ok(())
}

async fn instance_failover(desk: &mut Desk<'_>, ladder: &Ladder, instance: &str) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.exclusive::<Instance>([instance])).await?;
    let nodes = match ladder.sabotage {
        Sabotage::None => duties::home(desk, instance)?,
        Sabotage::Failovers => Vec::new(),
    };
    let session = desk.climb(session.exclusive::<Node>(nodes)).await?;
    duties::fail_over(desk, &session, instance).await
}

async fn replace_disks(
    desk: &mut Desk<'_>,
    ladder: &Ladder,
    instance: &str,
    new_secondary: Option<&str>,
) -> Result<(), Refusal> {
    let session = desk.enter(ladder.locks.shared(desk.label())).await?;
    let session = desk.climb(session.exclusive::<Instance>([instance])).await?;
    let session = if let Some(node) = new_secondary {
        let mut nodes = duties::home(desk, instance)?;
        nodes.push(node.to_owned());
        desk.climb(session.exclusive::<Node>(nodes)).await?
    } else {
        desk.climb(session.exclusive::<Node>(All)).await?
    };
    duties::replace_disks(desk, &session, instance, new_secondary).await
}

async fn node_add(desk: &mut Desk<'_>, ladder: &Ladder, node: &str) -> Result<(), Refusal> {
    let mut session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    session.add::<Node>([node]).await?;
    let added = duties::add_node(desk, &WholeCluster(&session), node).await;
    if added.is_err() {
        session.remove::<Node>([node]).await?;
    }
    added
}

async fn instance_rename(desk: &mut Desk<'_>, ladder: &Ladder, old: &str, new: &str) -> Result<(), Refusal> {
    let mut session = desk.enter(ladder.locks.exclusive(desk.label())).await?;
    duties::rename_instance(desk, &WholeCluster(&session), old, new).await?;
    session.remove::<Instance>([old]).await?;
    session.add::<Instance>([new]).await?;
    Ok(())
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
