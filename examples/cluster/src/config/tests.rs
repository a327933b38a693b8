//! The shapes that the reader accepts, and its messages for those that it refuses.

use std::path::Path;

use serde_json::{Value, json};

use super::{ConfigError, SAMPLE, load, parse};
use crate::inventory::Inventory;

const UUID1: &str = "00000000-0000-4000-8000-000000000001";
const UUID2: &str = "00000000-0000-4000-8000-000000000002";
const UUID3: &str = "00000000-0000-4000-8000-000000000003";

fn read(config: &Value) -> Result<Inventory, ConfigError> {
    parse(Path::new("config.data"), config.to_string().as_bytes())
}

fn complaint(config: &Value) -> String {
    read(config).expect_err("this configuration is wrong").to_string()
}

fn nodes_of_web1(config: &Value) -> Vec<String> {
    let inventory = read(config).expect("this configuration is right");
    inventory.nodes_of("web1").expect("it has web1").to_vec()
}

/// Ganeti 2.7: everything keyed by name, a DRBD disk with plain children.
fn keyed_by_name() -> Value {
    json!({
        "version": 2_070_000,
        "nodes": {"node1": {"name": "node1"}, "node2": {"name": "node2"}},
        "instances": {"web1": {"name": "web1", "primary_node": "node1", "disks": [{
            "dev_type": "drbd8",
            "logical_id": ["node1", "node2", 11000, 0, 0, "secret"],
            "children": [{"dev_type": "lvm", "logical_id": ["node9", "data"]}],
        }]}},
    })
}

/// Ganeti 2.10: keyed by UUID, disks still inline; here the DRBD disk is itself a child.
fn keyed_by_uuid() -> Value {
    json!({
        "version": 2_100_000,
        "nodes": {UUID1: {"name": "node1"}, UUID2: {"name": "node2"}},
        "instances": {UUID3: {"name": "web1", "primary_node": UUID2, "disks": [{
            "dev_type": "plain",
            "logical_id": ["vg0", "top"],
            "children": [{"dev_type": "drbd", "logical_id": [UUID1, UUID2, 11000, 0, 0, "secret"]}],
        }]}},
    })
}

/// Ganeti 2.16: disks in a map of their own.
fn disks_apart() -> Value {
    json!({
        "version": 2_160_000,
        "nodes": {UUID1: {"name": "node1"}, UUID2: {"name": "node2"}},
        "instances": {UUID3: {"name": "web1", "primary_node": UUID1, "disks": ["disk0"]}},
        "disks": {"disk0": {"dev_type": "plain", "logical_id": ["a", "b"], "nodes": [UUID1, UUID2]}},
    })
}

#[test]
fn the_embedded_sample_is_a_valid_configuration() {
    let sample = load(None).expect("the sample is ours");
    assert_eq!((sample.node_names().len(), sample.instance_names().len()), (6, 12));
    assert!(SAMPLE.is_ascii());
}

#[test]
fn every_shape_gives_the_primary_first_and_each_node_once() {
    assert_eq!(nodes_of_web1(&keyed_by_name()), ["node1", "node2"]);
    assert_eq!(nodes_of_web1(&keyed_by_uuid()), ["node2", "node1"]);
    assert_eq!(nodes_of_web1(&disks_apart()), ["node1", "node2"]);
}

#[test]
fn a_logical_id_names_nodes_only_where_the_disk_is_drbd() {
    let mut config = keyed_by_name();
    config["instances"]["web1"]["disks"] = json!([{"dev_type": "lvm", "logical_id": ["node2", "volume"]}]);
    assert_eq!(nodes_of_web1(&config), ["node1"]);
}

#[test]
fn a_forthcoming_instance_need_not_be_placed_or_named() {
    let mut config = disks_apart();
    config["instances"] = json!({UUID3: {"forthcoming": true, "disks": []}});
    let inventory = read(&config).expect("Ganeti writes such entries");
    assert_eq!(inventory.nodes_of(UUID3).map(<[String]>::len), Ok(0));
}

#[test]
fn a_reference_to_nothing_is_named_with_its_place() {
    let mut config = keyed_by_name();
    config["instances"]["web1"]["primary_node"] = json!("node7");
    let words = "config.data: instances.web1.primary_node: \
                 names node `node7`, which the file does not have";
    assert_eq!(complaint(&config), words);

    let mut config = keyed_by_name();
    config["instances"]["web1"]["disks"][0]["logical_id"][1] = json!("node8");
    let words = "config.data: instances.web1.disks[0].logical_id[1]: \
                 names node `node8`, which the file does not have";
    assert_eq!(complaint(&config), words);

    let mut config = disks_apart();
    config["disks"] = json!({});
    let place = format!("config.data: instances.{UUID3}.disks[0]: names disk `disk0`, which");
    assert!(complaint(&config).starts_with(&place));
}

#[test]
fn a_name_that_two_entries_claim_is_an_error() {
    let mut config = keyed_by_uuid();
    config["nodes"][UUID2]["name"] = json!("node1");
    assert!(complaint(&config).ends_with("the name `node1` is already taken by another node"));

    let mut config = keyed_by_uuid();
    config["instances"]["other"] = json!({"name": "web1", "primary_node": UUID1, "disks": []});
    assert!(complaint(&config).ends_with("the name `web1` is already taken by another instance"));
}

#[test]
fn a_key_that_appears_twice_is_an_error_with_line_and_column() {
    let text = b"{\"nodes\": {\"node1\": {},\n\"node1\": {}}, \"instances\": {}}";
    let error = parse(Path::new("config.data"), text).expect_err("node1 is there twice");
    let words = "config.data is broken JSON: the key `node1` appears twice at line 2 column";
    assert!(error.to_string().starts_with(words), "{error}");
}

#[test]
fn a_truncated_file_is_told_by_line_and_column() {
    let text = keyed_by_name().to_string();
    let error = parse(Path::new("config.data"), &text.as_bytes()[..40]).expect_err("it is cut");
    assert!(error.to_string().contains("line 1 column 40 (the file ends too early)"), "{error}");
}

#[test]
fn json_that_is_something_else_is_told_what_it_lacks() {
    assert!(complaint(&json!({"name": "left-pad"})).ends_with("has no `nodes` and no `instances`"));
    assert!(complaint(&json!([1, 2])).ends_with("the top of the file is not an object"));
    assert!(complaint(&json!({"nodes": {}})).ends_with("it has no `instances`"));
    let config = json!({"version": "1.0.3", "nodes": {}, "instances": {}});
    assert!(complaint(&config).ends_with("its `version` is not a whole number"));
    let config = json!({"nodes": {}, "instances": {}});
    assert!(complaint(&config).starts_with("config.data: nodes: is empty"));
    let config = json!({"nodes": ["node1"], "instances": {}});
    assert_eq!(complaint(&config), "config.data: nodes: expected an object, found a list");
}
