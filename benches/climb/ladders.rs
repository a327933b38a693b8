//! The ladders. A climb takes the root shared, then the instance, then both nodes, and releases them all.

use std::hint::black_box;
use std::sync::Arc;

use dashmap::DashMap;
use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{LockManager, LockMode, LockSet, SharedLock};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::jobs::{self, Job};

const FREE: &str = "all names are there, and nothing fails";
const LABEL: &str = "climb";

/// Locks at three levels.
pub(crate) trait Ladder: Default {
    /// Takes the instance and the nodes exclusively.
    async fn exclusive(&self, job: &Job);

    /// Shares the instance and the nodes.
    async fn shared(&self, job: &Job);
}

/// Ours: the compiler checks the order.
#[derive(Debug)]
pub(crate) struct Typed(LockManager<Seed>);

/// Ours: the order is checked at run time.
#[derive(Debug)]
pub(crate) struct Dynamic(LockManager<Seed>);

fn manager() -> LockManager<Seed> {
    let (instances, nodes): (Vec<_>, Vec<_>) = (jobs::instances().collect(), jobs::nodes().collect());
    LockManager::builder().names::<Instance>(instances).names::<Node>(nodes).build()
}

impl Default for Typed {
    fn default() -> Self {
        Self(manager())
    }
}

impl Default for Dynamic {
    fn default() -> Self {
        Self(manager())
    }
}

impl Ladder for Typed {
    async fn exclusive(&self, job: &Job) {
        let session = self.0.shared(LABEL).await.expect(FREE);
        let session = session.exclusive::<Instance>(&job.instance).await.expect(FREE);
        let session = session.exclusive::<Node>(&job.nodes).await.expect(FREE);
        black_box(&session);
    }

    async fn shared(&self, job: &Job) {
        let session = self.0.shared(LABEL).await.expect(FREE);
        let session = session.shared::<Instance>(&job.instance).await.expect(FREE);
        let session = session.shared::<Node>(&job.nodes).await.expect(FREE);
        black_box(&session);
    }
}

impl Dynamic {
    async fn climb(&self, job: &Job, mode: LockMode) {
        let mut session = self.0.dynamic(LABEL, LockMode::Shared).await.expect(FREE);
        session.acquire::<Instance>(&job.instance, mode).await.expect(FREE);
        session.acquire::<Node>(&job.nodes, mode).await.expect(FREE);
        black_box(&session);
    }
}

impl Ladder for Dynamic {
    async fn exclusive(&self, job: &Job) {
        self.climb(job, LockMode::Exclusive).await;
    }

    async fn shared(&self, job: &Job) {
        self.climb(job, LockMode::Shared).await;
    }
}

/// The same locks by hand. (Here and below, guards are dropped in reverse order: from the nodes down to the root.)
#[derive(Debug)]
pub(crate) struct Borrowed {
    root: SharedLock,
    instances: LockSet<String>,
    nodes: LockSet<String>,
}

impl Default for Borrowed {
    fn default() -> Self {
        Self { root: SharedLock::default(), instances: jobs::instances().collect(), nodes: jobs::nodes().collect() }
    }
}

impl Ladder for Borrowed {
    async fn exclusive(&self, job: &Job) {
        let root = self.root.shared().await.expect(FREE);
        let instance = self.instances.exclusive(&job.instance).await.expect(FREE);
        let nodes = self.nodes.exclusive(&job.nodes).await.expect(FREE);
        black_box((&root, &instance, &nodes));
    }

    async fn shared(&self, job: &Job) {
        let root = self.root.shared().await.expect(FREE);
        let instance = self.instances.shared(&job.instance).await.expect(FREE);
        let nodes = self.nodes.shared(&job.nodes).await.expect(FREE);
        black_box((&root, &instance, &nodes));
    }
}

/// The same locks by hand, with guards that can be kept anywhere, as those in a session can.
#[derive(Debug)]
pub(crate) struct Owned {
    root: Arc<SharedLock>,
    instances: Arc<LockSet<String>>,
    nodes: Arc<LockSet<String>>,
}

