//! Reads a cluster configuration: Ganeti's `config.data`, in all shapes that it has had.
//!
//! | since | nodes and instances | disks | nodes of an instance |
//! |---|---|---|---|
//! | 2.7 | keyed by name | inline, with nested `children` | `primary_node`, DRBD peers in `logical_id` |
//! | 2.10 | keyed by UUID, with a `name` | the same | the same; the references are UUIDs |
//! | 2.16 | the same | a top-level map `disks` | `primary_node`, each disk's `nodes` |
//!
//! The reader does not depend on the version: it takes each reference by key or by name, each disk inline or from the
//! map, and the nodes from wherever they are given. If something makes no sense, it returns an error that names the
//! file and the place in it; a half-read configuration is never used.

mod json;
mod scale;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use self::json::{Complaint, Cursor};
use crate::inventory::Inventory;

pub(crate) use self::json::Unambiguous;
pub(crate) use self::scale::scale;

/// A made-up cluster, for runs without `--config`.
const SAMPLE: &str = include_str!("sample.json");

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {}: {source}", .file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    /// The line and column are in the reason, where `serde_json` puts them.
    #[error("{} is broken JSON: {reason}{hint}", .file.display())]
    Broken { file: PathBuf, reason: String, hint: &'static str },
    #[error("{} is JSON, but no Ganeti configuration: {reason}", .file.display())]
    Foreign { file: PathBuf, reason: String },
    #[error("{}: {place}: {reason}", .file.display())]
    Wrong { file: PathBuf, place: String, reason: String },
}

/// The configuration in `file`, or the embedded sample.
pub(crate) fn load(file: Option<&Path>) -> Result<Inventory, ConfigError> {
    let Some(file) = file else {
        return parse(Path::new("the embedded sample"), SAMPLE.as_bytes());
    };
    let text = std::fs::read(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    parse(file, &text)
}

fn parse(file: &Path, text: &[u8]) -> Result<Inventory, ConfigError> {
    let file = file.to_owned();
    let Unambiguous(value) = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(error) => {
            let hint = if error.is_eof() { " (the file ends too early)" } else { "" };
            return Err(ConfigError::Broken { file, reason: error.to_string(), hint });
        }
    };
    let top = Cursor::top(&value);
    if let Some(reason) = foreign(&top) {
        return Err(ConfigError::Foreign { file, reason });
    }
    interpret(&top).map_err(|Complaint { place, reason }| ConfigError::Wrong { file, place, reason })
}

/// The reason why this JSON cannot be a Ganeti configuration, if there is one.
fn foreign(top: &Cursor<'_>) -> Option<String> {
    if !top.value().is_object() {
        return Some("the top of the file is not an object".to_owned());
    }
    let missing: Vec<_> = ["nodes", "instances"]
        .into_iter()
        .filter(|section| top.member(section).is_none())
        .map(|section| format!("no `{section}`"))
        .collect();
    if !missing.is_empty() {
        return Some(format!("it has {}", missing.join(" and ")));
    }
    match top.member("version") {
        Some(version) if !version.value().is_u64() => Some("its `version` is not a whole number".to_owned()),
        _ => None,
    }
}

/// Everything that a reference in the file can name.
struct References<'v> {
    /// Node names by key and by name: references used to be names and became UUIDs.
    nodes: BTreeMap<&'v str, &'v str>,
    /// The top-level disks by UUID.
    disks: BTreeMap<&'v str, Cursor<'v>>,
}

fn interpret(top: &Cursor<'_>) -> Result<Inventory, Complaint> {
    let mut inventory = Inventory::default();
    if let Some(name) = top.member("cluster").and_then(|cluster| cluster.member("cluster_name")) {
        inventory.set_name(name.text()?);
    }
    let nodes = named_entries(&top.required("nodes")?)?;
    if nodes.is_empty() {
        return top.required("nodes")?.complain("is empty: every cluster has a node");
    }
    let mut references = References { nodes: BTreeMap::new(), disks: BTreeMap::new() };
    for Entry { key, name, at } in nodes {
        if inventory.add_node(name).is_err() {
            return at.complain(format!("the name `{name}` is already taken by another node"));
        }
        references.nodes.insert(key, name);
        references.nodes.insert(name, name);
    }
    if let Some(disks) = top.member("disks") {
        references.disks = disks.entries()?.collect();
    }
    for Entry { name, at, .. } in named_entries(&top.required("instances")?)? {
        let nodes = references.nodes_of(&at)?;
        if inventory.add_instance(name, nodes).is_err() {
            return at.complain(format!("the name `{name}` is already taken by another instance"));
        }
    }
    Ok(inventory)
}

