//! Draws names.

use std::collections::BTreeSet;

use rand::Rng;

use super::Generator;
use crate::inventory::Inventory;

impl Generator {
    /// Two different nodes, if there are two.
    pub(super) fn draw_pair(&mut self) -> Option<[String; 2]> {
        let count = self.nodes.len();
        if count < 2 {
            return None;
        }
        let primary = self.rng.random_range(0..count);
        let secondary = (primary + self.rng.random_range(1..count)) % count;
        Some([self.nodes[primary].clone(), self.nodes[secondary].clone()])
    }

    /// Some different nodes; none for one job in four.
    pub(super) fn draw_some_nodes(&mut self) -> Option<Vec<String>> {
        if self.rng.random_ratio(1, 4) {
            return None;
        }
        let count = self.rng.random_range(1..=3);
        let names: BTreeSet<_> = (0..count).map(|_| self.rng.random_range(0..self.nodes.len())).collect();
        Some(names.into_iter().map(|index| self.nodes[index].clone()).collect())
    }

    pub(super) fn draw_index(&mut self) -> Option<usize> {
        let count = self.instances.len();
        (count > 0).then(|| self.rng.random_range(0..count))
    }

    pub(super) fn draw_instance(&mut self) -> String {
        self.instances[self.rng.random_range(0..self.instances.len())].clone()
    }

    /// A name that `taken` does not know and that this generator has not made before.
    pub(super) fn fresh_name(&mut self, stem: &str, taken: impl Fn(&Inventory, &str) -> bool) -> String {
        loop {
            self.names_made += 1;
            let name = format!("{stem}{:05}.example.com", self.names_made);
            if !taken(&self.expected, &name) {
                return name;
            }
        }
    }
}
