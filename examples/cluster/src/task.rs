//! What a job does, as data: the opcodes with their parameters, and the job file.
//!
//! A job file has one JSON object a line; empty lines are skipped. `op` names the opcode:
//!
//! ```text
//! {"op": "ClusterVerify"}                                      likewise VerifyDisks, RedistributeConfig, DestroyCluster
//! {"op": "SetClusterParams", "parameter": "beparams", "value": "auto"}
//! {"op": "RenameCluster", "name": "cluster2"}
//! {"op": "DiagnoseOS", "nodes": ["node1"]}                     likewise QueryNodeVolumes
//! {"op": "DiagnoseOS"}                                         on all of them
//! {"op": "NodeAdd", "node": "node7"}                           likewise NodeRemove
//! {"op": "NodeSetParams", "node": "node7", "drained": true}    the allocator passes it over
//! {"op": "InstanceCreate", "instance": "web9", "nodes": ["node1", "node2"]}
//! {"op": "InstanceCreate", "instance": "web9"}                 nodes chosen by the allocator
//! {"op": "InstanceCreate", "instance": "web9", "fails": true}  fails once the name is added
//! {"op": "InstanceRemove", "instance": "web9"}                 likewise InstanceFailover, InstanceMigrate, ActivateDisks,
//!                                                              InstanceStartup, -Shutdown, -Reboot, -Reinstall
//! {"op": "GrowDisk", "instance": "web1", "by_mib": 1024}
//! {"op": "SetInstanceParams", "instance": "web1", "memory_mib": 2048}
//! {"op": "ReplaceDisks", "instance": "web1", "new_secondary": "node3"}
//! {"op": "ReplaceDisks", "instance": "web1"}                   secondary chosen by the allocator
//! {"op": "InstanceRename", "instance": "web1", "new_name": "web2"}
//! {"op": "QueryInstances", "instances": ["web1", "web2"]}
//! {"op": "QueryInstances"}                                     all of them
//! {"op": "ExportInstance", "instance": "web1", "node": "node3"}
//! {"op": "RemoveExport", "instance": "web1"}
//! {"op": "TestDelay", "nodes": ["node1"], "duration_ms": 500}
//! {"op": "TestDelay", "nodes": ["node1"]}                      for one step of work
//! ```
//!
//! A job looks up its names when it runs, not when it is read: by then other jobs have run.

mod facts;
mod json;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumDiscriminants, VariantArray};

pub(crate) use self::json::{BadJob, parse};

/// An opcode with its parameters. [`from_json`](Self::from_json) and [`to_json`](Self::to_json) are its form in files.
/// The report lists the opcodes in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, EnumDiscriminants)]
#[serde(deny_unknown_fields)]
#[strum_discriminants(name(Opcode), vis(pub(crate)), doc = "The opcodes without their parameters.")]
#[strum_discriminants(derive(PartialOrd, Ord, Serialize, Display, VariantArray))]
pub(crate) enum Task {
    ClusterVerify {},
    VerifyDisks {},
    SetClusterParams {
        parameter: String,
        value: String,
    },
    RedistributeConfig {},
    RenameCluster {
        name: String,
    },
    DestroyCluster {},
    DiagnoseOS {
        /// Without them, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<String>>,
    },
    QueryNodeVolumes {
        /// Without them, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nodes: Option<Vec<String>>,
    },
    NodeAdd {
        node: String,
    },
    NodeRemove {
        node: String,
    },
    NodeSetParams {
        node: String,
        /// Whether the allocator passes it over.
        drained: bool,
    },
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
    InstanceMigrate {
        instance: String,
    },
    ActivateDisks {
        instance: String,
    },
    GrowDisk {
        instance: String,
        by_mib: u32,
    },
    SetInstanceParams {
        instance: String,
        memory_mib: u32,
    },
    ReplaceDisks {
        instance: String,
        /// Without it the allocator chooses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new_secondary: Option<String>,
    },
    InstanceStartup {
        instance: String,
    },
    InstanceShutdown {
        instance: String,
    },
    InstanceReboot {
        instance: String,
    },
    InstanceReinstall {
        instance: String,
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
    ExportInstance {
        instance: String,
        /// Where the export goes.
        node: String,
    },
    RemoveExport {
        instance: String,
    },
    TestDelay {
        nodes: Vec<String>,
        /// Without it, one step of work.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u32>,
    },
}

impl Task {
    pub(crate) fn opcode(&self) -> Opcode {
        self.into()
    }

    /// The names that the task mentions, each with its field, for labels and checks.
    fn names(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::ClusterVerify {} | Self::VerifyDisks {} | Self::RedistributeConfig {} | Self::DestroyCluster {} => {
                Vec::new()
            }
            Self::SetClusterParams { parameter, .. } => named("parameter", [parameter]),
            Self::RenameCluster { name } => named("name", [name]),
            Self::DiagnoseOS { nodes } | Self::QueryNodeVolumes { nodes } => named("nodes", nodes.iter().flatten()),
            Self::TestDelay { nodes, .. } => named("nodes", nodes),
            Self::NodeAdd { node } | Self::NodeRemove { node } | Self::NodeSetParams { node, .. } => {
                named("node", [node])
            }
            Self::InstanceCreate { instance, nodes, .. } => {
                [named("instance", [instance]), named("nodes", nodes.iter().flatten())].concat()
            }
            Self::InstanceRemove { instance }
            | Self::InstanceFailover { instance }
            | Self::InstanceMigrate { instance }
            | Self::ActivateDisks { instance }
            | Self::GrowDisk { instance, .. }
            | Self::SetInstanceParams { instance, .. }
            | Self::InstanceStartup { instance }
            | Self::InstanceShutdown { instance }
            | Self::InstanceReboot { instance }
            | Self::InstanceReinstall { instance }
            | Self::RemoveExport { instance } => named("instance", [instance]),
            Self::ReplaceDisks { instance, new_secondary } => {
                [named("instance", [instance]), named("new_secondary", new_secondary)].concat()
            }
            Self::InstanceRename { instance, new_name } => {
                [named("instance", [instance]), named("new_name", [new_name])].concat()
            }
            Self::QueryInstances { instances } => named("instances", instances.iter().flatten()),
            Self::ExportInstance { instance, node } => [named("instance", [instance]), named("node", [node])].concat(),
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
