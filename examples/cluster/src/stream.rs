//! Makes up a stream of jobs. The same cluster, number and seed give the same stream.
//!
//! The generator keeps an inventory of what the cluster will look like if the jobs run one after the other, so that
//! most jobs find what they name. But jobs run side by side, and a few are made to fail, so some jobs do come to
//! nothing: that is part of the exercise.

mod draw;
mod mix;

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::inventory::{InstanceChange, Inventory};
use crate::task::{Opcode, Task};

pub(crate) use self::mix::Mix;

/// How many jobs come before a created or renamed instance is named again. If it were fewer, most jobs that name the
/// instance would overtake the job that they count on, and fail.
const SETTLES_AFTER: usize = 100;

/// Makes up `jobs` tasks for `cluster`.
pub(crate) fn generate(cluster: &Inventory, jobs: usize, seed: u64, mix: Mix) -> Vec<Task> {
    let mut generator = Generator {
        mix,
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
    mix: Mix,
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
        match self.mix.draw(&mut self.rng) {
            Opcode::InstanceCreate if present <= 2 * self.usual + 20 => self.create(),
            Opcode::InstanceRemove if self.instances.len() < self.usual / 2 + 2 => self.create(),
            Opcode::InstanceCreate | Opcode::InstanceRemove => self.remove(),
            Opcode::InstanceFailover => self.on_mirrored(|_, instance| Task::InstanceFailover { instance }),
            Opcode::InstanceMigrate => self.on_mirrored(Self::migrate),
            Opcode::ReplaceDisks => self.on_mirrored(Self::replace_disks),
            Opcode::NodeAdd => self.add_node(),
            Opcode::NodeRemove => self.remove_node(),
            Opcode::NodeSetParams => self.set_node(),
            Opcode::InstanceRename => self.rename(),
            Opcode::QueryInstances => self.query(),
            Opcode::ClusterVerify => Task::ClusterVerify {},
            Opcode::VerifyDisks => Task::VerifyDisks {},
            Opcode::RedistributeConfig => Task::RedistributeConfig {},
            Opcode::DestroyCluster => Task::DestroyCluster {},
            Opcode::SetClusterParams => {
                Task::SetClusterParams { parameter: "pool_size".into(), value: self.tasks_made.to_string() }
            }
            Opcode::RenameCluster => Task::RenameCluster { name: format!("cluster{}.example.com", self.tasks_made) },
            Opcode::DiagnoseOS => Task::DiagnoseOS { nodes: self.draw_some_nodes() },
            Opcode::QueryNodeVolumes => Task::QueryNodeVolumes { nodes: self.draw_some_nodes() },
            Opcode::TestDelay => {
                let nodes = self.draw_some_nodes().unwrap_or_default();
                Task::TestDelay { nodes, duration_ms: None }
            }
            Opcode::ActivateDisks => self.change(|instance, _| Task::ActivateDisks { instance }),
            Opcode::GrowDisk => self.change(|instance, rng| {
                let by_mib = 1024 * rng.random_range(1..=8);
                Task::GrowDisk { instance, by_mib }
            }),
            Opcode::SetInstanceParams => self.change(|instance, rng| {
                let memory_mib = 512 * rng.random_range(1..=16);
                Task::SetInstanceParams { instance, memory_mib }
            }),
            Opcode::InstanceStartup => self.change(|instance, _| Task::InstanceStartup { instance }),
            Opcode::InstanceShutdown => self.change(|instance, _| Task::InstanceShutdown { instance }),
            Opcode::InstanceReboot => self.change(|instance, _| Task::InstanceReboot { instance }),
            Opcode::InstanceReinstall => self.change(|instance, _| Task::InstanceReinstall { instance }),
            Opcode::ExportInstance => self.export(),
            Opcode::RemoveExport => self.remove_export(),
        }
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

    /// Only an instance that runs can be migrated.
    fn migrate(&mut self, instance: String) -> Task {
        if self.expected.is_running(&instance) {
            Task::InstanceMigrate { instance }
        } else {
            Task::InstanceFailover { instance }
        }
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

    /// Removes a node on which no instance lives; adds one if there is none.
    fn remove_node(&mut self) -> Task {
        let unused = self.nodes.iter().position(|node| self.expected.may_be_removed(node).is_ok());
        let Some(index) = unused.filter(|_| self.nodes.len() > 3) else { return self.add_node() };
        let node = self.nodes.swap_remove(index);
        // The list and the inventory agree, so this is not refused.
        let _ = self.expected.remove_node(&node);
        Task::NodeRemove { node }
    }

    /// Drains a node for one job in four, else lets the allocator use it.
    fn set_node(&mut self) -> Task {
        let node = self.nodes[self.rng.random_range(0..self.nodes.len())].clone();
        let drained = self.rng.random_ratio(1, 4);
        let _ = self.expected.drain(&node, drained);
        Task::NodeSetParams { node, drained }
    }

    /// A change of an instance that can be made as it is; if a few draws find none, the creation of an instance.
    fn change(&mut self, task: impl Fn(String, &mut StdRng) -> Task) -> Task {
        for _ in 0..10 {
            let Some(index) = self.draw_index() else { break };
            let task = task(self.instances[index].clone(), &mut self.rng);
            let change = task.change().unwrap_or(InstanceChange::Activate);
            if self.expected.change(&self.instances[index], change).is_ok() {
                return task;
            }
        }
        self.create()
    }

    fn export(&mut self) -> Task {
        let Some(index) = self.draw_index() else { return self.create() };
        let instance = self.instances[index].clone();
        let node = self.nodes[self.rng.random_range(0..self.nodes.len())].clone();
        let _ = self.expected.export(&instance, &node);
        Task::ExportInstance { instance, node }
    }

    fn remove_export(&mut self) -> Task {
        let Some(instance) = self.expected.exported().cloned() else { return self.export() };
        let _ = self.expected.remove_export(&instance);
        Task::RemoveExport { instance }
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
}

#[cfg(test)]
mod tests;
