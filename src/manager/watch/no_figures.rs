//! No recorder: nothing is counted.

use super::{End, Inner, Party};
use crate::mode::LockMode;
use std::time::Duration;

pub(super) struct Home;

#[expect(clippy::unused_self, reason = "with the feature `metrics`, it is used")]
impl Home {
    pub(super) fn new(_levels: usize) -> Self {
        Self
    }

    pub(super) fn waits(&self, _party: Party<'_>, _mode: LockMode) {}

    pub(super) fn ended(
        &self,
        _home: &Inner,
        _level: usize,
        _mode: LockMode,
        _waits: bool,
        _waited: Duration,
        _end: End<'_>,
    ) {
    }

    pub(super) fn held(&self, _party: Party<'_>, _mode: LockMode) {}

    pub(super) fn released(&self, _party: Party<'_>, _mode: LockMode, _held: Duration) {}
}
