//! What the cluster consists of: its nodes, its instances, and the nodes on which each instance lives.
//!
//! Plain data and pure rules. The configuration reader makes an inventory, and the running jobs share one (behind the
//! [`Store`]). The generator of job streams evolves one of its own to guess what will exist when a job runs.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use crate::refusal::Refusal;

pub(crate) use self::store::Store;

/// Nodes and instances, by name, and what holds for the whole cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// The name of the cluster; none once it is destroyed.
    name: Option<String>,
    parameters: BTreeMap<String, String>,
    instances: BTreeMap<String, Instance>,
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Instance {
    /// The primary first.
    nodes: Vec<String>,
    running: bool,
    disk_mib: u32,
    memory_mib: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    /// How many instances use it; the allocator goes by this.
    uses: usize,
    /// The allocator passes it over.
    drained: bool,
    /// The instances whose exports are here.
    exports: BTreeSet<String>,
}

/// What becomes of an instance that stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstanceChange {
    Activate,
    Grow { by_mib: u32 },
    Memory { mib: u32 },
    Start,
    Shut,
    Reboot,
    Reinstall,
}

impl InstanceChange {
    /// Whether it changes the disks or the parameters, which the nodes of the instance have to know.
    pub(crate) fn needs_nodes(self) -> bool {
        matches!(self, Self::Activate | Self::Grow { .. } | Self::Memory { .. })
    }
}

impl Inventory {
    pub(crate) fn set_name(&mut self, name: &str) {
        self.name = Some(name.to_owned());
    }

    pub(crate) fn set_parameter(&mut self, parameter: &str, value: &str) {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
    }

    /// Whether nothing is left but one node.
    pub(crate) fn may_be_destroyed(&self) -> Result<(), Refusal> {
        let (instances, nodes) = (self.instances.len(), self.nodes.len());
        if instances > 0 || nodes > 1 { Err(Refusal::NotEmpty { instances, nodes }) } else { Ok(()) }
    }

    pub(crate) fn destroy(&mut self) -> Result<(), Refusal> {
        self.may_be_destroyed()?;
        self.name = None;
        self.parameters.clear();
        Ok(())
    }

    pub(crate) fn instance_names(&self) -> impl ExactSizeIterator<Item = &String> {
        self.instances.keys()
    }

    pub(crate) fn node_names(&self) -> impl ExactSizeIterator<Item = &String> {
        self.nodes.keys()
    }

    pub(crate) fn has_instance(&self, instance: &str) -> bool {
        self.instances.contains_key(instance)
    }

    pub(crate) fn has_node(&self, node: &str) -> bool {
        self.nodes.contains_key(node)
    }

    /// The nodes of `instance`, the primary first.
    pub(crate) fn nodes_of(&self, instance: &str) -> Result<&[String], Refusal> {
        let found = self.instances.get(instance).ok_or_else(|| Refusal::NoSuchInstance(instance.to_owned()))?;
        Ok(&found.nodes)
    }

    /// The primary and the secondary of an instance that has both.
    pub(crate) fn pair_of(&self, instance: &str) -> Result<[&str; 2], Refusal> {
        match self.nodes_of(instance)? {
            [primary, secondary] => Ok([primary, secondary]),
            nodes => Err(Refusal::NotMirrored { instance: instance.to_owned(), nodes: nodes.len() }),
        }
    }

    pub(crate) fn add_node(&mut self, node: &str) -> Result<(), Refusal> {
        if self.has_node(node) {
            return Err(Refusal::NodeExists(node.to_owned()));
        }
        self.nodes.insert(node.to_owned(), Node::default());
        Ok(())
    }

    /// Whether no instance lives on this node.
    pub(crate) fn may_be_removed(&self, node: &str) -> Result<(), Refusal> {
        match self.node(node)?.uses {
            0 => Ok(()),
            instances => Err(Refusal::NodeInUse { node: node.to_owned(), instances }),
        }
    }

    /// Removes a node on which no instance lives.
    pub(crate) fn remove_node(&mut self, node: &str) -> Result<(), Refusal> {
        self.may_be_removed(node)?;
        self.nodes.remove(node);
        Ok(())
    }

    pub(crate) fn drain(&mut self, node: &str, drained: bool) -> Result<(), Refusal> {
        self.node_mut(node)?.drained = drained;
        Ok(())
    }

    fn node(&self, node: &str) -> Result<&Node, Refusal> {
        self.nodes.get(node).ok_or_else(|| Refusal::NoSuchNode(node.to_owned()))
    }

    fn node_mut(&mut self, node: &str) -> Result<&mut Node, Refusal> {
        self.nodes.get_mut(node).ok_or_else(|| Refusal::NoSuchNode(node.to_owned()))
    }

    /// Puts a new instance on `nodes`, each of which must exist and be named once.
    pub(crate) fn add_instance(&mut self, instance: &str, nodes: Vec<String>) -> Result<(), Refusal> {
        if self.has_instance(instance) {
            return Err(Refusal::InstanceExists(instance.to_owned()));
        }
        for (index, node) in nodes.iter().enumerate() {
            if !self.has_node(node) {
                return Err(Refusal::NoSuchNode(node.clone()));
            }
            if nodes[..index].contains(node) {
                return Err(Refusal::SameNodeTwice(node.clone()));
            }
        }
        self.count(&nodes, |uses| uses + 1);
        let new = Instance { nodes, running: true, disk_mib: 10240, memory_mib: 1024 };
        self.instances.insert(instance.to_owned(), new);
        Ok(())
    }

