//! The same jobs with a lock for each name, taken one by one in name order: what the seed did, for comparison.
//!
//! The locks are lockladder's, and a job asks for the same names as under the ladder. One thing differs: each name is a
//! request of its own, and the job holds the names that it has while it waits for the next.
//!
//! ```text
//!   cluster ─► roll of instances ─► instances ─► roll of nodes ─► nodes        the order in which all jobs take locks
//! ```
//!
//! A job that wants all names of a level first takes the roll of the level, which keeps new names out, and then lists
//! the names.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use lockladder::{Exclusive, Guard, LockSet, SetGuard, Shared, SharedLock};

use crate::desk::{Desk, Lease};
use crate::duties;
use crate::inventory::Inventory;
use crate::ledger::{Access, Change, Resource};
use crate::refusal::Refusal;
use crate::task::Task;

const NEVER: &str = "nobody deletes this lock";

/// The locks of a cluster.
#[derive(Debug)]
pub(crate) struct OneByOne {
    cluster: SharedLock,
    instances: Level,
    nodes: Level,
}

#[derive(Debug)]
struct Level {
    roll: SharedLock,
    members: LockSet<String>,
}

/// What a job holds at one level.
#[derive(Debug)]
struct Held<'l> {
    #[expect(dead_code, reason = "held until it is dropped")]
    roll: Option<Guard<&'l SharedLock, Shared>>,
    names: BTreeMap<String, Hold<'l>>,
}

#[derive(Debug)]
enum Hold<'l> {
    Shared(#[expect(dead_code, reason = "held until it is dropped")] SetGuard<&'l LockSet<String>, Shared>),
    Exclusive(SetGuard<&'l LockSet<String>, Exclusive>),
}

impl OneByOne {
    /// One lock for every instance and every node.
    pub(crate) fn new(cluster: &Inventory) -> Self {
        let level = |members| Level { roll: SharedLock::new(()), members };
        Self {
            cluster: SharedLock::new(()),
            instances: level(cluster.instance_names().cloned().collect()),
            nodes: level(cluster.node_names().cloned().collect()),
        }
    }

    /// The resources that have locks.
    pub(crate) fn names(&self) -> BTreeSet<Resource> {
        let instances = self.instances.members.names().into_iter().map(Resource::Instance);
        instances.chain(self.nodes.members.names().into_iter().map(Resource::Node)).collect()
    }
}

impl Level {
    /// Takes these names, or all if none are given. The error is a name that does not exist.
    async fn take(&self, wanted: Option<BTreeSet<String>>, access: Access) -> Result<Held<'_>, String> {
        let roll = if wanted.is_none() { Some(self.roll.shared().await.expect(NEVER)) } else { None };
        let mut names = BTreeMap::new();
        for name in wanted.unwrap_or_else(|| self.members.names().into_iter().collect()) {
            let hold = match access {
                Access::Shared => self.members.shared(&name).await.map(Hold::Shared),
                Access::Exclusive => self.members.exclusive(&name).await.map(Hold::Exclusive),
            };
            match hold {
                Ok(hold) => drop(names.insert(name, hold)),
                // The name was on the list, but has been removed since.
                Err(_) if roll.is_some() => {}
                Err(_) => return Err(name),
            }
        }
        Ok(Held { roll, names })
    }

    /// Adds a name and holds it.
    async fn add(&self, name: &str) -> Result<Held<'_>, Refusal> {
        let _alone = self.roll.exclusive().await.expect(NEVER);
        let added = self.members.add_exclusive(name).await.map_err(|_| Refusal::InstanceExists(name.to_owned()))?;
        Ok(Held { roll: None, names: BTreeMap::from([(name.to_owned(), Hold::Exclusive(added))]) })
    }

    /// Adds or removes a name for a job that has the cluster to itself.
    async fn change(&self, name: String, change: Change) {
        match change {
            Change::Added => self.members.add(name).await.expect("the configuration did not have it"),
            Change::Removed => drop(self.members.remove(name).await),
        }
    }
}

impl Held<'_> {
    /// Removes a name that is held exclusively.
    fn remove(&mut self, name: &str) {
        if let Some(Hold::Exclusive(guard)) = self.names.get_mut(name) {
            guard.remove(name).expect("it is held");
        }
    }

    fn access(&self, name: &str) -> Option<Access> {
        self.names.get(name).map(|hold| match hold {
            Hold::Shared(_) => Access::Shared,
            Hold::Exclusive(_) => Access::Exclusive,
        })
    }
}

