//! What is known of a task before it runs.

use super::Task;
use crate::inventory::InstanceChange;
use crate::ledger::{Change, Resource};

impl Task {
    /// Whether the job has the cluster to itself.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(
            self,
            Self::NodeAdd { .. }
                | Self::NodeRemove { .. }
                | Self::InstanceRename { .. }
                | Self::RenameCluster { .. }
                | Self::DestroyCluster {}
        )
    }

    /// Whether the job shares all that it works on.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::ClusterVerify {}
                | Self::VerifyDisks {}
                | Self::SetClusterParams { .. }
                | Self::RedistributeConfig {}
                | Self::DiagnoseOS { .. }
                | Self::QueryNodeVolumes { .. }
                | Self::QueryInstances { .. }
        )
    }

    /// The one instance that the job works on, if it is one that exists before.
    pub(crate) fn instance(&self) -> Option<&String> {
        match self {
            Self::InstanceRemove { instance }
            | Self::InstanceFailover { instance }
            | Self::InstanceMigrate { instance }
            | Self::ActivateDisks { instance }
            | Self::GrowDisk { instance, .. }
            | Self::SetInstanceParams { instance, .. }
            | Self::ReplaceDisks { instance, .. }
            | Self::InstanceStartup { instance }
            | Self::InstanceShutdown { instance }
            | Self::InstanceReboot { instance }
            | Self::InstanceReinstall { instance }
            | Self::InstanceRename { instance, .. }
            | Self::ExportInstance { instance, .. } => Some(instance),
            _ => None,
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
            Self::NodeRemove { node } => vec![removed(Resource::node(node))],
            _ => Vec::new(),
        }
    }

    /// The change of an instance that stays where it is, if that is the task.
    pub(crate) fn change(&self) -> Option<InstanceChange> {
        Some(match self {
            Self::ActivateDisks { .. } => InstanceChange::Activate,
            Self::GrowDisk { by_mib, .. } => InstanceChange::Grow { by_mib: *by_mib },
            Self::SetInstanceParams { memory_mib, .. } => InstanceChange::Memory { mib: *memory_mib },
            Self::InstanceStartup { .. } => InstanceChange::Start,
            Self::InstanceShutdown { .. } => InstanceChange::Shut,
            Self::InstanceReboot { .. } => InstanceChange::Reboot,
            Self::InstanceReinstall { .. } => InstanceChange::Reinstall,
            _ => return None,
        })
    }
}
