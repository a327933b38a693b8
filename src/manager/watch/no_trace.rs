//! No subscriber: no span is made, and no threshold can be set.

use super::super::super::LockManager;
use super::{End, Party};
use crate::level::Hierarchy;
use crate::mode::LockMode;
use crate::priority::Priority;
use crate::wants::NamesWanted;
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Default)]
pub(in super::super::super) struct Limits(());

pub(super) struct Home;

#[expect(clippy::unused_self, reason = "with the feature `tracing`, it is used")]
impl Home {
    pub(super) fn new(_limits: Limits, _hierarchy: &'static str, _levels: &'static [&'static str]) -> Self {
        Self
    }

    pub(super) fn opens<H: Hierarchy>(&self, _manager: &LockManager<H>) {}
}

#[derive(Default)]
pub(super) struct Watched(());

#[expect(clippy::unused_self, reason = "with the feature `tracing`, it is used")]
impl Watched {
    pub(super) fn new(
        _party: Party<'_>,
        _mode: LockMode,
        _priority: Priority,
        _names: impl FnOnce() -> Option<NamesWanted>,
    ) -> Self {
        Self(())
    }

    pub(super) fn waits(&mut self, _party: Party<'_>, _began: Instant, _waker: Option<&Waker>) {}

    pub(super) fn moves(&mut self, _priority: Priority) {}

    pub(super) fn was_slow(&mut self, _party: Party<'_>, _began: Instant) {}

    pub(super) fn ended(&mut self, _waited: Duration, _end: End<'_>) {}

    pub(super) fn released(&mut self, _party: Party<'_>, _mode: LockMode, _held: Duration) {}
}
