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

/// An opcode with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", deny_unknown_fields)]
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

    /// The names that the task mentions, for labels and checks.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::ClusterVerify {} => Vec::new(),
            Self::InstanceCreate { instance, nodes, .. } => {
                let nodes = nodes.iter().flatten();
                std::iter::once(instance).chain(nodes).map(String::as_str).collect()
            }
            Self::InstanceRemove { instance } | Self::InstanceFailover { instance } => {
                vec![instance]
            }
            Self::ReplaceDisks { instance, new_secondary } => {
                let secondary = new_secondary.as_deref();
                std::iter::once(instance.as_str()).chain(secondary).collect()
            }
            Self::NodeAdd { node } => vec![node],
            Self::InstanceRename { instance, new_name } => vec![instance, new_name],
            Self::QueryInstances { instances } => instances.iter().flatten().map(String::as_str).collect(),
        }
    }
}

/// The opcode and the first name: enough to find the job, however many names it has.
impl fmt::Display for Task {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.opcode())?;
        self.names().first().map_or(Ok(()), |name| write!(out, " {name}"))
    }
}

/// Why a job file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobFileError {
    #[error("cannot read {}: {source}", .file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{}: line {line}: {reason}", .file.display())]
    BadLine { file: PathBuf, line: usize, reason: String },
}

/// The tasks in `file`, in the order of its lines.
pub(crate) fn read_job_file(file: &Path) -> Result<Vec<Task>, JobFileError> {
    let text = std::fs::read(file).map_err(|source| JobFileError::Unreadable { file: file.to_owned(), source })?;
    let mut tasks = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        tasks.push(read_line(line).map_err(|reason| JobFileError::BadLine {
            file: file.to_owned(),
            line: index + 1,
            reason,
        })?);
    }
    Ok(tasks)
}

fn read_line(line: &[u8]) -> Result<Task, String> {
    let task: Task = serde_json::from_slice(line).map_err(|error| {
        // Each line is parsed on its own, so the parser would call every line "line 1".
        error.to_string().replace(" at line 1 column ", " at column ")
    })?;
    if task.names().contains(&"") {
        return Err("a name is empty".to_owned());
    }
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        read_line(line.as_bytes()).expect_err("this line is wrong")
    }

    #[test]
    fn a_task_survives_being_written_and_read() {
        let lines = [
            r#"{"op":"ClusterVerify"}"#,
            r#"{"op":"InstanceCreate","instance":"web9","nodes":["node1","node2"]}"#,
            r#"{"op":"InstanceCreate","instance":"web9","fails":true}"#,
            r#"{"op":"ReplaceDisks","instance":"web1","new_secondary":"node3"}"#,
            r#"{"op":"InstanceRename","instance":"web1","new_name":"web2"}"#,
            r#"{"op":"QueryInstances","instances":["web1"]}"#,
        ];
        for line in lines {
            let task = read_line(line.as_bytes()).expect("this line is right");
            assert_eq!(serde_json::to_string(&task).expect("tasks are plain data"), line);
        }
    }

    #[test]
    fn a_wrong_line_is_told_what_is_wrong() {
        assert!(refusal(r#"{"op":"Reboot"}"#).starts_with("unknown variant `Reboot`, expected"));
        assert!(refusal(r#"{"op":"NodeAdd"}"#).contains("missing field `node`"));
        assert!(refusal(r#"{"op":"ClusterVerify","quick":1}"#).contains("unknown field `quick`"));
        assert!(refusal(r#"{"op":"NodeAdd","node":"#).contains("EOF while parsing"));
        assert_eq!(refusal(r#"{"op":"NodeAdd","node":""}"#), "a name is empty");
    }
}