struct Entry<'v> {
    key: &'v str,
    name: &'v str,
    at: Cursor<'v>,
}

/// The entries of a section, each with its name: its `name` member, or else its key.
fn named_entries<'v>(section: &Cursor<'v>) -> Result<Vec<Entry<'v>>, Complaint> {
    let mut entries = Vec::new();
    for (key, at) in section.entries()? {
        if !at.value().is_object() {
            return at.complain("is not an object");
        }
        let name = match at.member("name") {
            Some(name) => name.text()?,
            None if looks_like_uuid(key) && !is_forthcoming(&at) => {
                return at.complain("has no `name`");
            }
            None => key,
        };
        entries.push(Entry { key, name, at });
    }
    Ok(entries)
}

impl References<'_> {
    /// The nodes of an instance, the primary first, each once.
    fn nodes_of(&self, instance: &Cursor<'_>) -> Result<Vec<String>, Complaint> {
        let mut nodes = Vec::new();
        match instance.member("primary_node") {
            Some(primary) => nodes.push(self.node(&primary)?),
            // The instance is planned but not placed yet: Ganeti allows it to have no primary.
            None if is_forthcoming(instance) => {}
            None => return instance.complain("has no `primary_node`"),
        }
        if let Some(disks) = instance.member("disks") {
            for disk in disks.items()? {
                self.collect_nodes(&disk, &mut nodes)?;
            }
        }
        let mut seen = BTreeSet::new();
        nodes.retain(|node| seen.insert(*node));
        Ok(nodes.into_iter().map(str::to_owned).collect())
    }

    /// Adds the nodes of one disk and of its children to `nodes`.
    fn collect_nodes<'s>(&'s self, disk: &Cursor<'_>, nodes: &mut Vec<&'s str>) -> Result<(), Complaint> {
        if let Some(uuid) = disk.value().as_str() {
            return match self.disks.get(uuid) {
                Some(disk) if disk.value().is_object() => self.collect_nodes(disk, nodes),
                Some(disk) => disk.complain("is not an object"),
                None => disk.complain(format!("names disk `{uuid}`, which the file does not have")),
            };
        }
        if !disk.value().is_object() {
            return disk.complain("is neither a disk nor the UUID of one");
        }
        if let Some(listed) = disk.member("nodes") {
            for node in listed.items()? {
                nodes.push(self.node(&node)?);
            }
        }
        nodes.extend(self.drbd_peers(disk)?.into_iter().flatten());
        if let Some(children) = disk.member("children") {
            for child in children.items()? {
                self.collect_nodes(&child, nodes)?;
            }
        }
        Ok(())
    }

    /// The two nodes of a DRBD disk. Only a DRBD disk has a `logical_id` that begins with nodes: in other types its
    /// first two parts are a volume group and a volume, or a driver and a path.
    fn drbd_peers(&self, disk: &Cursor<'_>) -> Result<Option<[&str; 2]>, Complaint> {
        let lists_nodes = disk.member("nodes").is_some();
        let dev_type = match disk.member("dev_type") {
            Some(dev_type) => dev_type.text()?,
            None if lists_nodes => return Ok(None),
            None => return disk.complain("has neither `dev_type` nor `nodes`"),
        };
        if !matches!(dev_type, "drbd" | "drbd8") {
            return Ok(None);
        }
        let Some(logical_id) = disk.member("logical_id") else {
            if lists_nodes {
                return Ok(None);
            }
            return disk.complain("is a DRBD disk with neither `logical_id` nor `nodes`");
        };
        let mut parts = logical_id.items()?;
        let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
            return logical_id.complain("should begin with the two nodes of the DRBD disk");
        };
        Ok(Some([self.node(&first)?, self.node(&second)?]))
    }

    /// The name of the node that `reference` refers to.
    fn node(&self, reference: &Cursor<'_>) -> Result<&str, Complaint> {
        let text = reference.text()?;
        let name = self.nodes.get(text).copied();
        name.map_or_else(|| reference.complain(format!("names node `{text}`, which the file does not have")), Ok)
    }
}

/// Whether Ganeti only plans this entry (since 2.16). Such an entry need not be complete.
fn is_forthcoming(entry: &Cursor<'_>) -> bool {
    entry.value().get("forthcoming").and_then(serde_json::Value::as_bool) == Some(true)
}

fn looks_like_uuid(key: &str) -> bool {
    let mut lengths = key.split('-').map(str::len);
    lengths.by_ref().eq([8, 4, 4, 4, 12]) && key.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
