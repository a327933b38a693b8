//! What a job does, as data: the opcodes with their parameters, and the job file.
//!
//! A job file has one JSON object a line; empty lines are skipped. `op` names the opcode:
//!
//! ```text
//! {"op": "ClusterVerify"}
//! {"op": "InstanceCreate", "instance": "web9", "nodes": ["node1", "node2"]}
//! {"op": "InstanceCreate", "instance": "web9"}                 nodes chosen by the allocator
//! {"op": "InstanceCreate", "instance": "web9", "fails": true}  fails once the name is added
//! {"op": "InstanceRemove", "instance": "web9"}
//! {"op": "InstanceFailover", "instance": "web1"}
//! {"op": "ReplaceDisks", "instance": "web1", "new_secondary": "node3"}
//! {"op": "ReplaceDisks", "instance": "web1"}                   secondary chosen by the allocator
//! {"op": "NodeAdd", "node": "node7"}
//! {"op": "InstanceRename", "instance": "web1", "new_name": "web2"}
//! {"op": "QueryInstances", "instances": ["web1", "web2"]}
//! {"op": "QueryInstances"}                                     all of them
//! ```
//!
//! A job looks up its names when it runs, not when it is read: by then other jobs have run.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ledger::{Change, Resource};

mod json;

pub(crate) use self::json::{BadJob, parse};

/// An opcode with its parameters. [`from_json`](Self::from_json) and [`to_json`](Self::to_json) are its form in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Task {
    ClusterVerify {},
    InstanceCreate {
        instance: String,
        /// Primary and secondary; without them the allocator chooses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<[String; 2]>,
        /// Simulates a failure after the name was added.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        fails: bool,
    },
    InstanceRemove {
        instance: String,
    },
    InstanceFailover {
        instance: String,
    },
    ReplaceDisks {
        instance: String,
        /// Without it the allocator chooses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new_secondary: Option<String>,
    },
    NodeAdd {
        node: String,
    },
    InstanceRename {
        instance: String,
        new_name: String,
    },
    QueryInstances {
        /// Without them, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instances: Option<Vec<String>>,
    },
}

/// The opcodes, in the order in which the report lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Opcode {
    ClusterVerify,
    InstanceCreate,
    InstanceRemove,
    InstanceFailover,
    ReplaceDisks,
    NodeAdd,
    InstanceRename,
    QueryInstances,
}

impl Opcode {
    pub(crate) const ALL: [Self; 8] = [
        Self::ClusterVerify,
        Self::InstanceCreate,
        Self::InstanceRemove,
        Self::InstanceFailover,
        Self::ReplaceDisks,
        Self::NodeAdd,
        Self::InstanceRename,
        Self::QueryInstances,
    ];
}

impl fmt::Display for Opcode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

impl Task {
    pub(crate) fn opcode(&self) -> Opcode {
        match self {
            Self::ClusterVerify {} => Opcode::ClusterVerify,
            Self::InstanceCreate { .. } => Opcode::InstanceCreate,
            Self::InstanceRemove { .. } => Opcode::InstanceRemove,
            Self::InstanceFailover { .. } => Opcode::InstanceFailover,
            Self::ReplaceDisks { .. } => Opcode::ReplaceDisks,
            Self::NodeAdd { .. } => Opcode::NodeAdd,
            Self::InstanceRename { .. } => Opcode::InstanceRename,
            Self::QueryInstances { .. } => Opcode::QueryInstances,
        }
    }

    /// What the task adds and removes if it succeeds. A failed task changes nothing.
    pub(crate) fn effect(&self) -> Vec<(Resource, Change)> {
        let added = |resource| (resource, Change::Added);
        let removed = |resource| (resource, Change::Removed);
        match self {
            Self::InstanceCreate { instance, .. } => vec![added(Resource::instance(instance))],
            Self::InstanceRemove { instance } => vec![removed(Resource::instance(instance))],
            Self::InstanceRename { instance, new_name } => {
                vec![removed(Resource::instance(instance)), added(Resource::instance(new_name))]
            }
            Self::NodeAdd { node } => vec![added(Resource::node(node))],
            Self::ClusterVerify {}
            | Self::InstanceFailover { .. }
            | Self::ReplaceDisks { .. }
            | Self::QueryInstances { .. } => Vec::new(),
        }
    }

    /// The names that the task mentions, each with its field, for labels and checks.
    fn names(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::ClusterVerify {} => Vec::new(),
            Self::InstanceCreate { instance, nodes, .. } => {
                [named("instance", [instance]), named("nodes", nodes.iter().flatten())].concat()
            }
            Self::InstanceRemove { instance } | Self::InstanceFailover { instance } => named("instance", [instance]),
            Self::ReplaceDisks { instance, new_secondary } => {
                [named("instance", [instance]), named("new_secondary", new_secondary)].concat()
            }
            Self::NodeAdd { node } => named("node", [node]),
            Self::InstanceRename { instance, new_name } => {
                [named("instance", [instance]), named("new_name", [new_name])].concat()
            }
            Self::QueryInstances { instances } => named("instances", instances.iter().flatten()),
        }
    }
}

fn named<'t>(field: &'static str, names: impl IntoIterator<Item = &'t String>) -> Vec<(&'static str, &'t str)> {
    names.into_iter().map(|name| (field, name.as_str())).collect()
}

/// The opcode and the first name: enough to find the job, however many names it has.
impl fmt::Display for Task {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.opcode())?;
        self.names().first().map_or(Ok(()), |(_, name)| write!(out, " {name}"))
    }
}

/// Why a job file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobFileError {
    #[error("cannot read {}: {source}", .file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{}: line {line}: {reason}", .file.display())]
    BadLine { file: PathBuf, line: usize, reason: BadJob },
}

/// The tasks in `file`, in the order of its lines.
pub(crate) fn read_job_file(file: &Path) -> Result<Vec<Task>, JobFileError> {
    let text = std::fs::read(file).map_err(|source| JobFileError::Unreadable { file: file.to_owned(), source })?;
    let mut tasks = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        tasks.push(json::read_line(line).map_err(|reason| JobFileError::BadLine {
            file: file.to_owned(),
            line: index + 1,
            reason,
        })?);
    }
    Ok(tasks)
}
