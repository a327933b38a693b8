//! No party watches: everything here is empty.

#![expect(clippy::inline_always, reason = "so that nothing here counts when the compiler chooses what else to inline")]

use super::super::LockManager;
use super::super::error::SessionError;
use super::super::flow::Flow;
use super::super::record::Place;
use crate::level::Hierarchy;
use crate::mode::LockMode;
use crate::priority::Priority;
use crate::wants::Wants;
use std::marker::PhantomData;
use std::task::Context;

#[derive(Default)]
pub(in super::super) struct Limits(());

#[derive(Clone)]
pub(in super::super) struct Home;

impl Home {
    pub(in super::super) fn new(
        _limits: Limits,
        _hierarchy: fn() -> &'static str,
        _levels: &'static [&'static str],
    ) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "with a feature, it is used")]
    pub(in super::super) fn opens<H: Hierarchy>(&self, _manager: &LockManager<H>) {}
}

#[derive(Default)]
pub(in super::super) struct Holds(());

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a>(PhantomData<&'a ()>);

impl<'a> Party<'a> {
    #[inline(always)]
    pub(in super::super) fn new(_flow: impl FnOnce() -> &'a Flow, _level: usize, _place: Place) -> Self {
        Self(PhantomData)
    }
}

#[derive(Clone, Copy)]
pub(in super::super) struct Alarm<'a>(PhantomData<&'a ()>);

impl<'a> Alarm<'a> {
    #[inline(always)]
    pub(in super::super) fn of(_context: &Context<'a>) -> Self {
        Self(PhantomData)
    }

    #[inline(always)]
    pub(in super::super) fn none() -> Self {
        Self(PhantomData)
    }
}

/// A request.
#[derive(Debug, Default)]
pub struct Watched(());

#[expect(clippy::unused_self, reason = "with a feature, it is used")]
impl Watched {
    #[inline(always)]
    pub(in super::super) fn now(_party: Party<'_>, _request: &impl Wants) -> Self {
        Self(())
    }

    #[inline(always)]
    pub(in super::super) fn for_root(_party: Party<'_>, _mode: LockMode) -> Self {
        Self(())
    }

    #[inline(always)]
    pub(in super::super) fn begins(&mut self, _party: Party<'_>, _request: &impl Wants) {}

    #[inline(always)]
    pub(in super::super) fn waits(&mut self, _party: Party<'_>, _alarm: Alarm<'_>) {}

    #[inline(always)]
    pub(in super::super) fn moves(&mut self, _priority: Priority) {}

    #[inline(always)]
    pub(in super::super) fn failed<T>(self, error: SessionError) -> Result<T, SessionError> {
        Err(error)
    }

    #[inline(always)]
    pub(in super::super) fn ends(&mut self, _party: Option<Party<'_>>, _is_granted: bool) {}
}

#[inline(always)]
pub(in super::super) fn held(_party: Party<'_>, _mode: LockMode, _asked: Watched) {}

#[inline(always)]
pub(in super::super) fn downgraded<'a>(_flow: impl FnOnce() -> &'a Flow, _level: usize) {}

#[inline(always)]
pub(in super::super) fn settle<'a>(_flow: impl FnOnce() -> &'a Flow) {}
