//! Makes up a stream of jobs. The same cluster, number and seed give the same stream.
//!
//! The generator keeps an inventory of what the cluster will look like if the jobs run one after the other, so that
//! most jobs find what they name. But jobs run side by side, and a few are made to fail, so some jobs do come to
//! nothing: that is part of the exercise.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::inventory::Inventory;
use crate::task::{Opcode, Task};

/// How many jobs in a thousand are of each opcode.
///
/// Most concern one instance. Those that stop most other jobs are rare, as they are in a real cluster: the two that own
/// the cluster as a whole (`NodeAdd`, `InstanceRename`), and `ClusterVerify`.
const MIX: [(Opcode, u32); 8] = [
    (Opcode::ClusterVerify, 10),
    (Opcode::InstanceCreate, 125),
    (Opcode::InstanceRemove, 115),
    (Opcode::InstanceFailover, 340),
    (Opcode::ReplaceDisks, 130),
    (Opcode::NodeAdd, 3),
    (Opcode::InstanceRename, 7),
    (Opcode::QueryInstances, 270),
];

/// How many jobs come before a created or renamed instance is named again. If it were fewer, most jobs that name the
/// instance would overtake the job that they count on, and fail.
const SETTLES_AFTER: usize = 100;

/// Makes up `jobs` tasks for `cluster`.
pub(crate) fn generate(cluster: &Inventory, jobs: usize, seed: u64) -> Vec<Task> {
    let mut generator = Generator {
        rng: StdRng::seed_from_u64(seed),
        instances: cluster.instance_names().cloned().collect(),
        nodes: cluster.node_names().cloned().collect(),
        usual: cluster.instance_names().len(),
        expected: cluster.clone(),
        names_made: 0,
        settling: VecDeque::new(),
        tasks_made: 0,
    };
    (0..jobs).map(|_| generator.next_task()).collect()
}

struct Generator {
    rng: StdRng,
    /// The cluster as it will be if the jobs run in order.
    expected: Inventory,
    /// The names in `expected` that may be drawn, in lists so that an index draws one.
    instances: Vec<String>,
    nodes: Vec<String>,
    /// About how many instances there should be at any time.
    usual: usize,
    names_made: usize,
    /// Names that are too new to be drawn, each with the number of the task from which on it may be.
    settling: VecDeque<(usize, String)>,
    tasks_made: usize,
}

impl Generator {
    fn next_task(&mut self) -> Task {
        self.tasks_made += 1;
        while self.settling.front().is_some_and(|(when, _)| *when <= self.tasks_made) {
            self.instances.extend(self.settling.pop_front().map(|(_, name)| name));
        }
        let present = self.instances.len() + self.settling.len();
        match self.draw_opcode() {
            Opcode::InstanceCreate if present <= 2 * self.usual + 20 => self.create(),
            Opcode::InstanceRemove if self.instances.len() < self.usual / 2 + 2 => self.create(),
            Opcode::InstanceCreate | Opcode::InstanceRemove => self.remove(),
            Opcode::InstanceFailover => self.on_mirrored(|_, instance| Task::InstanceFailover { instance }),
            Opcode::ReplaceDisks => self.on_mirrored(Self::replace_disks),
            Opcode::NodeAdd => self.add_node(),
            Opcode::InstanceRename => self.rename(),
            Opcode::QueryInstances => self.query(),
            Opcode::ClusterVerify => Task::ClusterVerify {},
        }
    }

    fn draw_opcode(&mut self) -> Opcode {
        let total = MIX.iter().map(|(_, share)| share).sum();
        let mut ticket: u32 = self.rng.random_range(0..total);
        for (opcode, share) in MIX {
            if ticket < share {
                return opcode;
            }
            ticket -= share;
        }
        unreachable!("the ticket is less than the sum of the shares")
    }

    fn create(&mut self) -> Task {
        // Now and then a job wants a name that is taken.
        if self.rng.random_ratio(1, 50) && !self.instances.is_empty() {
            let instance = self.draw_instance();
            return Task::InstanceCreate { instance, nodes: None, fails: false };
        }
        let instance = self.fresh_name("vm", Inventory::has_instance);
        let nodes = if self.rng.random_ratio(1, 5) { None } else { self.draw_pair() };
        let fails = self.rng.random_ratio(1, 20);
        if !fails {
            let placed = nodes.clone().map_or_else(|| self.expected.allocate(&[]), Ok);
            let added = placed.and_then(|pair| self.expected.add_instance(&instance, pair.into()));
            if added.is_ok() {
                self.settle(&instance);
            }
        }
        Task::InstanceCreate { instance, nodes, fails }
    }

