//! What the cluster consists of: its nodes, its instances, and the nodes on which each instance lives.
//!
//! Plain data and pure rules. The configuration reader makes an inventory, and the running jobs share one (behind the
//! [`Store`]). The generator of job streams evolves one of its own to guess what will exist when a job runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::refusal::Refusal;

/// Nodes and instances, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// The nodes of each instance, the primary first.
    instances: BTreeMap<String, Vec<String>>,
    /// How many instances use each node; the allocator goes by this.
    nodes: BTreeMap<String, usize>,
}

impl Inventory {
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
        self.instances.get(instance).map(Vec::as_slice).ok_or_else(|| Refusal::NoSuchInstance(instance.to_owned()))
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
        self.nodes.insert(node.to_owned(), 0);
        Ok(())
    }

    /// Removes a node on which no instance lives.
    pub(crate) fn remove_node(&mut self, node: &str) -> Result<(), Refusal> {
        match self.nodes.get(node) {
            None => Err(Refusal::NoSuchNode(node.to_owned())),
            Some(0) => {
                self.nodes.remove(node);
                Ok(())
            }
            Some(uses) => Err(Refusal::NodeInUse { node: node.to_owned(), instances: *uses }),
        }
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
        self.instances.insert(instance.to_owned(), nodes);
        Ok(())
    }

    pub(crate) fn remove_instance(&mut self, instance: &str) -> Result<(), Refusal> {
        let nodes = self.instances.remove(instance).ok_or_else(|| Refusal::NoSuchInstance(instance.to_owned()))?;
        self.count(&nodes, |uses| uses - 1);
        Ok(())
    }

    pub(crate) fn rename_instance(&mut self, old: &str, new: &str) -> Result<(), Refusal> {
        if self.has_instance(new) {
            return Err(Refusal::InstanceExists(new.to_owned()));
        }
        let nodes = self.instances.remove(old).ok_or_else(|| Refusal::NoSuchInstance(old.to_owned()))?;
        self.instances.insert(new.to_owned(), nodes);
        Ok(())
    }

    /// Swaps the primary and the secondary.
    pub(crate) fn fail_over(&mut self, instance: &str) -> Result<(), Refusal> {
        self.pair_of(instance)?;
        if let Some(nodes) = self.instances.get_mut(instance) {
            nodes.reverse();
        }
        Ok(())
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
        if let Some([_, secondary]) = self.instances.get_mut(instance).map(Vec::as_mut_slice) {
            std::mem::swap(secondary, &mut dropped);
        }
        self.count(&[dropped], |uses| uses - 1);
        self.count(&[new_secondary.to_owned()], |uses| uses + 1);
        Ok(())
    }

    /// The allocator: the `N` least used nodes outside `avoid`.
    pub(crate) fn allocate<const N: usize>(&self, avoid: &[&str]) -> Result<[String; N], Refusal> {
        let mut candidates: Vec<_> = self
            .nodes
            .iter()
            .filter(|(node, _)| !avoid.contains(&node.as_str()))
            .map(|(node, uses)| (uses, node))
            .collect();
        candidates.sort_unstable();
        let chosen: Vec<String> = candidates.into_iter().take(N).map(|(_, node)| node.clone()).collect();
        let found = chosen.len();
        chosen.try_into().map_err(|_| Refusal::TooFewNodes { wanted: N, found })
    }

    fn count(&mut self, nodes: &[String], change: impl Fn(usize) -> usize) {
        for node in nodes {
            if let Some(uses) = self.nodes.get_mut(node) {
                *uses = change(*uses);
            }
        }
    }
}

/// The inventory that running jobs share: what Ganeti keeps in its configuration file.
///
/// The mutex only keeps single reads and writes whole. The job's own locks ensure that what a job has read stays true
/// until the job is done. The closures make it impossible to hold the mutex across an `await`.
#[derive(Debug)]
pub(crate) struct Store(Mutex<Inventory>);

impl Store {
    pub(crate) fn new(inventory: Inventory) -> Self {
        Self(Mutex::new(inventory))
    }

    pub(crate) fn read<R>(&self, read: impl FnOnce(&Inventory) -> R) -> R {
        read(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write<R>(&self, write: impl FnOnce(&mut Inventory) -> R) -> R {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_nodes() -> Inventory {
        let mut inventory = Inventory::default();
        for node in ["node1", "node2", "node3"] {
            inventory.add_node(node).expect("each name is new");
        }
        inventory
    }

    fn pair(first: &str, second: &str) -> Vec<String> {
        vec![first.to_owned(), second.to_owned()]
    }

    #[test]
    fn a_failover_swaps_primary_and_secondary() {
        let mut inventory = three_nodes();
        inventory.add_instance("web1", pair("node1", "node2")).expect("both nodes exist");
        inventory.fail_over("web1").expect("it is mirrored");
        assert_eq!(inventory.pair_of("web1"), Ok(["node2", "node1"]));
    }

    #[test]
    fn the_allocator_prefers_the_least_used_nodes() {
        let mut inventory = three_nodes();
        inventory.add_instance("web1", pair("node1", "node2")).expect("both nodes exist");
        let expected = ["node3".to_owned(), "node1".to_owned()];
        assert_eq!(inventory.allocate::<2>(&[]), Ok(expected));
        assert_eq!(inventory.allocate::<1>(&["node1", "node2"]), Ok(["node3".to_owned()]));
    }

    #[test]
    fn a_replaced_secondary_is_used_no_more() {
        let mut inventory = three_nodes();
        inventory.add_instance("web1", pair("node1", "node2")).expect("both nodes exist");
        inventory.replace_secondary("web1", "node3").expect("it is free");
        assert_eq!(inventory.pair_of("web1"), Ok(["node1", "node3"]));
        assert_eq!(inventory.allocate::<1>(&[]), Ok(["node2".to_owned()]));
    }

    #[test]
    fn an_instance_needs_distinct_existing_nodes_and_a_free_name() {
        let mut inventory = three_nodes();
        let refused = inventory.add_instance("web1", pair("node1", "node1"));
        assert_eq!(refused, Err(Refusal::SameNodeTwice("node1".to_owned())));
        let refused = inventory.add_instance("web1", pair("node1", "node9"));
        assert_eq!(refused, Err(Refusal::NoSuchNode("node9".to_owned())));
        inventory.add_instance("web1", Vec::new()).expect("nothing wrong with it");
        let refused = inventory.add_instance("web1", Vec::new());
        assert_eq!(refused, Err(Refusal::InstanceExists("web1".to_owned())));
    }
}
