//! A request or a guard whose mode is known only at run time.

use crate::deadline::Timed;
use crate::mode::LockMode;
use crate::priority::Priority;
use crate::wants::{NamesWanted, Wants};
use futures::future::FusedFuture;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pin_project! {
    /// The shared or the exclusive form of a thing. With requests as forms, it is the future of their guards.
    #[doc(hidden)]
    #[project = ByModeProjected]
    #[derive(Debug)]
    pub enum ByMode<S, X> {
        Shared { #[pin] it: S },
        Exclusive { #[pin] it: X },
    }
}

impl<S, X> ByMode<S, X> {
    pub(crate) fn shared(it: S) -> Self {
        Self::Shared { it }
    }

    pub(crate) fn exclusive(it: X) -> Self {
        Self::Exclusive { it }
    }

    #[doc(hidden)]
    pub fn mode(&self) -> LockMode {
        match self {
            Self::Shared { .. } => LockMode::Shared,
            Self::Exclusive { .. } => LockMode::Exclusive,
        }
    }

    /// Converts the thing by the function for its mode.
    pub(crate) fn map<S2, X2>(self, shared: impl FnOnce(S) -> S2, exclusive: impl FnOnce(X) -> X2) -> ByMode<S2, X2> {
        match self {
            Self::Shared { it } => ByMode::shared(shared(it)),
            Self::Exclusive { it } => ByMode::exclusive(exclusive(it)),
        }
    }

    /// Makes the thing shared: converts it if it is exclusive.
    pub(crate) fn downgrade(self, downgrade: impl FnOnce(X) -> S) -> Self {
        match self {
            Self::Exclusive { it } => Self::shared(downgrade(it)),
            shared @ Self::Shared { .. } => shared,
        }
    }
}

impl<S, X, SharedGuard, ExclusiveGuard, E> Future for ByMode<S, X>
where
    S: Future<Output = Result<SharedGuard, E>>,
    X: Future<Output = Result<ExclusiveGuard, E>>,
{
    type Output = Result<ByMode<SharedGuard, ExclusiveGuard>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            ByModeProjected::Shared { it } => it.poll(context).map_ok(ByMode::shared),
            ByModeProjected::Exclusive { it } => it.poll(context).map_ok(ByMode::exclusive),
        }
    }
}

impl<S: FusedFuture, X: FusedFuture> FusedFuture for ByMode<S, X>
where
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        match self {
            Self::Shared { it } => it.is_terminated(),
            Self::Exclusive { it } => it.is_terminated(),
        }
    }
}

impl<S, X, SharedGuard, ExclusiveGuard, E> Timed for ByMode<S, X>
where
    S: Timed<Output = Result<SharedGuard, E>>,
    X: Timed<Output = Result<ExclusiveGuard, E>>,
{
    fn with_priority(self, priority: Priority) -> Self {
        self.map(|shared| shared.with_priority(priority), |exclusive| exclusive.with_priority(priority))
    }

    fn move_to(self: Pin<&mut Self>, priority: Priority) {
        match self.project() {
            ByModeProjected::Shared { it } => it.move_to(priority),
            ByModeProjected::Exclusive { it } => it.move_to(priority),
        }
    }

    fn give_up(self: Pin<&mut Self>, waited: Duration) -> Self::Output {
        match self.project() {
            ByModeProjected::Shared { it } => it.give_up(waited).map(ByMode::shared),
            ByModeProjected::Exclusive { it } => it.give_up(waited).map(ByMode::exclusive),
        }
    }

    fn watch(self: Pin<&mut Self>) -> Option<u64> {
        match self.project() {
            ByModeProjected::Shared { it } => it.watch(),
            ByModeProjected::Exclusive { it } => it.watch(),
        }
    }
}

impl<S: Wants, X: Wants> Wants for ByMode<S, X> {
    fn wants(&self) -> (LockMode, Priority) {
        match self {
            Self::Shared { it } => it.wants(),
            Self::Exclusive { it } => it.wants(),
        }
    }

    fn names_wanted(&self) -> Option<NamesWanted> {
        match self {
            Self::Shared { it } => it.names_wanted(),
            Self::Exclusive { it } => it.names_wanted(),
        }
    }
}