    fn remove(&mut self) -> Task {
        let Some(index) = self.draw_index() else { return self.create() };
        let instance = self.instances.swap_remove(index);
        // The list and the inventory agree, so this is not refused.
        let _ = self.expected.remove_instance(&instance);
        Task::InstanceRemove { instance }
    }

    /// A task on an instance with a secondary; if a few draws find none, the creation of an instance.
    fn on_mirrored(&mut self, task: impl Fn(&mut Self, String) -> Task) -> Task {
        for _ in 0..10 {
            let Some(index) = self.draw_index() else { break };
            if self.expected.pair_of(&self.instances[index]).is_ok() {
                let instance = self.instances[index].clone();
                return task(self, instance);
            }
        }
        self.create()
    }

    fn replace_disks(&mut self, instance: String) -> Task {
        let candidate = self.nodes[self.rng.random_range(0..self.nodes.len())].clone();
        // The allocator chooses for one job in ten, and if the drawn node does not fit.
        let named = self.rng.random_ratio(9, 10) && self.expected.replace_secondary(&instance, &candidate).is_ok();
        let new_secondary = named.then_some(candidate);
        Task::ReplaceDisks { instance, new_secondary }
    }

    fn add_node(&mut self) -> Task {
        let node = self.fresh_name("metal", Inventory::has_node);
        // The name is new, so this is not refused.
        let _ = self.expected.add_node(&node);
        self.nodes.push(node.clone());
        Task::NodeAdd { node }
    }

    fn rename(&mut self) -> Task {
        let Some(index) = self.draw_index() else { return self.create() };
        let new_name = self.fresh_name("renamed", Inventory::has_instance);
        let instance = self.instances.swap_remove(index);
        self.settle(&new_name);
        // The instance exists and the new name is new, so this is not refused.
        let _ = self.expected.rename_instance(&instance, &new_name);
        Task::InstanceRename { instance, new_name }
    }

    fn query(&mut self) -> Task {
        if self.instances.is_empty() || self.rng.random_ratio(1, 15) {
            return Task::QueryInstances { instances: None };
        }
        let count = self.rng.random_range(1..=3);
        let instances = (0..count).map(|_| self.draw_instance()).collect();
        Task::QueryInstances { instances: Some(instances) }
    }

    fn settle(&mut self, instance: &str) {
        self.settling.push_back((self.tasks_made + SETTLES_AFTER, instance.to_owned()));
    }

    /// Two different nodes, if there are two.
    fn draw_pair(&mut self) -> Option<[String; 2]> {
        let count = self.nodes.len();
        if count < 2 {
            return None;
        }
        let primary = self.rng.random_range(0..count);
        let secondary = (primary + self.rng.random_range(1..count)) % count;
        Some([self.nodes[primary].clone(), self.nodes[secondary].clone()])
    }

    fn draw_index(&mut self) -> Option<usize> {
        let count = self.instances.len();
        (count > 0).then(|| self.rng.random_range(0..count))
    }

    fn draw_instance(&mut self) -> String {
        self.instances[self.rng.random_range(0..self.instances.len())].clone()
    }

    /// A name that `taken` does not know and that this generator has not made before.
    fn fresh_name(&mut self, stem: &str, taken: impl Fn(&Inventory, &str) -> bool) -> String {
        loop {
            self.names_made += 1;
            let name = format!("{stem}{:05}.example.com", self.names_made);
            if !taken(&self.expected, &name) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config;

    #[test]
    fn the_same_seed_gives_the_same_stream_and_another_seed_another() {
        let cluster = config::load(None).expect("the sample is ours");
        let stream = generate(&cluster, 500, 7);
        assert_eq!(stream, generate(&cluster, 500, 7));
        assert_ne!(stream, generate(&cluster, 500, 8));
        assert_eq!(stream[..100], generate(&cluster, 100, 7));
    }

    #[test]
    fn a_stream_of_some_length_has_every_opcode() {
        let cluster = config::load(None).expect("the sample is ours");
        let stream = generate(&cluster, 2000, 1);
        let opcodes: BTreeSet<_> = stream.iter().map(Task::opcode).collect();
        assert_eq!(opcodes.len(), Opcode::ALL.len());
    }

    #[test]
    fn a_stream_can_be_made_for_a_cluster_of_one_empty_node() {
        let mut cluster = Inventory::default();
        cluster.add_node("node1").expect("the name is new");
        assert_eq!(generate(&cluster, 200, 1).len(), 200);
    }
}