/// Does `task` under its locks.
pub(crate) async fn run(desk: &mut Desk<'_>, locks: &OneByOne, task: &Task) -> Result<(), Refusal> {
    if task.is_alone() {
        return run_alone(desk, locks, task).await;
    }
    let access = if task.only_looks() { Access::Shared } else { Access::Exclusive };
    let _cluster = desk.wait(locks.cluster.shared()).await.expect(NEVER);
    let mut instances = if let Task::InstanceCreate { instance, .. } = task {
        desk.wait(locks.instances.add(instance)).await?
    } else {
        desk.wait(locks.instances.take(wanted_instances(task), access)).await.map_err(Refusal::NoSuchInstance)?
    };
    let with_nodes = async {
        let nodes = locks.nodes.take(wanted_nodes(desk, task)?, access);
        let nodes = desk.wait(nodes).await.map_err(Refusal::NoSuchNode)?;
        duties::perform(desk, &Hand { instances: &instances, nodes: Some(&nodes) }, task).await
    };
    let done = with_nodes.await;
    match task {
        Task::InstanceCreate { instance, .. } if done.is_err() => instances.remove(instance),
        Task::InstanceRemove { instance } if done.is_ok() => instances.remove(instance),
        _ => {}
    }
    done?;
    duties::finish(desk, &Hand { instances: &instances, nodes: None }, task).await
}

/// The instances that `task` needs; `None` if it needs all.
fn wanted_instances(task: &Task) -> Option<BTreeSet<String>> {
    match task {
        Task::ClusterVerify {} | Task::VerifyDisks {} | Task::QueryInstances { instances: None } => None,
        Task::QueryInstances { instances: Some(names) } => Some(names.iter().cloned().collect()),
        _ => Some(task.instance().into_iter().cloned().collect()),
    }
}

/// The nodes that `task` needs now that its instances are locked; `None` if it needs all.
fn wanted_nodes(desk: &Desk<'_>, task: &Task) -> Result<Option<BTreeSet<String>>, Refusal> {
    let listed = |nodes: &[String]| Some(nodes.iter().cloned().collect());
    let home = |instance: &str| duties::home(desk, instance).map(|nodes| nodes.into_iter().collect::<BTreeSet<_>>());
    Ok(match task {
        Task::DiagnoseOS { nodes: Some(nodes) }
        | Task::QueryNodeVolumes { nodes: Some(nodes) }
        | Task::TestDelay { nodes, .. } => listed(nodes),
        Task::NodeSetParams { node, .. } => listed(slice::from_ref(node)),
        Task::InstanceCreate { nodes: Some(pair), .. } => listed(pair),
        Task::InstanceCreate { nodes: None, .. }
        | Task::ReplaceDisks { new_secondary: None, .. }
        | Task::ExportInstance { .. } => None,
        Task::ReplaceDisks { instance, new_secondary } => {
            Some(&home(instance)? | &new_secondary.iter().cloned().collect())
        }
        Task::QueryInstances { instances } => Some(duties::homes(desk, instances.as_deref())?.1),
        _ => match (task.instance(), task.change()) {
            (Some(_), Some(change)) if !change.needs_nodes() => Some(BTreeSet::new()),
            (Some(instance), _) => Some(home(instance)?),
            (None, _) => None,
        },
    })
}

/// Does a task that has the cluster to itself.
async fn run_alone(desk: &mut Desk<'_>, locks: &OneByOne, task: &Task) -> Result<(), Refusal> {
    let cluster = desk.wait(locks.cluster.exclusive()).await.expect(NEVER);
    duties::perform(desk, &cluster, task).await?;
    for (resource, change) in task.effect() {
        match resource {
            Resource::Instance(name) => locks.instances.change(name, change).await,
            Resource::Node(name) => locks.nodes.change(name, change).await,
        }
    }
    Ok(())
}

/// All that a job holds besides the cluster.
struct Hand<'h, 'l> {
    instances: &'h Held<'l>,
    nodes: Option<&'h Held<'l>>,
}

impl Lease for Hand<'_, '_> {
    fn held(&self, resource: &Resource) -> Option<Access> {
        match resource {
            Resource::Instance(name) => self.instances.access(name),
            Resource::Node(name) => self.nodes?.access(name),
        }
    }
}

impl Lease for Guard<&SharedLock, Exclusive> {
    fn held(&self, _: &Resource) -> Option<Access> {
        Some(Access::Exclusive)
    }
}
