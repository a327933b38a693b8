//! What the ledger noticed, in data for programs and in words for people.

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
    /// Whether a lock held this way is enough for work done in the way of `needed`.
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

/// What a job does to the existence of something.
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

/// Something that cannot happen where the locks do what they promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Violation {
    /// Two jobs at once, at least one of them exclusive.
    Overlap { resource: Resource, first: Deed, second: Deed },
    /// A job whose session does not hold what its work needs.
    Unlocked { resource: Resource, deed: Deed, held: Option<Access> },
    /// A job that works on what does not exist.
    Unknown { resource: Resource, deed: Deed },
    /// Added where it was, or removed where it was not.
    Repeated { resource: Resource, job: Who, change: Change },
    /// A job whose reported outcome and whose changes do not agree.
    Misreported { resource: Resource, job: Who, succeeded: bool, change: Option<Change> },
    /// In the end, gone from where it has to be.
    Lost { resource: Resource, from: &'static str },
    /// In the end, present where it must not be.
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
