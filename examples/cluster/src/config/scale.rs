//! Grows a cluster: more instances of the same kind, and nodes in proportion.

use crate::inventory::Inventory;

/// With fewer than three nodes there is no choice of secondary, and replacing disks could never work.
const FEWEST_NODES: usize = 3;

/// The error of a request to shrink a cluster, which can only grow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--scale {wanted} is less than the {present} instances that the configuration has")]
pub(crate) struct ScaleError {
    pub(crate) wanted: usize,
    pub(crate) present: usize,
}

/// Grows `base` to `wanted` instances. Everything in `base` stays unchanged; new instances go round the nodes, each
/// with a primary and a secondary. The same call always gives the same cluster.
pub(crate) fn scale(base: &Inventory, wanted: usize) -> Result<Inventory, ScaleError> {
    let present = base.instance_names().len();
    if wanted < present {
        return Err(ScaleError { wanted, present });
    }
    let mut grown = base.clone();
    let base_nodes = base.node_names().len();
    // Without instances there is no proportion to keep: the aim is one node for each instance.
    let per_instance = if present == 0 { base_nodes } else { present };
    let nodes_wanted = (wanted * base_nodes).div_ceil(per_instance).max(FEWEST_NODES);
    let mut fresh = (1..).map(|number| format!("node{number:04}.example.com"));
    while grown.node_names().len() < nodes_wanted {
        // If the base already uses this name, `add_node` refuses it, and the loop tries the next.
        let _ = fresh.next().map(|node| grown.add_node(&node));
    }

    let nodes: Vec<String> = grown.node_names().cloned().collect();
    let mut fresh = (1..).map(|number| format!("instance{number:04}.example.com"));
    let mut turn = 0;
    while grown.instance_names().len() < wanted {
        let pair = pair_for(turn, &nodes);
        let added = fresh.next().map(|instance| grown.add_instance(&instance, pair));
        turn += usize::from(matches!(added, Some(Ok(()))));
    }
    Ok(grown)
}

/// A primary that goes round the nodes, and a secondary that is one node further away each time round.
fn pair_for(turn: usize, nodes: &[String]) -> Vec<String> {
    let primary = turn % nodes.len();
    let distance = 1 + (turn / nodes.len()) % (nodes.len() - 1);
    let secondary = (primary + distance) % nodes.len();
    vec![nodes[primary].clone(), nodes[secondary].clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(nodes: usize, instances: usize) -> Inventory {
        let mut base = Inventory::default();
        for node in 0..nodes {
            base.add_node(&format!("base{node}")).expect("each name is new");
        }
        for instance in 0..instances {
            let nodes = vec![format!("base{}", instance % nodes)];
            base.add_instance(&format!("web{instance}"), nodes).expect("each name is new");
        }
        base
    }

    #[test]
    fn nodes_grow_in_proportion_rounded_up() {
        let grown = scale(&base(4, 6), 20).expect("it is more");
        assert_eq!(grown.instance_names().len(), 20);
        assert_eq!(grown.node_names().len(), 14);
    }

    #[test]
    fn what_was_there_stays_and_what_is_new_is_mirrored() {
        let grown = scale(&base(4, 6), 40).expect("it is more");
        assert_eq!(grown.nodes_of("web5").map(<[String]>::len), Ok(1));
        for instance in grown.instance_names().filter(|name| name.starts_with("instance")) {
            grown.pair_of(instance).expect("new instances are mirrored");
        }
    }

    #[test]
    fn a_cluster_is_never_shrunk() {
        assert_eq!(scale(&base(4, 6), 5), Err(ScaleError { wanted: 5, present: 6 }));
    }

    #[test]
    fn a_grown_cluster_has_enough_nodes_for_pairs() {
        let grown = scale(&base(1, 1), 2).expect("it is more");
        assert_eq!(grown.node_names().len(), 3);
        assert_eq!(scale(&base(2, 0), 0).map(|grown| grown.node_names().len()), Ok(3));
    }
}