impl Default for Owned {
    fn default() -> Self {
        let Borrowed { root, instances, nodes } = Borrowed::default();
        Self { root: Arc::new(root), instances: Arc::new(instances), nodes: Arc::new(nodes) }
    }
}

impl Ladder for Owned {
    async fn exclusive(&self, job: &Job) {
        let root = Arc::clone(&self.root).shared_owned().await.expect(FREE);
        let instance = Arc::clone(&self.instances).exclusive_owned(&job.instance).await.expect(FREE);
        let nodes = Arc::clone(&self.nodes).exclusive_owned(&job.nodes).await.expect(FREE);
        black_box((&root, &instance, &nodes));
    }

    async fn shared(&self, job: &Job) {
        let root = Arc::clone(&self.root).shared_owned().await.expect(FREE);
        let instance = Arc::clone(&self.instances).shared_owned(&job.instance).await.expect(FREE);
        let nodes = Arc::clone(&self.nodes).shared_owned(&job.nodes).await.expect(FREE);
        black_box((&root, &instance, &nodes));
    }
}

/// A ladder made without this library: a map of locks for each level, and names sorted before they are locked.
#[derive(Debug)]
pub(crate) struct HandMade {
    root: Arc<RwLock<()>>,
    instances: Members,
    nodes: Members,
}

type Members = DashMap<String, Arc<RwLock<()>>>;

fn member(members: &Members, name: &str) -> Arc<RwLock<()>> {
    Arc::clone(&members.get(name).expect(FREE))
}

async fn write(members: &Members, names: &[String]) -> Vec<OwnedRwLockWriteGuard<()>> {
    let mut held = Vec::with_capacity(names.len());
    for name in sorted(names) {
        held.push(member(members, name).write_owned().await);
    }
    held
}

async fn read(members: &Members, names: &[String]) -> Vec<OwnedRwLockReadGuard<()>> {
    let mut held = Vec::with_capacity(names.len());
    for name in sorted(names) {
        held.push(member(members, name).read_owned().await);
    }
    held
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<_> = names.iter().collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Default for HandMade {
    fn default() -> Self {
        let members = |name| (name, Arc::default());
        Self {
            root: Arc::default(),
            instances: jobs::instances().map(members).collect(),
            nodes: jobs::nodes().map(members).collect(),
        }
    }
}

impl Ladder for HandMade {
    async fn exclusive(&self, job: &Job) {
        let root = Arc::clone(&self.root).read_owned().await;
        let instance = member(&self.instances, &job.instance).write_owned().await;
        let nodes = write(&self.nodes, &job.nodes).await;
        black_box((&root, &instance, &nodes));
    }

    async fn shared(&self, job: &Job) {
        let root = Arc::clone(&self.root).read_owned().await;
        let instance = member(&self.instances, &job.instance).read_owned().await;
        let nodes = read(&self.nodes, &job.nodes).await;
        black_box((&root, &instance, &nodes));
    }
}

/// The same for exactly two nodes, without a list.
#[derive(Debug, Default)]
pub(crate) struct HandMadePair(HandMade);

fn in_order(job: &Job) -> [&String; 2] {
    let [one, other] = &job.nodes;
    if one < other { [one, other] } else { [other, one] }
}

impl Ladder for HandMadePair {
    async fn exclusive(&self, job: &Job) {
        let HandMade { root, instances, nodes } = &self.0;
        let root = Arc::clone(root).read_owned().await;
        let instance = member(instances, &job.instance).write_owned().await;
        let [first, second] = in_order(job);
        let first = member(nodes, first).write_owned().await;
        let second = member(nodes, second).write_owned().await;
        black_box((&root, &instance, &first, &second));
    }

    async fn shared(&self, job: &Job) {
        let HandMade { root, instances, nodes } = &self.0;
        let root = Arc::clone(root).read_owned().await;
        let instance = member(instances, &job.instance).read_owned().await;
        let [first, second] = in_order(job);
        let first = member(nodes, first).read_owned().await;
        let second = member(nodes, second).read_owned().await;
        black_box((&root, &instance, &first, &second));
    }
}
