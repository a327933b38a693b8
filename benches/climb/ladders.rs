//! The ladders. A climb takes the root shared, then the instance, then both nodes, and releases them all.

use std::hint::black_box;
use std::sync::Arc;

use dashmap::DashMap;
use lockladder::ganeti::seed::{Instance, Node, Seed};
use lockladder::{LockManager, LockMode, LockSet, OpenSet, SharedLock, hierarchy};
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

    /// Whether names can come with their use, and go with it.
    const IS_OPEN: bool = true;

    /// Takes an instance and nodes exclusively that have not been added, and leaves none of them.
    async fn open(&self, job: &Job);
}

hierarchy! {
    /// The same levels, whose names come with their use.
    pub(crate) struct Open {
        root Gate,
        open level Guest: String,
        open level Host: String,
    }
}

/// Ours: the compiler checks the order.
#[derive(Debug)]
pub(crate) struct Typed(LockManager<Seed>, LockManager<Open>);

/// Ours: the order is checked at run time.
#[derive(Debug)]
pub(crate) struct Dynamic(LockManager<Seed>, LockManager<Open>);

fn manager() -> LockManager<Seed> {
    let (instances, nodes): (Vec<_>, Vec<_>) = (jobs::instances().collect(), jobs::nodes().collect());
    LockManager::builder().names::<Instance>(instances).names::<Node>(nodes).build()
}

impl Default for Typed {
    fn default() -> Self {
        Self(manager(), LockManager::builder().build())
    }
}

impl Default for Dynamic {
    fn default() -> Self {
        Self(manager(), LockManager::builder().build())
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

    async fn open(&self, job: &Job) {
        let session = self.1.shared(LABEL).await.expect(FREE);
        let session = session.exclusive::<Guest>(&job.instance).await.expect(FREE);
        let session = session.exclusive::<Host>(&job.nodes).await.expect(FREE);
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

    async fn open(&self, job: &Job) {
        let mut session = self.1.dynamic(LABEL, LockMode::Shared).await.expect(FREE);
        session.acquire::<Guest>(&job.instance, LockMode::Exclusive).await.expect(FREE);
        session.acquire::<Host>(&job.nodes, LockMode::Exclusive).await.expect(FREE);
        black_box(&session);
    }
}

/// The same locks by hand. (Here and below, guards are dropped in reverse order: from the nodes down to the root.)
#[derive(Debug)]
pub(crate) struct Borrowed {
    root: SharedLock,
    instances: LockSet<String>,
    nodes: LockSet<String>,
    guests: OpenSet<String>,
    hosts: OpenSet<String>,
}

impl Default for Borrowed {
    fn default() -> Self {
        Self {
            root: SharedLock::default(),
            instances: jobs::instances().collect(),
            nodes: jobs::nodes().collect(),
            guests: OpenSet::new(),
            hosts: OpenSet::new(),
        }
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

    async fn open(&self, job: &Job) {
        let root = self.root.shared().await.expect(FREE);
        let guest = self.guests.exclusive(&job.instance).await.expect(FREE);
        let hosts = self.hosts.exclusive(&job.nodes).await.expect(FREE);
        black_box((&root, &guest, &hosts));
    }
}

/// The same locks by hand, with guards that can be kept anywhere, as those in a session can.
#[derive(Debug)]
pub(crate) struct Owned {
    root: Arc<SharedLock>,
    instances: Arc<LockSet<String>>,
    nodes: Arc<LockSet<String>>,
    guests: Arc<OpenSet<String>>,
    hosts: Arc<OpenSet<String>>,
}

impl Default for Owned {
    fn default() -> Self {
        let Borrowed { root, instances, nodes, guests, hosts } = Borrowed::default();
        Self {
            root: Arc::new(root),
            instances: Arc::new(instances),
            nodes: Arc::new(nodes),
            guests: Arc::new(guests),
            hosts: Arc::new(hosts),
        }
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

    async fn open(&self, job: &Job) {
        let root = Arc::clone(&self.root).shared_owned().await.expect(FREE);
        let guest = Arc::clone(&self.guests).exclusive_owned(&job.instance).await.expect(FREE);
        let hosts = Arc::clone(&self.hosts).exclusive_owned(&job.nodes).await.expect(FREE);
        black_box((&root, &guest, &hosts));
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
    const IS_OPEN: bool = false; // A name stays in the map.

    async fn open(&self, _job: &Job) {
        unreachable!("it is not asked")
    }

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
    const IS_OPEN: bool = false; // A name stays in the map.

    async fn open(&self, _job: &Job) {
        unreachable!("it is not asked")
    }

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
