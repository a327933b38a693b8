//! What the ledger noticed, as data and in words.

use std::fmt;

use serde::Serialize;

/// How a job works on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    Shared,
    Exclusive,
}

impl Access {
    /// Whether a lock held this way covers work that needs `needed`.
    pub(crate) fn covers(self, needed: Self) -> bool {
        self == Self::Exclusive || needed == Self::Shared
    }
}

/// Something that jobs work on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Resource {
    Instance(String),
    Node(String),
}

impl Resource {
    pub(crate) fn instance(name: &str) -> Self {
        Self::Instance(name.to_owned())
    }

    pub(crate) fn node(name: &str) -> Self {
        Self::Node(name.to_owned())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(name) => write!(out, "instance `{name}`"),
            Self::Node(name) => write!(out, "node `{name}`"),
        }
    }
}

/// Whether a job adds or removes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    Added,
    Removed,
}

/// A job as violations name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Who {
    /// Its place in the stream, from 1.
    pub(crate) number: usize,
    pub(crate) task: String,
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "job {} ({})", self.number, self.task)
    }
}

/// A job and how it worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Deed {
    pub(crate) job: Who,
    pub(crate) access: Access,
}

impl fmt::Display for Deed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.access {
            Access::Shared => "shared",
            Access::Exclusive => "exclusively",
        };
        write!(out, "{} worked on it {how}", self.job)
    }
}

/// Something that cannot happen if the jobs take their locks and the locks keep their promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Violation {
    /// Two jobs worked on it at once, at least one of them exclusively.
    Overlap { resource: Resource, first: Deed, second: Deed },
    /// A job's session did not hold what its work needed.
    Unlocked { resource: Resource, deed: Deed, held: Option<Access> },
    /// A job worked on something that did not exist.
    Unknown { resource: Resource, deed: Deed },
    /// A job added what was there already, or removed what was not there.
    Repeated { resource: Resource, job: Who, change: Change },
    /// A job's changes do not agree with the outcome that it reported.
    Misreported { resource: Resource, job: Who, succeeded: bool, change: Option<Change> },
    /// In the end, missing from a place that must have it.
    Lost { resource: Resource, from: &'static str },
    /// In the end, present in a place that must not have it.
    Stray { resource: Resource, at: &'static str },
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { resource, first, second } => {
                write!(out, "{resource}: {first}, and before that ended {second}")
            }
            Self::Unlocked { resource, deed, held } => {
                let held = if held.is_some() { "only a shared lock on it" } else { "no lock on it" };
                write!(out, "{resource}: {deed} but held {held}")
            }
            Self::Unknown { resource, deed } => {
                write!(out, "{resource}: {deed} but it did not exist")
            }
            Self::Repeated { resource, job, change: Change::Added } => {
                write!(out, "{resource}: {job} added it but it was there already")
            }
            Self::Repeated { resource, job, change: Change::Removed } => {
                write!(out, "{resource}: {job} removed it but it was not there")
            }
            Self::Misreported { resource, job, succeeded, change } => {
                let outcome = if *succeeded { "success" } else { "failure" };
                let deed = match change {
                    Some(Change::Added) => "added it",
                    Some(Change::Removed) => "removed it",
                    None => "left it as it was",
                };
                write!(out, "{resource}: {job} reported {outcome} but {deed}")
            }
            Self::Lost { resource, from } => {
                write!(out, "{resource} is lost: it should exist, but {from} does not have it")
            }
            Self::Stray { resource, at } => {
                write!(out, "{resource} is a stray: it should not exist, but {at} has it")
            }
        }
    }
}
