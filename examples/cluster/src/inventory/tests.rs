//! The rules of the inventory.

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
fn the_allocator_passes_over_drained_nodes() {
    let mut inventory = three_nodes();
    inventory.drain("node1", true).expect("it exists");
    assert_eq!(inventory.allocate::<2>(&[]), Ok(["node2".to_owned(), "node3".to_owned()]));
    inventory.drain("node1", false).expect("it exists");
    assert_eq!(inventory.allocate::<1>(&[]), Ok(["node1".to_owned()]));
}

#[test]
fn a_node_in_use_and_a_cluster_in_use_stay() {
    let mut inventory = three_nodes();
    inventory.add_instance("web1", pair("node1", "node2")).expect("both nodes exist");
    let used = Refusal::NodeInUse { node: "node1".to_owned(), instances: 1 };
    assert_eq!(inventory.remove_node("node1"), Err(used));
    assert_eq!(inventory.destroy(), Err(Refusal::NotEmpty { instances: 1, nodes: 3 }));
    inventory.remove_instance("web1").expect("it exists");
    for node in ["node1", "node2"] {
        inventory.remove_node(node).expect("it is not used any more");
    }
    assert_eq!((inventory.has_node("node1"), inventory.destroy()), (false, Ok(())));
}

#[test]
fn a_reboot_needs_a_running_instance_and_a_reinstallation_one_that_is_down() {
    let mut inventory = three_nodes();
    inventory.add_instance("web1", pair("node1", "node2")).expect("both nodes exist");
    let running = Err(Refusal::StillRunning("web1".to_owned()));
    assert_eq!(inventory.change("web1", InstanceChange::Reinstall), running);
    inventory.change("web1", InstanceChange::Shut).expect("it exists");
    assert_eq!(inventory.change("web1", InstanceChange::Reinstall), Ok(()));
    assert_eq!(inventory.change("web1", InstanceChange::Reboot), Err(Refusal::NotRunning("web1".to_owned())));
}

#[test]
fn an_export_outlives_its_instance_and_is_removed_once() {
    let mut inventory = three_nodes();
    inventory.add_instance("web1", pair("node1", "node2")).expect("both nodes exist");
    inventory.export("web1", "node3").expect("both exist");
    inventory.remove_instance("web1").expect("it exists");
    assert_eq!(inventory.remove_export("web1"), Ok(()));
    assert_eq!(inventory.remove_export("web1"), Err(Refusal::NoSuchExport("web1".to_owned())));
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
