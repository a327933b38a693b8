//! Why a job can fail. A failure is a legitimate outcome: the report counts it, and it is never a violation.

use lockladder::SessionError;

/// Why a job came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no instance `{0}`")]
    NoSuchInstance(String),
    #[error("there is no node `{0}`")]
    NoSuchNode(String),
    #[error("instance `{0}` already exists")]
    InstanceExists(String),
    #[error("node `{0}` already exists")]
    NodeExists(String),
    #[error("node `{0}` cannot be both primary and secondary")]
    SameNodeTwice(String),
    #[error("instance `{instance}` lives on {nodes} node(s), this needs a primary and a secondary")]
    NotMirrored { instance: String, nodes: usize },
    #[error("the allocator needs {wanted} node(s), the cluster has {found} to offer")]
    TooFewNodes { wanted: usize, found: usize },
    #[error("creating the disks of `{0}` failed, as this job was told to")]
    DisksFailed(String),
    #[error("node `{node}` is in use by {instances} instance(s)")]
    NodeInUse { node: String, instances: usize },
    #[error("instance `{0}` is not running")]
    NotRunning(String),
    #[error("instance `{0}` is still running")]
    StillRunning(String),
    #[error("there is no export of `{0}`")]
    NoSuchExport(String),
    #[error("the cluster still has {instances} instance(s) and {nodes} node(s), it must be empty but for one node")]
    NotEmpty { instances: usize, nodes: usize },
    #[error("the job was cancelled")]
    Cancelled,
    /// Mostly a name that no longer exists, or that exists already.
    #[error(transparent)]
    Locks(#[from] SessionError),
}
