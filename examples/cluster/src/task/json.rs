//! A task as JSON: one object, whose `op` names the opcode and whose other members are its parameters.
//!
//! serde's own form of an enum, `{"NodeAdd": {"node": "node7"}}`, says where a mistake is. Its form with a tag inside
//! does not. So a job is brought into the first form before serde reads it.

use std::fmt;

use serde_json::{Map, Value};

use super::Task;
use crate::config::Unambiguous;

/// What is wrong with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadJob {
    /// The field that is wrong, if it is one field.
    pub(crate) field: Option<String>,
    pub(crate) reason: String,
}

impl BadJob {
    pub(crate) fn at(field: &str, reason: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), reason: reason.into() }
    }

    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self { field: None, reason: reason.into() }
    }
}

impl fmt::Display for BadJob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.field.iter().try_for_each(|field| write!(out, "{field}: "))?;
        out.write_str(&self.reason)
    }
}

/// JSON in which no object has a key twice.
pub(crate) fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(text).map(|Unambiguous(value)| value)
}

impl Task {
    /// Reads a task, and refuses it with the field and the reason.
    pub(crate) fn from_json(value: Value) -> Result<Self, BadJob> {
        let Value::Object(mut parameters) = value else { return Err(BadJob::whole("expected an object")) };
        let opcode = match parameters.remove("op") {
            Some(Value::String(opcode)) => opcode,
            Some(_) => return Err(BadJob::at("op", "expected a text")),
            None => return Err(BadJob::at("op", "is missing")),
        };
        let named = Value::Object(Map::from_iter([(opcode.clone(), Value::Object(parameters))]));
        let task: Self = serde_path_to_error::deserialize(named).map_err(|error| {
            let path = error.path().to_string();
            misread(&opcode, &path, error.into_inner().to_string())
        })?;
        match task.names().into_iter().find(|(_, name)| name.is_empty()) {
            Some((field, _)) => Err(BadJob::at(field, "a name is empty")),
            None => Ok(task),
        }
    }

    /// The object that [`from_json`](Self::from_json) reads.
    pub(crate) fn to_json(&self) -> Value {
        let mut named = serde_json::to_value(self).expect("a task is plain data");
        let mut object = Map::from_iter([("op".to_owned(), Value::from(self.opcode().to_string()))]);
        if let Some(parameters) = named.get_mut(self.opcode().to_string()).and_then(Value::as_object_mut) {
            object.append(parameters);
        }
        Value::Object(object)
    }
}

/// What serde says of a task of this opcode, where the path leads into the parameters.
fn misread(opcode: &str, path: &str, reason: String) -> BadJob {
    let field = path.strip_prefix(opcode).and_then(|path| path.strip_prefix('.')).unwrap_or_default();
    let missing = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match (field, missing) {
        ("", Some(missing)) => BadJob::at(missing, "is missing"),
        ("", None) => BadJob::at("op", reason),
        (field, _) => BadJob::at(field, reason),
    }
}

/// Reads one line of a job file.
pub(super) fn read_line(line: &[u8]) -> Result<Task, BadJob> {
    let value = parse(line).map_err(|error| {
        // Each line is parsed on its own, so the parser would call every line "line 1".
        BadJob::whole(error.to_string().replace(" at line 1 column ", " at column "))
    })?;
    Task::from_json(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(line: &str) -> String {
        read_line(line.as_bytes()).expect_err("this line is wrong").to_string()
    }

    #[test]
    fn a_task_survives_being_written_and_read() {
        for value in [
            json!({"op": "ClusterVerify"}),
            json!({"op": "InstanceCreate", "instance": "web9", "nodes": ["node1", "node2"]}),
            json!({"op": "InstanceCreate", "instance": "web9", "fails": true}),
            json!({"op": "ReplaceDisks", "instance": "web1", "new_secondary": "node3"}),
            json!({"op": "InstanceRename", "instance": "web1", "new_name": "web2"}),
            json!({"op": "QueryInstances", "instances": ["web1"]}),
            json!({"op": "VerifyDisks"}),
            json!({"op": "SetClusterParams", "parameter": "pool_size", "value": "7"}),
            json!({"op": "RedistributeConfig"}),
            json!({"op": "RenameCluster", "name": "cluster2"}),
            json!({"op": "DestroyCluster"}),
            json!({"op": "DiagnoseOS"}),
            json!({"op": "QueryNodeVolumes", "nodes": ["node1"]}),
            json!({"op": "NodeRemove", "node": "node1"}),
            json!({"op": "NodeSetParams", "node": "node1", "drained": true}),
            json!({"op": "InstanceMigrate", "instance": "web1"}),
            json!({"op": "ActivateDisks", "instance": "web1"}),
            json!({"op": "GrowDisk", "instance": "web1", "by_mib": 1024}),
            json!({"op": "SetInstanceParams", "instance": "web1", "memory_mib": 2048}),
            json!({"op": "InstanceStartup", "instance": "web1"}),
            json!({"op": "InstanceShutdown", "instance": "web1"}),
            json!({"op": "InstanceReboot", "instance": "web1"}),
            json!({"op": "InstanceReinstall", "instance": "web1"}),
            json!({"op": "ExportInstance", "instance": "web1", "node": "node3"}),
            json!({"op": "RemoveExport", "instance": "web1"}),
            json!({"op": "TestDelay", "nodes": ["node1"], "duration_ms": 500}),
        ] {
            let task = Task::from_json(value.clone()).expect("this is a task");
            assert_eq!(task.to_json(), value);
        }
    }

    #[test]
    fn a_wrong_line_is_told_what_is_wrong() {
        assert!(refusal(r#"{"op":"Frobnicate"}"#).starts_with("op: unknown variant `Frobnicate`, expected"));
        assert_eq!(refusal(r#"{"op":7}"#), "op: expected a text");
        assert_eq!(refusal(r#"{"instance":"web1"}"#), "op: is missing");
        assert_eq!(refusal(r#"["ClusterVerify"]"#), "expected an object");
        assert_eq!(refusal(r#"{"op":"NodeAdd"}"#), "node: is missing");
        assert_eq!(refusal(r#"{"op":"NodeAdd","node":7}"#), "node: invalid type: integer `7`, expected a string");
        assert_eq!(
            refusal(r#"{"op":"InstanceCreate","instance":"web9","nodes":["node1",2]}"#),
            "nodes[1]: invalid type: integer `2`, expected a string"
        );
        assert!(refusal(r#"{"op":"ClusterVerify","quick":1}"#).starts_with("quick: unknown field `quick`"));
        assert!(refusal(r#"{"op":"NodeAdd","node":"#).contains("EOF while parsing"));
        assert_eq!(refusal(r#"{"op":"NodeAdd","node":""}"#), "node: a name is empty");
        let twice = "the key `node` appears twice at column 33";
        assert_eq!(refusal(r#"{"op":"NodeAdd","node":"a","node":"b"}"#), twice);
    }
}
