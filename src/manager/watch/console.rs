//! The shape by which tokio-console knows locks and the tasks that wait for them.
//!
//! Its subscriber takes any span named `runtime.resource` for a resource, whoever made it; a span
//! `runtime.resource.async_op` that is made within one for an operation on it; and an event of the target
//! `runtime::resource::poll_op` within both for a poll by the current task. A level of a manager is a resource here, and a
//! request is an operation. The target of the spans is `runtime`, so that the filter that the console's manual
//! recommends, `tokio=trace,runtime=trace`, lets them pass.

use super::span::QuietSpan;
use super::word;
use crate::mode::LockMode;
use crate::panics::quietly;
use tracing::{Level, event, span};

/// The levels of a manager.
pub(super) struct Resources(Box<[QuietSpan]>);

impl Resources {
    pub(super) fn new(hierarchy: &'static str, levels: &'static [&'static str]) -> Self {
        let resource = |level: &&str| {
            span!(
                target: "runtime",
                parent: None,
                Level::TRACE,
                "runtime.resource",
                concrete_type = format!("{hierarchy}::{level}").as_str(),
                kind = "Sync",
            )
        };
        Self(levels.iter().map(|level| QuietSpan::of(|| resource(level))).collect())
    }
}

/// A request for a level.
pub(super) struct Operation {
    resource: QuietSpan,
    span: QuietSpan,
    mode: &'static str,
}

impl Operation {
    /// `None` if no console listens.
    pub(super) fn new(resources: &Resources, level: usize, mode: LockMode) -> Option<Self> {
        let resource = resources.0.get(level).filter(|resource| !resource.is_none())?;
        let make = || span!(target: "runtime", Level::TRACE, "runtime.resource.async_op", source = "Session");
        let span = quietly(|| resource.inside(|| QuietSpan::of(make)))??;
        Some(Self { resource: resource.again(), span, mode: word(mode) })
    }

    /// Tells that the current task has polled it.
    pub(super) fn polled(&self, is_ready: bool) {
        let tell = || event!(target: "runtime::resource::poll_op", Level::TRACE, op_name = self.mode, is_ready);
        quietly(|| self.resource.inside(|| self.span.inside(tell)));
    }
}