    pub(crate) fn remove_instance(&mut self, instance: &str) -> Result<(), Refusal> {
        let gone = self.instances.remove(instance).ok_or_else(|| Refusal::NoSuchInstance(instance.to_owned()))?;
        self.count(&gone.nodes, |uses| uses - 1);
        Ok(())
    }

    pub(crate) fn rename_instance(&mut self, old: &str, new: &str) -> Result<(), Refusal> {
        if self.has_instance(new) {
            return Err(Refusal::InstanceExists(new.to_owned()));
        }
        let renamed = self.instances.remove(old).ok_or_else(|| Refusal::NoSuchInstance(old.to_owned()))?;
        self.instances.insert(new.to_owned(), renamed);
        Ok(())
    }

    /// Swaps the primary and the secondary.
    pub(crate) fn fail_over(&mut self, instance: &str) -> Result<(), Refusal> {
        self.pair_of(instance)?;
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.nodes.reverse();
        }
        Ok(())
    }

    pub(crate) fn is_running(&self, instance: &str) -> bool {
        self.instances.get(instance).is_some_and(|instance| instance.running)
    }

    /// Whether `change` can be made: a reboot needs an instance that runs, a reinstallation one that does not.
    pub(crate) fn may_change(&self, instance: &str, change: InstanceChange) -> Result<(), Refusal> {
        self.nodes_of(instance)?;
        match (change, self.is_running(instance)) {
            (InstanceChange::Reboot, false) => Err(Refusal::NotRunning(instance.to_owned())),
            (InstanceChange::Reinstall, true) => Err(Refusal::StillRunning(instance.to_owned())),
            _ => Ok(()),
        }
    }

    pub(crate) fn change(&mut self, name: &str, change: InstanceChange) -> Result<(), Refusal> {
        self.may_change(name, change)?;
        let Some(instance) = self.instances.get_mut(name) else { return Ok(()) };
        match change {
            InstanceChange::Activate | InstanceChange::Reboot | InstanceChange::Reinstall => {}
            InstanceChange::Grow { by_mib } => instance.disk_mib = instance.disk_mib.saturating_add(by_mib),
            InstanceChange::Memory { mib } => instance.memory_mib = mib,
            InstanceChange::Start => instance.running = true,
            InstanceChange::Shut => instance.running = false,
        }
        Ok(())
    }

    /// Keeps an export of `instance` on `node`.
    pub(crate) fn export(&mut self, instance: &str, node: &str) -> Result<(), Refusal> {
        self.nodes_of(instance)?;
        self.node_mut(node)?.exports.insert(instance.to_owned());
        Ok(())
    }

    /// Removes the exports of `instance` from all nodes. The instance need not exist any more.
    pub(crate) fn remove_export(&mut self, instance: &str) -> Result<(), Refusal> {
        let removed = self.nodes.values_mut().filter_map(|node| node.exports.take(instance)).count();
        if removed == 0 { Err(Refusal::NoSuchExport(instance.to_owned())) } else { Ok(()) }
    }

    /// The first instance of which there is an export.
    pub(crate) fn exported(&self) -> Option<&String> {
        self.nodes.values().find_map(|node| node.exports.first())
    }

    /// Mirrors `instance` to `new_secondary` from now on.
    pub(crate) fn replace_secondary(&mut self, instance: &str, new_secondary: &str) -> Result<(), Refusal> {
        if self.pair_of(instance)?.contains(&new_secondary) {
            return Err(Refusal::SameNodeTwice(new_secondary.to_owned()));
        }
        if !self.has_node(new_secondary) {
            return Err(Refusal::NoSuchNode(new_secondary.to_owned()));
        }
        let mut dropped = new_secondary.to_owned();
        if let Some([_, secondary]) = self.instances.get_mut(instance).map(|found| found.nodes.as_mut_slice()) {
            std::mem::swap(secondary, &mut dropped);
        }
        self.count(&[dropped], |uses| uses - 1);
        self.count(&[new_secondary.to_owned()], |uses| uses + 1);
        Ok(())
    }

    /// The allocator: the `N` least used nodes that are not drained, outside `avoid`.
    pub(crate) fn allocate<const N: usize>(&self, avoid: &[&str]) -> Result<[String; N], Refusal> {
        let mut candidates: Vec<_> = self
            .nodes
            .iter()
            .filter(|(name, node)| !node.drained && !avoid.contains(&name.as_str()))
            .map(|(name, node)| (node.uses, name))
            .collect();
        candidates.sort_unstable();
        let chosen: Vec<String> = candidates.into_iter().take(N).map(|(_, node)| node.clone()).collect();
        let found = chosen.len();
        chosen.try_into().map_err(|_| Refusal::TooFewNodes { wanted: N, found })
    }

    fn count(&mut self, nodes: &[String], change: impl Fn(usize) -> usize) {
        for node in nodes {
            if let Some(node) = self.nodes.get_mut(node) {
                node.uses = change(node.uses);
            }
        }
    }
}

#[cfg(test)]
mod tests;
